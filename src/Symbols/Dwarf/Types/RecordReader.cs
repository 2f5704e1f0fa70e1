using System;
using System.Collections.Generic;
using Symbols.Dwarf.Entries;
using Symbols.Dwarf.Expressions;
using Symbols.Types;

namespace Symbols.Dwarf.Types;

/// <summary>The members of one struct, union or class (DWARF 5, 5.7), and the variants of a discriminated one (5.7.10).</summary>
internal sealed class RecordReader(TypeReader types, DieReference place)
{
    /// <summary>Of a record, enumeration or list of parameters: an entry can be one byte of a file.</summary>
    internal const int MaximumMembers = 1 << 16;

    private const int MaximumDiscriminants = 1 << 10;

    private DebugUnit Unit => place.Unit;

    internal IReadOnlyList<RecordMember> Members()
    {
        DieCursor cursor = Unit.CursorAt(place.Offset);
        return cursor.MoveNext() ? MembersBelow(ref cursor) : [];
    }

    internal VariantPart? Variants()
    {
        DieCursor cursor = Unit.CursorAt(place.Offset);
        for (bool isThere = cursor.MoveNext() && cursor.HasChildren && cursor.MoveNext(); isThere; isThere = cursor.MoveNextSibling())
            if (cursor.Tag == DwTag.VariantPart) return VariantPartAt(Unit.Header.Offset + (ulong)cursor.Position);
        return null;
    }

    private List<RecordMember> MembersBelow(ref DieCursor cursor)
    {
        var members = new List<RecordMember>();
        for (bool isThere = cursor.HasChildren && cursor.MoveNext(); isThere; isThere = cursor.MoveNextSibling())
        {
            if (cursor.Tag is not (DwTag.Member or DwTag.Inheritance) || members.Count >= MaximumMembers) continue;
            // Static members are variables with storage of their own: before DWARF 5 they look like members.
            if (cursor.Attribute(DwAt.External).Value != 0 || cursor.Attribute(DwAt.Declaration).Value != 0) continue;
            members.Add(MemberAt(ref cursor));
        }
        return members;
    }

    private RecordMember MemberAt(ref DieCursor cursor)
    {
        DebugType type = types.Of(Unit, cursor.Attribute(DwAt.Type));
        string? name = Unit.StringOf(cursor.Attribute(DwAt.Name));
        bool isBase = cursor.Tag == DwTag.Inheritance;
        bool isVirtual = isBase && cursor.Attribute(DwAt.Virtuality).Value != 0;
        ulong bitSize = cursor.Attribute(DwAt.BitSize) is { IsConstant: true } bits ? Math.Min(bits.Value, uint.MaxValue) : 0;
        return new RecordMember(name, type, isVirtual ? 0 : BitOffset(ref cursor, type, bitSize), (uint)bitSize)
        {
            IsBase = isBase,
            IsVirtual = isVirtual,
            VirtualAddress = isVirtual ? VirtualAddressAt(cursor.Attribute(DwAt.DataMemberLocation)) : null,
            IsArtificial = cursor.Attribute(DwAt.Artificial).Value != 0,
        };
    }

    private ulong BitOffset(ref DieCursor cursor, DebugType type, ulong bitSize)
    {
        ulong start = OffsetBytes(cursor.Attribute(DwAt.DataMemberLocation)) * 8;
        if (cursor.Attribute(DwAt.DataBitOffset) is { IsConstant: true } offset) return start + offset.Value;
        if (bitSize == 0 || cursor.Attribute(DwAt.BitOffset) is not { IsConstant: true } fromTop) return start;
        // DWARF 2 and 3 count from the highest bit of the storage unit (DWARF 3, 5.5.6).
        ulong storage = cursor.Attribute(DwAt.ByteSize) is { IsConstant: true } size ? size.Value : type.SizeBytes ?? 0;
        return start + (storage * 8) - fromTop.Value - bitSize;
    }

    // The place is found by the object's table of virtual functions.
    private Func<ulong, IUnwindContext, ulong?>? VirtualAddressAt(in AttributeValue location)
    {
        if (!location.IsBlock) return null;
        byte[] expression = Unit.BlockOf(location).ToArray();
        int addressSize = Unit.Header.AddressSizeBytes;
        return (start, context) => DwarfExpression.TryEvaluate(expression, context, addressSize, start, out ulong address, out _) ? address : null;
    }

    // A number; in DWARF 2, an expression that adds one to the record's address.
    private ulong OffsetBytes(in AttributeValue location)
    {
        if (location.IsConstant) return location.Value;
        if (!location.IsBlock) return 0;
        ReadOnlySpan<byte> expression = Unit.BlockOf(location).Span;
        return DwarfExpression.TryEvaluate(expression, EmptyContext.Instance, Unit.Header.AddressSizeBytes, 0, out ulong offset, out _) ? offset : 0;
    }

    private VariantPart VariantPartAt(ulong partOffset)
    {
        DieCursor cursor = Unit.CursorAt(partOffset);
        var variants = new List<RecordVariant>();
        cursor.MoveNext();
        RecordMember? discriminant = null;
        if (Unit.Resolve(cursor.Attribute(DwAt.Discriminant)) is ({ } unit, var offset) && unit == Unit)
        {
            DieCursor member = Unit.CursorAt(offset);
            if (member.MoveNext() && member.Tag == DwTag.Member) discriminant = MemberAt(ref member);
        }
        ulong mask = discriminant?.Type.SizeBytes is { } size and < 8 ? (1ul << (int)(size * 8)) - 1 : ulong.MaxValue;
        int count = 0;
        for (bool isThere = cursor.HasChildren && cursor.MoveNext(); isThere; isThere = cursor.MoveNextSibling())
        {
            if (cursor.Tag != DwTag.Variant || variants.Count >= MaximumMembers) continue;
            List<ulong> values = DiscriminantsAt(ref cursor, mask);
            DieCursor variant = Unit.CursorAt(Unit.Header.Offset + (ulong)cursor.Position);
            List<RecordMember> members = variant.MoveNext() && count < MaximumMembers ? MembersBelow(ref variant) : [];
            count += members.Count;
            variants.Add(new RecordVariant(values, members));
        }
        return new VariantPart(discriminant, variants);
    }

    private List<ulong> DiscriminantsAt(ref DieCursor cursor, ulong mask)
    {
        var values = new List<ulong>();
        if (cursor.Attribute(DwAt.DiscriminantValue) is { IsConstant: true } single) values.Add(single.Value & mask);
        if (cursor.Attribute(DwAt.DiscriminantList) is not { IsBlock: true } list) return values;
        var reader = new Images.DataReader(Unit.BlockOf(list).Span);
        // DW_DSC_label and DW_DSC_range (DWARF 5, 7.24); signed or not, the low bits are the same.
        while (!reader.AtEnd && values.Count < MaximumDiscriminants)
        {
            bool isRange = reader.U8() == 1;
            ulong first = (ulong)reader.Sleb();
            ulong last = isRange ? (ulong)reader.Sleb() : first;
            if (reader.Failed) break;
            for (ulong value = first; values.Count < MaximumDiscriminants; value++)
            {
                values.Add(value & mask);
                if (value == last) break;
            }
        }
        return values;
    }
}
