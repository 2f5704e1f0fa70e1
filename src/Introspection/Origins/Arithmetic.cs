using System;
using System.Collections.Generic;
using System.Numerics;
using Iced.Intel;

namespace Introspection.Origins;

/// <summary>The arithmetic that is written as an equation, and checked.</summary>
internal static class Arithmetic
{
    /// <summary>The result, cut to its size; null: not one of those that are computed here.</summary>
    /// <param name="mnemonic">The operation.</param>
    /// <param name="v">Its operands, cut to their sizes.</param>
    /// <param name="sizeBytes">Of the result, at most 8.</param>
    /// <param name="carry">CF before.</param>
    public static UInt128? Evaluate(Mnemonic mnemonic, IReadOnlyList<UInt128> v, int sizeBytes, bool carry)
    {
        if (sizeBytes > 8 || v.Count is 0 or > 3) return null;
        UInt128 one = carry ? UInt128.One : UInt128.Zero;
        int count = v.Count > 1 ? (int)(v[1] & (sizeBytes == 8 ? 63u : 31u)) : 1;
        UInt128? result = (mnemonic, v.Count) switch
        {
            (Mnemonic.Add or Mnemonic.Xadd, 2) => v[0] + v[1], (Mnemonic.Adc, 2) => v[0] + v[1] + one,
            (Mnemonic.Sub, 2) => v[0] - v[1], (Mnemonic.Sbb, 2) => v[0] - v[1] - one,
            (Mnemonic.And, 2) => v[0] & v[1], (Mnemonic.Or, 2) => v[0] | v[1], (Mnemonic.Xor, 2) => v[0] ^ v[1],
            (Mnemonic.Inc, 1) => v[0] + 1, (Mnemonic.Dec, 1) => v[0] - 1, (Mnemonic.Neg, 1) => UInt128.Zero - v[0], (Mnemonic.Not, 1) => ~v[0],
            (Mnemonic.Imul, 2) => v[0] * v[1],
            (Mnemonic.Shl or Mnemonic.Sal, 2) => v[0] << count, (Mnemonic.Shr, 2) => v[0] >> count,
            (Mnemonic.Sar, 2) => (UInt128)(SignExtend(v[0], sizeBytes) >> count),
            (Mnemonic.Bswap, 1) when sizeBytes == 8 => System.Buffers.Binary.BinaryPrimitives.ReverseEndianness((ulong)v[0]),
            (Mnemonic.Bswap, 1) when sizeBytes == 4 => System.Buffers.Binary.BinaryPrimitives.ReverseEndianness((uint)v[0]),
            (Mnemonic.Popcnt, 1) => (UInt128)BitOperations.PopCount((ulong)v[0]),
            _ => null,
        };
        return result is { } value ? ValueLocation.Cut(value, sizeBytes) : null;
    }

    /// <summary>"0x2a = 0x29 + 0x1"</summary>
    public static string Equation(Mnemonic mnemonic, UInt128 result, IReadOnlyList<UInt128> v, bool carry)
    {
        string? sign = mnemonic switch
        {
            Mnemonic.Add or Mnemonic.Adc or Mnemonic.Xadd => "+", Mnemonic.Sub or Mnemonic.Sbb => "-", Mnemonic.And => "&", Mnemonic.Or => "|", Mnemonic.Xor => "^",
            Mnemonic.Imul => "*", Mnemonic.Shl or Mnemonic.Sal => "<<", Mnemonic.Shr or Mnemonic.Sar => ">>", _ => null,
        };
        string left = ValueLocation.Text(result) + " = ";
        if (v.Count == 2 && sign is not null)
        {
            string tail = carry && mnemonic is Mnemonic.Adc or Mnemonic.Sbb ? $" {sign} {(carry ? 1 : 0)} (carry)" : "";
            return left + $"{ValueLocation.Text(v[0])} {sign} {ValueLocation.Text(v[1])}{tail}";
        }
        if (v.Count == 1 && mnemonic is Mnemonic.Inc or Mnemonic.Dec) return left + $"{ValueLocation.Text(v[0])} {(mnemonic == Mnemonic.Inc ? "+" : "-")} 1";
        var values = new List<string>();
        foreach (UInt128 value in v) values.Add(ValueLocation.Text(value));
        return $"{left}{mnemonic.ToString().ToLowerInvariant()}({string.Join(", ", values)})";
    }

    public static Int128 SignExtend(UInt128 value, int sizeBytes) => sizeBytes >= 16 ? (Int128)value : (Int128)(value << (128 - sizeBytes * 8)) >> (128 - sizeBytes * 8);
}
