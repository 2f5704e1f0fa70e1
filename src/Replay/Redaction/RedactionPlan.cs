using System;
using System.Collections.Generic;
using Vmm.Platform;
using Vmm.Time;

namespace Replay.Redaction;

/// <summary>Memory that is to be taken out at a moment.</summary>
/// <param name="Pieces">Guest-physical places, in the order in which the guest sees them.</param>
public sealed record SelectedMemory(IReadOnlyList<(ulong Physical, int SizeBytes)> Pieces);

/// <summary>What is to be taken out of a recording.</summary>
public sealed record RedactionPlan
{
    /// <summary>Bytes that are taken out wherever they are: 4 to 4,096 of them each.</summary>
    public IReadOnlyList<byte[]> Texts { get; init; } = [];

    /// <summary>Memory at a checkpoint, on the machine that stands there; null: none. Must not change anything.</summary>
    public Func<Machine, IEnumerable<SelectedMemory>>? Select { get; init; }

    /// <summary>Positions that no replay may go past, in ascending order: from each on, up to the next checkpoint, what is to be taken out would come into being again.</summary>
    public IReadOnlyList<Position> Barriers { get; init; } = [];

    /// <summary>Why, in a few words.</summary>
    public string BarrierReason { get; init; } = "what was redacted comes into being there";

    /// <summary>Texts that are taken out of what was typed, and from wherever else they are.</summary>
    public IReadOnlyList<byte[]> TypedTexts { get; init; } = [];

    /// <summary>All that was typed from one position on and before another; null: nothing of the sort.</summary>
    public (Position From, Position Before)? Typed { get; init; }

    /// <summary>Copies of what is selected stay.</summary>
    public bool KeepsCopies { get; init; }

    /// <summary>For the manifest: a few words for each thing, without what it is that is taken out.</summary>
    public required IReadOnlyList<string> Descriptions { get; init; }
}

/// <summary>What was taken out.</summary>
/// <param name="MemoryBytes">Bytes of memory at checkpoints, each place at each checkpoint.</param>
/// <param name="StateBytes">Bytes of vCPUs' and chips' state at checkpoints.</param>
/// <param name="LogBytes">Bytes of inputs and output.</param>
/// <param name="FileBytes">Bytes of images, symbol files, sources, named positions and the manifest.</param>
/// <param name="DroppedCheckpoints">Checkpoints that are left out, as they stood in the midst of what was typed.</param>
/// <param name="Holes">What cannot be replayed any more.</param>
/// <param name="Notes">What whoever shares the file should know, in sentences.</param>
public sealed record RedactionReport(long MemoryBytes, long StateBytes, long LogBytes, long FileBytes, int DroppedCheckpoints, IReadOnlyList<RecordingHole> Holes,
    IReadOnlyList<string> Notes);

/// <summary>There is nothing to take out: the message is one sentence for people.</summary>
public sealed class RedactionException(string message) : Exception(message);
