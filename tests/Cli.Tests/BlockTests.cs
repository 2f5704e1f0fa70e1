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
            GoldenFile.Check("tests/Cli.Tests/golden/isprime.txt", HostAddress().Replace(Ttvm.Good("block", recording, "--at", "38", "--behind"), "at ADDRESS"));
            Assert.Contains("code 0x3e", Ttvm.Good("info", recording), StringComparison.Ordinal);
            Assert.Contains("which the interpreter does", Ttvm.Good("block", recording, "--at", "38", "--engine", "interp"), StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [GeneratedRegex("at 0x[0-9a-f]+$", RegexOptions.Multiline)]
    private static partial Regex HostAddress();
}
