using System;
using System.Runtime.CompilerServices;

namespace Vmm.Interpretation.Sse;

/// <summary>
/// The fast way of an arithmetic operation: the host's own. Addition, subtraction, multiplication, division and square root are
/// correctly rounded on every host (IEEE 754), so this takes nothing from determinism; only their flags have to be known otherwise.
/// </summary>
internal static class HostFloat
{
    public static float Single(ulong bits) => BitConverter.UInt32BitsToSingle((uint)bits);

    public static double Double(ulong bits) => BitConverter.UInt64BitsToDouble(bits);

    public static ulong Bits(float value) => BitConverter.SingleToUInt32Bits(value);

    public static ulong Bits(double value) => BitConverter.DoubleToUInt64Bits(value);

    /// <summary>
    /// One element. Where MXCSR is settled, operands that are not denormal and a result that is normal raise nothing new: IE, ZE and OE
    /// never give a normal number, DE needs a denormal operand, and UE a result that was below the smallest normal one before rounding,
    /// which is ruled out with room to spare.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Apply<TFormat, TOperation>(ulong a, ulong b, ref FloatEnvironment environment)
        where TFormat : struct, IBinaryFormat
        where TOperation : struct, IFloatOperation
    {
        if (environment.IsSettled)
        {
            ulong result = TOperation.ApplyOnHost<TFormat>(a, b);
            if (IsWellInside<TFormat>(result) && !SoftFloat<TFormat>.IsDenormal(a) && !SoftFloat<TFormat>.IsDenormal(b)) return result;
        }

        return TOperation.Apply<TFormat>(a, b, ref environment);
    }

    /// <summary>Finite and at least twice the smallest normal number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsWellInside<TFormat>(ulong a)
        where TFormat : struct, IBinaryFormat
    {
        ulong leastExponent = 2UL << TFormat.FractionBits;
        return (a & ~SoftFloat<TFormat>.Sign) - leastExponent < SoftFloat<TFormat>.Infinity - leastExponent;
    }
}
