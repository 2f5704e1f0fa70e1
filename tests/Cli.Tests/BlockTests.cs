using System;
using System.IO;
using System.Text.RegularExpressions;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary><c>ttvm block</c> shows what the translator makes of the lecture's example, isPrime.</summary>
public sealed partial class BlockTests
{
    [Fact]
    public void IsPrime_is_shown_beside_its_host_code()
    {
        string folder = Directory.CreateTempSubdirectory("ttvm-block").FullName;
        try
        {
            string recording = Path.Combine(folder, "isprime.ttvm");
            Ttvm.Good("record", "-o", recording, "--quiet", "--memory", "16M", "--kernel", GuestImages.Own("isprime.elf"));
            // 62 numbers below 300 are prime. The second call: position 38 is its first instruction, and the code of the first has run once.
            Check("isprime", Ttvm.Good("block", recording, "--at", "38", "--behind"));
            Assert.Contains("code 0x3e", Ttvm.Good("info", recording), StringComparison.Ordinal);
            Assert.Contains("which the interpreter does", Ttvm.Good("block", recording, "--at", "38", "--engine", "interp"), StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Check(string name, string output)
    {
        string path = Repository.PathOf($"tests/Cli.Tests/golden/{name}.txt"), actual = path + ".actual";
        string text = HostAddress().Replace(output, "at ADDRESS");
        if (File.Exists(path) && File.ReadAllText(path) == text)
        {
            File.Delete(actual);
            return;
        }
        File.WriteAllText(actual, text);
        string relative = Repository.RelativePath(path);
        Assert.Fail($"{relative} {(File.Exists(path) ? "differs" : "is missing")}. Look: diff {relative} {relative}.actual; accept: mv {relative}.actual {relative}");
    }

    [GeneratedRegex("at 0x[0-9a-f]+$", RegexOptions.Multiline)]
    private static partial Regex HostAddress();
}
