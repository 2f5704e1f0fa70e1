using System;
using Vmm.Inputs;
using Vmm.Time;

namespace Replay.Log;

/// <summary>What a log record says. The numbers are part of the trace format; 1 to 15 are inputs, by <see cref="InputKind"/>.</summary>
public enum LogRecordKind
{
    /// <summary>An <see cref="InputKind.Time"/> taken by the machine: Value is nanoseconds since reset.</summary>
    TimeInput = InputKind.Time,
    /// <summary>The guest read the host's time: Value is nanoseconds since reset.</summary>
    TimeRead = 16,
    /// <summary>The guest asked for random bytes: Data is what it got.</summary>
    EntropyRead = 17,
    /// <summary>The guest printed: Unit is the OutputChannel, Data the bytes, with a position each.</summary>
    Output = 18,
    /// <summary>The digest of the state at the position: Data, 32 bytes. Written somewhat later than it is taken.</summary>
    Digest = 19,
    /// <summary>A checkpoint was taken: Unit is its index.</summary>
    Checkpoint = 20,
    /// <summary>The recording ends: Unit is the OutcomeKind, Value its code, Data its sentence in UTF-8.</summary>
    End = 21,
}

/// <summary>One record of the event log.</summary>
/// <param name="Kind">What it says.</param>
/// <param name="At">Position of the instruction or event that it belongs to.</param>
/// <param name="Unit">Serial port, channel, index: see the kind.</param>
/// <param name="Value">A number: see the kind.</param>
/// <param name="Data">Bytes: see the kind.</param>
public readonly record struct LogRecord(LogRecordKind Kind, Position At, int Unit, ulong Value, ReadOnlyMemory<byte> Data)
{
    /// <summary>Something that entered the machine, which replay has to hand out again.</summary>
    public bool IsInput => Kind is < LogRecordKind.Output;

    /// <summary>An event that the machine takes when it is due, as against an answer to what the guest asks.</summary>
    public bool IsArrival => (int)Kind < 16;
}
