using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary><c>ttvm verify</c> of many recordings: in parallel, in parts, and for CI systems. Where replay differs: Proof.Tests, where there are wrong machines.</summary>
public sealed class VerifyTests(DemoRecording demo)
{
    private static readonly string s_traces = Repository.PathOf("traces");
    private static readonly string[] s_all = [.. Directory.EnumerateFiles(s_traces, "*.ttvm").Order(StringComparer.Ordinal)];

    [Fact]
    public void A_directory_is_all_recordings_in_it()
    {
        string junit = demo.PathOf("directory.xml"), output = Ttvm.Good("verify", s_traces, "--junit", junit);
        Assert.All(s_all, path => Assert.Contains($"{path}: good. Replayed ", output, StringComparison.Ordinal));
        Assert.Matches($"\n{s_all.Length} recordings: all good; [0-9,]+ instructions in ", output);
        JUnitFile report = JUnitFile.Read(junit);
        Assert.Equal(s_all, report.Cases.Select(static one => one.Attribute("name")!.Value));
        Assert.All(s_all, path => Assert.Equal("good", report.Of(path).Result));
    }

    [Fact]
    public void What_it_counts_is_what_the_recordings_have()
    {
        // One JSON object after the other.
        string[] objects = Ttvm.Good("verify", s_traces, "--json", "--jobs", "1").Split("}\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(s_all.Length, objects.Length);
        foreach (string text in objects)
        {
            JsonElement one = JsonDocument.Parse(text + "}").RootElement, info = JsonDocument.Parse(Ttvm.Good("info", one.GetProperty("file").GetString()!, "--json")).RootElement;
            ulong start = ulong.Parse(info.GetProperty("start").GetString()!.Split(':')[0], CultureInfo.InvariantCulture);
            Assert.Equal(info.GetProperty("end").GetProperty("instructionCount").GetUInt64() - start, one.GetProperty("replayedInstructions").GetUInt64());
            Assert.True(one.GetProperty("good").GetBoolean());
        }
    }

    [Fact]
    public void A_damaged_file_does_not_hide_the_others()
    {
        string folder = Directory.CreateDirectory(demo.PathOf("some-damaged")).FullName, junit = Path.Combine(folder, "results.xml");
        byte[] content = File.ReadAllBytes(s_all[0]);
        File.WriteAllBytes(Path.Combine(folder, "b-cut.ttvm"), content[..(content.Length / 2)]);
        byte[] changed = [.. content];
        changed[content.Length / 3] ^= 1;
        File.WriteAllBytes(Path.Combine(folder, "c-changed.ttvm"), changed);
        foreach (string name in (string[])["a.ttvm", "d.ttvm"]) File.Copy(s_all[0], Path.Combine(folder, name));
        ToolResult result = Ttvm.Expect(3, "verify", folder, Path.Combine(folder, "e-none.ttvm"), "--junit", junit);
        foreach (string good in (string[])["a.ttvm: good.", "d.ttvm: good.", "5 recordings: 2 good, 3 not; "]) Assert.Contains(good, result.Output, StringComparison.Ordinal);
        string[] problems = result.Error.TrimEnd().Split('\n');
        Assert.Equal(3, problems.Length);
        foreach (string bad in (string[])["b-cut.ttvm", "c-changed.ttvm", "e-none.ttvm"])
        {
            Assert.Single(problems, line => line.StartsWith("ttvm: ", StringComparison.Ordinal) && line.Contains(bad, StringComparison.Ordinal));
            (string kind, string message) = JUnitFile.Read(junit).Of(bad);
            Assert.Equal("error", kind);
            Assert.Contains(bad, message, StringComparison.Ordinal);
        }
        Assert.Contains("does not exist", JUnitFile.Read(junit).Of("e-none").Message, StringComparison.Ordinal);
        Assert.Equal("good", JUnitFile.Read(junit).Of("/d.ttvm").Result);
    }

    [Theory]
    [InlineData("*.ttvm", "a.ttvm b.ttvm")]
    [InlineData("?.ttvm", "a.ttvm b.ttvm")]
    [InlineData("**/c*.ttvm", "below/c.ttvm below/deep/c2.ttvm")]
    [InlineData("below/*.ttvm", "below/c.ttvm")]
    [InlineData("**/*.ttvm", "a.ttvm b.ttvm below/c.ttvm below/deep/c2.ttvm")]
    public void Patterns_are_expanded(string pattern, string expected)
    {
        string folder = demo.PathOf("patterns");
        foreach (string name in (string[])["a.ttvm", "b.ttvm", "below/c.ttvm", "below/deep/c2.ttvm", "below/c.txt"])
        {
            string path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            if (!File.Exists(path)) File.Copy(s_all[^1], path);
        }
        // Named twice, verified once.
        ToolResult result = HostTool.Run(Ttvm.Program, ["verify", pattern, $"./{expected.Split(' ')[0]}"], TimeSpan.FromMinutes(2), folder);
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(expected.Split(' '), result.Output.Split('\n').Where(static line => line.Contains(": good.", StringComparison.Ordinal))
            .Select(static line => line.Split(": good.")[0]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Names_without_a_recording_are_refused()
    {
        string empty = Directory.CreateDirectory(demo.PathOf("no-recordings")).FullName;
        Ttvm.Refuses(3, ["verify", empty], "has no recording");
        Ttvm.Refuses(3, ["verify", empty + "/*.ttvm"], "no file matches");
    }

    [Fact]
    public void Parts_together_are_everything_once()
    {
        var seen = new List<string>();
        foreach (string shard in (string[])["1/4", "2/4", "3/4", "4/4"]) seen.AddRange(Verified(Ttvm.Good("verify", s_traces, "--shard", shard)));
        Assert.Equal(s_all, seen.Order(StringComparer.Ordinal));
        string junit = demo.PathOf("empty-part.xml");
        ToolResult nothing = Ttvm.Expect(0, "verify", s_all[0], "--shard", "2/2", "--junit", junit);
        Assert.Contains("nothing is left for this one", nothing.Error, StringComparison.Ordinal);
        Assert.Empty(JUnitFile.Read(junit).Cases);
    }

    [Theory]
    [InlineData(2, "CI_NODE_INDEX=2", "CI_NODE_TOTAL=3")]
    [InlineData(2, "CIRCLE_NODE_INDEX=1", "CIRCLE_NODE_TOTAL=3")]
    [InlineData(3, "BUILDKITE_PARALLEL_JOB=2", "BUILDKITE_PARALLEL_JOB_COUNT=3")]
    [InlineData(1, "SYSTEM_JOBPOSITIONINPHASE=1", "SYSTEM_TOTALJOBSINPHASE=3")]
    [InlineData(1, "BITBUCKET_PARALLEL_STEP=0", "BITBUCKET_PARALLEL_STEP_COUNT=3")]
    [InlineData(3, "AWS_BATCH_JOB_ARRAY_INDEX=2", "AWS_BATCH_JOB_ARRAY_SIZE=3")]
    [InlineData(2, "SLURM_ARRAY_TASK_ID=14", "SLURM_ARRAY_TASK_COUNT=3", "SLURM_ARRAY_TASK_MIN=10", "SLURM_ARRAY_TASK_STEP=4")]
    [InlineData(1, "JOB_COMPLETION_INDEX=0", "JOB_COMPLETIONS=3")]
    [InlineData(0, "JOB_COMPLETION_INDEX=0")]
    [InlineData(0, "CI_NODE_TOTAL=3")]
    public void The_part_is_taken_from_the_environment(int part, params string[] variables)
    {
        ToolResult result = HostTool.Run("env", [.. variables, Ttvm.Program, "verify", s_traces], TimeSpan.FromMinutes(2));
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(part == 0 ? s_all : s_all.Where((_, i) => i % 3 == part - 1), Verified(result.Output));
        if (part > 0) Assert.Contains($"part {part}/3 of the recordings, by {variables[0].Split('=')[0]}", result.Error, StringComparison.Ordinal);
        // What is said on the command line counts.
        ToolResult whole = HostTool.Run("env", [.. variables, Ttvm.Program, "verify", s_traces, "--shard", "1/1"], TimeSpan.FromMinutes(2));
        Assert.Equal(s_all, Verified(whole.Output));
    }

    [Theory]
    [InlineData("CI_NODE_INDEX=4", "CI_NODE_TOTAL=3")]
    [InlineData("CI_NODE_INDEX=0", "CI_NODE_TOTAL=3")]
    [InlineData("CI_NODE_INDEX=one", "CI_NODE_TOTAL=3")]
    [InlineData("SLURM_ARRAY_TASK_ID=7", "SLURM_ARRAY_TASK_COUNT=3")]
    public void A_part_that_cannot_be_is_refused(string index, string total)
    {
        ToolResult result = HostTool.Run("env", [index, total, Ttvm.Program, "verify", s_traces], TimeSpan.FromMinutes(2));
        Assert.Equal(2, result.ExitCode);
        Assert.Contains($"{index} and {total} do not name one of several jobs", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Ctrl_C_tells_what_was_done()
    {
        string slow = demo.PathOf("slow.ttvm"), junit = demo.PathOf("stopped.xml");
        Ttvm.Good("record", "-q", "-o", slow, "--kernel", DemoRecording.Kernel, "--memory", "16M", "--append", "rounds=1000000 think=1000000", "--until", "count:300,000,000");
        using Process process = Ttvm.Start(["verify", s_all[0], slow, slow.Replace("slow", "none", StringComparison.Ordinal), "--jobs", "1", "--junit", junit]);
        Assert.Contains(": good.", process.StandardOutput.ReadLine(), StringComparison.Ordinal);
        HostTool.Run("kill", ["-INT", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)], TimeSpan.FromMinutes(1));
        Assert.True(process.WaitForExit(TimeSpan.FromMinutes(2)));
        Assert.Equal(1, process.ExitCode);
        Assert.Contains("stopped by Ctrl-C", process.StandardError.ReadToEnd(), StringComparison.Ordinal);
        JUnitFile report = JUnitFile.Read(junit);
        Assert.Equal("good", report.Of(s_all[0]).Result);
        Assert.Equal("skipped", report.Of("slow.ttvm").Result);
        Assert.Equal("skipped", report.Of("none.ttvm").Result);
    }

    private static IEnumerable<string> Verified(string output) => output.Split('\n').Where(static line => line.Contains(": good.", StringComparison.Ordinal))
        .Select(static line => line.Split(": good.")[0]).Order(StringComparer.Ordinal);
}
