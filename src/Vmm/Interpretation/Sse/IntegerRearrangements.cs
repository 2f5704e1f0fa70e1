using System.Runtime.Intrinsics;

namespace Vmm.Interpretation.Sse;

// Packing, unpacking, widening and shuffling of elements.

internal readonly struct Packsswb : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.NarrowWithSaturation(a.AsInt16(), b.AsInt16()).AsByte();
}

internal readonly struct Packssdw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.NarrowWithSaturation(a.AsInt32(), b.AsInt32()).AsByte();
}

internal readonly struct Packuswb : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Narrow(
            Vector128.Min(Vector128.Max(a.AsInt16(), default), Vector128.Create((short)0xFF)).AsUInt16(),
            Vector128.Min(Vector128.Max(b.AsInt16(), default), Vector128.Create((short)0xFF)).AsUInt16());
}

internal readonly struct Packusdw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Narrow(
            Vector128.Min(Vector128.Max(a.AsInt32(), default), Vector128.Create(0xFFFF)).AsUInt32(),
            Vector128.Min(Vector128.Max(b.AsInt32(), default), Vector128.Create(0xFFFF)).AsUInt32()).AsByte();
}

internal readonly struct Punpcklbw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        (Vector128.WidenLower(a.AsByte()) | (Vector128.WidenLower(b.AsByte()) << 8)).AsByte();
}

internal readonly struct Punpcklwd : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        (Vector128.WidenLower(a.AsUInt16()) | (Vector128.WidenLower(b.AsUInt16()) << 16)).AsByte();
}

internal readonly struct Punpckldq : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        (Vector128.WidenLower(a.AsUInt32()) | (Vector128.WidenLower(b.AsUInt32()) << 32)).AsByte();
}

internal readonly struct Punpckhbw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        (Vector128.WidenUpper(a.AsByte()) | (Vector128.WidenUpper(b.AsByte()) << 8)).AsByte();
}

internal readonly struct Punpckhwd : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        (Vector128.WidenUpper(a.AsUInt16()) | (Vector128.WidenUpper(b.AsUInt16()) << 16)).AsByte();
}

internal readonly struct Punpckhdq : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        (Vector128.WidenUpper(a.AsUInt32()) | (Vector128.WidenUpper(b.AsUInt32()) << 32)).AsByte();
}

internal readonly struct Punpcklqdq : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Create(a.AsUInt64().GetElement(0), b.AsUInt64().GetElement(0)).AsByte();
}

internal readonly struct Punpckhqdq : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Create(a.AsUInt64().GetElement(1), b.AsUInt64().GetElement(1)).AsByte();
}

/// <summary>A selector with its top bit set gives zero, as any selector above 15 does in Shuffle.</summary>
internal readonly struct Pshufb : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Shuffle(a, b & Vector128.Create((byte)0x8F));
}

internal readonly struct Movsldup : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Shuffle(b.AsUInt32(), Vector128.Create(0u, 0, 2, 2)).AsByte();
}

internal readonly struct Movshdup : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Shuffle(b.AsUInt32(), Vector128.Create(1u, 1, 3, 3)).AsByte();
}

internal readonly struct Movddup : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Create(b.AsUInt64().GetElement(0)).AsByte();
}

internal readonly struct Pmovsxbw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.WidenLower(b.AsSByte()).AsByte();
}

internal readonly struct Pmovsxbd : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.WidenLower(Vector128.WidenLower(b.AsSByte())).AsByte();
}

internal readonly struct Pmovsxbq : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.WidenLower(Vector128.WidenLower(Vector128.WidenLower(b.AsSByte()))).AsByte();
}

internal readonly struct Pmovsxwd : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.WidenLower(b.AsInt16()).AsByte();
}

internal readonly struct Pmovsxwq : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.WidenLower(Vector128.WidenLower(b.AsInt16())).AsByte();
}

internal readonly struct Pmovsxdq : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.WidenLower(b.AsInt32()).AsByte();
}

internal readonly struct Pmovzxbw : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.WidenLower(b.AsByte()).AsByte();
}

internal readonly struct Pmovzxbd : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.WidenLower(Vector128.WidenLower(b.AsByte())).AsByte();
}

internal readonly struct Pmovzxbq : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.WidenLower(Vector128.WidenLower(Vector128.WidenLower(b.AsByte()))).AsByte();
}

internal readonly struct Pmovzxwd : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.WidenLower(b.AsUInt16()).AsByte();
}

internal readonly struct Pmovzxwq : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.WidenLower(Vector128.WidenLower(b.AsUInt16())).AsByte();
}

internal readonly struct Pmovzxdq : IVectorOperation
{
    public static Vector128<byte> Apply(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.WidenLower(b.AsUInt32()).AsByte();
}
