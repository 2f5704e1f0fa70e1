using System;
using System.Collections.Generic;
using Replay.Checkpoints;
using Replay.Queries;
using Vmm.Platform;
using Vmm.Time;

namespace Replay.Packages;

/// <summary>
/// A finished recording, open for reading. Opening costs what its index costs; pages and log segments are read when needed.
/// Thread-safe: several timelines and scanners share one.
/// </summary>
public sealed class RecordingFile : IDisposable
{
    /// <exception cref="RecordingFormatException">Not a recording, or a damaged one.</exception>
    /// <exception cref="System.IO.IOException">The file cannot be read.</exception>
    public static RecordingFile Open(string path) => throw new NotSupportedException();

    /// <summary>
    /// Makes a recording of what a crashed recorder left: everything up to the last complete log segment.
    /// </summary>
    /// <param name="partialDirectory">NAME.ttvm.partial.</param>
    /// <param name="destination">null: NAME.ttvm beside it.</param>
    /// <param name="overwrite">Replace an existing file.</param>
    /// <param name="progress">0..1.</param>
    /// <returns>The file written. The partial directory is removed.</returns>
    public static string Recover(string partialDirectory, string? destination = null, bool overwrite = false, IProgress<double>? progress = null) =>
        throw new NotSupportedException();

    public string Path => throw new NotSupportedException();

    /// <summary>Derived from the content: equal recordings have equal identities.</summary>
    public Guid Identity => throw new NotSupportedException();

    public RecordingManifest Manifest => throw new NotSupportedException();

    /// <summary>What the recorded machine was built from, images included.</summary>
    public MachineConfiguration Configuration => throw new NotSupportedException();

    public Position Start => Position.Start;

    /// <summary>The last position that can be visited.</summary>
    public Position End => throw new NotSupportedException();

    /// <summary>How the recorded machine ended; <see cref="OutcomeKind.None"/> when recording was stopped while it lived.</summary>
    public Outcome Outcome => throw new NotSupportedException();

    /// <summary>True when the recorder did not finish and this was recovered.</summary>
    public bool WasRecovered => throw new NotSupportedException();

    /// <summary>In ascending order of position; the first is at <see cref="Start"/>.</summary>
    public IReadOnlyList<CheckpointInfo> Checkpoints => throw new NotSupportedException();

    /// <summary>What the guest printed, from the log: needs no replay.</summary>
    public ConsoleLog Console => throw new NotSupportedException();

    public RecordingSizes Sizes => throw new NotSupportedException();

    public void Dispose() { }
}

/// <summary>Sizes of a recording's parts in bytes, and counts.</summary>
public readonly record struct RecordingSizes(long FileSizeBytes, long LogSizeBytes, long CheckpointSizeBytes, long PageStoreSizeBytes, long ImageSizeBytes,
    int CheckpointCount, int PageCount, int LogSegmentCount);
