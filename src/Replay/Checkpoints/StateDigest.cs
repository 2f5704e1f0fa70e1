using System;
using System.Runtime.CompilerServices;

namespace Replay.Checkpoints;

/// <summary>
/// 32 bytes that stand for a machine's whole state, memory and disks included; see docs/TRACE_FORMAT.md. Equal on every host and engine.
/// </summary>
public readonly struct StateDigest : IEquatable<StateDigest>
{
    public const int SizeBytes = 32;

    [InlineArray(SizeBytes)]
    private struct Bytes { private byte _0; }

    private readonly Bytes _bytes;

    public StateDigest(ReadOnlySpan<byte> bytes)
    {
        Vmm.Invariant.Check(bytes.Length == SizeBytes);
        bytes.CopyTo(_bytes);
    }

    public void CopyTo(Span<byte> destination) => ((ReadOnlySpan<byte>)_bytes).CopyTo(destination);
    public bool Equals(StateDigest other) => ((ReadOnlySpan<byte>)_bytes).SequenceEqual(other._bytes);
    public override bool Equals(object? obj) => obj is StateDigest other && Equals(other);
    public override int GetHashCode() => BitConverter.ToInt32(_bytes);
    public static bool operator ==(StateDigest a, StateDigest b) => a.Equals(b);
    public static bool operator !=(StateDigest a, StateDigest b) => !a.Equals(b);

    /// <summary>64 lower-case hexadecimal digits.</summary>
    public override string ToString() => Convert.ToHexStringLower(_bytes);
}
