using System;
using System.Collections.Generic;
using Symbols.Types;
using Symbols.Variables;

namespace Symbols.Expressions;

/// <summary>
/// A value of the program: what type it has, and where it is or what its bytes are. One in memory is read when it is needed, so that a structure of any size is cheap
/// to name. A value without a type is a number of 64 bits, as of a register or a symbol that nothing is known about.
/// </summary>
public sealed class TypedValue
{
    private const int MaximumGatheredBytes = 1 << 16;

    private readonly ReadOnlyMemory<byte>? _bytes;

    private TypedValue(DebugType? type, ReadOnlyMemory<byte>? bytes)
    {
        Type = type;
        _bytes = bytes;
    }

    /// <summary>Null: it has none, and is a number.</summary>
    public DebugType? Type { get; }

    /// <summary>A number without a type, 64 bits, unsigned; of one in memory, see <see cref="TryRead"/>.</summary>
    public bool IsUntyped => Type is null;

    /// <summary>Where in memory it begins; null: nowhere.</summary>
    public ulong? Address { get; private init; }

    /// <summary>The address is guest-physical.</summary>
    public bool IsPhysical { get; private init; }

    /// <summary>Bit of the first byte where a bit-field begins.</summary>
    public uint BitOffset { get; private init; }

    /// <summary>How many bits a bit-field has; 0: it is none.</summary>
    public uint BitSize { get; private init; }

    /// <summary>The register that it is in, whole; null: none.</summary>
    public string? Register { get; private init; }

    /// <summary>Why it has no value, as "optimised out"; null: it has one.</summary>
    public string? Unavailable { get; private init; }

    /// <summary>Size of its bytes; 0: not known. Of a number without a type, how many bytes it was read from, or 8.</summary>
    public int SizeBytes { get; private init; }

    /// <summary>It can be assigned to, where the environment allows it.</summary>
    public bool IsAssignable => Unavailable is null && (Address is not null || Register is not null);

    // Bits of the bytes that are not known; empty: all are.
    private ReadOnlyMemory<byte> Unknown { get; init; }

    // A number without a type has one by C's rules as well, which counts where it meets values that have one.
    internal Scalar? Literal { get; private init; }

    /// <summary>An object in memory.</summary>
    public static TypedValue InMemory(DebugType type, ulong address, bool isPhysical = false) =>
        new(type, null) { Address = address, IsPhysical = isPhysical, SizeBytes = SizeOf(type) };

    /// <summary>A bit-field in memory.</summary>
    /// <param name="type">As it is declared.</param>
    /// <param name="address">Of the record's byte that <paramref name="bitOffset"/> counts from.</param>
    /// <param name="isPhysical">The address is guest-physical.</param>
    /// <param name="bitOffset">Where it begins.</param>
    /// <param name="bitSize">How many bits it has.</param>
    public static TypedValue BitField(DebugType type, ulong address, bool isPhysical, ulong bitOffset, uint bitSize) =>
        new(type, null) { Address = address + bitOffset / 8, IsPhysical = isPhysical, BitOffset = (uint)(bitOffset % 8), BitSize = bitSize, SizeBytes = SizeOf(type) };

    /// <summary>A value that is only known, not in memory.</summary>
    public static TypedValue Of(DebugType type, ReadOnlyMemory<byte> bytes) => new(type, bytes) { SizeBytes = bytes.Length };

    /// <summary>A value in a register, which it can be assigned to by.</summary>
    public static TypedValue InRegister(DebugType type, ReadOnlyMemory<byte> bytes, string register) => new(type, bytes) { Register = register, SizeBytes = bytes.Length };

    /// <summary>A value that there is none of, with the reason: "optimised out".</summary>
    public static TypedValue Missing(DebugType type, string reason) => new(type, null) { Unavailable = reason, SizeBytes = SizeOf(type) };

    /// <summary>A number without a type.</summary>
    public static TypedValue Untyped(ulong number) => Untyped(number, null);

    internal static TypedValue Untyped(ulong number, Scalar? literal) => new(null, BitConverter.GetBytes(number)) { SizeBytes = 8, Literal = literal };

    internal static TypedValue UntypedRegister(ulong number, string register, Scalar literal) =>
        new(null, BitConverter.GetBytes(number)) { SizeBytes = 8, Register = register, Literal = literal };

    /// <summary>A number without a type that was read from memory.</summary>
    internal static TypedValue UntypedMemory(ulong number, ulong address, bool isPhysical, int sizeBytes) => new(null, BitConverter.GetBytes(number))
    {
        Address = address, IsPhysical = isPhysical, SizeBytes = sizeBytes, Literal = Scalar.OfInteger(CTypes.Integer(sizeBytes, isSigned: false), number),
    };

    internal static TypedValue Of(in Scalar scalar) => Of(scalar.Type, scalar.ToBytes());

    /// <summary>A variable of a frame, from where the debug information says that it is.</summary>
    /// <param name="type">Of the variable.</param>
    /// <param name="location">Where it is.</param>
    /// <param name="context">The frame's registers and memory.</param>
    /// <param name="registerName">The name of one of DWARF's registers, for assigning to it; null: it cannot be.</param>
    public static TypedValue At(DebugType type, ValueLocation location, ILocationContext context, Func<int, string?> registerName)
    {
        if (location.Problem is { } problem) return Missing(type, problem);
        if (location.IsOptimizedOut) return Missing(type, "optimised out");
        if (location.Address is { } address) return InMemory(type, address);
        int size = SizeOf(type);
        if (size is 0 or > MaximumGatheredBytes) return Missing(type, "its size is not known");
        ValueBytes value = ValueReader.Read(location, (ulong)size, context);
        if (value.IsUnknown) return Missing(type, location.Pieces is [{ } piece] ? Why(piece) : "optimised out");
        bool isRegister = location.Pieces is [{ Kind: PieceKind.Register, BitOffset: 0 }] && size <= 8;
        if (isRegister && value.IsComplete && registerName((int)location.Pieces[0].Number) is { } name) return InRegister(type, value.Bytes, name);
        return Known(type, value.Bytes, value.Unknown ?? default(ReadOnlyMemory<byte>));
    }

    private static string Why(in LocationPiece piece) => piece.Kind switch
    {
        PieceKind.Memory => $"no memory can be read at 0x{piece.Number:x}",
        PieceKind.Register => "its register is not known here",
        PieceKind.ImplicitPointer => "optimised out: it points to something that is not in memory",
        _ => "optimised out",
    };

    // Of a record or an array the parts that are known have values.
    private static TypedValue Known(DebugType type, ReadOnlyMemory<byte> bytes, ReadOnlyMemory<byte> unknown)
    {
        if (unknown.Span.IndexOfAnyExcept((byte)0) < 0) return Of(type, bytes);
        if (unknown.Span.IndexOfAnyExcept((byte)0xff) < 0) return Missing(type, "optimised out");
        return type.Stripped is RecordType or ArrayType ? new TypedValue(type, bytes) { SizeBytes = bytes.Length, Unknown = unknown } : Missing(type, "partly optimised out");
    }

    /// <summary>Reads its bytes, at most so many as <paramref name="destination"/> holds. False: some of them are not there.</summary>
    public bool TryRead(IExpressionEnvironment environment, Span<byte> destination, ulong offset = 0)
    {
        if (Unavailable is not null) return false;
        if (_bytes is { } known)
        {
            if (offset > (ulong)known.Length || (ulong)destination.Length > (ulong)known.Length - offset) return false;
            if (!Unknown.IsEmpty && Unknown.Span.Slice((int)offset, destination.Length).IndexOfAnyExcept((byte)0) >= 0) return false;
            known.Span.Slice((int)offset, destination.Length).CopyTo(destination);
            return true;
        }
        return Address is { } address && environment.Read(address + offset, IsPhysical, destination) == destination.Length;
    }

    /// <summary>Its bytes where they are known without reading memory; null: they are in memory, or nowhere.</summary>
    public ReadOnlyMemory<byte>? KnownBytes => _bytes;

    /// <summary>A part of it: a member or an element.</summary>
    /// <param name="type">Of the part.</param>
    /// <param name="offset">In bytes from its beginning; may lie before it.</param>
    public TypedValue Part(DebugType type, long offset)
    {
        if (Unavailable is { } reason) return Missing(type, reason);
        if (Address is { } address && Type is not null) return InMemory(type, address + (ulong)offset, IsPhysical);
        int size = SizeOf(type);
        if (_bytes is not { } known || offset < 0 || offset > known.Length || size > known.Length - offset) return Missing(type, "it lies outside of what is known");
        return Known(type, known.Slice((int)offset, size), Unknown.IsEmpty ? default : Unknown.Slice((int)offset, size));
    }

    /// <summary>A member of it, or a base class.</summary>
    public TypedValue Part(RecordMember member, IExpressionEnvironment environment)
    {
        if (member.IsBitField) return BitPart(member.Type, member.BitOffset, member.BitSize);
        if (!member.IsVirtual) return Part(member.Type, (long)member.OffsetBytes);
        if (Unavailable is { } reason) return Missing(member.Type, reason);
        bool isInMemory = Address is not null && !IsPhysical;
        return isInMemory && member.VirtualAddress?.Invoke(Address!.Value, new EnvironmentMemory(environment)) is { } at ? InMemory(member.Type, at)
            : Missing(member.Type, "where this virtual base class is cannot be told");
    }

    /// <summary>A member by its name, also one of an anonymous member or a base class; null: it has none, or is no record.</summary>
    public TypedValue? Member(string name, IExpressionEnvironment environment)
    {
        if (Type?.Stripped is not RecordType record) return null;
        return MemberFinder.Find(MemberFinder.Definition(record, environment), name, environment) is { } path ? Part(path, environment) : null;
    }

    internal TypedValue Part(IReadOnlyList<RecordMember> path, IExpressionEnvironment environment)
    {
        TypedValue part = this;
        foreach (RecordMember member in path) part = part.Part(member, environment);
        return part;
    }

    /// <summary>Which variant it has now; null: it has none, or that cannot be told.</summary>
    /// <param name="record">Its type's definition.</param>
    /// <param name="environment">Reads memory.</param>
    public RecordVariant? Variant(RecordType record, IExpressionEnvironment environment)
    {
        if (record.Variants is not { } part) return null;
        if (part.Discriminant is not { } member) return part.Variants.Count > 0 ? part.Variants[0] : null;
        TypedValue discriminant = Part(member, environment);
        var bytes = new byte[discriminant.SizeBytes is > 0 and <= 16 and var size ? size : 0];
        if (bytes.Length == 0 || !discriminant.TryRead(environment, bytes)) return null;
        ulong number = BitConverter.ToUInt64([.. bytes, .. new byte[8]]);
        ulong mask = bytes.Length >= 8 ? ulong.MaxValue : (1UL << (bytes.Length * 8)) - 1;
        RecordVariant? otherwise = null;
        foreach (RecordVariant variant in part.Variants)
        {
            if (variant.Values.Count == 0) otherwise = variant;
            foreach (ulong one in variant.Values)
                if (((one ^ number) & mask) == 0) return variant;
        }
        return otherwise;
    }

    /// <summary>A bit-field of it.</summary>
    public TypedValue BitPart(DebugType type, ulong bitOffset, uint bitSize)
    {
        if (Unavailable is { } reason) return Missing(type, reason);
        if (Address is { } address) return BitField(type, address, IsPhysical, bitOffset, bitSize);
        ulong first = bitOffset / 8;
        uint within = (uint)(bitOffset % 8);
        int count = (int)((within + bitSize + 7) / 8);
        if (_bytes is not { } known || first > (ulong)known.Length || count > known.Length - (int)first) return Missing(type, "it lies outside of what is known");
        for (uint i = 0; i < bitSize && !Unknown.IsEmpty; i++)
            if ((Unknown.Span[(int)((bitOffset + i) / 8)] >> (int)((bitOffset + i) % 8) & 1) != 0) return Missing(type, "optimised out");
        return new TypedValue(type, known.Slice((int)first, count)) { BitOffset = within, BitSize = bitSize, SizeBytes = SizeOf(type) };
    }

    /// <summary>The same, with what has been read of it.</summary>
    internal TypedValue WithBytes(ReadOnlyMemory<byte> bytes) => new(Type, bytes)
    {
        Address = Address, IsPhysical = IsPhysical, BitOffset = BitOffset, BitSize = BitSize, Register = Register, Unavailable = Unavailable, SizeBytes = SizeBytes, Literal = Literal,
    };

    internal static int SizeOf(DebugType type) => type.SizeBytes is { } size ? (int)Math.Min(size, int.MaxValue) : 0;
}
