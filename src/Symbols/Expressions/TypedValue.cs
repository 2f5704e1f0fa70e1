using System;
using Symbols.Dwarf.Expressions;
using Symbols.Types;
using Symbols.Variables;

namespace Symbols.Expressions;

/// <summary>
/// A value of the program: what type it has, and where it is or what its bytes are. One in memory is read when it is needed, so that a structure of any size is cheap
/// to name. A value without a type is a number of 64 bits, as of a register or a symbol that nothing is known about.
/// </summary>
public sealed class TypedValue
{
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
    public static TypedValue At(DebugType type, ValueLocation location, IUnwindContext context, Func<int, string?> registerName)
    {
        if (location.Problem is { } problem) return Missing(type, problem);
        if (location.IsOptimizedOut) return Missing(type, "optimised out");
        if (location.Address is { } address) return InMemory(type, address);
        return PieceReader.Read(type, location.Pieces, context, registerName);
    }

    /// <summary>Reads its bytes, at most so many as <paramref name="destination"/> holds. False: some of them are not there.</summary>
    public bool TryRead(IExpressionEnvironment environment, Span<byte> destination, ulong offset = 0)
    {
        if (Unavailable is not null) return false;
        if (_bytes is { } known)
        {
            if (offset > (ulong)known.Length || (ulong)destination.Length > (ulong)known.Length - offset) return false;
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
        return Of(type, known.Slice((int)offset, size));
    }

    /// <summary>A member by its name, also one of an anonymous member or a base class; null: it has none, or is no record.</summary>
    public TypedValue? Member(string name, IExpressionEnvironment environment)
    {
        if (Type?.Stripped is not RecordType record) return null;
        if (MemberFinder.Find(MemberFinder.Definition(record, environment), name, environment, 0) is not { } member) return null;
        return member.BitSize > 0 ? BitPart(member.Type, member.BitOffset, member.BitSize) : Part(member.Type, (long)(member.BitOffset / 8));
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
        return new TypedValue(type, known.Slice((int)first, count)) { BitOffset = within, BitSize = bitSize, SizeBytes = SizeOf(type) };
    }

    /// <summary>The same, with what has been read of it.</summary>
    internal TypedValue WithBytes(ReadOnlyMemory<byte> bytes) => new(Type, bytes)
    {
        Address = Address, IsPhysical = IsPhysical, BitOffset = BitOffset, BitSize = BitSize, Register = Register, Unavailable = Unavailable, SizeBytes = SizeBytes, Literal = Literal,
    };

    internal static int SizeOf(DebugType type) => type.SizeBytes is { } size ? (int)Math.Min(size, int.MaxValue) : 0;
}
