using System;
using System.Collections.Generic;
using Symbols.Dwarf.Entries;
using Symbols.Types;

namespace Symbols.Dwarf.Types;

/// <summary>
/// Entries that describe types (DWARF 5, chapter 5) as <see cref="DebugType"/>. Each is read when asked for and refers to the others by where they are,
/// so that types that contain pointers to themselves cost nothing, and what is damaged is found only where it is looked at.
/// </summary>
internal sealed class TypeReader(DwarfInfo owner)
{
    // About what one expression or one frame needs.
    private const int CachedCount = 256;

    // packed, shared and the like on top of each other.
    private const int MaximumWrappers = 16;

    private readonly RecentItems<DieReference, DebugType> _types = new(CachedCount);

    /// <summary>What DW_AT_type or another reference means: <see cref="VoidType"/> if it is not there.</summary>
    internal DebugType Of(DebugUnit unit, in AttributeValue reference)
    {
        if (!reference.IsPresent) return VoidType.Instance;
        (DebugUnit? target, ulong offset) = unit.Resolve(reference);
        return target is null ? new UnspecifiedType("<unknown>") : At(new DieReference(target, offset));
    }

    /// <summary>The type that an entry's DW_AT_type refers to, or that of the entry's origin.</summary>
    internal DebugType TypeOf(DieReference place)
    {
        DebugUnit? unit = place.Unit;
        ulong offset = place.Offset;
        for (int i = 0; i < MaximumWrappers && unit is not null; i++)
        {
            DieCursor cursor = unit.CursorAt(offset);
            if (!cursor.MoveNext()) break;
            if (cursor.Attribute(DwAt.Type) is { IsPresent: true } type) return Of(unit, type);
            AttributeValue origin = cursor.Attribute(DwAt.AbstractOrigin);
            if (!origin.IsPresent) origin = cursor.Attribute(DwAt.Specification);
            if (!origin.IsPresent) break;
            (DebugUnit? next, offset) = unit.Resolve(origin);
            unit = next;
        }
        return VoidType.Instance;
    }

    internal DebugType At(DieReference place)
    {
        if (_types.TryGet(place, out DebugType? type)) return type;
        type = Read(place);
        _types.Add(place, type);
        return type;
    }

    private DebugType Read(DieReference place)
    {
        for (int i = 0; i < MaximumWrappers; i++)
        {
            DebugUnit unit = place.Unit;
            DieCursor cursor = unit.CursorAt(place.Offset);
            if (!cursor.MoveNext()) break;
            AttributeValue target = cursor.Attribute(DwAt.Type);
            // A subrange without a name is what it is a part of; packed and shared do not change how bytes are read.
            bool isWrapper = cursor.Tag is DwTag.PackedType or DwTag.SharedType
                || (cursor.Tag is DwTag.SubrangeType or DwTag.GenericSubrange && !cursor.Attribute(DwAt.Name).IsPresent);
            if (!isWrapper) return Read(ref cursor, place, target);
            (DebugUnit? next, ulong offset) = unit.Resolve(target);
            if (next is null) break;
            place = new DieReference(next, offset);
        }
        return new UnspecifiedType("<unknown>");
    }

    private DebugType Read(ref DieCursor cursor, DieReference place, AttributeValue target)
    {
        DebugUnit unit = place.Unit;
        DebugType Target() => Of(unit, target);
        switch (cursor.Tag)
        {
            case DwTag.BaseType:
                return BaseTypeOf(ref cursor, place);
            case DwTag.PointerType or DwTag.ReferenceType or DwTag.RvalueReferenceType:
                ulong size = cursor.Attribute(DwAt.ByteSize) is { IsConstant: true } value ? value.Value : unit.Header.AddressSizeBytes;
                PointerKind kind = cursor.Tag switch
                {
                    DwTag.ReferenceType => PointerKind.Reference,
                    DwTag.RvalueReferenceType => PointerKind.RvalueReference,
                    _ => PointerKind.Pointer,
                };
                return new PointerType(kind, size, Target, NameOf(ref cursor, unit));
            case DwTag.PointerToMemberType:
                return MemberPointer(ref cursor, place, Target);
            case DwTag.ConstType or DwTag.ImmutableType:
                return new QualifiedType(TypeQualifier.Const, Target);
            case DwTag.VolatileType:
                return new QualifiedType(TypeQualifier.Volatile, Target);
            case DwTag.RestrictType:
                return new QualifiedType(TypeQualifier.Restrict, Target);
            case DwTag.AtomicType:
                return new QualifiedType(TypeQualifier.Atomic, Target);
            case DwTag.Typedef or DwTag.TemplateAlias or DwTag.SubrangeType or DwTag.GenericSubrange:
                return new AliasType(EntryNames.Qualified(unit, place.Offset) ?? "<unnamed>", Target);
            case DwTag.ArrayType:
                return ArrayReader.Read(ref cursor, unit, Target);
            case DwTag.StructureType or DwTag.UnionType or DwTag.ClassType or DwTag.InterfaceType:
                return Record(ref cursor, place);
            case DwTag.EnumerationType:
                return Enumeration(ref cursor, place);
            case DwTag.SubroutineType or DwTag.Subprogram:
                return Function(place);
            default:
                return new UnspecifiedType(EntryNames.Qualified(unit, place.Offset) ?? "<unknown>");
        }
    }

    private static string? NameOf(ref DieCursor cursor, DebugUnit unit) => unit.StringOf(cursor.Attribute(DwAt.Name));

    private static BaseType BaseTypeOf(ref DieCursor cursor, DieReference place)
    {
        ulong size = cursor.Attribute(DwAt.ByteSize) is { IsConstant: true } bytes ? bytes.Value : (cursor.Attribute(DwAt.BitSize).Value + 7) / 8;
        BaseEncoding encoding = cursor.Attribute(DwAt.Encoding).Value switch
        {
            0x01 or 0x07 => BaseEncoding.Unsigned, // DW_ATE_address, DW_ATE_unsigned
            0x02 => BaseEncoding.Boolean,
            0x03 => BaseEncoding.ComplexFloat,
            0x04 => BaseEncoding.Float,
            0x05 => BaseEncoding.Signed,
            0x06 => BaseEncoding.SignedCharacter,
            0x08 or 0x12 => BaseEncoding.UnsignedCharacter, // DW_ATE_unsigned_char, DW_ATE_ASCII
            0x10 or 0x11 => BaseEncoding.Unicode, // DW_ATE_UTF, DW_ATE_UCS
            _ => BaseEncoding.Other,
        };
        // DW_END_big: x86 programs may declare it (scalar_storage_order); its bytes are the wrong way round.
        if (cursor.Attribute(DwAt.Endianity).Value == 1 && size > 1) encoding = BaseEncoding.Other;
        return new BaseType(NameOf(ref cursor, place.Unit) ?? "<unnamed>", size, encoding);
    }

    private MemberPointerType MemberPointer(ref DieCursor cursor, DieReference place, Func<DebugType> target)
    {
        DebugUnit unit = place.Unit;
        AttributeValue containing = cursor.Attribute(DwAt.ContainingType);
        ulong address = unit.Header.AddressSizeBytes;
        ulong size = address;
        // Itanium C++ ABI 2.3: a pointer and an adjustment.
        if (cursor.Attribute(DwAt.ByteSize) is { IsConstant: true } bytes) size = bytes.Value;
        else if (unit.Resolve(cursor.Attribute(DwAt.Type)) is ({ } targetUnit, var offset))
        {
            DieCursor other = targetUnit.CursorAt(offset);
            if (other.MoveNext() && other.Tag == DwTag.SubroutineType) size = address * 2;
        }
        return new MemberPointerType(size, () => Of(unit, containing), target);
    }

    private RecordType Record(ref DieCursor cursor, DieReference place)
    {
        RecordKind kind = cursor.Tag switch
        {
            DwTag.UnionType => RecordKind.Union,
            DwTag.StructureType => RecordKind.Structure,
            _ => RecordKind.Class,
        };
        ulong? size = cursor.Attribute(DwAt.ByteSize) is { IsConstant: true } bytes ? bytes.Value : null;
        bool isDeclaration = cursor.Attribute(DwAt.Declaration).Value != 0;
        AttributeValue signature = cursor.Attribute(DwAt.Signature);
        DwTag tag = cursor.Tag;
        var reader = new RecordReader(this, place);
        string? name = EntryNames.Qualified(place.Unit, place.Offset);
        return new RecordType(kind, name, size, isDeclaration || signature.IsPresent, reader.Members, reader.Variants, () => Definition(place, signature, name, tag) as RecordType);
    }

    private DebugType? Definition(DieReference place, in AttributeValue signature, string? name, DwTag tag)
    {
        if (signature.IsPresent && place.Unit.Resolve(signature) is ({ } unit, var offset)) return At(new DieReference(unit, offset));
        return name is null ? null : owner.FindDefinition(name, tag);
    }

    private DebugType Enumeration(ref DieCursor cursor, DieReference place)
    {
        DebugUnit unit = place.Unit;
        AttributeValue signature = cursor.Attribute(DwAt.Signature);
        string? name = EntryNames.Qualified(unit, place.Offset);
        bool isDeclaration = cursor.Attribute(DwAt.Declaration).Value != 0 || signature.IsPresent;
        bool isScoped = cursor.Attribute(DwAt.EnumClass).Value != 0;
        if (isDeclaration && !cursor.HasChildren && Definition(place, signature, name, DwTag.EnumerationType) is EnumerationType other) return other;
        AttributeValue underlying = cursor.Attribute(DwAt.Type);
        ulong? size = cursor.Attribute(DwAt.ByteSize) is { IsConstant: true } bytes ? bytes.Value : null;
        IReadOnlyList<Enumerator> enumerators = EnumerationReader.Read(place, out bool isAnyNegative);
        bool isSigned = isAnyNegative;
        if (underlying.IsPresent && Of(unit, underlying).Stripped is BaseType number)
        {
            isSigned = number.IsSigned;
            size ??= number.SizeBytes;
        }
        return new EnumerationType(name, size, isSigned, () => enumerators, isScoped);
    }

    private FunctionType Function(DieReference place)
    {
        DieCursor cursor = place.Unit.CursorAt(place.Offset);
        bool isVariadic = false;
        for (bool isThere = cursor.MoveNext() && cursor.HasChildren && cursor.MoveNext(); isThere && !isVariadic; isThere = cursor.MoveNextSibling())
            isVariadic = cursor.Tag == DwTag.UnspecifiedParameters;
        return new FunctionType(() => TypeOf(place), () => Parameters(place), isVariadic);
    }

    private List<FunctionParameter> Parameters(DieReference place)
    {
        var parameters = new List<FunctionParameter>();
        DieCursor cursor = place.Unit.CursorAt(place.Offset);
        for (bool isThere = cursor.MoveNext() && cursor.HasChildren && cursor.MoveNext(); isThere; isThere = cursor.MoveNextSibling())
        {
            if (cursor.Tag != DwTag.FormalParameter || parameters.Count >= RecordReader.MaximumMembers) continue;
            var parameter = new DieReference(place.Unit, place.Unit.Header.Offset + (ulong)cursor.Position);
            parameters.Add(new FunctionParameter(EntryNames.Simple(parameter), TypeOf(parameter)));
        }
        return parameters;
    }
}
