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
    private readonly Abbreviation[] _dense = [];
    private readonly AttributeShape[] _shapes = [];

    private AbbreviationTable() { }

    private AbbreviationTable(Scratch scratch)
    {
        _dense = [.. scratch.Dense];
        _shapes = [.. scratch.Shapes];
        foreach ((ulong code, Abbreviation abbreviation) in scratch.Others) _byCode.TryAdd(code, abbreviation);
    }

    internal int Count => _byCode.Count + _dense.Length;

    /// <summary>False: there is none of that code.</summary>
    internal bool TryFind(ulong code, out Abbreviation abbreviation)
    {
        if (code - 1 >= (ulong)_dense.Length) return _byCode.TryGetValue(code, out abbreviation);
        abbreviation = _dense[code - 1];
        return true;
    }

    internal ReadOnlySpan<AttributeShape> AttributesOf(in Abbreviation abbreviation) => _shapes.AsSpan(abbreviation.FirstAttribute, abbreviation.AttributeCount);

    /// <summary>Reads a unit's table; where it is damaged it ends.</summary>
    /// <param name="section"><c>.debug_abbrev</c>.</param>
    /// <param name="unit">The unit's header.</param>
    /// <param name="diagnostics">Where to tell what is wrong.</param>
    /// <param name="scratch">What it is put together in.</param>
    /// <param name="only">The one code that is wanted, as for a unit's own entry; 0: all.</param>
    internal static AbbreviationTable Read(SectionData section, UnitHeader unit, DiagnosticLog diagnostics, Scratch scratch, ulong only = 0)
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
            bool isWhole = scratch.TryFill(section.Window(offset, size, ref scratch.Bytes).Span, unit, only);
            if (!isWhole && size < section.Length - offset && size < int.MaxValue) continue;
            if (!isWhole) diagnostics.Add(section.Name, offset, "The table of abbreviations is cut off.");
            return new AbbreviationTable(scratch);
        }
    }

    /// <summary>What a table is put together in: one after the other, as a kernel has thousands of them.</summary>
    internal sealed class Scratch
    {
        internal byte[] Bytes = [];

        internal List<Abbreviation> Dense { get; } = [];

        internal List<(ulong Code, Abbreviation Abbreviation)> Others { get; } = [];

        internal List<AttributeShape> Shapes { get; } = [];

        /// <summary>False: the bytes end before the table does.</summary>
        internal bool TryFill(ReadOnlySpan<byte> bytes, UnitHeader unit, ulong only)
        {
            Dense.Clear();
            Others.Clear();
            Shapes.Clear();
            var reader = new DataReader(bytes);
            while (true)
            {
                ulong code = reader.Uleb();
                if (reader.Failed) return false;
                if (code == 0) return true;
                ulong tag = reader.Uleb();
                bool hasChildren = reader.U8() != 0;
                int first = Shapes.Count;
                if (only != 0 && code != only)
                {
                    if (!TrySkipShapes(ref reader)) return false;
                    continue;
                }
                if (!TryFillShapes(ref reader, unit, out int size)) return false;
                var abbreviation = new Abbreviation(tag > ushort.MaxValue ? DwTag.None : (DwTag)tag, hasChildren, first, Shapes.Count - first, size);
                if (code == (ulong)Dense.Count + 1) Dense.Add(abbreviation);
                else Others.Add((code, abbreviation));
                if (only != 0) return true;
            }
        }

        private static bool TrySkipShapes(ref DataReader reader)
        {
            while (true)
            {
                ulong name = reader.Uleb();
                ulong form = reader.Uleb();
                if (form == (ulong)DwForm.ImplicitConstant) reader.SkipLeb();
                if (reader.Failed) return false;
                if (name == 0 && form == 0) return true;
            }
        }

        private bool TryFillShapes(ref DataReader reader, UnitHeader unit, out int size)
        {
            size = 0;
            while (true)
            {
                ulong name = reader.Uleb();
                ulong form = reader.Uleb();
                long constant = form == (ulong)DwForm.ImplicitConstant ? reader.Sleb() : 0;
                if (reader.Failed) return false;
                if (name == 0 && form == 0) return true;
                DwForm known = form > ushort.MaxValue ? DwForm.None : (DwForm)form;
                int valueSize = FormReader.SizeOf(known, unit);
                short distance = size is >= 0 and <= short.MaxValue ? (short)size : (short)-1;
                size = size < 0 || valueSize < 0 ? -1 : size + valueSize;
                Shapes.Add(new AttributeShape(name > ushort.MaxValue ? DwAt.None : (DwAt)name, known, (short)valueSize, distance, constant));
            }
        }
    }
}
