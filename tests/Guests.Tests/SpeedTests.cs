using System.Collections.Generic;
using TestKit;
using Vmm.Platform;
using Xunit;

namespace Guests.Tests;

/// <summary>The programs that are measured compute in a guest what they compute on the host, by every engine.</summary>
public sealed class SpeedTests
{
    private const string Work = "20";

    public static IEnumerable<TheoryDataRow<string, int>> Programs()
    {
        foreach (string name in (string[])["trial", "sieve", "fib", "calls", "chase", "states", "sha256", "core", "matrix"])
            foreach (int bits in (int[])[64, 32]) yield return new TheoryDataRow<string, int>(name, bits);
    }

    [Theory]
    [MemberData(nameof(Programs))]
    public void A_program_prints_in_a_guest_what_it_prints_on_the_host(string name, int bits)
    {
        string kernel = GuestImages.Own($"speed-{name}-{bits}.elf");
        string expected = HostTool.Run(GuestImages.Own($"speed-{name}-{bits}"), [Work], System.TimeSpan.FromSeconds(30)).Output;
        Assert.Matches("^[0-9a-f]{8}\n$", expected);
        foreach (EngineKind engine in (EngineKind[])[EngineKind.Interpreter, EngineKind.Translator, EngineKind.TranslatorOfSingleInstructions, EngineKind.TranslatorOfTraces])
        {
            using var run = new GuestRun(Configurations.Kernel(kernel, Work, memoryMiB: 16));
            run.Machine.Engine = engine;
            run.End(2_000);
            Assert.Equal(expected, run.Console);
        }
    }
}
