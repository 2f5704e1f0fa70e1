using System;
using System.Collections.Generic;
using Symbols.Images;

namespace Symbols.Elf;

/// <summary>Reads the file header and the two tables that it points to. Every count is bounded by the bytes that are there.</summary>
internal sealed class ElfHeaderParser
{
    private const uint ExtendedCount = 0xffff;

    private readonly ImageSource _source;
    private readonly bool _is64;
    private readonly ulong _segmentOffset, _sectionOffset;
    private readonly int _segmentEntrySize, _sectionEntrySize;

    internal ElfHeaderParser(ImageSource source, ReadOnlySpan<byte> identity)
    {
        _source = source;
        _is64 = identity[4] == 2;
        var reader = new DataReader(identity, 16);
        ushort type = reader.U16();
        ushort machine = reader.U16();
        reader.Skip(4);
        ulong entry = reader.Offset(_is64);
        _segmentOffset = reader.Offset(_is64);
        _sectionOffset = reader.Offset(_is64);
        reader.Skip(6);
        _segmentEntrySize = reader.U16();
        uint segmentCount = reader.U16();
        _sectionEntrySize = reader.U16();
        uint sectionCount = reader.U16();
        uint nameSection = reader.U16();
        if (machine is not (ElfHeader.Intel80386 or ElfHeader.X86_64))
            Diagnostics.Add("", 18, $"The file is for machine {machine}, not for x86.");
        ReadSectionHeaders(ref sectionCount, ref segmentCount, nameSection);
        ReadSegments(segmentCount);
        Header = new ElfHeader(_is64, type, machine, entry, Sections.Count, Segments.Count);
    }

    internal ElfHeader Header { get; }

    internal DiagnosticLog Diagnostics { get; } = new();

    internal List<ElfSection> Sections { get; } = [];

    internal List<ElfSegment> Segments { get; } = [];

    private void ReadSectionHeaders(ref uint sectionCount, ref uint segmentCount, uint nameSection)
    {
        int minimum = _is64 ? 64 : 40;
        if (_sectionOffset == 0) return;
        if (_sectionEntrySize < minimum)
        {
            Diagnostics.Add("", 0, $"Section headers are {_sectionEntrySize} bytes each, at least {minimum} are needed: no section is read.");
            return;
        }
        // Files with 0xff00 sections and more keep the real numbers in the first header.
        if (!TryReadSection(0, out ElfSection first))
        {
            Diagnostics.Add("", _sectionOffset, "The section headers lie beyond the end of the file: no section is read.");
            return;
        }
        ulong count = sectionCount == 0 ? first.SizeBytes : sectionCount;
        if (nameSection == ExtendedCount) nameSection = first.Link;
        if (segmentCount == ExtendedCount) segmentCount = first.Info;
        ulong present = (ulong)(_source.Length - (long)_sectionOffset) / (ulong)_sectionEntrySize;
        if (count > present)
        {
            Diagnostics.Add("", _sectionOffset, $"The header names {count} sections, but the file has room for {present}.");
            count = present;
        }
        for (int i = 0; i < (int)count && TryReadSection(i, out ElfSection section); i++) Sections.Add(section);
        NameSections(nameSection);
    }

    private void NameSections(uint nameSection)
    {
        if (nameSection >= (uint)Sections.Count)
        {
            Diagnostics.Add("", 0, $"Section {nameSection}, which should have the section names, does not exist.");
            return;
        }
        SectionData names = CompressedSection.Open(_source, Sections[(int)nameSection], _is64, Diagnostics);
        for (int i = 0; i < Sections.Count; i++)
        {
            uint offset = NameOffset(i);
            string? name = names.StringAt(offset);
            if (name is null && offset != 0) Diagnostics.Add("", 0, $"The name of section {i} lies beyond the table of section names.");
            Sections[i] = Sections[i] with { Name = name ?? "" };
        }
    }

    private uint NameOffset(int index)
    {
        var reader = new DataReader(_source.Window((long)_sectionOffset + ((long)index * _sectionEntrySize), 4).Span);
        return reader.U32();
    }

    private bool TryReadSection(int index, out ElfSection section)
    {
        section = new ElfSection(index, "", 0, 0, 0, 0, 0, 0, 0, 0);
        if (_sectionOffset >= (ulong)_source.Length) return false;
        var reader = new DataReader(_source.Window((long)_sectionOffset + ((long)index * _sectionEntrySize), _sectionEntrySize).Span);
        reader.Skip(4);
        uint type = reader.U32();
        ulong flags = reader.Offset(_is64);
        ulong address = reader.Offset(_is64);
        ulong offset = reader.Offset(_is64);
        ulong size = reader.Offset(_is64);
        uint link = reader.U32();
        uint info = reader.U32();
        reader.Offset(_is64);
        ulong entrySize = reader.Offset(_is64);
        section = new ElfSection(index, "", type, flags, address, offset, size, link, info, entrySize);
        return !reader.Failed;
    }

    private void ReadSegments(uint count)
    {
        int minimum = _is64 ? 56 : 32;
        if (_segmentOffset == 0 || count == 0) return;
        if (_segmentEntrySize < minimum || _segmentOffset >= (ulong)_source.Length)
        {
            Diagnostics.Add("", _segmentOffset, "The program headers are too small or lie beyond the end of the file: none is read.");
            return;
        }
        ulong present = ((ulong)_source.Length - _segmentOffset) / (ulong)_segmentEntrySize;
        if (count > present)
        {
            Diagnostics.Add("", _segmentOffset, $"The header names {count} program headers, but the file has room for {present}.");
            count = (uint)present;
        }
        for (uint i = 0; i < count; i++)
        {
            var reader = new DataReader(_source.Window((long)(_segmentOffset + ((ulong)i * (ulong)_segmentEntrySize)), _segmentEntrySize).Span);
            uint type = reader.U32();
            uint flags = _is64 ? reader.U32() : 0;
            ulong offset = reader.Offset(_is64);
            ulong address = reader.Offset(_is64);
            ulong physical = reader.Offset(_is64);
            ulong fileSize = reader.Offset(_is64);
            ulong memorySize = reader.Offset(_is64);
            if (!_is64) flags = reader.U32();
            ulong alignment = reader.Offset(_is64);
            if (reader.Failed) return;
            Segments.Add(new ElfSegment(type, flags, offset, address, physical, fileSize, memorySize, alignment));
        }
    }
}
