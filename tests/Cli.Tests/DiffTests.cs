using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary><c>ttvm diff</c>: what it says is compared with what single steps of both recordings show.</summary>
public sealed class DiffTests(DemoRecording demo)
{
    private static string Trace(string name) => Repository.PathOf($"traces/{name}.ttvm");

    [Fact]
    public void A_run_and_its_rerun_are_the_same()
    {
        string again = demo.PathOf("diff-again.ttvm");
        Ttvm.Good("rerun", Trace("demo64-host-clock"), "-o", again);
        Assert.Contains("the same run", Ttvm.Good("diff", Trace("demo64-host-clock"), again), StringComparison.Ordinal);
        JsonElement found = Json(0, Trace("demo64-host-clock"), again);
        Assert.True(found.GetProperty("same").GetBoolean());
        Assert.False(found.TryGetProperty("instruction", out _));
    }

    [Fact]
    public void Other_command_lines_part_where_the_guest_reads_them()
    {
        string a = Trace("demo64-lost-update"), b = Trace("demo64-mcs");
        JsonElement found = Json(1, a, b);
        JsonElement line = Assert.Single(found.GetProperty("machine").EnumerateArray(), static one => one.GetProperty("name").GetString() == "command line");
        Assert.Equal("lock=mcs", line.GetProperty("b").GetString());
        AssertFirstInstruction(found, a, b);
        // Its own text is where the consoles part.
        JsonElement console = Assert.Single(found.GetProperty("console").EnumerateArray());
        Assert.EndsWith("lock=broken", console.GetProperty("a").GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.EndsWith("lock=mcs", console.GetProperty("b").GetProperty("text").GetString(), StringComparison.Ordinal);
        // As long as both have vCPU 0 printing letter by letter, they call the same.
        Assert.Equal("put", found.GetProperty("calls").GetProperty("before").GetString());
        Assert.Equal("put", found.GetProperty("calls").GetProperty("a")[0].GetProperty("function").GetString());
        Assert.NotEqual("put", found.GetProperty("calls").GetProperty("b")[0].GetProperty("function").GetString());
    }

    [Fact]
    public void Another_input_is_where_the_states_part()
    {
        string script = demo.PathOf("other.input"), other = demo.PathOf("other-input.ttvm");
        string[] lines = File.ReadAllLines(Repository.PathOf("traces/echo.input"));
        File.WriteAllLines(script, lines.Select(static line => line == "send time travel" ? "send time trap" : line == "expect TRAVEL" ? "expect TRAP" : line));
        Ttvm.Good("record", "-q", "-o", other, "--kernel", GuestImages.Own("echo.elf"), "--memory", "2M", "--input", script);
        JsonElement found = Json(1, Trace("echo"), other);
        JsonElement inputs = found.GetProperty("inputs"), state = found.GetProperty("state");
        Assert.Equal(2, inputs.GetProperty("number").GetInt32());
        Assert.Contains("74 69 6d 65 20 74 72 61 76 65 6c", inputs.GetProperty("a").GetString(), StringComparison.Ordinal);
        Assert.Contains("74 69 6d 65 20 74 72 61 70 at ", inputs.GetProperty("b").GetString(), StringComparison.Ordinal);
        Assert.True(state.GetProperty("isSameStart").GetBoolean());
        Assert.True(state.GetProperty("isExact").GetBoolean());
        // An input is an event: it is taken where the states are the same for the last time, and the state behind it is that of the next ordinal.
        Assert.Equal(inputs.GetProperty("aPosition").GetString(), state.GetProperty("lastSame").GetString());
        Assert.Equal(state.GetProperty("lastSame").GetString() + ":1", state.GetProperty("firstDifferent").GetString());
        AssertFirstInstruction(found, Trace("echo"), other);
        string text = Ttvm.Expect(1, "diff", Trace("echo"), other).Output;
        foreach (string part in (string[])["== inputs\nnumber 2", "== state\nthe same up to ", "== first different instruction\nA  ", "HELLOTIME TRAVEL", "HELLOTIME TRAP"])
            Assert.Contains(part, text, StringComparison.Ordinal);
    }

    /// <summary>The same kernel, but with checkpoints elsewhere: what is found does not depend on where these are.</summary>
    [Fact]
    public void Checkpoints_at_other_places_change_nothing()
    {
        string a = demo.PathOf("sparse.ttvm"), b = demo.PathOf("dense.ttvm"), c = demo.PathOf("other-dense.ttvm");
        string[] machine = ["--kernel", DemoRecording.Kernel, "--memory", "16M", "--cpus", "2"];
        Ttvm.Good(["record", "-q", "-o", a, .. machine]);
        Ttvm.Good(["record", "-q", "-o", b, "--checkpoint-interval", "77777", .. machine]);
        Ttvm.Good(["record", "-q", "-o", c, "--checkpoint-interval", "77777", .. machine, "--append", "lock=mcs"]);
        Assert.Contains("the same run", Ttvm.Good("diff", a, b), StringComparison.Ordinal);
        JsonElement sparse = Json(1, a, c), dense = Json(1, b, c);
        foreach (string side in (string[])["a", "b"])
            Assert.Equal(sparse.GetProperty("instruction").GetProperty(side).GetRawText(), dense.GetProperty("instruction").GetProperty(side).GetRawText());
    }

    [Fact]
    public void Another_schedule_is_told_as_turns()
    {
        string a = demo.PathOf("chaos1.ttvm"), b = demo.PathOf("chaos2.ttvm");
        string[] machine = ["--kernel", DemoRecording.Kernel, "--memory", "16M", "--cpus", "4"];
        Ttvm.Good(["record", "-q", "-o", a, .. machine, "--chaos", "1"]);
        Ttvm.Good(["record", "-q", "-o", b, .. machine, "--chaos", "2"]);
        JsonElement found = Json(1, a, b), turn = found.GetProperty("turn");
        Assert.NotEqual(turn.GetProperty("a").GetRawText(), turn.GetProperty("b").GetRawText());
        // There, the turn really goes to that vCPU.
        foreach ((string side, string path) in ((string, string)[])[("a", a), ("b", b)])
        {
            long count = turn.GetProperty(side).GetProperty("instructionCount").GetInt64();
            JsonElement before = Registers(path, $"{count - 1}"), behind = Registers(path, $"{count + 1}");
            Assert.Equal(turn.GetProperty(side).GetProperty("from").GetInt32(), before.GetProperty("currentCpu").GetInt32());
            Assert.Equal(turn.GetProperty(side).GetProperty("to").GetInt32(), behind.GetProperty("currentCpu").GetInt32());
        }
        AssertFirstInstruction(found, a, b);
    }

    [Fact]
    public void One_that_was_stopped_is_the_same_up_to_there()
    {
        string whole = Trace("demo32"), cut = demo.PathOf("cut-short.ttvm");
        Ttvm.Good("record", "-q", "-o", cut, "--kernel", GuestImages.Own("demo32.elf"), "--memory", "8M", "--until", "count:100000");
        JsonElement found = Json(1, whole, cut);
        Assert.Equal("100000", found.GetProperty("state").GetProperty("lastSame").GetString());
        Assert.False(found.GetProperty("state").TryGetProperty("isExact", out _));
        Assert.Equal(JsonValueKind.Null, found.GetProperty("instruction").GetProperty("b").ValueKind);
        Assert.Equal("100000", found.GetProperty("instruction").GetProperty("a").GetProperty("position").GetString());
    }

    [Fact]
    public void Both_sides_have_their_text()
    {
        JsonElement found = Json(1, Trace("demo64-lost-update"), Trace("demo64-mcs"));
        foreach ((string side, string name) in ((string, string)[])[("a", "demo64-lost-update"), ("b", "demo64-mcs")])
        {
            JsonElement one = found.GetProperty(side);
            Assert.Equal(Ttvm.Good("console", Trace(name)).Replace("\r", "", StringComparison.Ordinal).TrimEnd(), one.GetProperty("consoleText").GetString()!.TrimEnd());
            string position = found.GetProperty("instruction").GetProperty(side).GetProperty("position").GetString()!;
            Assert.Equal(Ttvm.Good("regs", Trace(name), "--at", position), one.GetProperty("registersText").GetString());
            string[] trace = [.. one.GetProperty("trace").EnumerateArray().Select(static line => line.GetString()!)];
            int at = Array.FindIndex(trace, line => line.StartsWith(position + " ", StringComparison.Ordinal));
            Assert.InRange(at, 20, trace.Length - 20);
        }
        // Up to the difference both are the same.
        string[] a = TraceOf("a"), b = TraceOf("b");
        int same = 0;
        while (a[same] == b[same]) same++;
        Assert.StartsWith(found.GetProperty("instruction").GetProperty("a").GetProperty("position").GetString()!, a[same], StringComparison.Ordinal);
        string[] TraceOf(string side) => [.. found.GetProperty(side).GetProperty("trace").EnumerateArray().Select(static line => line.GetString()!)];
    }

    private static JsonElement Json(int exitCode, string a, string b) => JsonDocument.Parse(Ttvm.Expect(exitCode, "diff", a, b, "--json").Output).RootElement;

    private static JsonElement Registers(string path, string at) => JsonDocument.Parse(Ttvm.Good("regs", path, "--at", at, "--json")).RootElement;

    private static ulong Number(JsonElement hexadecimal) => ulong.Parse(hexadecimal.GetString().AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    // One instruction before, both are at the same place; there, they are not.
    private static void AssertFirstInstruction(JsonElement found, string a, string b)
    {
        JsonElement instruction = found.GetProperty("instruction");
        var at = new List<ulong>();
        foreach ((string side, string path) in ((string, string)[])[("a", a), ("b", b)])
        {
            JsonElement one = instruction.GetProperty(side);
            string position = one.GetProperty("position").GetString()!;
            JsonElement registers = Registers(path, position);
            Assert.Equal(Number(one.GetProperty("address")), Number(registers.GetProperty("rip")) + Number(registers.GetProperty("segments").GetProperty("cs").GetProperty("base")));
            Assert.Equal(one.GetProperty("cpu").GetInt32(), registers.GetProperty("currentCpu").GetInt32());
            at.Add(ulong.Parse(position.Split(':')[0], CultureInfo.InvariantCulture));
        }
        Assert.Equal(at[0], at[1]);
        Assert.NotEqual(instruction.GetProperty("a").GetRawText().Split("address")[1], instruction.GetProperty("b").GetRawText().Split("address")[1]);
        for (ulong back = 1; back <= 5; back++)
        {
            JsonElement one = Registers(a, $"{at[0] - back}"), other = Registers(b, $"{at[0] - back}");
            Assert.Equal(one.GetProperty("rip").GetString(), other.GetProperty("rip").GetString());
            Assert.Equal(one.GetProperty("currentCpu").GetInt32(), other.GetProperty("currentCpu").GetInt32());
        }
    }
}
