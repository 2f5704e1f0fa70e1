using System;

namespace Symbols.Dwarf.Expressions;

/// <summary>How a typed entry of a DWARF stack is computed with (DWARF 5, 2.5.1).</summary>
internal enum StackEncoding : byte
{
    /// <summary>An integer as wide as an address, signed or not as the operation likes.</summary>
    Generic,
    Unsigned,
    Signed,
    Float,
}

/// <summary>The type of an entry; the default is the generic one.</summary>
internal readonly record struct StackType(StackEncoding Encoding, byte SizeBytes);

/// <summary>An entry of the stack; of its bits, those beyond the type's size are zero.</summary>
internal readonly record struct StackValue(ulong Bits, StackType Type)
{
    internal double AsFloat => Type.SizeBytes switch
    {
        4 => BitConverter.UInt32BitsToSingle((uint)Bits),
        2 => (double)BitConverter.UInt16BitsToHalf((ushort)Bits),
        _ => BitConverter.UInt64BitsToDouble(Bits),
    };

    internal static StackValue FromFloat(double value, StackType type) => new(type.SizeBytes switch
    {
        4 => BitConverter.SingleToUInt32Bits((float)value),
        2 => BitConverter.HalfToUInt16Bits((Half)value),
        _ => BitConverter.DoubleToUInt64Bits(value),
    }, type);
}
