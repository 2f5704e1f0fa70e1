using System.Runtime.Intrinsics;

namespace Vmm.Interpretation;

/// <summary>An operation on the 64-bit destination and source of an MMX instruction, as a type argument of the handlers.</summary>
internal interface IMmxOperation
{
    static abstract ulong Apply(ulong a, ulong b);
}

internal readonly struct PaddbOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        (Vector128.CreateScalar(a).AsByte() + Vector128.CreateScalar(b).AsByte()).AsUInt64().ToScalar();
}

internal readonly struct PsubbOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        (Vector128.CreateScalar(a).AsByte() - Vector128.CreateScalar(b).AsByte()).AsUInt64().ToScalar();
}

internal readonly struct PaddwOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        (Vector128.CreateScalar(a).AsUInt16() + Vector128.CreateScalar(b).AsUInt16()).AsUInt64().ToScalar();
}

internal readonly struct PsubwOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        (Vector128.CreateScalar(a).AsUInt16() - Vector128.CreateScalar(b).AsUInt16()).AsUInt64().ToScalar();
}

internal readonly struct PadddOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        (Vector128.CreateScalar(a).AsUInt32() + Vector128.CreateScalar(b).AsUInt32()).AsUInt64().ToScalar();
}

internal readonly struct PsubdOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        (Vector128.CreateScalar(a).AsUInt32() - Vector128.CreateScalar(b).AsUInt32()).AsUInt64().ToScalar();
}

internal readonly struct PaddqOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        a + b;
}

internal readonly struct PsubqOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        a - b;
}

internal readonly struct PaddsbOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        Vector128.AddSaturate(Vector128.CreateScalar(a).AsSByte(), Vector128.CreateScalar(b).AsSByte()).AsUInt64().ToScalar();
}

internal readonly struct PaddusbOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        Vector128.AddSaturate(Vector128.CreateScalar(a).AsByte(), Vector128.CreateScalar(b).AsByte()).AsUInt64().ToScalar();
}

internal readonly struct PsubsbOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        Vector128.SubtractSaturate(Vector128.CreateScalar(a).AsSByte(), Vector128.CreateScalar(b).AsSByte()).AsUInt64().ToScalar();
}

internal readonly struct PsubusbOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        Vector128.SubtractSaturate(Vector128.CreateScalar(a).AsByte(), Vector128.CreateScalar(b).AsByte()).AsUInt64().ToScalar();
}

internal readonly struct PaddswOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        Vector128.AddSaturate(Vector128.CreateScalar(a).AsInt16(), Vector128.CreateScalar(b).AsInt16()).AsUInt64().ToScalar();
}

internal readonly struct PadduswOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        Vector128.AddSaturate(Vector128.CreateScalar(a).AsUInt16(), Vector128.CreateScalar(b).AsUInt16()).AsUInt64().ToScalar();
}

internal readonly struct PsubswOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        Vector128.SubtractSaturate(Vector128.CreateScalar(a).AsInt16(), Vector128.CreateScalar(b).AsInt16()).AsUInt64().ToScalar();
}

internal readonly struct PsubuswOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        Vector128.SubtractSaturate(Vector128.CreateScalar(a).AsUInt16(), Vector128.CreateScalar(b).AsUInt16()).AsUInt64().ToScalar();
}

internal readonly struct PandOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        a & b;
}

internal readonly struct PandnOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        ~a & b;
}

internal readonly struct PorOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        a | b;
}

internal readonly struct PxorOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        a ^ b;
}

internal readonly struct PcmpeqbOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        Vector128.Equals(Vector128.CreateScalar(a).AsSByte(), Vector128.CreateScalar(b).AsSByte()).AsUInt64().ToScalar();
}

internal readonly struct PcmpgtbOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        Vector128.GreaterThan(Vector128.CreateScalar(a).AsSByte(), Vector128.CreateScalar(b).AsSByte()).AsUInt64().ToScalar();
}

internal readonly struct PcmpeqwOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        Vector128.Equals(Vector128.CreateScalar(a).AsInt16(), Vector128.CreateScalar(b).AsInt16()).AsUInt64().ToScalar();
}

internal readonly struct PcmpgtwOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        Vector128.GreaterThan(Vector128.CreateScalar(a).AsInt16(), Vector128.CreateScalar(b).AsInt16()).AsUInt64().ToScalar();
}

internal readonly struct PcmpeqdOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        Vector128.Equals(Vector128.CreateScalar(a).AsInt32(), Vector128.CreateScalar(b).AsInt32()).AsUInt64().ToScalar();
}

internal readonly struct PcmpgtdOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        Vector128.GreaterThan(Vector128.CreateScalar(a).AsInt32(), Vector128.CreateScalar(b).AsInt32()).AsUInt64().ToScalar();
}

internal readonly struct PminubOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        Vector128.Min(Vector128.CreateScalar(a).AsByte(), Vector128.CreateScalar(b).AsByte()).AsUInt64().ToScalar();
}

internal readonly struct PmaxubOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        Vector128.Max(Vector128.CreateScalar(a).AsByte(), Vector128.CreateScalar(b).AsByte()).AsUInt64().ToScalar();
}

internal readonly struct PminswOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        Vector128.Min(Vector128.CreateScalar(a).AsInt16(), Vector128.CreateScalar(b).AsInt16()).AsUInt64().ToScalar();
}

internal readonly struct PmaxswOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        Vector128.Max(Vector128.CreateScalar(a).AsInt16(), Vector128.CreateScalar(b).AsInt16()).AsUInt64().ToScalar();
}

internal readonly struct PmullwOperation : IMmxOperation
{
    public static ulong Apply(ulong a, ulong b) =>
        (Vector128.CreateScalar(a).AsInt16() * Vector128.CreateScalar(b).AsInt16()).AsUInt64().ToScalar();
}
