using System;
using System.Collections.Generic;
using Symbols.Elf;
using Symbols.Images;

namespace Symbols.Dwarf.Entries;

/// <summary>
/// A package of split units (.dwp): which parts of its sections are whose (DWARF 5, 7.3.5; before version 5 GNU's "DWARF Package File Format").
/// </summary>
internal sealed class SplitPackage
{
    // DW_SECT_* of version 2, GNU's; and of version 5.
    private static readonly string?[] s_names2 =
        [null, ".debug_info", ".debug_types", ".debug_abbrev", ".debug_line", ".debug_loc", ".debug_str_offsets", ".debug_macinfo", ".debug_macro"];
    private static readonly string?[] s_names5 =
        [null, ".debug_info", null, ".debug_abbrev", ".debug_line", ".debug_loclists", ".debug_str_offsets", ".debug_macro", ".debug_rnglists"];

    private readonly ElfImage _image;
    private readonly DiagnosticLog _diagnostics;
    private readonly Dictionary<ulong, Dictionary<string, AddressRange>> _units;
    private readonly Dictionary<ulong, Dictionary<string, AddressRange>> _types;

    internal SplitPackage(ElfImage image, DiagnosticLog diagnostics)
    {
        _image = image;
        _diagnostics = diagnostics;
        _units = ReadIndex(".debug_cu_index");
        _types = ReadIndex(".debug_tu_index");
    }

    /// <summary>Signatures of all type units.</summary>
    internal IReadOnlyCollection<ulong> TypeSignatures => _types.Keys;

    /// <summary>The sections of the unit with an ID; null: it is not in the package.</summary>
    internal DwarfSections? UnitSections(ulong id) => _units.TryGetValue(id, out Dictionary<string, AddressRange>? parts) ? Sections(parts) : null;

    /// <summary>The sections of the type unit with a signature; null: it is not in the package.</summary>
    internal DwarfSections? TypeSections(ulong signature) => _types.TryGetValue(signature, out Dictionary<string, AddressRange>? parts) ? Sections(parts) : null;

    private DwarfSections Sections(Dictionary<string, AddressRange> parts) => new(_image, _diagnostics, isSplit: true, parts);

    private Dictionary<ulong, Dictionary<string, AddressRange>> ReadIndex(string name)
    {
        var found = new Dictionary<ulong, Dictionary<string, AddressRange>>();
        SectionData section = _image.Data(name);
        if (section.IsEmpty) return found;
        ReadOnlySpan<byte> bytes = section.All().Span;
        var reader = new DataReader(bytes);
        // Version 5 made the field 2 bytes wide, with padding.
        uint version = reader.U32() & 0xffff;
        uint columns = reader.U32(), rows = reader.U32(), slots = reader.U32();
        ulong needed = 16 + (slots * 12ul) + (columns * 4ul) + (rows * (ulong)columns * 8);
        if (reader.Failed || version is not (2 or 5) || columns > 64 || needed > (ulong)bytes.Length)
        {
            _diagnostics.Add(name, 0, $"The index of the package is cut off, or its version, {version}, is neither 2 nor 5.");
            return found;
        }
        int rowsOfSlots = 16 + ((int)slots * 8), header = rowsOfSlots + ((int)slots * 4), offsets = header + ((int)columns * 4);
        int sizes = offsets + (int)(rows * columns * 4);
        string?[] names = version == 2 ? s_names2 : s_names5;
        for (int slot = 0; slot < (int)slots; slot++)
        {
            uint row = Number(bytes, rowsOfSlots + (slot * 4));
            if (row == 0) continue;
            if (row > rows)
            {
                _diagnostics.Add(name, (ulong)(rowsOfSlots + (slot * 4)), $"The index of the package has no row {row}.");
                continue;
            }
            var parts = new Dictionary<string, AddressRange>();
            for (int column = 0; column < (int)columns; column++)
            {
                uint kind = Number(bytes, header + (column * 4));
                int cell = (int)(((row - 1) * columns) + (uint)column) * 4;
                if (kind < (uint)names.Length && names[kind] is { } part)
                    parts[part] = AddressRange.FromSize(Number(bytes, offsets + cell), Number(bytes, sizes + cell));
            }
            var signature = new DataReader(bytes, 16 + (slot * 8));
            found.TryAdd(signature.U64(), parts);
        }
        return found;
    }

    private static uint Number(ReadOnlySpan<byte> bytes, int at)
    {
        var reader = new DataReader(bytes, at);
        return reader.U32();
    }
}
