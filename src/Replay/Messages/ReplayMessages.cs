using Microsoft.Extensions.Logging;
using Vmm.Time;

namespace Replay.Messages;

/// <summary>What is logged about going somewhere in a recording, and about searching and verifying it.</summary>
internal static partial class ReplayMessages
{
    [LoggerMessage(Level = LogLevel.Trace, Message = "Restored the state at {Position}, behind checkpoint {Index}")]
    public static partial void Restored(this ILogger log, Position position, int index);

    [LoggerMessage(Level = LogLevel.Debug, Message = "To get to {Target}: restored {What} at {Position}, {Distance} instructions to replay")]
    public static partial void RestoredFor(this ILogger log, Position target, string what, Position position, ulong distance);

    [LoggerMessage(Level = LogLevel.Debug, Message = "To get to {Target}: go on from {Position}, {Distance} instructions to replay")]
    public static partial void GoesOnFor(this ILogger log, Position target, Position position, ulong distance);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Forward scan for {ConditionCount} conditions from {From} to {To}")]
    public static partial void ForwardScanBegins(this ILogger log, int conditionCount, Position from, Position to);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Forward scan ended at {Position}: {HitCount} hits")]
    public static partial void ForwardScanEnds(this ILogger log, int hitCount, Position position);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Reverse scan of {IntervalCount} intervals, from {From} to {To}, on {WorkerCount} threads")]
    public static partial void ReverseScanBegins(this ILogger log, int intervalCount, Position from, Position to, int workerCount);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Reverse scan ended: found {Found}, {IntervalCount} intervals begun, {InstructionCount} instructions replayed")]
    public static partial void ReverseScanEnds(this ILogger log, bool found, int intervalCount, ulong instructionCount);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Scan of {IntervalCount} intervals, from {From} to {To}, on {WorkerCount} threads")]
    public static partial void IntervalScanBegins(this ILogger log, int intervalCount, Position from, Position to, int workerCount);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Scan ended: {InstructionCount} instructions replayed")]
    public static partial void IntervalScanEnds(this ILogger log, ulong instructionCount);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Replayed stretch {Index}, {From} to {To}, with {InputCount} inputs")]
    public static partial void StretchReplayed(this ILogger log, int index, Position from, Position to, ulong inputCount);

    [LoggerMessage(Level = LogLevel.Information, Message = "Stretch {Index} is bad: {Problem}")]
    public static partial void StretchIsBad(this ILogger log, int index, string problem);
}
