using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Vmm.Interpretation.Sse;

/// <summary>Elements of an XMM value by format, as bits in a ulong.</summary>
internal static class SseLanes<TFormat>
    where TFormat : struct, IBinaryFormat
{
    public static int Count => 16 / TFormat.SizeBytes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Get(ref Vector128<byte> vector, int index) => TFormat.SizeBytes == 4
        ? Unsafe.Add(ref Unsafe.As<Vector128<byte>, uint>(ref vector), index)
        : Unsafe.Add(ref Unsafe.As<Vector128<byte>, ulong>(ref vector), index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Set(ref Vector128<byte> vector, int index, ulong value)
    {
        if (TFormat.SizeBytes == 4) Unsafe.Add(ref Unsafe.As<Vector128<byte>, uint>(ref vector), index) = (uint)value;
        else Unsafe.Add(ref Unsafe.As<Vector128<byte>, ulong>(ref vector), index) = value;
    }
}
