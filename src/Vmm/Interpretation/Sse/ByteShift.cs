using System;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Vmm.Interpretation.Sse;

/// <summary>Shifts of a whole XMM value by 0 to 16 bytes and more.</summary>
internal static class ByteShift
{
    public static Vector128<byte> Left(Vector128<byte> value, int bytes) =>
        bytes > 15 ? default : Unsafe.BitCast<UInt128, Vector128<byte>>(Unsafe.BitCast<Vector128<byte>, UInt128>(value) << (bytes * 8));

    public static Vector128<byte> Right(Vector128<byte> value, int bytes) =>
        bytes > 15 ? default : Unsafe.BitCast<UInt128, Vector128<byte>>(Unsafe.BitCast<Vector128<byte>, UInt128>(value) >>> (bytes * 8));
}
