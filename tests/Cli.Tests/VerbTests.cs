using System;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary>Every verb does its work on a recording of the demo kernel.</summary>
public sealed class VerbTests(DemoRecording demo)
{
    [Fact]
    public void Demo_goes_back_to_the_lost_update()
    {
        Assert.Contains("BUG: lost update", demo.DemoOutput, StringComparison.Ordinal);
        Assert.Contains("tests the lock: 0, it is free", demo.DemoOutput, StringComparison.Ordinal);
        Assert.Matches(@"writes \d+: the \d+ of vCPU \d are lost", demo.DemoOutput);
    }

    [Fact]
    public void Demo_suggests_commands_that_work()
    {
        string[] commands = [.. demo.DemoOutput.Split('\n').Select(line => line.Trim()).Where(line => line.StartsWith("ttvm ", StringComparison.Ordinal))];
        Assert.True(commands.Length >= 8, demo.DemoOutput);
        foreach (string command in commands)
        {
            string[] words = command.Split(' ')[1..];
            if (words[0] != "record") Ttvm.Good(words);
        }
    }

    [Fact]
    public void Demo_does_not_replace_what_it_did_not_make()
    {
        string path = demo.PathOf("not-a-demo.ttvm");
        File.WriteAllText(path, "something precious");
        Ttvm.Refuses(2, ["demo", "-o", path], path, "exists already", "--force");
        Assert.Equal("something precious", File.ReadAllText(path));
    }

    [Fact]
    public void Record_shows_the_guests_console_and_a_summary()
    {
        string path = demo.PathOf("record.ttvm");
        ToolResult result = Ttvm.Expect(0, "record", "-o", path, "--kernel", DemoRecording.Kernel, "--cpus", "2", "--memory", "64M", "--append", "lock=mcs");
        Assert.EndsWith("OK\r\n", result.Output, StringComparison.Ordinal);
        foreach (string word in (string[])["debug-exit port with code 0x10", "MIPS", "bytes per 1,000 instructions", "checkpoint", path])
            Assert.Contains(word, result.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(path + ".partial"));
        Ttvm.Good("verify", path);
    }

    [Fact]
    public void Record_stops_at_a_text_and_at_a_count()
    {
        string path = demo.PathOf("until.ttvm");
        string text = Ttvm.Good("record", "-o", path, "--kernel", DemoRecording.Kernel, "--memory", "64M", "--until", "text:1 cpus", "-q", "--json");
        Assert.Equal("TextPrinted", Property(text, "stop").GetString());
        string count = Ttvm.Good("record", "-o", path, "--force", "--kernel", DemoRecording.Kernel, "--memory", "64M", "--until", "count:12345", "--json");
        Assert.Equal(12345, Property(count, "instructionCount").GetInt64());
        Assert.Equal("None", Property(Ttvm.Good("info", path, "--json"), "end").GetProperty("outcome").GetString());
        Ttvm.Expect(1, "record", "-o", path, "--force", "--kernel", DemoRecording.Kernel, "--memory", "64M", "--until", "text:never printed", "-q");
        Ttvm.Good("verify", path);
    }

    [Fact]
    public void Record_follows_the_hosts_clock_and_verifies()
    {
        string path = demo.PathOf("host.ttvm");
        Ttvm.Good("record", "-o", path, "--kernel", DemoRecording.Kernel, "--memory", "64M", "--cpus", "2", "--clock", "host", "--append", "rounds=20", "-q");
        Ttvm.Good("verify", path);
        Assert.Equal("Host", Property(Ttvm.Good("info", path, "--json"), "machine").GetProperty("clock").GetString());
    }

    [Fact]
    public void Verify_says_good() => Assert.Contains(": good.", Ttvm.Good("verify", demo.File), StringComparison.Ordinal);

    [Fact]
    public void Replay_shows_the_same_console()
    {
        ToolResult result = Ttvm.Expect(0, "replay", demo.File);
        Assert.Contains("BUG: lost update", result.Output, StringComparison.Ordinal);
        Assert.Equal(Ttvm.Good("console", demo.File), result.Output);
        Assert.Contains("now at", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("BUG", Ttvm.Expect(0, "replay", demo.File, "--to", "50%").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Info_in_text_and_JSON_agree()
    {
        string json = Ttvm.Good("info", demo.File, "--json");
        string identity = Property(json, "identity").GetString()!;
        Assert.Contains(identity, Ttvm.Good("info", demo.File), StringComparison.Ordinal);
        Assert.Equal("DebugExit", Property(json, "end").GetProperty("outcome").GetString());
        Assert.Equal(0x11, Property(json, "end").GetProperty("code").GetInt32());
    }

    [Fact]
    public void Regs_shows_registers_of_each_vCPU()
    {
        Assert.Contains("RIP ", Ttvm.Good("regs", demo.File, "--at", "50%"), StringComparison.Ordinal);
        string json = Ttvm.Good("regs", demo.File, "--at", "50%", "--cpu", "3", "--json");
        Assert.Equal(3, Property(json, "cpu").GetInt32());
        Assert.Contains("XMM15", Ttvm.Good("regs", demo.File, "--at", "start", "--all"), StringComparison.Ordinal);
    }

    [Fact]
    public void Memory_is_shown_by_address_and_register()
    {
        // The Multiboot header, at physical and linear 0x100000 before paging is on.
        string physical = Ttvm.Good("mem", demo.File, "--at", "start", "-a", "0x100000", "-p", "-n", "4");
        Assert.Contains("02 b0 ad 1b", physical, StringComparison.Ordinal);
        Assert.Equal(physical, Ttvm.Good("mem", demo.File, "--at", "start", "-a", "100000", "-n", "4"));
        Ttvm.Good("mem", demo.File, "--at", "50%", "-a", "rsp+8");
        Assert.Contains("?? ??", Ttvm.Good("mem", demo.File, "--at", "50%", "-a", "0x123456789000", "-n", "16"), StringComparison.Ordinal);
    }

    [Fact]
    public void Disasm_begins_at_the_next_instruction()
    {
        string text = Ttvm.Good("disasm", demo.File, "--at", "start", "-n", "3");
        Assert.StartsWith("_start:\n=> ", text, StringComparison.Ordinal);
        Assert.Contains("cli", text, StringComparison.Ordinal);
        Assert.Equal(3, Property(Ttvm.Good("disasm", demo.File, "--at", "start", "-n", "3", "--json"), "instructions").GetArrayLength());
    }

    [Fact]
    public void Disasm_names_functions()
    {
        string text = Ttvm.Good("disasm", demo.File, "--at", "50%", "-a", "0xffffffff80102ccb", "-n", "3");
        Assert.StartsWith("bank_deposit:\n   ffffffff80102ccb", text, StringComparison.Ordinal);
        text = Ttvm.Good("disasm", demo.File, "--at", "50%", "-a", "0xffffffff80102ccc", "-n", "1");
        Assert.StartsWith("bank_deposit+0x1:\n", text, StringComparison.Ordinal);
        JsonElement instructions = Property(Ttvm.Good("disasm", demo.File, "--at", "50%", "-a", "0xffffffff80102ccb", "-n", "1", "--json"), "instructions");
        Assert.Equal("bank_deposit", instructions[0].GetProperty("function").GetString());
    }

    [Fact]
    public void Page_tables_show_ranges_a_tree_and_one_walk()
    {
        Assert.Contains("ffff800000000000-", Ttvm.Good("pagetables", demo.File, "--at", "50%"), StringComparison.Ordinal);
        Assert.Contains("PML4[", Ttvm.Good("pagetables", demo.File, "--at", "50%", "--tree"), StringComparison.Ordinal);
        string walk = Ttvm.Good("pagetables", demo.File, "--at", "50%", "--address", "rip");
        foreach (string level in (string[])["PML4", "PDPT", "PD ", "PT "]) Assert.Contains(level, walk, StringComparison.Ordinal);
        Assert.Contains("not mapped", Ttvm.Expect(1, "pagetables", demo.File, "--at", "50%", "--address", "0x123456789000").Output, StringComparison.Ordinal);
        Assert.Contains("no paging", Ttvm.Good("pagetables", demo.File, "--at", "start"), StringComparison.Ordinal);
    }

    [Fact]
    public void Shadow_shows_what_is_filled_and_what_is_not()
    {
        string text = Ttvm.Good("shadow", demo.File, "--at", "50%");
        Assert.Contains("shadow fault", text, StringComparison.Ordinal);
        Assert.Contains("in step", text, StringComparison.Ordinal);
        Assert.Contains("write-protected: it is the ", Ttvm.Good("shadow", demo.File, "--at", "25%", "--limit", "100000"), StringComparison.Ordinal);
        Assert.Contains("not yet filled", Ttvm.Good("shadow", demo.File, "--at", "50%", "-a", "0xffff800003000000"), StringComparison.Ordinal);
    }

    [Fact]
    public void Exits_count_port_writes()
    {
        string json = Ttvm.Good("exits", demo.File, "--json");
        Assert.True(Property(json, "counts").GetProperty("PortWrite").GetInt64() > 100);
        string none = Ttvm.Good("exits", demo.File, "--from", "50%", "--at", "50%", "--json");
        Assert.Equal(0, Property(none, "counts").GetProperty("PortWrite").GetInt64());
    }

    [Fact]
    public void Console_grows_with_the_position()
    {
        string half = Ttvm.Good("console", demo.File, "--at", "50%"), all = Ttvm.Good("console", demo.File);
        Assert.StartsWith(half, all, StringComparison.Ordinal);
        Assert.Contains("BUG: lost update", all, StringComparison.Ordinal);
        Assert.Matches(@"(?m)^\d+ .*BUG: lost update", Ttvm.Good("console", demo.File, "--positions"));
        Assert.Equal(25, Ttvm.Good("console", demo.File, "--screen").Count(c => c == '\n'));
    }

    [Fact]
    public void Back_and_forward_are_inverse()
    {
        string there = Property(Ttvm.Good("forward", demo.File, "--at", "400000", "--steps", "1000", "--json"), "position").GetString()!;
        Assert.Equal("400000", Property(Ttvm.Good("back", demo.File, "--at", there, "--steps", "1000", "--json"), "position").GetString());
        Assert.Contains("start of the recording", Ttvm.Good("back", demo.File, "--at", "3", "--steps", "10"), StringComparison.Ordinal);
        Assert.Contains("=> 400002", Ttvm.Good("forward", demo.File, "--at", "400000", "--steps", "2"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--last-write", "rsp", "--from", "50%")]
    [InlineData("--next-write", "0x104658", "--physical", "--size", "8")]
    [InlineData("--access", "rsp", "--from", "50%", "--reverse", "--size", "8")]
    [InlineData("--breakpoint", "rip", "--from", "30%")]
    [InlineData("--exception", "pf")]
    [InlineData("--exception", "any", "--reverse")]
    [InlineData("--interrupt", "any", "--from", "60%")]
    [InlineData("--software-interrupt", "any", "--from", "50%")]
    [InlineData("--port", "0x3f8", "--reverse")]
    [InlineData("--mmio", "0xfee000b0", "--size", "4")]
    [InlineData("--msr", "0xc0000080")]
    [InlineData("--cr", "3", "--reverse", "--cpu", "0")]
    [InlineData("--console", "BUG: lost", "--reverse")]
    public void Find_finds(params string[] condition)
    {
        string text = Ttvm.Good(["find", demo.File, .. condition]);
        Assert.Matches(@"^position \d+", text);
        string position = Property(Ttvm.Good(["find", demo.File, .. condition, "--json"]), "position").GetString()!;
        Assert.Contains($"position {position},", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Addresses_may_be_symbols()
    {
        const string deposit = "0xffffffff80102ccb";
        string found = Ttvm.Good("find", demo.File, "--breakpoint", deposit, "--json");
        Assert.Equal(found, Ttvm.Good("find", demo.File, "--breakpoint", "bank_deposit", "--json"));
        Assert.Equal(found, Ttvm.Good("find", demo.File, "--breakpoint", "bank_deposit+0", "--json"));
        Assert.Equal(Ttvm.Good("disasm", demo.File, "-a", "0xffffffff80102cdb"), Ttvm.Good("disasm", demo.File, "-a", "bank_deposit+10"));
        Assert.Equal(Ttvm.Good("mem", demo.File, "-a", "ffffffff80102cbb"), Ttvm.Good("mem", demo.File, "-a", "bank_deposit-0x10"));
        Assert.Equal(Ttvm.Good("pagetables", demo.File, "-a", deposit), Ttvm.Good("pagetables", demo.File, "-a", "bank_deposit"));
        Assert.Equal(Ttvm.Good("shadow", demo.File, "-a", deposit), Ttvm.Good("shadow", demo.File, "-a", "bank_deposit"));
        Assert.Contains($"--breakpoint {deposit} ", Ttvm.Good("find", demo.File, "--breakpoint", "bank_deposit"), StringComparison.Ordinal);
    }

    [Fact]
    public void Find_says_when_there_is_nothing()
    {
        Ttvm.Refuses(1, ["find", demo.File, "--console", "never printed"], "nothing found", "never printed");
        Ttvm.Refuses(1, ["find", demo.File, "--port", "0x1234"], "nothing found");
    }

    [Fact]
    public void Last_write_is_what_is_in_memory_afterwards()
    {
        string json = Ttvm.Good("find", demo.File, "--last-write", "0xffffffff80104658", "--size", "8", "--json");
        ulong value = Convert.ToUInt64(Property(json, "value").GetString(), 16);
        byte[] bytes = [.. Property(Ttvm.Good("mem", demo.File, "--at", "end", "-a", "0xffffffff80104658", "-n", "8", "--json"), "bytes").EnumerateArray().Select(b => b.GetByte())];
        Assert.Equal(value, BitConverter.ToUInt64(bytes));
        Assert.Contains($"got {value.ToString(CultureInfo.InvariantCulture)}", demo.DemoOutput, StringComparison.Ordinal);
    }

    [Fact]
    public void Lockstep_agrees_with_itself()
    {
        string text = Ttvm.Good("lockstep", demo.File, "--every", "200000", "--to", "60%");
        Assert.Contains("interp and interp:step agree", text, StringComparison.Ordinal);
        Assert.Contains("interp and interp:restore agree", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Bisect_has_nothing_to_do_on_a_good_recording() => Assert.Contains("verifies", Ttvm.Good("bisect", demo.File), StringComparison.Ordinal);

    [Fact]
    [Trait("Category", "Slow")]
    public void Bench_makes_a_table()
    {
        string text = Ttvm.Good("bench", "--quick", "--no-qemu");
        Assert.Contains("| integer loop in registers |", text, StringComparison.Ordinal);
        Assert.Contains("step back", text, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", text, StringComparison.Ordinal);
    }

    private static JsonElement Property(string json, string name) => JsonDocument.Parse(json).RootElement.GetProperty(name);
}
