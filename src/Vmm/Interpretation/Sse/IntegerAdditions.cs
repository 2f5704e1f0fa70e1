using System.Runtime.Intrinsics;

namespace Vmm.Interpretation.Sse;

// Sums, differences, averages, extremes and signs of packed integers. Each type is named like its instruction.

internal readonly struct Paddb : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        (a.AsByte() + b.AsByte()).AsByte();
}

internal readonly struct Psubb : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        (a.AsByte() - b.AsByte()).AsByte();
}

internal readonly struct Paddw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        (a.AsUInt16() + b.AsUInt16()).AsByte();
}

internal readonly struct Psubw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        (a.AsUInt16() - b.AsUInt16()).AsByte();
}

internal readonly struct Paddd : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        (a.AsUInt32() + b.AsUInt32()).AsByte();
}

internal readonly struct Psubd : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        (a.AsUInt32() - b.AsUInt32()).AsByte();
}

internal readonly struct Paddq : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        (a.AsUInt64() + b.AsUInt64()).AsByte();
}

internal readonly struct Psubq : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        (a.AsUInt64() - b.AsUInt64()).AsByte();
}

internal readonly struct Paddsb : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.AddSaturate(a.AsSByte(), b.AsSByte()).AsByte();
}

internal readonly struct Paddusb : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.AddSaturate(a.AsByte(), b.AsByte()).AsByte();
}

internal readonly struct Psubsb : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.SubtractSaturate(a.AsSByte(), b.AsSByte()).AsByte();
}

internal readonly struct Psubusb : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.SubtractSaturate(a.AsByte(), b.AsByte()).AsByte();
}

/// <summary>The average rounded up: a + b = 2 * (a | b) - (a ^ b).</summary>
internal readonly struct Pavgb : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        ((a | b).AsByte() - ((a ^ b).AsByte() >>> 1)).AsByte();
}

internal readonly struct Paddsw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.AddSaturate(a.AsInt16(), b.AsInt16()).AsByte();
}

internal readonly struct Paddusw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.AddSaturate(a.AsUInt16(), b.AsUInt16()).AsByte();
}

internal readonly struct Psubsw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.SubtractSaturate(a.AsInt16(), b.AsInt16()).AsByte();
}

internal readonly struct Psubusw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.SubtractSaturate(a.AsUInt16(), b.AsUInt16()).AsByte();
}

/// <summary>The average rounded up: a + b = 2 * (a | b) - (a ^ b).</summary>
internal readonly struct Pavgw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        ((a | b).AsUInt16() - ((a ^ b).AsUInt16() >>> 1)).AsByte();
}

internal readonly struct Pminsb : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Min(a.AsSByte(), b.AsSByte()).AsByte();
}

internal readonly struct Pminub : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Min(a.AsByte(), b.AsByte()).AsByte();
}

internal readonly struct Pmaxsb : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Max(a.AsSByte(), b.AsSByte()).AsByte();
}

internal readonly struct Pmaxub : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Max(a.AsByte(), b.AsByte()).AsByte();
}

internal readonly struct Pminsw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Min(a.AsInt16(), b.AsInt16()).AsByte();
}

internal readonly struct Pminuw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Min(a.AsUInt16(), b.AsUInt16()).AsByte();
}

internal readonly struct Pmaxsw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Max(a.AsInt16(), b.AsInt16()).AsByte();
}

internal readonly struct Pmaxuw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Max(a.AsUInt16(), b.AsUInt16()).AsByte();
}

internal readonly struct Pminsd : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Min(a.AsInt32(), b.AsInt32()).AsByte();
}

internal readonly struct Pminud : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Min(a.AsUInt32(), b.AsUInt32()).AsByte();
}

internal readonly struct Pmaxsd : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Max(a.AsInt32(), b.AsInt32()).AsByte();
}

internal readonly struct Pmaxud : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Max(a.AsUInt32(), b.AsUInt32()).AsByte();
}

internal readonly struct Pabsb : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.ConditionalSelect(Vector128.LessThan(b.AsSByte(), default), -b.AsSByte(), b.AsSByte()).AsByte();
}

internal readonly struct Pabsw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.ConditionalSelect(Vector128.LessThan(b.AsInt16(), default), -b.AsInt16(), b.AsInt16()).AsByte();
}

internal readonly struct Pabsd : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.ConditionalSelect(Vector128.LessThan(b.AsInt32(), default), -b.AsInt32(), b.AsInt32()).AsByte();
}

internal readonly struct Psignb : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.ConditionalSelect(
            Vector128.LessThan(b.AsSByte(), default),
            -a.AsSByte(),
            Vector128.AndNot(a.AsSByte(), Vector128.Equals(b.AsSByte(), default))).AsByte();
}

internal readonly struct Psignw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.ConditionalSelect(
            Vector128.LessThan(b.AsInt16(), default),
            -a.AsInt16(),
            Vector128.AndNot(a.AsInt16(), Vector128.Equals(b.AsInt16(), default))).AsByte();
}

internal readonly struct Psignd : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.ConditionalSelect(
            Vector128.LessThan(b.AsInt32(), default),
            -a.AsInt32(),
            Vector128.AndNot(a.AsInt32(), Vector128.Equals(b.AsInt32(), default))).AsByte();
}
