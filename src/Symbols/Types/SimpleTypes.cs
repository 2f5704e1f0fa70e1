using System;
using Symbols.Dwarf.Entries;
using Symbols.Variables;

namespace Symbols.Types;

/// <summary>No type, as of a function without a result or behind <c>void *</c>.</summary>
public sealed class VoidType : DebugType
{
    private VoidType() : base("void", null) { }

    public static VoidType Instance { get; } = new();
}

/// <summary>How the bytes of a <see cref="BaseType"/> are read (DWARF 5, 7.8; BTF's encoding bits).</summary>
public enum BaseEncoding
{
    Unsigned,
    Signed,
    Boolean,
    /// <summary>A number that is shown as a character too: C's <c>char</c> where it is signed.</summary>
    SignedCharacter,
    UnsignedCharacter,
    /// <summary>A Unicode code point or code unit: <c>char32_t</c>, Rust's <c>char</c>.</summary>
    Unicode,
    /// <summary>IEEE 754 of 2, 4 or 8 bytes, or the x87's 80 bits in 10, 12 or 16.</summary>
    Float,
    /// <summary>Two floats, each half as long.</summary>
    ComplexFloat,
    /// <summary>Something else, shown as bytes.</summary>
    Other,
}

/// <summary>A number, truth value or character.</summary>
public sealed class BaseType(string name, ulong sizeBytes, BaseEncoding encoding) : DebugType(name, sizeBytes)
{
    public BaseEncoding Encoding { get; } = encoding;

    public bool IsSigned => Encoding is BaseEncoding.Signed or BaseEncoding.SignedCharacter;

    public bool IsCharacter => Encoding is BaseEncoding.SignedCharacter or BaseEncoding.UnsignedCharacter or BaseEncoding.Unicode;

    public bool IsFloat => Encoding == BaseEncoding.Float;
}

/// <summary>A type that the file names without saying what it is, as <c>decltype(nullptr)</c> (DW_TAG_unspecified_type), or that could not be read.</summary>
public sealed class UnspecifiedType(string name) : DebugType(name, null);

/// <summary>A typedef, also C++'s and Rust's aliases.</summary>
public sealed class AliasType(string name, Func<DebugType> target) : DebugType(name, null)
{
    private DebugType? _target;

    public DebugType Target => _target ??= target();

    public override ulong? SizeBytes => ReferenceEquals(Stripped, this) ? null : Stripped.SizeBytes;
}

/// <summary>What a <see cref="QualifiedType"/> adds.</summary>
public enum TypeQualifier
{
    Const,
    Volatile,
    Restrict,
    Atomic,
}

/// <summary>const, volatile, restrict or _Atomic.</summary>
public sealed class QualifiedType(TypeQualifier qualifier, Func<DebugType> target) : DebugType(null, null)
{
    private DebugType? _target;

    public TypeQualifier Qualifier { get; } = qualifier;

    public DebugType Target => _target ??= target();

    public override ulong? SizeBytes => ReferenceEquals(Stripped, this) ? null : Stripped.SizeBytes;
}

/// <summary>Which kind of pointer.</summary>
public enum PointerKind
{
    Pointer,
    /// <summary>C++'s <c>&amp;</c>: an object by another name, dereferenced wherever it is used.</summary>
    Reference,
    /// <summary>C++'s <c>&amp;&amp;</c>.</summary>
    RvalueReference,
}

/// <summary>An address of something.</summary>
public sealed class PointerType(PointerKind kind, ulong sizeBytes, Func<DebugType> target, string? name = null) : DebugType(name, sizeBytes)
{
    private DebugType? _target;

    public PointerKind Kind { get; } = kind;

    public bool IsReference => Kind != PointerKind.Pointer;

    /// <summary>What it points to; <see cref="VoidType"/> for <c>void *</c>.</summary>
    public DebugType Target => _target ??= target();
}

/// <summary>Elements one after the other; of several dimensions, an array of arrays.</summary>
public sealed class ArrayType(Func<DebugType> element, long lowerBound, ulong? count, bool isVector = false) : DebugType(null, null)
{
    private DebugType? _element;

    public DebugType Element => _element ??= element();

    /// <summary>The first index: 0 but in Fortran and Ada.</summary>
    public long LowerBound { get; } = lowerBound;

    /// <summary>How many elements; null: the type does not say, as of a flexible array member or a variable-length array.</summary>
    public ulong? Count { get; } = count;

    /// <summary>Of a variable-length array: how many elements it has in a frame of a function; null: the type says it, or nobody does.</summary>
    internal Func<ILocationContext, DieReference?, ulong?>? CountInFrame { get; init; }

    /// <summary>A register's vector (GCC's vector_size).</summary>
    public bool IsVector { get; } = isVector;

    public override ulong? SizeBytes
    {
        get
        {
            ulong total = 1;
            DebugType type = this;
            // Bounded, as damaged files have arrays of themselves.
            for (int i = 0; i < 32; i++)
            {
                if (type is not ArrayType array) return type.SizeBytes is { } size && Math.BigMul(total, size, out ulong product) == 0 ? product : null;
                if (array.Count is not { } elements || Math.BigMul(total, elements, out total) != 0) return null;
                type = array.Element.Stripped;
            }
            return null;
        }
    }
}

/// <summary>C++'s pointer to a member of a class: the distance of a data member, or what finds a method (Itanium C++ ABI, 2.3).</summary>
public sealed class MemberPointerType(ulong sizeBytes, Func<DebugType> containing, Func<DebugType> target) : DebugType(null, sizeBytes)
{
    private DebugType? _containing;
    private DebugType? _target;

    /// <summary>The class.</summary>
    public DebugType Containing => _containing ??= containing();

    /// <summary>The member's type.</summary>
    public DebugType Target => _target ??= target();
}
