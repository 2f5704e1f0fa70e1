using System;
using System.Numerics;

namespace Vmm.Interpretation.FloatingPoint;

/// <summary>128-bit integer steps that <see cref="UInt128"/> does not offer, or offers only slowly.</summary>
internal static class WideInteger
{
    /// <summary>(high:low) / divisor, for high &lt; divisor and a divisor with bit 63 set (Knuth, TAOCP 2, 4.3.1, algorithm D with 32-bit digits).</summary>
    public static ulong Divide(ulong high, ulong low, ulong divisor, out ulong remainder)
    {
        ulong upper = DivideStep(high, low >> 32, divisor, out ulong rest);
        ulong lower = DivideStep(rest, low & 0xFFFF_FFFF, divisor, out remainder);
        return (upper << 32) | lower;
    }

    // One 32-bit digit of the quotient of (high:digit) where high < divisor.
    private static ulong DivideStep(ulong high, ulong digit, ulong divisor, out ulong remainder)
    {
        ulong divisorHigh = divisor >> 32, divisorLow = divisor & 0xFFFF_FFFF;
        ulong quotient = high / divisorHigh;
        ulong rest = high - (quotient * divisorHigh);
        while (quotient > 0xFFFF_FFFF || quotient * divisorLow > ((rest << 32) | digit))
        {
            quotient--;
            rest += divisorHigh;
            if (rest > 0xFFFF_FFFF) break;
        }

        remainder = (high << 32) + digit - (quotient * divisor);
        return quotient;
    }

    /// <summary>The integer square root of a number in [2^126, 2^128), and the remainder.</summary>
    public static ulong SquareRoot(UInt128 value, out UInt128 remainder)
    {
        ulong root = 0;
        UInt128 rest = 0;
        for (int i = 63; i >= 0; i--)
        {
            rest = (rest << 2) | ((value >> (2 * i)) & 3);
            UInt128 trial = ((UInt128)root << 2) | 1;
            root <<= 1;
            if (rest < trial) continue;
            rest -= trial;
            root |= 1;
        }

        remainder = rest;
        return root;
    }

    /// <summary>The upper half of the 256-bit product.</summary>
    public static UInt128 MultiplyHigh(UInt128 a, UInt128 b)
    {
        ulong aHigh = (ulong)(a >> 64), aLow = (ulong)a, bHigh = (ulong)(b >> 64), bLow = (ulong)b;
        ulong lowHigh = Math.BigMul(aLow, bLow, out _);
        ulong crossHigh1 = Math.BigMul(aHigh, bLow, out ulong crossLow1);
        ulong crossHigh2 = Math.BigMul(aLow, bHigh, out ulong crossLow2);
        ulong high = Math.BigMul(aHigh, bHigh, out ulong highLow);
        UInt128 middle = (UInt128)lowHigh + crossLow1 + crossLow2;
        return new UInt128(high, highLow) + crossHigh1 + crossHigh2 + (middle >> 64);
    }

    /// <summary>value / divisor, for a divisor below 2^32.</summary>
    public static UInt128 DivideSmall(UInt128 value, uint divisor)
    {
        ulong high = (ulong)(value >> 64), low = (ulong)value;
        ulong quotientHigh = high / divisor;
        ulong rest = high - (quotientHigh * divisor);
        ulong part = (rest << 32) | (low >> 32);
        ulong quotientMiddle = part / divisor;
        rest = part - (quotientMiddle * divisor);
        part = (rest << 32) | (low & 0xFFFF_FFFF);
        return new UInt128(quotientHigh, (quotientMiddle << 32) | (part / divisor));
    }
}
