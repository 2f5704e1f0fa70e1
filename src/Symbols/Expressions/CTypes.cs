using System.Collections.Generic;
using Symbols.Types;

namespace Symbols.Expressions;

/// <summary>C's own types, for numbers that no debug information describes, and the names that C's headers and kernels give to integers.</summary>
public static class CTypes
{
    public static BaseType Bool { get; } = new("bool", 1, BaseEncoding.Boolean);
    public static BaseType Char { get; } = new("char", 1, BaseEncoding.SignedCharacter);
    public static BaseType SignedChar { get; } = new("signed char", 1, BaseEncoding.SignedCharacter);
    public static BaseType UnsignedChar { get; } = new("unsigned char", 1, BaseEncoding.UnsignedCharacter);
    public static BaseType Short { get; } = new("short", 2, BaseEncoding.Signed);
    public static BaseType UnsignedShort { get; } = new("unsigned short", 2, BaseEncoding.Unsigned);
    public static BaseType Int { get; } = new("int", 4, BaseEncoding.Signed);
    public static BaseType UnsignedInt { get; } = new("unsigned int", 4, BaseEncoding.Unsigned);
    public static BaseType LongLong { get; } = new("long long", 8, BaseEncoding.Signed);
    public static BaseType UnsignedLongLong { get; } = new("unsigned long long", 8, BaseEncoding.Unsigned);
    public static BaseType Int128 { get; } = new("__int128", 16, BaseEncoding.Signed);
    public static BaseType UnsignedInt128 { get; } = new("unsigned __int128", 16, BaseEncoding.Unsigned);
    public static BaseType Float { get; } = new("float", 4, BaseEncoding.Float);
    public static BaseType Double { get; } = new("double", 8, BaseEncoding.Float);
    public static BaseType LongDouble { get; } = new("long double", 16, BaseEncoding.Float);
    public static BaseType WideChar { get; } = new("wchar_t", 4, BaseEncoding.Unicode);

    private static readonly BaseType s_long4 = new("long", 4, BaseEncoding.Signed), s_long8 = new("long", 8, BaseEncoding.Signed);
    private static readonly BaseType s_unsignedLong4 = new("unsigned long", 4, BaseEncoding.Unsigned), s_unsignedLong8 = new("unsigned long", 8, BaseEncoding.Unsigned);

    // What is meant where the program's own types do not say.
    private static readonly Dictionary<string, DebugType> s_usual = new()
    {
        ["u8"] = UnsignedChar, ["u16"] = UnsignedShort, ["u32"] = UnsignedInt, ["u64"] = UnsignedLongLong, ["s8"] = SignedChar, ["s16"] = Short, ["s32"] = Int, ["s64"] = LongLong,
        ["uint8_t"] = UnsignedChar, ["uint16_t"] = UnsignedShort, ["uint32_t"] = UnsignedInt, ["uint64_t"] = UnsignedLongLong,
        ["int8_t"] = SignedChar, ["int16_t"] = Short, ["int32_t"] = Int, ["int64_t"] = LongLong, ["wchar_t"] = WideChar,
    };

    /// <summary>C's <c>long</c>, as wide as a pointer.</summary>
    public static BaseType Long(int addressSizeBytes) => addressSizeBytes == 4 ? s_long4 : s_long8;

    /// <summary>C's <c>unsigned long</c>, as wide as a pointer: also the type of sizes.</summary>
    public static BaseType UnsignedLong(int addressSizeBytes) => addressSizeBytes == 4 ? s_unsignedLong4 : s_unsignedLong8;

    /// <summary>An integer of 1, 2, 4, 8 or 16 bytes.</summary>
    public static BaseType Integer(int sizeBytes, bool isSigned) => sizeBytes switch
    {
        1 => isSigned ? SignedChar : UnsignedChar,
        2 => isSigned ? Short : UnsignedShort,
        4 => isSigned ? Int : UnsignedInt,
        16 => isSigned ? Int128 : UnsignedInt128,
        _ => isSigned ? s_long8 : s_unsignedLong8,
    };

    /// <summary>A type that programs usually define under that name; null: none.</summary>
    internal static DebugType? Usual(string name, int addressSizeBytes) => name switch
    {
        "size_t" or "uintptr_t" or "ulong" => UnsignedLong(addressSizeBytes),
        "ssize_t" or "intptr_t" or "ptrdiff_t" => Long(addressSizeBytes),
        _ => s_usual.GetValueOrDefault(name),
    };

    /// <summary>A pointer to a type.</summary>
    public static PointerType PointerTo(DebugType target, int addressSizeBytes) => new(PointerKind.Pointer, (ulong)addressSizeBytes, () => target);
}
