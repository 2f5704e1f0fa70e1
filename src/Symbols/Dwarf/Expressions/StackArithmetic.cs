using System;

namespace Symbols.Dwarf.Expressions;

/// <summary>Arithmetic of DWARF expressions on entries of one type (DWARF 5, 2.5.1.4 and 2.5.1.6).</summary>
internal static class StackArithmetic
{
    /// <summary>Drops the bits that a value of the type does not have.</summary>
    internal static ulong Truncate(ulong bits, int sizeBytes) => sizeBytes is > 0 and < 8 ? bits & ((1ul << (sizeBytes * 8)) - 1) : bits;

    internal static long Extend(ulong bits, int sizeBytes)
    {
        int shift = sizeBytes is > 0 and < 8 ? 64 - (sizeBytes * 8) : 0;
        return (long)(bits << shift) >> shift;
    }

    /// <param name="op">DW_OP_*.</param>
    /// <param name="left">The second entry from the top.</param>
    /// <param name="right">The top.</param>
    /// <param name="sizeBytes">Of the generic type.</param>
    /// <param name="problem">One sentence; null if all went well.</param>
    internal static StackValue Binary(byte op, StackValue left, StackValue right, int sizeBytes, out string? problem)
    {
        problem = null;
        bool isShift = op is >= 0x24 and <= 0x26;
        if (left.Type != right.Type && !isShift)
        {
            problem = "The expression computes with two values of different types.";
            return default;
        }
        if (left.Type.Encoding == StackEncoding.Float) return Float(op, left, right, out problem);
        int size = left.Type.SizeBytes == 0 ? sizeBytes : left.Type.SizeBytes;
        (ulong a, ulong b) = (left.Bits, right.Bits);
        (long signedA, long signedB) = (Extend(a, size), Extend(b, size));
        bool isUnsigned = left.Type.Encoding == StackEncoding.Unsigned;
        bool isSigned = left.Type.Encoding == StackEncoding.Signed;
        if (op is 0x1b or 0x1d && b == 0)
        {
            problem = "The expression divides by zero.";
            return default;
        }
        if (op is >= 0x29 and <= 0x2e) return new StackValue(Compare(op, isUnsigned ? a.CompareTo(b) : signedA.CompareTo(signedB)) ? 1ul : 0, default);
        ulong result = op switch
        {
            0x1a => a & b, // DW_OP_and
            // -1 apart: the smallest number divided by it overflows.
            0x1b => isUnsigned ? a / b : signedB == -1 ? 0 - a : (ulong)(signedA / signedB), // DW_OP_div
            0x1c => a - b, // DW_OP_minus
            0x1d => !isSigned ? a % b : signedB == -1 ? 0 : (ulong)(signedA % signedB), // DW_OP_mod
            0x1e => a * b, // DW_OP_mul
            0x21 => a | b, // DW_OP_or
            0x22 => a + b, // DW_OP_plus
            0x24 => b < 64 ? a << (int)b : 0, // DW_OP_shl
            0x25 => b < 64 ? a >> (int)b : 0, // DW_OP_shr
            0x26 => (ulong)(signedA >> (int)Math.Min(b, 63)), // DW_OP_shra
            _ => a ^ b, // DW_OP_xor
        };
        return new StackValue(Truncate(result, size), left.Type);
    }

    /// <summary>DW_OP_abs, DW_OP_neg and DW_OP_not.</summary>
    internal static StackValue Unary(byte op, StackValue value, int sizeBytes)
    {
        if (value.Type.Encoding == StackEncoding.Float)
            return StackValue.FromFloat(op == 0x19 ? Math.Abs(value.AsFloat) : -value.AsFloat, value.Type);
        int size = value.Type.SizeBytes == 0 ? sizeBytes : value.Type.SizeBytes;
        ulong result = op switch
        {
            0x19 => value.Type.Encoding != StackEncoding.Unsigned && Extend(value.Bits, size) < 0 ? 0 - value.Bits : value.Bits,
            0x1f => 0 - value.Bits,
            _ => ~value.Bits,
        };
        return new StackValue(Truncate(result, size), value.Type);
    }

    /// <summary>DW_OP_convert: the same number in another type.</summary>
    internal static StackValue Convert(StackValue value, StackType type, int sizeBytes)
    {
        int from = value.Type.SizeBytes == 0 ? sizeBytes : value.Type.SizeBytes;
        int to = type.SizeBytes == 0 ? sizeBytes : type.SizeBytes;
        bool isFloat = value.Type.Encoding == StackEncoding.Float;
        long number = value.Type.Encoding == StackEncoding.Signed ? Extend(value.Bits, from) : (long)value.Bits;
        if (type.Encoding != StackEncoding.Float)
        {
            // C# saturates where C leaves the result open.
            ulong bits = !isFloat ? (ulong)number : type.Encoding == StackEncoding.Signed ? (ulong)(long)value.AsFloat : (ulong)value.AsFloat;
            return new StackValue(Truncate(bits, to), type);
        }
        return StackValue.FromFloat(isFloat ? value.AsFloat : value.Type.Encoding == StackEncoding.Signed ? number : (ulong)number, type);
    }

    private static StackValue Float(byte op, StackValue left, StackValue right, out string? problem)
    {
        (double a, double b) = (left.AsFloat, right.AsFloat);
        problem = null;
        if (op is >= 0x29 and <= 0x2e)
        {
            // Nothing is equal to, less or greater than what is not a number.
            bool isUnordered = double.IsNaN(a) || double.IsNaN(b);
            return new StackValue((isUnordered ? op == 0x2e : Compare(op, a.CompareTo(b))) ? 1ul : 0, default);
        }
        double? result = op switch { 0x1b => a / b, 0x1c => a - b, 0x1e => a * b, 0x22 => a + b, _ => null };
        if (result is { } value) return StackValue.FromFloat(value, left.Type);
        problem = "The expression computes with the bits of a floating-point value.";
        return default;
    }

    private static bool Compare(byte op, int order) => op switch
    {
        0x29 => order == 0, // DW_OP_eq
        0x2a => order >= 0, // DW_OP_ge
        0x2b => order > 0, // DW_OP_gt
        0x2c => order <= 0, // DW_OP_le
        0x2d => order < 0, // DW_OP_lt
        _ => order != 0, // DW_OP_ne
    };
}
