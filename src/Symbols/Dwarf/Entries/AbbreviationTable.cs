using System;
using System.Collections.Generic;
using Symbols.Images;

namespace Symbols.Dwarf.Entries;

/// <summary>One table of <c>.debug_abbrev</c>.</summary>
internal sealed class AbbreviationTable
{
    private const int FirstWindowBytes = 1 << 14;

    private readonly Dictionary<ulong, Abbreviation> _byCode = [];

    // Compilers number from 1 without gaps, so that nearly all look-ups are an index.
    private readonly List<Abbreviation> _dense = [];

    internal int Count => _byCode.Count + _dense.Count;

    internal Abbreviation? Find(ulong code)
    {
        if (code - 1 < (ulong)_dense.Count) return _dense[(int)(code - 1)];
        return _byCode.GetValueOrDefault(code);
    }

    /// <summary>Reads a unit's table; where it is damaged it ends.</summary>
    internal static AbbreviationTable Read(SectionData section, UnitHeader unit, DiagnosticLog diagnostics)
    {
        ulong offset = unit.AbbreviationOffset;
        if (offset >= section.Length)
        {
            diagnostics.Add(section.Name, offset, "A unit's abbreviations lie beyond the end of the section.");
            return new AbbreviationTable();
        }
        // A table does not say how long it is.
        for (ulong size = FirstWindowBytes; ; size *= 4)
        {
            ReadOnlyMemory<byte> window = section.Window(offset, size);
            var table = new AbbreviationTable();
            if (table.TryFill(window.Span, unit)) return table;
            if (size < section.Length - offset && size < int.MaxValue) continue;
            diagnostics.Add(section.Name, offset, "The table of abbreviations is cut off.");
            return table;
        }
    }

    private bool TryFill(ReadOnlySpan<byte> bytes, UnitHeader unit)
    {
        var reader = new DataReader(bytes);
        var attributes = new List<AttributeShape>();
        while (true)
        {
            ulong code = reader.Uleb();
            if (reader.Failed) return false;
            if (code == 0) return true;
            ulong tag = reader.Uleb();
            bool hasChildren = reader.U8() != 0;
            attributes.Clear();
            int size = 0;
            while (true)
            {
                ulong name = reader.Uleb();
                ulong form = reader.Uleb();
                long constant = form == (ulong)DwForm.ImplicitConstant ? reader.Sleb() : 0;
                if (reader.Failed) return false;
                if (name == 0 && form == 0) break;
                DwForm known = form > ushort.MaxValue ? DwForm.None : (DwForm)form;
                int valueSize = FormReader.SizeOf(known, unit);
                size = size < 0 || valueSize < 0 ? -1 : size + valueSize;
                attributes.Add(new AttributeShape(name > ushort.MaxValue ? DwAt.None : (DwAt)name, known, (short)valueSize, constant));
            }
            var abbreviation = new Abbreviation(tag > ushort.MaxValue ? DwTag.None : (DwTag)tag, hasChildren, [.. attributes], size);
            if (code == (ulong)_dense.Count + 1) _dense.Add(abbreviation);
            else _byCode.TryAdd(code, abbreviation);
        }
    }
}
