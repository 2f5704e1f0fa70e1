using System.Runtime.Intrinsics;

namespace Vmm.Interpretation.Sse;

// Products of packed integers and sums of neighbours.

internal readonly struct Pmullw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        (a.AsUInt16() * b.AsUInt16()).AsByte();
}

internal readonly struct Pmulld : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        (a.AsUInt32() * b.AsUInt32()).AsByte();
}

internal readonly struct Pmulhw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        IntegerHalves.Combine(
            (IntegerHalves.Low(a) * IntegerHalves.Low(b)) >>> 16,
            (IntegerHalves.High(a) * IntegerHalves.High(b)) >>> 16);
}

internal readonly struct Pmulhuw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        IntegerHalves.Combine(
            (IntegerHalves.LowUnsigned(a) * IntegerHalves.LowUnsigned(b)) >>> 16,
            (IntegerHalves.HighUnsigned(a) * IntegerHalves.HighUnsigned(b)) >>> 16);
}

internal readonly struct Pmulhrsw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        IntegerHalves.Combine(
            (((IntegerHalves.Low(a) * IntegerHalves.Low(b)) >> 14) + Vector128<int>.One) >>> 1,
            (((IntegerHalves.High(a) * IntegerHalves.High(b)) >> 14) + Vector128<int>.One) >>> 1);
}

internal readonly struct Pmuludq : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        ((a.AsUInt64() & Vector128.Create(0xFFFF_FFFFUL)) * (b.AsUInt64() & Vector128.Create(0xFFFF_FFFFUL))).AsByte();
}

internal readonly struct Pmuldq : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Create(
            (long)a.AsInt32().GetElement(0) * b.AsInt32().GetElement(0),
            (long)a.AsInt32().GetElement(2) * b.AsInt32().GetElement(2)).AsByte();
}

internal readonly struct Pmaddwd : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        ((IntegerHalves.Low(a) * IntegerHalves.Low(b)) + (IntegerHalves.High(a) * IntegerHalves.High(b))).AsByte();
}

/// <summary>Bytes of the destination are unsigned, those of the source signed.</summary>
internal readonly struct Pmaddubsw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.AddSaturate(
            (a.AsInt16() & Vector128.Create((short)0xFF)) * ((b.AsInt16() << 8) >> 8),
            (a.AsInt16() >>> 8) * (b.AsInt16() >> 8)).AsByte();
}

internal readonly struct Phaddw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        (Vector128.Narrow(a.AsInt32(), b.AsInt32()) + Vector128.Narrow(a.AsInt32() >> 16, b.AsInt32() >> 16)).AsByte();
}

internal readonly struct Phsubw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        (Vector128.Narrow(a.AsInt32(), b.AsInt32()) - Vector128.Narrow(a.AsInt32() >> 16, b.AsInt32() >> 16)).AsByte();
}

internal readonly struct Phaddsw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.AddSaturate(
            Vector128.Narrow(a.AsInt32(), b.AsInt32()),
            Vector128.Narrow(a.AsInt32() >> 16, b.AsInt32() >> 16)).AsByte();
}

internal readonly struct Phsubsw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.SubtractSaturate(
            Vector128.Narrow(a.AsInt32(), b.AsInt32()),
            Vector128.Narrow(a.AsInt32() >> 16, b.AsInt32() >> 16)).AsByte();
}

internal readonly struct Phaddd : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        (Vector128.Narrow(a.AsUInt64(), b.AsUInt64()) + Vector128.Narrow(a.AsUInt64() >> 32, b.AsUInt64() >> 32)).AsByte();
}

internal readonly struct Phsubd : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        (Vector128.Narrow(a.AsUInt64(), b.AsUInt64()) - Vector128.Narrow(a.AsUInt64() >> 32, b.AsUInt64() >> 32)).AsByte();
}
