using System.Collections.Generic;
using System.Threading;
using Replay.Packages;
using Replay.Replaying;
using Vmm.Time;

namespace Introspection.History;

/// <summary>What happens around a position, found by replaying the surroundings on a machine of its own.</summary>
public static class NearbyEvents
{
    /// <summary>How far to look, in instructions.</summary>
    private const ulong Reach = 500_000;

    /// <summary>The last events before a position and the first from it on, in order.</summary>
    /// <param name="recording">Where they are.</param>
    /// <param name="here">The position.</param>
    /// <param name="count">At most so many to each side.</param>
    /// <param name="kind">Only of this kind; null: all but turns of vCPUs.</param>
    /// <param name="cancellation">Ends it.</param>
    public static IReadOnlyList<HistoryEvent> Read(RecordingFile recording, Position here, int count, HistoryEventKind? kind, CancellationToken cancellation)
    {
        var from = new Position(here.InstructionCount > Reach ? here.InstructionCount - Reach : 0);
        if (from < recording.Start) from = recording.Start;
        ulong end = recording.End.InstructionCount;
        Position to = end - here.InstructionCount > Reach ? new Position(here.InstructionCount + Reach) : recording.End;
        var observer = new IntervalObserver();
        using var replayer = new Replayer(recording);
        replayer.RestartBefore(from);
        replayer.RunTo(from, null, cancellation);
        observer.Begin(replayer.Machine);
        replayer.RunTo(to, null, cancellation);
        var before = new Queue<HistoryEvent>();
        var after = new List<HistoryEvent>();
        foreach (HistoryEvent one in observer.End(replayer.Machine))
        {
            if (kind is { } wanted ? one.Kind != wanted : one.Kind == HistoryEventKind.Schedule) continue;
            if (one.At >= here)
            {
                if (after.Count < count) after.Add(one);
                continue;
            }
            if (before.Count == count) before.Dequeue();
            before.Enqueue(one);
        }
        return [.. before, .. after];
    }
}
