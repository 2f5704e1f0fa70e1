using System;
using System.Collections.Generic;
using System.Linq;
using Symbols.Dwarf;
using Symbols.Dwarf.Frames;
using Symbols.Dwarf.Functions;
using Symbols.Elf;
using Symbols.Tests.Types;
using Xunit;

namespace Symbols.Tests.Variables;

/// <summary>Variables of every frame at every stop of a real process, against gdb: the same names, the same values, the same ones optimized out.</summary>
public sealed class LocalTests
{
    [Theory]
    [InlineData("locals-O0")]
    [InlineData("locals-O2")]
    [InlineData("locals-O2-dwarf4")]
    [InlineData("locals-O3")]
    public void Values_are_what_gdb_says(string sample)
    {
        string path = TypeSamples.Get(sample);
        List<GdbStop> stops = GdbStops.Run(path);
        using ElfImage image = ElfImage.Open(path);
        DwarfInfo info = DwarfInfo.Open(image);
        var unwinder = new FrameUnwinder(image);
        var wrong = new List<string>();
        int count = 0, optimizedOut = 0;
        foreach (GdbStop stop in stops)
        {
            for (int i = 0; i < stop.Frames.Count;)
            {
                GdbFrame physical = stop.Frames[i];
                ulong pc = physical.Pc - stop.Bias - (i == 0 ? 0ul : 1);
                StopContext context = StopContext.Of(stop, i, info, unwinder)!;
                IReadOnlyList<SourceFrame> frames = info.FramesAt(pc);
                Assert.True(frames.Count > 0, $"nothing is known about 0x{pc:x}, in {physical.Name}");
                foreach (SourceFrame frame in frames)
                {
                    GdbFrame theirs = stop.Frames[i++];
                    string[] ours = Values(info, frame, context);
                    count += ours.Length;
                    optimizedOut += ours.Count(value => value.EndsWith("=optimized", StringComparison.Ordinal));
                    if (!ours.SequenceEqual(theirs.Values))
                        wrong.Add($"{theirs.Name} at 0x{pc:x}:\n  ours {string.Join(' ', ours)}\n  gdb  {string.Join(' ', theirs.Values)}");
                }
            }
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.True(count > 100, $"only {count} values");
        TestContext.Current.TestOutputHelper?.WriteLine($"{sample}: {stops.Count} stops, {count} values, {optimizedOut} of them optimized out");
    }

    private static string[] Values(DwarfInfo info, SourceFrame frame, StopContext context)
    {
        var environment = new StopEnvironment(info, frame, context);
        return [.. info.VariablesOf(frame, context.Pc).SelectMany(variable => Leaves.Of(variable.Name ?? "", environment.ValueOf(variable), environment))
            .Distinct().Order(StringComparer.Ordinal)];
    }
}
