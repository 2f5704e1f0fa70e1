using System;
using System.IO;
using System.Linq;
using System.Text.Json;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary><c>ttvm rerun</c>: the recorded build gives the recording again; a broken one fails, the repaired one does not.</summary>
public sealed class RerunTests(DemoRecording demo)
{
    /// <summary>Inputs, host clock and chaos: all come where they came.</summary>
    [Theory]
    [InlineData("echo")]
    [InlineData("demo64-host-clock")]
    [InlineData("demo64-lost-update")]
    [InlineData("demo32")]
    [InlineData("triplefault", "triple fault")]
    public void The_recorded_build_gives_the_same_recording(string name, string? failure = null)
    {
        string original = Repository.PathOf($"traces/{name}.ttvm"), again = demo.PathOf($"again-{name}.ttvm");
        ToolResult result = Ttvm.Expect(failure is null ? 0 : 1, "rerun", original, "-o", again);
        if (failure is not null) Assert.Contains(failure, result.Output, StringComparison.Ordinal);
        Assert.Equal(End(original), End(again));
        Ttvm.Good("verify", again);
        Ttvm.Refuses(2, ["rerun", original, "-o", again], "exists already");
    }

    [Fact]
    public void A_recorded_bug_is_a_test_of_the_repair()
    {
        string bug = demo.PathOf("bug.ttvm"), expect = demo.PathOf("bug.expect"), junit = demo.PathOf("bug.xml"), folder = Directory.CreateDirectory(demo.PathOf("rerun")).FullName;
        Ttvm.Good("record", "-q", "-o", bug, "--kernel", GuestImages.Own("concurrency-deadlock-broken.elf"), "--cpus", "4", "--memory", "16M", "--chaos", "0");
        File.WriteAllText(expect, """
            # Nobody waits for ever.
            exits with 0
            prints "ok deadlock"
            never prints waits for ever
            no lock-order inversion
            calls program_run
            no panic
            """);
        ToolResult broken = HostTool.Run(Ttvm.Program, ["rerun", bug, "--expect", expect, "--junit", junit], TimeSpan.FromMinutes(2), folder);
        Assert.True(broken.ExitCode == 1, broken.Output + broken.Error);
        foreach (string line in (string[])["NOT MET  exits with 0", "NOT MET  prints \"ok deadlock\"  (it was never printed)", "NOT MET  never prints waits for ever  (printed at ",
            "NOT MET  no lock-order inversion  (at ", "met      calls program_run  (called at ", "met      no panic", "4 of 6 expectations not met"])
            Assert.Contains(line, broken.Output, StringComparison.Ordinal);
        // It is kept, and has bookmarks where VS Code shows them: the earliest is where it went wrong first.
        string kept = Path.Combine(folder, "bug.rerun.ttvm");
        Ttvm.Good("verify", kept);
        JsonElement[] bookmarks = [.. JsonDocument.Parse(File.ReadAllText(kept + ".bookmarks.json")).RootElement.GetProperty("bookmarks").EnumerateArray()];
        Assert.Equal(4, bookmarks.Length);
        string inversion = Assert.Single(bookmarks, static one => one.GetProperty("name").GetString() == "not met: no lock-order inversion").GetProperty("position").GetString()!;
        Assert.Contains($"\"at\": \"{inversion}\"", broken.Output, StringComparison.Ordinal);
        Assert.Contains($"{inversion}  ", Ttvm.Expect(1, "locks", kept, "--check").Output, StringComparison.Ordinal);
        JUnitFile report = JUnitFile.Read(junit);
        Assert.Equal(6, report.Cases.Count);
        Assert.Equal(("good", ""), report.Of("calls program_run"));
        Assert.Equal("failure", report.Of("no lock-order").Result);
        Assert.Contains($"position: {inversion}", report.Cases.Single(static one => one.Attribute("name")!.Value == "no lock-order inversion").Value, StringComparison.Ordinal);

        // The repaired one, which is not kept as nothing is wrong with it; what is left of the other does not hold any more.
        ToolResult repaired = HostTool.Run(Ttvm.Program, ["rerun", bug, "--kernel", GuestImages.Own("concurrency-deadlock.elf"), "--expect", expect, "--force"], TimeSpan.FromMinutes(2), folder);
        Assert.True(repaired.ExitCode == 0, repaired.Output + repaired.Error);
        Assert.Contains("6 expectations: all met", repaired.Output, StringComparison.Ordinal);
        Assert.False(File.Exists(kept));
        Assert.DoesNotContain("not met", File.ReadAllText(kept + ".bookmarks.json"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, "prints lost update")]
    [InlineData(false, "prints found update")]
    [InlineData(true, "never prints found update")]
    [InlineData(false, "never prints \"BUG: lost\"")]
    [InlineData(true, "exits with 0x11")]
    [InlineData(false, "exits with 16")]
    [InlineData(true, "ends by DebugExit")]
    [InlineData(false, "ends by poweroff")]
    [InlineData(true, "calls page_map")]
    [InlineData(false, "never calls page_map")]
    [InlineData(false, "calls page_mapp")]
    [InlineData(false, "never calls page_mapp")]
    [InlineData(true, "instructions within 0%")]
    [InlineData(true, "instructions at most 2,000,000")]
    [InlineData(false, "instructions at most 1,900,000")]
    public void Each_expectation_is_met_or_not(bool isMet, string expectation)
    {
        string expect = demo.PathOf($"one-{Guid.NewGuid():n}.expect"), output = Path.ChangeExtension(expect, ".ttvm");
        File.WriteAllText(expect, expectation);
        ToolResult result = Ttvm.Expect(isMet ? 0 : 1, "rerun", Repository.PathOf("traces/demo64-lost-update.ttvm"), "--expect", expect, "-o", output, "--json");
        JsonElement one = Assert.Single(JsonDocument.Parse(result.Output).RootElement.GetProperty("expectations").EnumerateArray());
        Assert.Equal(isMet, one.GetProperty("met").GetBoolean());
        if (expectation.EndsWith("page_mapp", StringComparison.Ordinal)) Assert.Contains("there is page_map", one.GetProperty("detail").GetString(), StringComparison.Ordinal);
        if (expectation == "never calls page_map")
        {
            string first = one.GetProperty("position").GetString()!, call = Ttvm.Good("find", output, "--call", "page_map", "--next", "--json");
            Assert.Equal(first, JsonDocument.Parse(call).RootElement.GetProperty("calls")[0].GetProperty("position").GetString());
        }
    }

    [Theory]
    [InlineData("prints", "line 1: 'prints' has no text")]
    [InlineData("# nothing\n", "expects nothing")]
    [InlineData("# first\nprint OK", "line 2: 'print OK' is no expectation")]
    [InlineData("prints \"OK", "line 1: the quotation mark is not closed")]
    [InlineData("prints \"a\\q\"", "line 1: only \\n, \\t")]
    [InlineData("exits with success", "line 1: 'success' is not a number")]
    [InlineData("exits with 0xzz", "line 1: '0xzz' is not a number")]
    [InlineData("ends by magic", "line 1: there is no end 'magic'")]
    [InlineData("calls", "line 1: 'calls' names no function")]
    [InlineData("instructions within ten%", "line 1: 'ten' is not a number")]
    [InlineData("instructions within 10", "line 1: 'instructions within 10' is no expectation")]
    public void Bad_lines_are_named(string text, string words)
    {
        string expect = demo.PathOf($"bad-{Guid.NewGuid():n}.expect");
        File.WriteAllText(expect, text);
        Ttvm.Refuses(3, ["rerun", Repository.PathOf("traces/demo32.ttvm"), "--expect", expect], Path.GetFileName(expect), words);
    }

    [Fact]
    public void What_cannot_be_run_is_refused()
    {
        string recording = Repository.PathOf("traces/demo32.ttvm");
        Ttvm.Refuses(3, ["rerun", recording, "--kernel", "/no/kernel"], "/no/kernel does not exist");
        Ttvm.Refuses(3, ["rerun", recording, "--expect", "/no/expect"], "/no/expect does not exist");
        Ttvm.Refuses(3, ["rerun", demo.PathOf("none.ttvm")], "does not exist");
    }

    private static string End(string path) => JsonDocument.Parse(Ttvm.Good("info", path, "--json")).RootElement.GetProperty("end").GetRawText();
}
