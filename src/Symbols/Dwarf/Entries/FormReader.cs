using System;
using Symbols.Images;

namespace Symbols.Dwarf.Entries;

/// <summary>Reads one attribute value of any form (DWARF 5, 7.5.5).</summary>
internal static class FormReader
{
    private const int MaximumIndirections = 4;

    /// <summary>ULEB128 or SLEB128, in <see cref="SizeOf"/>.</summary>
    internal const int Leb = -1;

    /// <summary>The size is part of the value, or the form is unknown.</summary>
    internal const int Variable = -2;

    /// <summary>Bytes of a value in a unit with such a header, <see cref="Leb"/> or <see cref="Variable"/>.</summary>
    internal static int SizeOf(DwForm form, UnitHeader unit)
    {
        switch (form)
        {
            case DwForm.ImplicitConstant or DwForm.FlagPresent: return 0;
            case DwForm.SignedData: return Leb;
            case DwForm.Data16: return 16;
        }
        int size = NumberSize(form, unit);
        return size > 0 ? size : size == 0 ? Leb : Variable;
    }

    internal static AttributeValue Read(ref DataReader reader, DwForm form, long implicitConstant, UnitHeader unit)
    {
        for (int i = 0; form == DwForm.Indirect; i++)
        {
            ulong next = reader.Uleb();
            // DW_FORM_implicit_const must not be reached through DW_FORM_indirect: its value would be nowhere.
            if (i == MaximumIndirections || next > ushort.MaxValue || (DwForm)next == DwForm.ImplicitConstant) reader.Fail();
            if (reader.Failed) return default;
            form = (DwForm)next;
        }
        return form switch
        {
            DwForm.ImplicitConstant => new AttributeValue(form, (ulong)implicitConstant, 0),
            DwForm.FlagPresent => new AttributeValue(form, 1, 0),
            DwForm.SignedData => new AttributeValue(form, (ulong)reader.Sleb(), 0),
            DwForm.String => InlineString(ref reader),
            DwForm.Block1 => Block(ref reader, form, reader.U8()),
            DwForm.Block2 => Block(ref reader, form, reader.U16()),
            DwForm.Block4 => Block(ref reader, form, reader.U32()),
            DwForm.Block or DwForm.Expression => Block(ref reader, form, reader.Uleb()),
            DwForm.Data16 => Block(ref reader, form, 16),
            _ => Number(ref reader, form, unit),
        };
    }

    private static AttributeValue Number(ref DataReader reader, DwForm form, UnitHeader unit)
    {
        int size = NumberSize(form, unit);
        if (size > 0) return new AttributeValue(form, reader.Unsigned(size), 0);
        if (size == 0) return new AttributeValue(form, reader.Uleb(), 0);
        // The length of an unknown form is unknown, so that nothing after it can be read.
        reader.Fail();
        return default;
    }

    // Zero means ULEB128, -1 an unknown form.
    private static int NumberSize(DwForm form, UnitHeader unit) => form switch
    {
        DwForm.Address => unit.AddressSizeBytes,
        DwForm.Data1 or DwForm.Flag or DwForm.Reference1 or DwForm.StringIndex1 or DwForm.AddressIndex1 => 1,
        DwForm.Data2 or DwForm.Reference2 or DwForm.StringIndex2 or DwForm.AddressIndex2 => 2,
        DwForm.StringIndex3 or DwForm.AddressIndex3 => 3,
        DwForm.Data4 or DwForm.Reference4 or DwForm.StringIndex4 or DwForm.AddressIndex4 or DwForm.ReferenceSupplementary4 => 4,
        DwForm.Data8 or DwForm.Reference8 or DwForm.ReferenceSignature8 or DwForm.ReferenceSupplementary8 => 8,
        // DWARF 2 made it as wide as an address, later versions as wide as an offset.
        DwForm.ReferenceAddress => unit.Version <= 2 ? unit.AddressSizeBytes : unit.OffsetSizeBytes,
        DwForm.StringPointer or DwForm.LineStringPointer or DwForm.SectionOffset or DwForm.StringSupplementary
            or DwForm.GnuReferenceAlternate or DwForm.GnuStringAlternate => unit.OffsetSizeBytes,
        DwForm.UnsignedData or DwForm.ReferenceUnsigned or DwForm.StringIndex or DwForm.AddressIndex or DwForm.LocationListIndex
            or DwForm.RangeListIndex or DwForm.GnuAddressIndex or DwForm.GnuStringIndex => 0,
        _ => -1,
    };

    private static AttributeValue Block(ref DataReader reader, DwForm form, ulong size)
    {
        int start = reader.Position;
        reader.Skip(size);
        return reader.Failed ? default : new AttributeValue(form, (ulong)start, (int)size);
    }

    private static AttributeValue InlineString(ref DataReader reader)
    {
        int start = reader.Position;
        ReadOnlySpan<byte> bytes = reader.StringBytes();
        return reader.Failed ? default : new AttributeValue(DwForm.String, (ulong)start, bytes.Length);
    }
}
