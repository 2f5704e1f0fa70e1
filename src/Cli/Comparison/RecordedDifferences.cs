using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Introspection.Consoles;
using Replay.Log;
using Replay.Packages;
using Vmm.Inputs;
using Vmm.Time;

namespace Cli.Comparison;

/// <summary>Something that two recordings say differently.</summary>
/// <param name="Name">What.</param>
/// <param name="A">In the first one; empty: it has none.</param>
/// <param name="B">In the second one.</param>
internal sealed record ValueDifference(string Name, string A, string B);

/// <summary>The first line of a console that differs.</summary>
/// <param name="Channel">Which console.</param>
/// <param name="LineNumber">From 1.</param>
/// <param name="A">In the first recording; null: it printed no more.</param>
/// <param name="B">In the second one.</param>
internal sealed record ConsoleDifference(string Channel, int LineNumber, ConsoleLine? A, ConsoleLine? B);

/// <summary>The first input, time reading or request for random bytes that differs.</summary>
/// <param name="Number">From 1.</param>
/// <param name="A">In the first recording; null: it has no more.</param>
/// <param name="B">In the second one.</param>
/// <param name="IsOnlyPosition">It is the same, at another position.</param>
/// <param name="CountA">Inputs of the first.</param>
/// <param name="CountB">Inputs of the second.</param>
internal sealed record InputDifference(long Number, LogRecord? A, LogRecord? B, bool IsOnlyPosition, long CountA, long CountB);

/// <summary>What two recordings show to differ in without a replay: their manifests and logs.</summary>
internal static class RecordedDifferences
{
    private const int LongestText = 200, ShownBytes = 16;

    /// <summary>The machines, their images, and how they ended.</summary>
    public static IReadOnlyList<ValueDifference> OfManifests(RecordingManifest a, RecordingManifest b)
    {
        var found = new List<ValueDifference>();
        void Compare(string name, string? valueA, string? valueB)
        {
            if (valueA != valueB) found.Add(new ValueDifference(name, Short(valueA ?? ""), Short(valueB ?? "")));
        }
        ManifestMachine one = a.Machine, other = b.Machine;
        Compare("vCPUs", Text(one.CpuCount), Text(other.CpuCount));
        Compare("memory", $"{one.MemorySizeBytes >> 20} MiB", $"{other.MemorySizeBytes >> 20} MiB");
        Compare("boot", one.Boot, other.Boot);
        Compare("clock", one.Clock, other.Clock);
        Compare("disk interface", one.DiskInterface, other.DiskInterface);
        Compare("command line", one.CommandLine, other.CommandLine);
        Compare("chaos seed", one.ChaosSeed?.ToString(CultureInfo.InvariantCulture), other.ChaosSeed?.ToString(CultureInfo.InvariantCulture));
        Compare("turns", one.TurnPolicy, other.TurnPolicy);
        Compare("forced switches", SwitchesOf(one), SwitchesOf(other));
        Compare("start time", Text(one.StartTimeSeconds), Text(other.StartTimeSeconds));
        foreach (string role in a.Images.Concat(b.Images).Select(static image => image.Role).Distinct(StringComparer.Ordinal))
        {
            ManifestImage? imageA = a.Images.FirstOrDefault(image => image.Role == role), imageB = b.Images.FirstOrDefault(image => image.Role == role);
            if (imageA?.Sha256 != imageB?.Sha256) Compare(role, ImageText(imageA), ImageText(imageB));
        }
        Compare("end", $"{a.End.Outcome} 0x{a.End.Code:x}", $"{b.End.Outcome} 0x{b.End.Code:x}");
        Compare("instructions", Text((long)a.End.InstructionCount), Text((long)b.End.InstructionCount));
        return found;
    }

    /// <summary>The first line of each console that differs.</summary>
    public static IReadOnlyList<ConsoleDifference> OfConsoles(RecordingFile a, RecordingFile b)
    {
        var found = new List<ConsoleDifference>();
        for (int channel = 0; channel < ConsoleLines.ChannelNames.Count; channel++)
        {
            IReadOnlyList<ConsoleLine> linesA = LinesOf(a, (OutputChannel)channel), linesB = LinesOf(b, (OutputChannel)channel);
            int same = 0;
            while (same < linesA.Count && same < linesB.Count && linesA[same].Text == linesB[same].Text) same++;
            if (same == linesA.Count && same == linesB.Count) continue;
            found.Add(new ConsoleDifference(ConsoleLines.ChannelNames[channel], same + 1, same < linesA.Count ? linesA[same] : null, same < linesB.Count ? linesB[same] : null));
        }
        return found;
    }

    /// <summary>All lines of a console.</summary>
    public static IReadOnlyList<ConsoleLine> LinesOf(RecordingFile recording, OutputChannel channel) =>
        new ConsoleLines(recording.Console, channel).Before(new Position(ulong.MaxValue), int.MaxValue, out _);

    /// <summary>The first input that differs; null: none does.</summary>
    public static InputDifference? OfInputs(RecordingFile a, RecordingFile b)
    {
        using IEnumerator<LogRecord> inputsA = a.ReadInputs().GetEnumerator(), inputsB = b.ReadInputs().GetEnumerator();
        for (long number = 1; ; number++)
        {
            bool anyA = inputsA.MoveNext(), anyB = inputsB.MoveNext();
            if (!anyA && !anyB) return null;
            bool isSame = anyA && anyB && IsSame(inputsA.Current, inputsB.Current);
            if (isSame && inputsA.Current.At == inputsB.Current.At) continue;
            return new InputDifference(number, anyA ? inputsA.Current : null, anyB ? inputsB.Current : null, isSame, a.InputCount, b.InputCount);
        }
    }

    /// <summary>An input in words: "Serial 0, 6 bytes: 68 65 6c 6c 6f 0a".</summary>
    public static string Describe(LogRecord? input)
    {
        if (input is not { } one) return "none";
        string what = one.Kind switch
        {
            LogRecordKind.TimeRead or LogRecordKind.TimeInput => $"the time, {one.Value} ns",
            LogRecordKind.EntropyRead => $"{one.Data.Length} random bytes",
            _ => $"{(InputKind)one.Kind} {one.Unit}, {one.Data.Length} bytes: "
                + $"{string.Join(' ', one.Data[..Math.Min(ShownBytes, one.Data.Length)].ToArray().Select(static value => $"{value:x2}"))}"
                + (one.Data.Length > ShownBytes ? " ..." : ""),
        };
        return $"{what} at {one.At}";
    }

    private static bool IsSame(in LogRecord a, in LogRecord b) => a.Kind == b.Kind && a.Unit == b.Unit && a.Value == b.Value && a.Data.Span.SequenceEqual(b.Data.Span);

    private static string SwitchesOf(ManifestMachine machine) =>
        machine.ForcedSwitches is null ? "" : string.Join(' ', machine.ForcedSwitches.Select(static one => $"{one.InstructionCount}:{one.Cpu}"));

    private static string ImageText(ManifestImage? image) => image is null ? "" : $"{image.Name}, {image.SizeBytes} bytes, SHA-256 {image.Sha256[..Math.Min(12, image.Sha256.Length)]}";

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Short(string text) => text.Length > LongestText ? text[..LongestText] + "..." : text;
}
