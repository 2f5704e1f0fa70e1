using System;
using System.Collections.Generic;
using Symbols.Images;

namespace Symbols.Dwarf.Entries;

/// <summary>One table of <c>.debug_abbrev</c>. Where its entries are is found at once; what one says is read when it is first used, as a look-up needs few of hundreds.</summary>
internal sealed class AbbreviationTable
{
    private const ulong FirstWindowBytes = 1 << 13;
    private const int FirstEntryBytes = 64;

    private readonly SectionData? _section;
    private readonly UnitHeader? _unit;
    private readonly Dictionary<ulong, Abbreviation>? _byCode;

    // Compilers number from 1 without gaps, so that nearly all look-ups are an index. Of each, where it is in the table; or, less than 0, the complement of where it is in what
    // was read.
    private readonly int[] _places = [];
    private Abbreviation[] _read = [];
    private AttributeShape[] _shapes = [];
    private int _readCount, _shapeCount;

    private AbbreviationTable() { }

    private AbbreviationTable(SectionData section, UnitHeader unit, Scratch scratch, ReadOnlySpan<byte> bytes)
    {
        _section = section;
        _unit = unit;
        _places = [.. scratch.Dense];
        if (scratch.Others.Count == 0) return;
        _byCode = [];
        foreach ((ulong code, int place) in scratch.Others)
            if (!_byCode.ContainsKey(code)) _byCode[code] = Decode(bytes[place..]);
    }

    internal int Count => (_byCode?.Count ?? 0) + _places.Length;

    /// <summary>False: there is none of that code.</summary>
    internal bool TryFind(ulong code, out Abbreviation abbreviation)
    {
        abbreviation = default;
        if (code - 1 >= (ulong)_places.Length) return _byCode is not null && _byCode.TryGetValue(code, out abbreviation);
        int index = (int)(code - 1), place = _places[index];
        if (place >= 0)
        {
            if (_readCount == _read.Length) Array.Resize(ref _read, Math.Max(16, _read.Length * 2));
            _read[_readCount] = Read(index);
            _places[index] = place = ~_readCount++;
        }
        abbreviation = _read[~place];
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
        // A table does not say how long it is; that of one code is near its beginning as a rule.
        for (ulong size = only == 0 ? FirstWindowBytes : FirstWindowBytes / 16UL; ; size *= 4)
        {
            ReadOnlySpan<byte> bytes = section.Window(offset, size, ref scratch.Bytes).Span;
            bool isWhole = scratch.TryFill(bytes, only);
            if (!isWhole && size < section.Length - offset && size < int.MaxValue) continue;
            if (!isWhole) diagnostics.Add(section.Name, offset, "The table of abbreviations is cut off.");
            return new AbbreviationTable(section, unit, scratch, bytes);
        }
    }

    // An entry does not say how long it is.
    private Abbreviation Read(int index)
    {
        for (int size = FirstEntryBytes; ; size *= 4)
        {
            ulong start = _unit!.AbbreviationOffset + (ulong)_places[index];
            int rest = (int)Math.Min((ulong)size, _section!.Length - Math.Min(_section.Length, start));
            ReadOnlySpan<byte> bytes = _section.Peek(start, rest);
            int before = _shapeCount;
            Abbreviation read = Decode(bytes, out bool isWhole);
            // It was whole when it was found; if now it is not, someone has cut the file off.
            if (isWhole || rest < size || bytes.Length < rest) return read;
            _shapeCount = before;
        }
    }

    private Abbreviation Decode(ReadOnlySpan<byte> bytes) => Decode(bytes, out _);

    private Abbreviation Decode(ReadOnlySpan<byte> bytes, out bool isWhole)
    {
        var reader = new DataReader(bytes);
        ulong tag = reader.Uleb();
        bool hasChildren = reader.U8() != 0;
        int first = _shapeCount, size = 0;
        while (true)
        {
            ulong name = reader.Uleb();
            ulong form = reader.Uleb();
            long constant = form == (ulong)DwForm.ImplicitConstant ? reader.Sleb() : 0;
            if (reader.Failed || (name == 0 && form == 0)) break;
            DwForm known = form > ushort.MaxValue ? DwForm.None : (DwForm)form;
            int valueSize = FormReader.SizeOf(known, _unit!);
            short distance = size is >= 0 and <= short.MaxValue ? (short)size : (short)-1;
            size = size < 0 || valueSize < 0 ? -1 : size + valueSize;
            // Who has some of the shapes keeps them: those that are there are never written again.
            if (_shapeCount == _shapes.Length) Array.Resize(ref _shapes, Math.Max(32, _shapes.Length * 2));
            _shapes[_shapeCount++] = new AttributeShape(name > ushort.MaxValue ? DwAt.None : (DwAt)name, known, (short)valueSize, distance, constant);
        }
        isWhole = !reader.Failed;
        return new Abbreviation(tag > ushort.MaxValue ? DwTag.None : (DwTag)tag, hasChildren, first, _shapeCount - first, size);
    }

    /// <summary>What a table is put together in: one after the other, as a kernel has thousands of them.</summary>
    internal sealed class Scratch
    {
        internal byte[] Bytes = [];

        /// <summary>Where the entry of each code from 1 on is, behind the code.</summary>
        internal List<int> Dense { get; } = [];

        internal List<(ulong Code, int Place)> Others { get; } = [];

        /// <summary>False: the bytes end before the table does.</summary>
        internal bool TryFill(ReadOnlySpan<byte> bytes, ulong only)
        {
            Dense.Clear();
            Others.Clear();
            var reader = new DataReader(bytes);
            while (true)
            {
                ulong code = reader.Uleb();
                if (reader.Failed) return false;
                if (code == 0) return true;
                int place = reader.Position;
                reader.SkipLeb();
                reader.U8();
                if (!TrySkipShapes(ref reader)) return false;
                if (only != 0 && code != only) continue;
                if (code == (ulong)Dense.Count + 1) Dense.Add(place);
                else Others.Add((code, place));
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
    }
}
