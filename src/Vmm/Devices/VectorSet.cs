using System;
using System.Buffers.Binary;
using System.Numerics;
using Vmm.Snapshots;

namespace Vmm.Devices;

/// <summary>256 bits, one a vector: the local APIC's IRR, ISR and TMR.</summary>
internal sealed class VectorSet
{
    private readonly ulong[] _words = new ulong[4];

    /// <summary>The highest vector in the set, or -1.</summary>
    public int Highest
    {
        get
        {
            for (int i = 3; i >= 0; i--)
                if (_words[i] != 0) return i * 64 + 63 - BitOperations.LeadingZeroCount(_words[i]);
            return -1;
        }
    }

    public bool Contains(int vector) => (_words[vector >> 6] >> vector & 1) != 0;

    public void Add(int vector) => _words[vector >> 6] |= 1UL << vector;

    public void Remove(int vector) => _words[vector >> 6] &= ~(1UL << vector);

    public void Clear() => Array.Clear(_words);

    /// <summary>
    /// Bits 32 * <paramref name="index"/> and up, as register number <paramref name="index"/> (0..7) shows them.
    /// </summary>
    public uint Register(int index) => (uint)(_words[index >> 1] >> 32 * (index & 1));

    public void Save(StateWriter writer, string name)
    {
        Span<byte> bytes = stackalloc byte[32];
        for (int i = 0; i < 4; i++) BinaryPrimitives.WriteUInt64LittleEndian(bytes[(8 * i)..], _words[i]);
        writer.Write(name, bytes);
    }

    public void Restore(StateReader reader, string name)
    {
        Span<byte> bytes = stackalloc byte[32];
        reader.Read(name, bytes);
        for (int i = 0; i < 4; i++) _words[i] = BinaryPrimitives.ReadUInt64LittleEndian(bytes[(8 * i)..]);
    }
}
