using System;
using Vmm.Host;
using Vmm.Memory;

namespace Vmm.Translation;

/// <summary>The memory that generated code is put into, one piece after the other. When it is full everything behind the common routines is thrown away at once.</summary>
internal sealed class CodeCache(ExecutableMemory memory) : IDisposable
{
    public const int SizeBytes = 64 << 20;
    private const int DisplacementSizeBytes = 4;
    /// <summary>No block is larger.</summary>
    private const int Reserve = 256 << 10;
    /// <summary>What was written rests after so many bytes more.</summary>
    private const int RestsAfter = 1 << 20;
    /// <summary>A line of the host's instruction cache: what a jump leads to is fetched at once.</summary>
    private const int Alignment = 64;

    private int _used, _common, _rested;

    public bool IsFull => _used + Reserve > SizeBytes;

    /// <summary>Host address of the next piece.</summary>
    public nint NextAddress => memory.Address + _used;

    /// <summary>Emits a piece at <see cref="NextAddress"/> and keeps it.</summary>
    public nint Add(Emitter emitter, Action<Emitter> emit)
    {
        emitter.Begin(NextAddress);
        emit(emitter);
        return Commit(emitter);
    }

    /// <summary>Keeps what was emitted for <see cref="NextAddress"/>. Returns where it starts.</summary>
    public nint Commit(Emitter emitter)
    {
        Invariant.Check(emitter.Address == NextAddress && emitter.IsWhole);
        nint start = NextAddress;
        emitter.Written.CopyTo(memory.Bytes[_used..]);
        _used = (_used + emitter.Position + Alignment - 1) & -Alignment;
        if (_used - _rested >= RestsAfter)
        {
            memory.RestWritable(_used);
            _rested = _used;
        }
        return start;
    }

    /// <summary>What comes from now on can be thrown away.</summary>
    public void EndCommon() => _common = _used;

    public void Clear() => _used = _rested = _common;

    /// <summary>Makes the five bytes at <paramref name="at"/> a jump.</summary>
    public void PatchJump(nint at, nint target)
    {
        memory.Bytes[(int)(at - memory.Address)] = 0xE9;
        PatchDisplacement(at + 1, target);
    }

    /// <summary>Makes the jump whose displacement is at <paramref name="at"/> lead elsewhere.</summary>
    public void PatchDisplacement(nint at, nint target)
    {
        Span<byte> bytes = memory.Bytes.Slice((int)(at - memory.Address), DisplacementSizeBytes);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(bytes, checked((int)(target - (at + DisplacementSizeBytes))));
    }

    /// <summary>Makes the jump whose displacement is at <paramref name="at"/> lead to what follows it.</summary>
    public void PatchToNext(nint at) => PatchDisplacement(at, at + DisplacementSizeBytes);

    /// <summary>The bytes of a piece.</summary>
    public Span<byte> BytesOf(nint address, int sizeBytes) => memory.Bytes.Slice((int)(address - memory.Address), sizeBytes);

    public void Dispose() => memory.Dispose();
}
