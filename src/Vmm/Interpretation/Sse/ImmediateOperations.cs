using System.Runtime.Intrinsics;

namespace Vmm.Interpretation.Sse;

// Rearrangements that an immediate byte controls. Each type is named like its instruction.

internal readonly struct Pshufd : IVectorImmediateOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        Vector128.Shuffle(b.AsUInt32(), Selectors(immediate)).AsByte();

    /// <summary>The four 2-bit fields of an immediate as element numbers.</summary>
    public static Vector128<uint> Selectors(uint immediate) =>
        Vector128.Create(immediate & 3, immediate >> 2 & 3, immediate >> 4 & 3, immediate >> 6);
}

internal readonly struct Pshuflw : IVectorImmediateOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        b.AsUInt64().WithElement(0, Words(b.AsUInt64().GetElement(0), immediate)).AsByte();

    /// <summary>Four words shuffled among themselves.</summary>
    public static ulong Words(ulong words, byte immediate)
    {
        ulong result = 0;
        for (int i = 0; i < 4; i++) result |= (words >> ((immediate >> (i * 2) & 3) * 16) & 0xFFFF) << (i * 16);
        return result;
    }
}

internal readonly struct Pshufhw : IVectorImmediateOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        b.AsUInt64().WithElement(1, Pshuflw.Words(b.AsUInt64().GetElement(1), immediate)).AsByte();
}

internal readonly struct Shufps : IVectorImmediateOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b, byte immediate)
    {
        Vector128<uint> selectors = Pshufd.Selectors(immediate);
        ulong low = Vector128.Shuffle(a.AsUInt32(), selectors).AsUInt64().GetElement(0);
        return Vector128.Shuffle(b.AsUInt32(), selectors).AsUInt64().WithElement(0, low).AsByte();
    }
}

internal readonly struct Shufpd : IVectorImmediateOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b, byte immediate) =>
        Vector128.Create(a.AsUInt64().GetElement(immediate & 1), b.AsUInt64().GetElement(immediate >> 1 & 1)).AsByte();
}

internal readonly struct Blendps : IVectorImmediateOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b, byte immediate)
    {
        Vector128<uint> bit = Vector128.Create(1u, 2, 4, 8);
        return Vector128.ConditionalSelect(Vector128.Equals(Vector128.Create((uint)immediate) & bit, bit).AsByte(), b, a);
    }
}

internal readonly struct Blendpd : IVectorImmediateOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b, byte immediate)
    {
        Vector128<ulong> bit = Vector128.Create(1UL, 2);
        return Vector128.ConditionalSelect(Vector128.Equals(Vector128.Create((ulong)immediate) & bit, bit).AsByte(), b, a);
    }
}

internal readonly struct Pblendw : IVectorImmediateOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b, byte immediate)
    {
        Vector128<ushort> bit = Vector128.Create((ushort)1, 2, 4, 8, 16, 32, 64, 128);
        return Vector128.ConditionalSelect(Vector128.Equals(Vector128.Create((ushort)immediate) & bit, bit).AsByte(), b, a);
    }
}

/// <summary>The 32 bytes of destination (high) and source (low), shifted right by whole bytes.</summary>
internal readonly struct Palignr : IVectorImmediateOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b, byte immediate)
    {
        if (immediate >= 32) return default;
        return immediate >= 16
            ? ByteShift.Right(a, immediate - 16)
            : ByteShift.Right(b, immediate) | ByteShift.Left(a, 16 - immediate);
    }
}
