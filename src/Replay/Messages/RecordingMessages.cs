using System;
using Microsoft.Extensions.Logging;
using Vmm.Platform;
using Vmm.Time;

namespace Replay.Messages;

/// <summary>What is logged about files and about recording. Sizes in bytes.</summary>
internal static partial class RecordingMessages
{
    [LoggerMessage(Level = LogLevel.Information,
        Message = "Redacted {Path}: bytes of memory {Memory}, state {State}, log {LogBytes}, files {Files}; {HoleCount} holes; written to {Destination}")]
    public static partial void Redacted(this ILogger log, string path, long memory, long state, long logBytes, long files, int holeCount, string destination);

    [LoggerMessage(Level = LogLevel.Information,
        Message = "Opened {Path}, {Identity}: positions {Start} to {End}, {SizeBytes} bytes, {CheckpointCount} checkpoints, {PageCount} pages, {SegmentCount} log segments")]
    public static partial void Opened(this ILogger log, string path, Guid identity, Position start, Position end, long sizeBytes, int checkpointCount, int pageCount, int segmentCount);

    [LoggerMessage(Level = LogLevel.Information, Message = "Recording to {Path}: {CpuCount} vCPUs, {MemorySizeBytes} bytes of memory, a checkpoint every {Interval} instructions")]
    public static partial void RecordingBegins(this ILogger log, string path, int cpuCount, ulong memorySizeBytes, ulong interval);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Took checkpoint {Index} at {Position}; the guest was held up for {Microseconds} us")]
    public static partial void CheckpointTaken(this ILogger log, int index, Position position, ulong microseconds);

    [LoggerMessage(Level = LogLevel.Debug,
        Message = "Wrote checkpoint {Index} at {Position}: {DirtyPageCount} dirty pages, {SizeBytes} bytes of state and maps; {TotalSizeBytes} bytes so far")]
    public static partial void CheckpointWritten(this ILogger log, int index, Position position, int dirtyPageCount, int sizeBytes, long totalSizeBytes);

    [LoggerMessage(Level = LogLevel.Information, Message = "Dropped the first {DroppedCount} checkpoints and kept {KeptCount}, {SizeBytes} bytes")]
    public static partial void RingTurned(this ILogger log, int droppedCount, int keptCount, long sizeBytes);

    [LoggerMessage(Level = LogLevel.Information, Message = "Recorded {Path} to position {End} ({Outcome}): {CheckpointCount} checkpoints, {SizeBytes} bytes")]
    public static partial void RecordingEnds(this ILogger log, string path, Position end, OutcomeKind outcome, int checkpointCount, long sizeBytes);

    [LoggerMessage(Level = LogLevel.Information, Message = "Cutting {From} to {To} out of {Path}, as {Destination}")]
    public static partial void TrimBegins(this ILogger log, string path, Position from, Position to, string destination);

    [LoggerMessage(Level = LogLevel.Information, Message = "Packing {Path} with its {PageCount} pages as {Destination}")]
    public static partial void PackBegins(this ILogger log, string path, int pageCount, string destination);

    [LoggerMessage(Level = LogLevel.Information, Message = "Wrote {Path}: {SizeBytes} bytes")]
    public static partial void Wrote(this ILogger log, string path, long sizeBytes);
}
