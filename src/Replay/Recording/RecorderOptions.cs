using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Vmm.Inputs;

namespace Replay.Recording;

/// <summary>How and where to record.</summary>
public sealed record RecorderOptions
{
    /// <summary>The finished file, by convention NAME.ttvm. While recording, the directory NAME.ttvm.partial stands beside it.</summary>
    public required string Path { get; init; }

    /// <summary>Replace a finished file (and a left-over partial directory) of that name. Without it they are an error.</summary>
    public bool Overwrite { get; init; }

    public const ulong DefaultCheckpointInterval = 32_000_000;

    /// <summary>Instructions between checkpoints. The default keeps the replay to any position within some 30 ms of the translator's time, and what a checkpoint costs to a few
    /// percent.</summary>
    public ulong CheckpointInterval { get; init; } = DefaultCheckpointInterval;

    /// <summary>Rough limit in bytes for checkpoints and pages; the interval grows as it is used up. null: no limit.</summary>
    public long? CheckpointBudgetBytes { get; init; }

    /// <summary>
    /// Keep only the last part: when checkpoints, pages and log take more bytes than this, the older half of the checkpoints is dropped, or more, but never the last two. What a guest has in
    /// memory has to be kept in any case. While what is kept is written anew, both are on the disk. null: all is kept.
    /// </summary>
    public long? RingSizeBytes { get; init; }

    /// <summary>What was recorded, for people: a command line.</summary>
    public string RecordedFrom { get; init; } = "";

    /// <summary>Also gets all output while recording (a terminal); null: none.</summary>
    public IOutputSink? Console { get; init; }

    /// <summary>Stop as soon as the guest's serial, debug or virtio console has printed this; null: never.</summary>
    public string? StopAtText { get; init; }

    /// <summary>For messages; by default none are wanted.</summary>
    public ILoggerFactory Loggers { get; init; } = NullLoggerFactory.Instance;
}
