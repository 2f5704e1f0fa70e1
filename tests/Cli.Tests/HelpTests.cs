using System;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary>The program explains itself.</summary>
public sealed class HelpTests
{
    private static readonly string[] s_verbs =
    [
        "record", "explore", "recover", "demo", "verify", "replay", "info", "bisect", "lockstep", "regs", "mem", "disasm", "pagetables", "shadow", "exits", "console", "back",
        "embed", "trim", "pack", "unpack", "sign", "redact", "encrypt", "decrypt", "sandbox", "stack", "print", "tasks", "locks", "rcu", "channels",
        "forward", "find", "origin", "bench", "rerun", "diff", "merge",
    ];

    public static TheoryData<string> Verbs() => [.. s_verbs];

    [Fact]
    public void Without_a_verb_there_is_an_overview()
    {
        string overview = Ttvm.Good();
        Assert.Equal(overview, Ttvm.Good("--help"));
        foreach (string verb in s_verbs) Assert.Contains($"\n  {verb} ", overview, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Help_has_examples(string verb)
    {
        string help = Ttvm.Good(verb, "--help");
        Assert.Contains("Usage:", help, StringComparison.Ordinal);
        Assert.Contains($"\n  ttvm {verb}", help[help.IndexOf("Examples:", StringComparison.Ordinal)..], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("there is no verb 'boot'", "boot")]
    [InlineData("'--kernal'", "record", "-o", "x.ttvm", "--kernal", "y")]
    [InlineData("required", "mem", "x.ttvm")]
    [InlineData("engine 'jit'", "regs", "x.ttvm", "--engine", "jit")]
    [InlineData("nothing to boot", "record", "-o", "x.ttvm")]
    [InlineData("1 to 8 vCPUs", "record", "-o", "x.ttvm", "--kernel", "y", "--cpus", "9")]
    [InlineData("1 to 8 vCPUs", "record", "-o", "x.ttvm", "--kernel", "y", "--cpus", "0")]
    [InlineData("'lots' is not a size", "record", "-o", "x.ttvm", "--kernel", "y", "--memory", "lots")]
    [InlineData("whole MiB", "record", "-o", "x.ttvm", "--kernel", "y", "--memory", "1000K")]
    [InlineData("not exit, text:S or count:N", "record", "-o", "x.ttvm", "--kernel", "y", "--until", "later")]
    [InlineData("belong to a kernel", "record", "-o", "x.ttvm", "--disk", "y", "--append", "z")]
    [InlineData("exclude each other", "record", "-o", "x.ttvm", "--kernel", "y", "--bios", "z")]
    [InlineData("exclude each other", "record", "-o", "x.ttvm", "--kernel", "y", "--chaos", "1", "--schedule", "z")]
    [InlineData("one vCPU has one schedule", "explore", "y", "--cpus", "1")]
    [InlineData("is not text:S", "explore", "y", "--fails-on", "panic")]
    [InlineData("is not a number", "explore", "y", "--keep", "-1")]
    [InlineData("is not i/n", "verify", "x.ttvm", "--shard", "3/2")]
    [InlineData("is not i/n", "verify", "x.ttvm", "--shard", "0/2")]
    [InlineData("is not i/n", "verify", "x.ttvm", "--shard", "half")]
    [InlineData("is not a number", "verify", "x.ttvm", "--jobs", "many")]
    public void Wrong_usage_is_one_sentence_and_exit_code_2(string words, params string[] arguments) => Ttvm.Refuses(2, arguments, words);
}
