using System;
using System.Collections.Generic;
using System.Linq;
using Symbols.Dwarf;
using Symbols.Dwarf.Frames;
using Symbols.Dwarf.Functions;
using Symbols.Elf;
using Symbols.Tests.Variables;
using Xunit;

namespace Symbols.Tests.Languages;

/// <summary>The variables of all frames at all stops of a program, against gdb.</summary>
internal sealed class FrameComparison
{
    /// <summary>What differs: a frame, and of it the values that only one of the two has.</summary>
    internal List<string> Wrong { get; } = [];

    /// <summary>How many values were compared.</summary>
    internal int Count { get; private set; }

    /// <summary>How many of them are optimized out.</summary>
    internal int OptimizedOut { get; private set; }

    /// <summary>Runs the program and compares.</summary>
    /// <param name="program">Calls a function stop now and then.</param>
    /// <param name="theirs">What to make of gdb's values before they are compared; null leaves one out.</param>
    /// <param name="ours">The same of ours.</param>
    /// <param name="files">What describes the program, where that is not the program alone.</param>
    internal static FrameComparison Of(string program, Func<string, string?>? theirs = null, Func<string, string?>? ours = null, DebugFiles? files = null)
    {
        List<GdbStop> stops = GdbStops.Run(program);
        using ElfImage image = ElfImage.Open(program);
        DwarfInfo info = files is null ? DwarfInfo.Open(image) : DwarfInfo.Open(files);
        var unwinder = new FrameUnwinder(image);
        var comparison = new FrameComparison();
        foreach (GdbStop stop in stops)
        {
            for (int i = 0; i < stop.Frames.Count;)
            {
                StopContext context = StopContext.Of(stop, i, info, unwinder)!;
                IReadOnlyList<SourceFrame> frames = info.FramesAt(context.Pc);
                Assert.True(frames.Count > 0, $"nothing is known about 0x{context.Pc:x}, in {stop.Frames[i].Name}");
                foreach (SourceFrame frame in frames)
                {
                    if (i >= stop.Frames.Count) break;
                    comparison.Compare(stop.Frames[i++], info, frame, context, theirs ?? (static value => value), ours ?? (static value => value));
                }
            }
        }
        return comparison;
    }

    internal static string[] Values(DwarfInfo info, SourceFrame frame, StopContext context)
    {
        var environment = new StopEnvironment(info, frame, context);
        return [.. info.VariablesOf(frame, context.Pc).Where(static variable => variable.Name is not null)
            .SelectMany(variable => Leaves.Of(variable.Name!, environment.ValueOf(variable), environment)).Distinct()];
    }

    private void Compare(GdbFrame gdb, DwarfInfo info, SourceFrame frame, StopContext context, Func<string, string?> theirs, Func<string, string?> ours)
    {
        if (frame.QualifiedName != gdb.Name) Wrong.Add($"0x{context.Pc:x} is in {frame.QualifiedName} as we have it, in {gdb.Name} as gdb has it");
        string[] values = Sorted(Values(info, frame, context), ours), expected = Sorted(gdb.Values, theirs);
        Count += values.Length;
        OptimizedOut += values.Count(value => value.EndsWith("=optimized", StringComparison.Ordinal));
        if (values.SequenceEqual(expected)) return;
        Wrong.Add($"{gdb.Name} at 0x{context.Pc:x}:\n  ours {string.Join("\n       ", values.Except(expected))}\n  gdb  {string.Join("\n       ", expected.Except(values))}");
    }

    private static string[] Sorted(IEnumerable<string> values, Func<string, string?> change) =>
        [.. values.Select(change).OfType<string>().Distinct().Order(StringComparer.Ordinal)];
}
