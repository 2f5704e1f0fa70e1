using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.Json;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary><c>ttvm find --call</c>: the demo's deposits, of which it says itself how many there are and what they add up to.</summary>
public sealed class FindCallTests(DemoRecording demo)
{
    private const string Heads = "position,cpu,function,caller,arguments,result,returned,instructions";

    private List<JsonElement> Calls(params string[] options)
    {
        string json = Ttvm.Good(["find", demo.File, "--call", "bank_deposit", "--json", .. options]);
        return [.. JsonDocument.Parse(json).RootElement.GetProperty("calls").EnumerateArray()];
    }

    private static ulong Value(JsonElement value) => Convert.ToUInt64(value.GetProperty("value").GetString(), 16);

    private static ulong Amount(JsonElement call) => Value(Assert.Single(call.GetProperty("arguments").EnumerateArray().ToArray()));

    private static string Position(JsonElement call) => call.GetProperty("position").GetString()!;

    [Fact]
    public void All_deposits_are_found_with_what_they_paid_in()
    {
        List<JsonElement> calls = Calls("--limit", "5000");
        Assert.Contains($"{calls.Count.ToString("N0", CultureInfo.InvariantCulture)} deposits;", demo.DemoOutput, StringComparison.Ordinal);
        ulong sum = calls.Aggregate(0UL, static (sum, call) => sum + Amount(call));
        Assert.Contains($"lost update: expected {sum} got {Value(calls[^1].GetProperty("result"))}", demo.DemoOutput, StringComparison.Ordinal);
        Assert.Equal(calls.Select(Position).Select(ulong.Parse).Order(), calls.Select(Position).Select(ulong.Parse));
    }

    [Fact]
    public void Entry_and_return_are_where_the_registers_say_so()
    {
        foreach (JsonElement call in Calls("--limit", "3", "--from", "70%"))
        {
            JsonElement entry = Registers(Position(call), call.GetProperty("cpu").GetInt32());
            JsonElement after = Registers(call.GetProperty("returnPosition").GetString()!, call.GetProperty("returnCpu").GetInt32());
            Assert.Equal(call.GetProperty("address").GetString(), entry.GetProperty("rip").GetString());
            Assert.Equal(Amount(call), Convert.ToUInt64(entry.GetProperty("rdi").GetString(), 16));
            Assert.Equal(call.GetProperty("returnSlot").GetString(), entry.GetProperty("rsp").GetString());
            Assert.Equal(call.GetProperty("returnAddress").GetString(), after.GetProperty("rip").GetString());
            Assert.Equal(Value(call.GetProperty("result")), Convert.ToUInt64(after.GetProperty("rax").GetString(), 16));
        }
    }

    private JsonElement Registers(string position, int cpu) =>
        JsonDocument.Parse(Ttvm.Good("regs", demo.File, "--at", position, "--cpu", cpu.ToString(CultureInfo.InvariantCulture), "--json")).RootElement;

    [Fact]
    public void Table_and_CSV_say_what_JSON_says()
    {
        List<JsonElement> calls = Calls("--limit", "4");
        ToolResult text = Ttvm.Expect(0, "find", demo.File, "--call", "bank_deposit", "--limit", "4");
        Assert.Contains($"there are more than 4 calls: see more with --limit or --from {Position(calls[3])}", text.Error, StringComparison.Ordinal);
        string[] lines = text.Output.TrimEnd().Split('\n'), rows = Ttvm.Good("find", demo.File, "--call", "bank_deposit", "--limit", "4", "--csv").TrimEnd().Split('\n');
        Assert.Equal(Heads, rows[0]);
        Assert.Equal(Heads.Split(','), Words(lines[0]));
        Assert.Equal(5, rows.Length);
        for (int i = 0; i < calls.Count; i++)
        {
            JsonElement call = calls[i];
            string expected = $"{Position(call)},{call.GetProperty("cpu")},bank_deposit,{call.GetProperty("caller").GetString()},amount={Amount(call)},"
                + $"{Value(call.GetProperty("result"))},{call.GetProperty("returnPosition").GetString()},{call.GetProperty("instructions")}";
            Assert.Equal(expected, rows[i + 1]);
            Assert.Equal(Words(expected.Replace(',', ' ')), Words(lines[i + 1]));
        }
    }

    private static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    [Fact]
    public void The_last_and_the_next_one_are_neighbours_of_the_position()
    {
        List<JsonElement> calls = Calls("--limit", "5000");
        int middle = calls.Count / 2;
        Assert.Equal(Position(calls[^1]), Position(Assert.Single(Calls("--last"))));
        Assert.Equal(Position(calls[0]), Position(Assert.Single(Calls("--next"))));
        Assert.Equal(Position(calls[middle - 1]), Position(Assert.Single(Calls("--last", "--at", Position(calls[middle])))));
        Assert.Equal(Position(calls[middle + 1]), Position(Assert.Single(Calls("--next", "--at", Position(calls[middle])))));
        Assert.Equal([Position(calls[5]), Position(calls[6])], Calls("--from", Position(calls[5]), "--to", Position(calls[7])).Select(Position));
    }

    [Fact]
    public void Conditions_choose_by_arguments_and_results()
    {
        List<JsonElement> calls = Calls("--limit", "5000");
        string[] large = [.. calls.Where(static call => Amount(call) > 60).Select(Position)];
        string[] late = [.. calls.Where(static call => Value(call.GetProperty("result")) is > 20_000 and < 21_000).Select(Position)];
        Assert.NotEmpty(large);
        Assert.NotEmpty(late);
        Assert.Equal(large, Calls("--where", "amount > 60", "--limit", "5000").Select(Position));
        Assert.Equal(late, Calls("--where", "ret > 20000 && ret < 21000").Select(Position));
        Assert.Equal(late[^1], Position(Assert.Single(Calls("--where", "ret > 20000 && ret < 21000", "--last"))));
        ToolResult none = Ttvm.Expect(1, "find", demo.File, "--call", "bank_deposit", "--where", "amount == 123456");
        Assert.Contains("nothing found: bank_deposit is not called there", none.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_there_or_not_understood_has_a_sentence()
    {
        Ttvm.Refuses(2, ["find", demo.File, "--call", "bank_deposits"], "no function is named 'bank_deposits'", "there is bank_deposit");
        Ttvm.Refuses(2, ["find", demo.File, "--call", "zzzzzzzzzzzz"], "no function is named 'zzzzzzzzzzzz'", "--symbols");
        Ttvm.Refuses(2, ["find", demo.File, "--call", "bank_deposit", "--where", "amont == 1"], "--where", "'amont' is neither a register nor a known symbol");
        Ttvm.Refuses(2, ["find", demo.File, "--call", "bank_deposit", "--where", "amount ="], "--where", "ends too early");
        Ttvm.Refuses(2, ["find", demo.File, "--call", "bank_deposit", "--last", "--next"], "--last", "--next");
        Ttvm.Refuses(2, ["find", demo.File, "--call", "bank_deposit", "--last", "--from", "3"], "--at", "--from");
        Ttvm.Refuses(2, ["find", demo.File, "--call", "bank_deposit", "--abi", "fastcall"], "--abi", "'fastcall'", "regparm");
        Ttvm.Refuses(2, ["find", demo.File, "--call", "bank_deposit", "--from", "90%", "--to", "10%"], "--to", "--from");
        Ttvm.Refuses(2, ["find", demo.File, "--call", "bank_deposit", "--console", "OK"], "exactly one");
    }
}
