using System.Runtime.Intrinsics;

namespace Vmm.Interpretation.Sse;

// Comparisons of packed integers, and bitwise logic, which serves ANDPS and kin, too.

internal readonly struct Pcmpeqb : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Equals(a.AsByte(), b.AsByte()).AsByte();
}

internal readonly struct Pcmpgtb : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.GreaterThan(a.AsSByte(), b.AsSByte()).AsByte();
}

internal readonly struct Pcmpeqw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Equals(a.AsUInt16(), b.AsUInt16()).AsByte();
}

internal readonly struct Pcmpgtw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.GreaterThan(a.AsInt16(), b.AsInt16()).AsByte();
}

internal readonly struct Pcmpeqd : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Equals(a.AsUInt32(), b.AsUInt32()).AsByte();
}

internal readonly struct Pcmpgtd : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.GreaterThan(a.AsInt32(), b.AsInt32()).AsByte();
}

internal readonly struct Pcmpeqq : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Equals(a.AsUInt64(), b.AsUInt64()).AsByte();
}

internal readonly struct Pcmpgtq : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.GreaterThan(a.AsInt64(), b.AsInt64()).AsByte();
}

internal readonly struct Pand : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        a & b;
}

internal readonly struct Pandn : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        ~a & b;
}

internal readonly struct Por : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        a | b;
}

internal readonly struct Pxor : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        a ^ b;
}
