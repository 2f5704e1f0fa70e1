using System.Collections.Generic;
using Replay.Packages;
using Replay.Queries;
using Replay.Redaction;
using Vmm.Platform;
using Vmm.Time;

namespace Replay.Timelines;

/// <summary>Finds what a recording's guest has printed where it can be gone to: the log has the output of holes, too.</summary>
internal sealed class PrintedTexts(RecordingFile recording)
{
    /// <summary>The nearest of the texts that conditions name, and the other conditions.</summary>
    public QueryHit? Find(IReadOnlyCollection<StopCondition> conditions, Position from, bool reverse, out List<StopCondition> others)
    {
        others = [];
        QueryHit? best = null;
        foreach (StopCondition condition in conditions)
        {
            if (condition.Kind != StopConditionKind.ConsoleText)
            {
                others.Add(condition);
                continue;
            }
            if (Find(condition.Text, from, reverse) is not { } found) continue;
            if (best is { } other && (reverse ? found.At <= other.Event.At : found.At >= other.Event.At)) continue;
            var output = new MachineEvent(found.At, MachineEventKind.Output, -1, 0, (long)found.Channel, 0, 0, found.Data.Length,
                found.Data.Span[^1]);
            best = new QueryHit(condition, output);
        }
        return best;
    }

    /// <summary>The nearest place behind a position, or before it, where a text was printed.</summary>
    public ConsoleOutput? Find(string text, Position from, bool reverse)
    {
        ConsoleOutput? found = recording.Console.Find(text, from, reverse);
        while (found is { } at && recording.Holes.At(at.At) is { } hole)
        {
            recording.Holes.Pass(hole);
            found = recording.Console.Find(text, at.At, reverse);
        }
        return found;
    }
}
