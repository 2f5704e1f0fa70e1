using System;
using System.Collections.Generic;
using Symbols.Dwarf.Expressions;

namespace Symbols.Types;

/// <summary>Which kind of record.</summary>
public enum RecordKind
{
    Structure,
    Union,
    Class,
}

/// <summary>One member of a record.</summary>
/// <param name="Name">Null: it has none, as an anonymous structure or union, whose members belong to the outer one's names.</param>
/// <param name="Type">Of the member.</param>
/// <param name="BitOffset">Where it begins, in bits from the record's first byte, counted from each byte's lowest bit.</param>
/// <param name="BitSize">How many bits a bit-field has; 0: it is none.</param>
public sealed record RecordMember(string? Name, DebugType Type, ulong BitOffset, uint BitSize)
{
    public bool IsBitField => BitSize != 0;

    /// <summary>Where a member that is no bit-field begins.</summary>
    public ulong OffsetBytes => BitOffset / 8;

    /// <summary>A C++ base class: its members belong to the derived one's names.</summary>
    public bool IsBase { get; init; }

    /// <summary>A virtual base class: where it is depends on the object, and <see cref="BitOffset"/> says nothing.</summary>
    public bool IsVirtual { get; init; }

    /// <summary>Of a virtual base class: its address in an object, from the object's own and what is in memory there; null: it cannot be told.</summary>
    public Func<ulong, IUnwindContext, ulong?>? VirtualAddress { get; init; }

    /// <summary>Made by the compiler, as a pointer to virtual functions.</summary>
    public bool IsArtificial { get; init; }
}

/// <summary>One of the shapes that a Rust enum, or another discriminated record, can have.</summary>
/// <param name="Values">The discriminant's values that mean it; empty: every other one (the default variant).</param>
/// <param name="Members">What the record has then, one with the variant's name as a rule.</param>
public sealed record RecordVariant(IReadOnlyList<ulong> Values, IReadOnlyList<RecordMember> Members);

/// <summary>Which of several variants a record has is told by one of its members (DW_TAG_variant_part).</summary>
/// <param name="Discriminant">The member; null: there is only one variant.</param>
/// <param name="Variants">All.</param>
public sealed record VariantPart(RecordMember? Discriminant, IReadOnlyList<RecordVariant> Variants);

/// <summary>A struct, union or class. One that is only declared where it was found is completed by its definition elsewhere, when first asked about.</summary>
public sealed class RecordType(
    RecordKind kind, string? name, ulong? sizeBytes, bool isDeclaration, Func<IReadOnlyList<RecordMember>> members, Func<VariantPart?>? variants = null,
    Func<RecordType?>? definition = null) : DebugType(name, sizeBytes)
{
    private IReadOnlyList<RecordMember>? _members;
    private VariantPart? _variants;
    private RecordType? _definition;
    private bool _areVariantsRead;
    private bool _isDefinitionSought;

    public RecordKind Kind { get; } = kind;

    /// <summary>Only its name is known: <c>struct foo;</c>, and there is no definition.</summary>
    public bool IsDeclaration => isDeclaration && Definition is null;

    public override ulong? SizeBytes => Definition is { } other ? other.SizeBytes : base.SizeBytes;

    /// <summary>In the order of the source, base classes first; static members are not among them.</summary>
    public IReadOnlyList<RecordMember> Members => Definition is { } other ? other.Members : _members ??= members();

    /// <summary>Rust enums and the like; null: an ordinary record.</summary>
    public VariantPart? Variants
    {
        get
        {
            if (Definition is { } other) return other.Variants;
            if (_areVariantsRead) return _variants;
            _areVariantsRead = true;
            return _variants = variants?.Invoke();
        }
    }

    // Never a declaration itself: no chain to follow.
    private RecordType? Definition
    {
        get
        {
            if (!isDeclaration || _isDefinitionSought) return _definition;
            _isDefinitionSought = true;
            RecordType? found = definition?.Invoke();
            return _definition = found is { IsOnlyDeclared: false } ? found : null;
        }
    }

    private bool IsOnlyDeclared => isDeclaration;
}
