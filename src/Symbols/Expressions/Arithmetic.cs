using System;
using Symbols.Types;

namespace Symbols.Expressions;

/// <summary>C's arithmetic: conversions to a common type, and results that wrap at its width (C17 6.3.1.8, 6.5).</summary>
internal static class Arithmetic
{
    public static bool IsComparison(Operator symbol) => symbol is >= Operator.Equal and <= Operator.Greater;

    /// <summary>64-bit unsigned numbers, as where nothing has a type.</summary>
    /// <exception cref="ExpressionException">Division by zero.</exception>
    public static ulong Plain(Operator symbol, ulong a, ulong b, int position)
    {
        if (symbol is Operator.Divide or Operator.Remainder && b == 0) throw new ExpressionException("division by zero", position);
        return symbol switch
        {
            Operator.Or => a | b,
            Operator.ExclusiveOr => a ^ b,
            Operator.And => a & b,
            Operator.Equal => a == b ? 1UL : 0,
            Operator.NotEqual => a != b ? 1UL : 0,
            Operator.LessOrEqual => a <= b ? 1UL : 0,
            Operator.GreaterOrEqual => a >= b ? 1UL : 0,
            Operator.Less => a < b ? 1UL : 0,
            Operator.Greater => a > b ? 1UL : 0,
            Operator.ShiftLeft => b > 63 ? 0 : a << (int)b,
            Operator.ShiftRight => b > 63 ? 0 : a >> (int)b,
            Operator.Add => a + b,
            Operator.Subtract => a - b,
            Operator.Multiply => a * b,
            Operator.Divide => a / b,
            _ => a % b,
        };
    }

    /// <summary>Two numbers of C's types.</summary>
    /// <exception cref="ExpressionException">Division by zero, or an operator that has no meaning for floating point.</exception>
    public static Scalar Typed(Operator symbol, in Scalar left, in Scalar right, int addressSizeBytes, int position)
    {
        if (symbol is Operator.ShiftLeft or Operator.ShiftRight) return Shift(symbol, left, right, addressSizeBytes, position);
        BaseType common = CommonType(left, right, addressSizeBytes);
        Scalar a = left.ConvertTo(common), b = right.ConvertTo(common);
        if (common.IsFloat) return Real(symbol, common, a.Real, b.Real, position);
        if (IsComparison(symbol)) return Scalar.OfInteger(CTypes.Int, Compare(symbol, common.IsSigned ? a.Integer.CompareTo(b.Integer) : ((UInt128)a.Integer).CompareTo((UInt128)b.Integer)));
        if (symbol is Operator.Divide or Operator.Remainder && b.Integer == 0) throw new ExpressionException("division by zero", position);
        return Scalar.OfInteger(common, Integer(symbol, a.Integer, b.Integer, common.IsSigned));
    }

    private static Int128 Integer(Operator symbol, Int128 a, Int128 b, bool isSigned)
    {
        unchecked
        {
            return symbol switch
            {
                Operator.Or => a | b,
                Operator.ExclusiveOr => a ^ b,
                Operator.And => a & b,
                Operator.Add => a + b,
                Operator.Subtract => a - b,
                Operator.Multiply => a * b,
                // The one quotient that does not fit: it wraps, as everything does.
                Operator.Divide when isSigned => b == -1 ? -a : a / b,
                Operator.Remainder when isSigned => b == -1 ? 0 : a % b,
                Operator.Divide => (Int128)((UInt128)a / (UInt128)b),
                _ => (Int128)((UInt128)a % (UInt128)b),
            };
        }
    }

    private static Scalar Real(Operator symbol, BaseType type, double a, double b, int position)
    {
        // NaN compares as unequal, and as nothing else.
        if (IsComparison(symbol)) return Scalar.OfInteger(CTypes.Int, symbol switch
        {
            Operator.Equal => a == b ? 1 : 0, Operator.NotEqual => a != b ? 1 : 0, Operator.LessOrEqual => a <= b ? 1 : 0,
            Operator.GreaterOrEqual => a >= b ? 1 : 0, Operator.Less => a < b ? 1 : 0, _ => a > b ? 1 : 0,
        });
        return symbol switch
        {
            Operator.Add => Scalar.OfReal(type, a + b),
            Operator.Subtract => Scalar.OfReal(type, a - b),
            Operator.Multiply => Scalar.OfReal(type, a * b),
            Operator.Divide => Scalar.OfReal(type, a / b),
            _ => throw new ExpressionException("bits and remainders are of integers only, not of floating-point numbers", position),
        };
    }

    public static int Compare(Operator symbol, int order) => symbol switch
    {
        Operator.Equal => order == 0 ? 1 : 0,
        Operator.NotEqual => order != 0 ? 1 : 0,
        Operator.LessOrEqual => order <= 0 ? 1 : 0,
        Operator.GreaterOrEqual => order >= 0 ? 1 : 0,
        Operator.Less => order < 0 ? 1 : 0,
        _ => order > 0 ? 1 : 0,
    };

    // The type is the left operand's. Shifting by more than there are bits is not defined in C; all bits are gone then.
    private static Scalar Shift(Operator symbol, in Scalar left, in Scalar right, int addressSizeBytes, int position)
    {
        if (left.IsFloat || right.IsFloat) throw new ExpressionException("bits are of integers only, not of floating-point numbers", position);
        Scalar value = left.ConvertTo(Promoted(left, addressSizeBytes));
        int bits = value.SizeBytes * 8;
        int count = right.Integer < 0 || right.Integer > 127 ? 128 : (int)right.Integer;
        if (symbol == Operator.ShiftLeft) return Scalar.OfInteger(value.Type, count >= bits ? 0 : value.Integer << count);
        if (count >= bits) return Scalar.OfInteger(value.Type, value.IsSigned && value.Integer < 0 ? -1 : 0);
        return Scalar.OfInteger(value.Type, value.IsSigned ? value.Integer >> count : (Int128)((UInt128)value.Integer >> count));
    }

    /// <summary>What a number becomes before arithmetic: at least an int (C17 6.3.1.1).</summary>
    public static BaseType Promoted(in Scalar value, int addressSizeBytes)
    {
        if (value.IsFloat) return FloatOf(value);
        int size = value.SizeBytes;
        bool isPointer = value.IsPointer;
        bool isSigned = value.IsSigned && !isPointer;
        if (size < 4) return CTypes.Int;
        if (size == 8 && addressSizeBytes == 4) return isSigned ? CTypes.LongLong : CTypes.UnsignedLongLong;
        if (size is 4 or 8 or 16) return CTypes.Integer(size, isSigned);
        return CTypes.Integer(size < 8 ? 8 : 16, isSigned);
    }

    /// <summary>The type in which two numbers meet.</summary>
    public static BaseType CommonType(in Scalar left, in Scalar right, int addressSizeBytes)
    {
        if (left.IsFloat || right.IsFloat)
        {
            if (!right.IsFloat) return FloatOf(left);
            if (!left.IsFloat) return FloatOf(right);
            return left.SizeBytes >= right.SizeBytes ? FloatOf(left) : FloatOf(right);
        }
        BaseType a = Promoted(left, addressSizeBytes), b = Promoted(right, addressSizeBytes);
        if (a.SizeBytes != b.SizeBytes) return a.SizeBytes > b.SizeBytes ? a : b;
        return a.IsSigned ? b : a;
    }

    private static BaseType FloatOf(in Scalar value) => value.SizeBytes switch { 2 or 4 => CTypes.Float, 8 => CTypes.Double, _ => CTypes.LongDouble };
}
