using System.Collections.Generic;
using Replay.Queries;
using Replay.Redaction;
using Vmm.Time;

namespace Replay.Timelines;

/// <summary>Why a movement stopped.</summary>
public enum TimelineStopReason
{
    /// <summary>It went as far as asked.</summary>
    Done,
    /// <summary>A condition was met: see <see cref="TimelineStop.Hits"/>.</summary>
    Hit,
    /// <summary>The start of the recording.</summary>
    Start,
    /// <summary>The end of the recording.</summary>
    End,
    /// <summary>An edge of what was taken out of the recording: see <see cref="TimelineStop.Hole"/>.</summary>
    Hole,
}

/// <param name="Reason">Why.</param>
/// <param name="Position">Where the timeline stands now.</param>
/// <param name="Hits">All conditions met there; empty unless the reason is a hit.</param>
public readonly record struct TimelineStop(TimelineStopReason Reason, Position Position, IReadOnlyList<QueryHit> Hits)
{
    /// <summary>At whose near or far edge it stands, if that is the reason.</summary>
    public RecordingHole? Hole { get; init; }
}

/// <summary>Progress of a long movement or scan.</summary>
/// <param name="DoneInstructions">Replayed so far.</param>
/// <param name="TotalInstructions">At most.</param>
public readonly record struct TimelineProgress(ulong DoneInstructions, ulong TotalInstructions);
