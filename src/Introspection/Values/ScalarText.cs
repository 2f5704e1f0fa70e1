using System;
using System.Collections.Generic;
using System.Globalization;
using System.Numerics;
using Introspection.Text;
using Symbols.Expressions;
using Symbols.Types;

namespace Introspection.Values;

/// <summary>Numbers, characters, truth values and enumerators in a line.</summary>
internal static class ScalarText
{
    /// <summary>The bits of a scalar of at most 8 bytes, sign-extended; null: it is none, or cannot be read.</summary>
    public static ulong? Number(TypedValue value, IExpressionEnvironment environment)
    {
        if (value.IsUntyped) return value.KnownBytes is { Length: >= 8 } known ? BitConverter.ToUInt64(known.Span) : null;
        if (value.Type!.Stripped is not (BaseType { IsFloat: false } or EnumerationType or PointerType)) return null;
        return Bits(value, environment, out _) is { } bits ? (ulong)(UInt128)bits : null;
    }

    /// <summary>Null: it cannot be read.</summary>
    public static string? Of(TypedValue value, IExpressionEnvironment environment, ValueFormat format)
    {
        DebugType type = value.Type!.Stripped;
        if (type is BaseType { IsFloat: true } or BaseType { Encoding: BaseEncoding.ComplexFloat }) return Float(value, environment, format);
        if (type is not (BaseType { Encoding: not BaseEncoding.Other } or EnumerationType)) return RawBytes(value, environment);
        if (Bits(value, environment, out int bitSize) is not { } number) return null;
        bool isSigned = type is BaseType { IsSigned: true } or EnumerationType { IsSigned: true };
        if (bitSize > 64) return number < 0 && !isSigned ? ((UInt128)number).ToString(CultureInfo.InvariantCulture) : number.ToString(CultureInfo.InvariantCulture);
        ulong bits = (ulong)(UInt128)number, cut = bitSize >= 64 ? bits : bits & ((1UL << bitSize) - 1);
        if (format.Radix != ValueRadix.Natural && WithRadix(cut, (bitSize + 7) / 8, isSigned, format.Radix, bits) is { } formatted) return formatted;
        return type switch
        {
            EnumerationType enumeration => Enumeration(enumeration, bits),
            BaseType { Encoding: BaseEncoding.Boolean } => bits switch { 0 => "false", 1 => "true", _ => $"true (0x{cut:x})" },
            // char is a letter as often as a small number; unsigned char is a byte.
            BaseType { Encoding: BaseEncoding.Unicode } => $"{cut} {CharacterText.Character(cut, isByte: bitSize <= 8)}",
            BaseType { Encoding: BaseEncoding.SignedCharacter } => $"{(long)bits} {CharacterText.Character(cut)}",
            _ => Integer(bits, cut, isSigned),
        };
    }

    private static string Integer(ulong bits, ulong cut, bool isSigned)
    {
        string number = isSigned ? ((long)bits).ToString(CultureInfo.InvariantCulture) : cut.ToString(CultureInfo.InvariantCulture);
        // Hexadecimal says nothing more about a digit.
        return bits <= 9 ? number : $"{number} (0x{cut:x})";
    }

    /// <summary>As the user asks; null: that has no such form.</summary>
    public static string? WithRadix(ulong cut, int sizeBytes, bool isSigned, ValueRadix radix, ulong? extended = null) => radix switch
    {
        ValueRadix.Hexadecimal => $"0x{cut:x}",
        ValueRadix.Decimal => isSigned ? ((long)(extended ?? cut)).ToString(CultureInfo.InvariantCulture) : cut.ToString(CultureInfo.InvariantCulture),
        ValueRadix.Octal => $"0{Convert.ToString((long)cut, 8).TrimStart('0')}",
        ValueRadix.Binary => $"0b{cut.ToString($"b{Math.Clamp(sizeBytes, 1, 8) * 8}", CultureInfo.InvariantCulture)}",
        ValueRadix.Character => $"{cut} {CharacterText.Character(cut)}",
        _ => null,
    };

    /// <summary>An enumerator's name, several names for a mask, or the number alone.</summary>
    public static string Enumeration(EnumerationType enumeration, ulong bits) => Names(enumeration.Enumerators, bits) is { } names
        ? names : $"{(enumeration.IsSigned ? ((long)bits).ToString(CultureInfo.InvariantCulture) : bits.ToString(CultureInfo.InvariantCulture))}";

    /// <summary>The name of a number; else the names of its bits with what is left: <c>A | B | 0x10</c>. Null: no name fits.</summary>
    public static string? Names(IReadOnlyList<Enumerator> enumerators, ulong bits)
    {
        bool isMask = enumerators.Count > 0;
        foreach (Enumerator one in enumerators)
        {
            if (one.Value == bits) return one.Name;
            // Enumerations whose values share bits are not masks.
            isMask &= BitOperations.PopCount(one.Value) <= 1;
        }
        if (!isMask) return null;
        var names = new List<string>();
        ulong left = bits;
        foreach (Enumerator one in enumerators)
        {
            if (one.Value == 0 || (left & one.Value) == 0) continue;
            names.Add(one.Name);
            left &= ~one.Value;
        }
        if (names.Count == 0) return null;
        if (left != 0) names.Add($"0x{left:x}");
        return string.Join(" | ", names);
    }

    private static Int128? Bits(TypedValue value, IExpressionEnvironment environment, out int bitSize)
    {
        int size = value.SizeBytes;
        bitSize = value.BitSize > 0 ? (int)value.BitSize : size * 8;
        int count = value.BitSize > 0 ? (int)((value.BitOffset + value.BitSize + 7) / 8) : size;
        if (count is <= 0 or > 16) return null;
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        if (!value.TryRead(environment, bytes[..count])) return null;
        UInt128 raw = new(BitConverter.ToUInt64(bytes[8..]), BitConverter.ToUInt64(bytes));
        if (value.BitSize > 0) raw >>= (int)value.BitOffset;
        bool isSigned = value.Type!.Stripped is BaseType { IsSigned: true } or EnumerationType { IsSigned: true };
        Int128 shifted = (Int128)raw << (128 - Math.Min(128, bitSize));
        int back = 128 - Math.Min(128, bitSize);
        return isSigned ? shifted >> back : (Int128)((UInt128)shifted >> back);
    }

    private static string? Float(TypedValue value, IExpressionEnvironment environment, ValueFormat format)
    {
        int size = value.SizeBytes;
        if (size is <= 0 or > 32) return "<unknown format>";
        var bytes = new byte[size];
        if (!value.TryRead(environment, bytes)) return null;
        if (format.Radix == ValueRadix.Hexadecimal) return "0x" + Convert.ToHexStringLower(Reversed(bytes));
        bool isComplex = value.Type!.Stripped is BaseType { Encoding: BaseEncoding.ComplexFloat };
        return isComplex ? $"{Real(bytes.AsSpan(0, size / 2))} + {Real(bytes.AsSpan(size / 2))}i" : Real(bytes);
    }

    private static byte[] Reversed(byte[] bytes)
    {
        var reversed = (byte[])bytes.Clone();
        Array.Reverse(reversed);
        return reversed;
    }

    private static string Real(ReadOnlySpan<byte> bytes) => bytes.Length switch
    {
        2 => ((float)BitConverter.ToHalf(bytes)).ToString("R", CultureInfo.InvariantCulture),
        4 => FloatText.Of(BitConverter.ToSingle(bytes)),
        8 => FloatText.Of(BitConverter.ToDouble(bytes)),
        >= 10 => FloatText.Of(new Vmm.Cpu.X87Register { Significand = BitConverter.ToUInt64(bytes), SignExponent = BitConverter.ToUInt16(bytes[8..]) }),
        _ => "<unknown format>",
    };

    private static string? RawBytes(TypedValue value, IExpressionEnvironment environment)
    {
        if (value.SizeBytes is <= 0 or > 64) return "<unknown format>";
        var bytes = new byte[value.SizeBytes];
        return value.TryRead(environment, bytes) ? Hexadecimal.Bytes(bytes) : null;
    }
}
