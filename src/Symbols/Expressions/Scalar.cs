using System;
using System.Buffers.Binary;
using System.Numerics;
using Symbols.Types;

namespace Symbols.Expressions;

/// <summary>A number, truth value, character, enumerator or pointer of C, as arithmetic takes it: an integer within its type's range, or a floating-point number.</summary>
internal readonly record struct Scalar
{
    private Scalar(DebugType type, Int128 integer, double real, bool isFloat)
    {
        Type = type;
        Integer = integer;
        Real = real;
        IsFloat = isFloat;
    }

    public DebugType Type { get; }

    /// <summary>Sign-extended where the type is signed.</summary>
    public Int128 Integer { get; }

    public double Real { get; }

    public bool IsFloat { get; }

    public bool IsTrue => IsFloat ? Real != 0 : Integer != 0;

    public bool IsPointer => Type.Stripped is PointerType;

    public int SizeBytes => TypedValue.SizeOf(Type);

    public bool IsSigned => IsSignedType(Type);

    /// <summary>Its low 64 bits; a floating-point number's integral part.</summary>
    public ulong Bits => IsFloat ? (ulong)(UInt128)ToInteger(Real, 16, isSigned: true) : (ulong)(UInt128)Integer;

    /// <summary>An integer, cut to the type's width. The type is anything but floating-point.</summary>
    public static Scalar OfInteger(DebugType type, Int128 value)
    {
        if (type.Stripped is BaseType { Encoding: BaseEncoding.Boolean }) return new Scalar(type, value != 0 ? 1 : 0, 0, false);
        return new Scalar(type, Wrap(value, TypedValue.SizeOf(type) * 8, IsSignedType(type)), 0, false);
    }

    public static Scalar OfReal(DebugType type, double value) => new(type, 0, TypedValue.SizeOf(type) == 4 ? (float)value : value, true);

    /// <summary>Cuts an integer to so many bits.</summary>
    public static Int128 Wrap(Int128 value, int bits, bool isSigned)
    {
        if (bits is <= 0 or >= 128) return value;
        Int128 shifted = value << (128 - bits);
        return isSigned ? shifted >> (128 - bits) : (Int128)((UInt128)shifted >> (128 - bits));
    }

    public static bool IsSignedType(DebugType type) => type.Stripped switch
    {
        BaseType number => number.IsSigned,
        EnumerationType enumeration => enumeration.IsSigned,
        _ => false,
    };

    /// <summary>Converts as C does: by assignment or a cast (C17 6.3.1).</summary>
    public Scalar ConvertTo(DebugType type)
    {
        DebugType target = type.Stripped;
        if (target is BaseType { IsFloat: true }) return OfReal(type, IsFloat ? Real : IsSigned ? (double)Integer : (double)(UInt128)Integer);
        if (target is BaseType { Encoding: BaseEncoding.Boolean }) return new Scalar(type, IsTrue ? 1 : 0, 0, false);
        return OfInteger(type, IsFloat ? ToInteger(Real, TypedValue.SizeOf(type), IsSignedType(type)) : Integer);
    }

    // What does not fit is not defined in C; it saturates at 128 bits here and is cut then.
    private static Int128 ToInteger(double value, int sizeBytes, bool isSigned)
    {
        if (double.IsNaN(value)) return 0;
        double whole = Math.Truncate(value);
        if (sizeBytes == 16 && !isSigned) return (Int128)(UInt128)BigInteger.Clamp(new BigInteger(Math.Clamp(whole, 0, 3.4e38)), 0, UInt128.MaxValue);
        return (Int128)Math.Clamp(whole, -1.7e38, 1.7e38);
    }

    /// <summary>Reads one from its bytes; null: the type is none that numbers have.</summary>
    public static Scalar? Read(DebugType type, ReadOnlySpan<byte> bytes, uint bitOffset, uint bitSize)
    {
        DebugType stripped = type.Stripped;
        if (stripped is BaseType { IsFloat: true })
        {
            return bytes.Length switch
            {
                2 => OfReal(type, (double)BinaryPrimitives.ReadHalfLittleEndian(bytes)),
                4 => new Scalar(type, 0, BinaryPrimitives.ReadSingleLittleEndian(bytes), true),
                8 => new Scalar(type, 0, BinaryPrimitives.ReadDoubleLittleEndian(bytes), true),
                >= 10 and <= 16 => new Scalar(type, 0, ExtendedFloat.Read(bytes), true),
                _ => null,
            };
        }
        if (stripped is not (BaseType { Encoding: not (BaseEncoding.ComplexFloat or BaseEncoding.Other) } or EnumerationType or PointerType)) return null;
        if (bytes.Length is 0 or > 16) return null;
        UInt128 bits = 0;
        for (int i = bytes.Length - 1; i >= 0; i--) bits = (bits << 8) | bytes[i];
        int size = bitSize > 0 ? (int)Math.Min(bitSize, 128) : bytes.Length * 8;
        return new Scalar(type, Wrap((Int128)(bits >> (int)Math.Min(bitOffset, 127)), size, IsSignedType(type)), 0, false);
    }

    /// <summary>Its bytes in memory.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[Math.Max(0, Math.Min(SizeBytes, 16))];
        if (IsFloat)
        {
            if (bytes.Length == 2) BinaryPrimitives.WriteHalfLittleEndian(bytes, (Half)Real);
            else if (bytes.Length == 4) BinaryPrimitives.WriteSingleLittleEndian(bytes, (float)Real);
            else if (bytes.Length == 8) BinaryPrimitives.WriteDoubleLittleEndian(bytes, Real);
            else ExtendedFloat.Write(bytes, Real);
            return bytes;
        }
        Int128 value = Integer;
        for (int i = 0; i < bytes.Length; i++, value >>= 8) bytes[i] = (byte)(value & 0xFF);
        return bytes;
    }
}
