using System.Runtime.Intrinsics;

namespace Vmm.Interpretation.Sse;

/// <summary>The even (low) and odd (high) words of an XMM value as doublewords, to multiply them without loss.</summary>
internal static class IntegerHalves
{
    public static Vector128<int> Low(Vector128<byte> a) => (a.AsInt32() << 16) >> 16;

    public static Vector128<int> High(Vector128<byte> a) => a.AsInt32() >> 16;

    public static Vector128<int> LowUnsigned(Vector128<byte> a) => a.AsInt32() & Vector128.Create(0xFFFF);

    public static Vector128<int> HighUnsigned(Vector128<byte> a) => a.AsInt32() >>> 16;

    /// <summary>The low words of both, interleaved again.</summary>
    public static Vector128<byte> Combine(Vector128<int> low, Vector128<int> high) =>
        ((low & Vector128.Create(0xFFFF)) | (high << 16)).AsByte();
}
