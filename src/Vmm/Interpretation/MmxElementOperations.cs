using System;
using System.Runtime.Intrinsics;

namespace Vmm.Interpretation;

// The MMX operations that rearrange, widen or narrow elements: see IMmxOperation.

/// <summary>Steps that several of them share.</summary>
internal static class MmxElements
{
    public static Vector128<int> Words(ulong value) => Vector128.WidenLower(Vector128.CreateScalar(value).AsInt16());

    public static Vector128<uint> UnsignedWords(ulong value) => Vector128.WidenLower(Vector128.CreateScalar(value).AsUInt16());

    public static Vector128<ushort> Bytes(ulong value) => Vector128.WidenLower(Vector128.CreateScalar(value).AsByte());

    public static ulong Narrow(Vector128<int> words) => Vector128.Narrow(words, Vector128<int>.Zero).AsUInt64().ToScalar();

    public static ulong NarrowSaturated(Vector128<int> words) =>
        Vector128.NarrowWithSaturation(words, Vector128<int>.Zero).AsUInt64().ToScalar();

    /// <summary>The even and the odd words of b:a, sign-extended.</summary>
    public static Vector128<int> EvenWords(ulong a, ulong b) => (Vector128.Create(a, b).AsInt32() << 16) >> 16;

    public static Vector128<int> OddWords(ulong a, ulong b) => Vector128.Create(a, b).AsInt32() >> 16;

    public static Vector128<ulong> InterleaveBytes(ulong a, ulong b) => (Bytes(a) | (Bytes(b) << 8)).AsUInt64();

    public static Vector128<ulong> InterleaveWords(ulong a, ulong b) => (UnsignedWords(a) | (UnsignedWords(b) << 16)).AsUInt64();

    public static Vector128<T> Sign<T>(Vector128<T> value, Vector128<T> sign) =>
        Vector128.ConditionalSelect(
            Vector128.LessThan(sign, Vector128<T>.Zero),
            -value,
            Vector128.ConditionalSelect(Vector128.Equals(sign, Vector128<T>.Zero), Vector128<T>.Zero, value));
}

internal readonly struct PmulhwOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        MmxElements.Narrow((MmxElements.Words(a) * MmxElements.Words(b)) >> 16);
}

internal readonly struct PmulhuwOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        MmxElements.Narrow(((MmxElements.UnsignedWords(a) * MmxElements.UnsignedWords(b)) >> 16).AsInt32());
}

internal readonly struct PmulhrswOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        MmxElements.Narrow((((MmxElements.Words(a) * MmxElements.Words(b)) >> 14) + Vector128<int>.One) >> 1);
}

internal readonly struct PmuludqOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        (ulong)(uint)a * (uint)b;
}

internal readonly struct PmaddwdOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b)
    {
        Vector128<int> products = MmxElements.Words(a) * MmxElements.Words(b);
        uint low = (uint)(products.GetElement(0) + products.GetElement(1)), high = (uint)(products.GetElement(2) + products.GetElement(3));
        return low | ((ulong)high << 32);
    }
}

internal readonly struct PmaddubswOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b)
    {
        // A product of an unsigned and a signed byte always fits in a word; only the sums saturate.
        Vector128<short> products = MmxElements.Bytes(a).AsInt16() * Vector128.WidenLower(Vector128.CreateScalar(b).AsSByte());
        Vector128<int> pairs = products.AsInt32();
        return MmxElements.NarrowSaturated(((pairs << 16) >> 16) + (pairs >> 16));
    }
}

internal readonly struct PsadbwOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b)
    {
        int sum = 0;
        for (int i = 0; i < 64; i += 8) sum += Math.Abs((byte)(a >> i) - (byte)(b >> i));
        return (uint)sum;
    }
}

internal readonly struct PavgbOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        Vector128.Narrow((MmxElements.Bytes(a) + MmxElements.Bytes(b) + Vector128<ushort>.One) >> 1, Vector128<ushort>.Zero)
            .AsUInt64().ToScalar();
}

internal readonly struct PavgwOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        MmxElements.Narrow(((MmxElements.UnsignedWords(a) + MmxElements.UnsignedWords(b) + Vector128<uint>.One) >> 1).AsInt32());
}

internal readonly struct PacksswbOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        Vector128.NarrowWithSaturation(Vector128.Create(a, b).AsInt16(), Vector128<short>.Zero).AsUInt64().ToScalar();
}

internal readonly struct PackssdwOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        Vector128.NarrowWithSaturation(Vector128.Create(a, b).AsInt32(), Vector128<int>.Zero).AsUInt64().ToScalar();
}

internal readonly struct PackuswbOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b)
    {
        Vector128<short> words = Vector128.Create(a, b).AsInt16();
        words = Vector128.Max(Vector128.Min(words, Vector128.Create((short)255)), Vector128<short>.Zero);
        return Vector128.Narrow(words.AsUInt16(), Vector128<ushort>.Zero).AsUInt64().ToScalar();
    }
}

internal readonly struct PunpcklbwOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        MmxElements.InterleaveBytes(a, b).GetElement(0);
}

internal readonly struct PunpcklwdOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        MmxElements.InterleaveWords(a, b).GetElement(0);
}

internal readonly struct PunpckhbwOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        MmxElements.InterleaveBytes(a, b).GetElement(1);
}

internal readonly struct PunpckhwdOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        MmxElements.InterleaveWords(a, b).GetElement(1);
}

internal readonly struct PunpckldqOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        (uint)a | (b << 32);
}

internal readonly struct PunpckhdqOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        (a >> 32) | (b & 0xFFFF_FFFF_0000_0000);
}

internal readonly struct PshufbOperation : IMmxOperation
{
    // An index with bit 7 set selects nothing: past the end of the vector, which Shuffle makes zero.
    public static ulong Apply(ulong a, ulong b) =>
        Vector128.Shuffle(Vector128.CreateScalar(a).AsByte(), Vector128.CreateScalar(b & 0x8787_8787_8787_8787).AsByte()).AsUInt64().ToScalar();
}

internal readonly struct PhaddwOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        MmxElements.Narrow(MmxElements.EvenWords(a, b) + MmxElements.OddWords(a, b));
}

internal readonly struct PhaddswOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        MmxElements.NarrowSaturated(MmxElements.EvenWords(a, b) + MmxElements.OddWords(a, b));
}

internal readonly struct PhsubwOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        MmxElements.Narrow(MmxElements.EvenWords(a, b) - MmxElements.OddWords(a, b));
}

internal readonly struct PhsubswOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        MmxElements.NarrowSaturated(MmxElements.EvenWords(a, b) - MmxElements.OddWords(a, b));
}

internal readonly struct PhadddOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        (ulong)((uint)a + (uint)(a >> 32)) | ((ulong)((uint)b + (uint)(b >> 32)) << 32);
}

internal readonly struct PhsubdOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        (ulong)((uint)a - (uint)(a >> 32)) | ((ulong)((uint)b - (uint)(b >> 32)) << 32);
}

internal readonly struct PsignbOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        MmxElements.Sign(Vector128.CreateScalar(a).AsSByte(), Vector128.CreateScalar(b).AsSByte()).AsUInt64().ToScalar();
}

internal readonly struct PabsbOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        Vector128.Abs(Vector128.CreateScalar(b).AsSByte()).AsUInt64().ToScalar();
}

internal readonly struct PsignwOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        MmxElements.Sign(Vector128.CreateScalar(a).AsInt16(), Vector128.CreateScalar(b).AsInt16()).AsUInt64().ToScalar();
}

internal readonly struct PabswOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        Vector128.Abs(Vector128.CreateScalar(b).AsInt16()).AsUInt64().ToScalar();
}

internal readonly struct PsigndOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        MmxElements.Sign(Vector128.CreateScalar(a).AsInt32(), Vector128.CreateScalar(b).AsInt32()).AsUInt64().ToScalar();
}

internal readonly struct PabsdOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        Vector128.Abs(Vector128.CreateScalar(b).AsInt32()).AsUInt64().ToScalar();
}

internal readonly struct PsllwOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        b < 16 ? (Vector128.CreateScalar(a).AsUInt16() << (int)b).AsUInt64().ToScalar() : 0;
}

internal readonly struct PsrlwOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        b < 16 ? (Vector128.CreateScalar(a).AsUInt16() >> (int)b).AsUInt64().ToScalar() : 0;
}

internal readonly struct PsrawOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        (Vector128.CreateScalar(a).AsInt16() >> (int)Math.Min(b, 15)).AsUInt64().ToScalar();
}

internal readonly struct PslldOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        b < 32 ? (Vector128.CreateScalar(a).AsUInt32() << (int)b).AsUInt64().ToScalar() : 0;
}

internal readonly struct PsrldOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        b < 32 ? (Vector128.CreateScalar(a).AsUInt32() >> (int)b).AsUInt64().ToScalar() : 0;
}

internal readonly struct PsradOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        (Vector128.CreateScalar(a).AsInt32() >> (int)Math.Min(b, 31)).AsUInt64().ToScalar();
}

internal readonly struct PsllqOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        b < 64 ? a << (int)b : 0;
}

internal readonly struct PsrlqOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        b < 64 ? a >> (int)b : 0;
}
