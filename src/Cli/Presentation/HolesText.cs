using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using Replay.Redaction;

namespace Cli.Presentation;

/// <summary>What a redacted recording cannot replay any more.</summary>
internal static class HolesText
{
    private const int ShownCount = 20;

    /// <summary>One line each, of many the first ones.</summary>
    public static void Write(TextWriter output, IReadOnlyList<RecordingHole> holes)
    {
        ulong missing = 0;
        foreach (RecordingHole hole in holes) missing += hole.To.InstructionCount - hole.From.InstructionCount;
        output.WriteLine($"{(holes.Count == 1 ? "1 stretch" : $"{Words.Count(holes.Count)} stretches")}, {Words.Count(missing)} instructions in all, cannot be replayed any more:");
        for (int i = 0; i < holes.Count && i < ShownCount; i++) output.WriteLine($"  {Line(holes[i])}");
        if (holes.Count > ShownCount) output.WriteLine($"  and {holes.Count - ShownCount} more (--json lists all)");
    }

    /// <summary>"after 80145, up to 84000: memory was redacted".</summary>
    public static string Line(in RecordingHole hole) => $"after {hole.From}, up to {hole.To}: {hole.Why}";

    public static void Write(Utf8JsonWriter json, IReadOnlyList<RecordingHole> holes)
    {
        json.WriteObjects("holes", holes, hole =>
        {
            json.WritePosition("from", hole.From);
            json.WritePosition("to", hole.To);
            json.WriteString("why", hole.Why);
        });
    }
}
