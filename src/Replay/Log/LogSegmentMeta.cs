using System;
using System.Buffers.Binary;
using Vmm.Time;

namespace Replay.Log;

/// <summary>What the index knows of a log segment.</summary>
/// <param name="Base">Position that the first record's is relative to.</param>
/// <param name="Through">The machine was at this position when the segment was written: every record before it is in this or an earlier
/// segment.</param>
/// <param name="BaseNanoseconds">Host time that the first reading is relative to.</param>
/// <param name="BaseSequence">Number of input records in earlier segments.</param>
/// <param name="RecordCount">Records in it.</param>
/// <param name="OutputByteCount">Bytes of guest output in it.</param>
internal readonly record struct LogSegmentMeta(Position Base, Position Through, ulong BaseNanoseconds, ulong BaseSequence, int RecordCount,
    int OutputByteCount)
{
    public const int SizeBytes = 48;

    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(destination, Base.InstructionCount);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[8..], Through.InstructionCount);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[16..], BaseNanoseconds);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[24..], BaseSequence);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[32..], Base.EventOrdinal);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[36..], Through.EventOrdinal);
        BinaryPrimitives.WriteInt32LittleEndian(destination[40..], RecordCount);
        BinaryPrimitives.WriteInt32LittleEndian(destination[44..], OutputByteCount);
    }

    public static LogSegmentMeta Read(ReadOnlySpan<byte> source) => new(
        new Position(BinaryPrimitives.ReadUInt64LittleEndian(source), BinaryPrimitives.ReadUInt32LittleEndian(source[32..])),
        new Position(BinaryPrimitives.ReadUInt64LittleEndian(source[8..]), BinaryPrimitives.ReadUInt32LittleEndian(source[36..])),
        BinaryPrimitives.ReadUInt64LittleEndian(source[16..]), BinaryPrimitives.ReadUInt64LittleEndian(source[24..]),
        BinaryPrimitives.ReadInt32LittleEndian(source[40..]), BinaryPrimitives.ReadInt32LittleEndian(source[44..]));
}
