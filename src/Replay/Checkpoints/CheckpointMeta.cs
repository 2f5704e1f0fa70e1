using System;
using System.Buffers.Binary;
using Vmm.Time;

namespace Replay.Checkpoints;

/// <summary>What the index knows of a checkpoint.</summary>
/// <param name="Position">Where it was taken.</param>
/// <param name="GuestNanoseconds">Guest time there.</param>
/// <param name="Sequence">Input records of the log before it.</param>
/// <param name="PageSum">Sum of the pages' contributions.</param>
/// <param name="Digest">State digest.</param>
/// <param name="Index">Its number.</param>
/// <param name="DirtyPageCount">Pages written since the one before.</param>
/// <param name="IsKey">It has whole page maps besides the changes.</param>
internal readonly record struct CheckpointMeta(Position Position, ulong GuestNanoseconds, ulong Sequence, UInt128 PageSum,
    StateDigest Digest,
    int Index, int DirtyPageCount, bool IsKey)
{
    public const int SizeBytes = 88;

    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(destination, Position.InstructionCount);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[8..], GuestNanoseconds);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[16..], Sequence);
        BinaryPrimitives.WriteUInt128LittleEndian(destination[24..], PageSum);
        Digest.CopyTo(destination[40..]);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[72..], Position.EventOrdinal);
        BinaryPrimitives.WriteInt32LittleEndian(destination[76..], Index);
        BinaryPrimitives.WriteInt32LittleEndian(destination[80..], DirtyPageCount);
        BinaryPrimitives.WriteInt32LittleEndian(destination[84..], IsKey ? 1 : 0);
    }

    public static CheckpointMeta Read(ReadOnlySpan<byte> source) => new(
        new Position(BinaryPrimitives.ReadUInt64LittleEndian(source), BinaryPrimitives.ReadUInt32LittleEndian(source[72..])),
        BinaryPrimitives.ReadUInt64LittleEndian(source[8..]), BinaryPrimitives.ReadUInt64LittleEndian(source[16..]),
        BinaryPrimitives.ReadUInt128LittleEndian(source[24..]), new StateDigest(source.Slice(40, StateDigest.SizeBytes)),
        BinaryPrimitives.ReadInt32LittleEndian(source[76..]), BinaryPrimitives.ReadInt32LittleEndian(source[80..]),
        BinaryPrimitives.ReadInt32LittleEndian(source[84..]) != 0);
}
