using System;
using Symbols.Images;

namespace Symbols.Elf;

/// <summary>Reads SHT_SYMTAB and SHT_DYNSYM with their string table and, for files with very many sections, SHT_SYMTAB_SHNDX.</summary>
internal static class SymbolTableParser
{
    private const uint ExtendedSection = 0xffff;

    internal static SymbolTable Read(ElfImage image, ElfSection section)
    {
        bool is64 = image.Header.Is64;
        int entrySize = is64 ? 24 : 16;
        if (section.EntrySizeBytes != (ulong)entrySize)
            image.Diagnostics.Add(section.Name, 0, $"Symbols are {section.EntrySizeBytes} bytes each instead of {entrySize}: read as if {entrySize}.");
        ReadOnlyMemory<byte> names = default;
        if (section.Link < (uint)image.Sections.Count && section.Link != 0) names = image.Data(image.Sections[(int)section.Link]).All();
        else image.Diagnostics.Add(section.Name, 0, $"The string table, section {section.Link}, does not exist: symbols have no names.");
        ReadOnlyMemory<byte> extended = ExtendedIndices(image, section.Index);
        ReadOnlySpan<byte> bytes = image.Data(section).All().Span;
        var symbols = new ElfSymbol[bytes.Length / entrySize];
        var reader = new DataReader(bytes);
        for (int i = 0; i < symbols.Length; i++) symbols[i] = ReadSymbol(ref reader, i, is64, extended.Span);
        return new SymbolTable(symbols, names, image.Sections);
    }

    private static ElfSymbol ReadSymbol(ref DataReader reader, int index, bool is64, ReadOnlySpan<byte> extended)
    {
        uint name = reader.U32();
        ulong value = 0, size = 0;
        if (!is64)
        {
            value = reader.U32();
            size = reader.U32();
        }
        byte info = reader.U8();
        reader.Skip(1);
        uint section = reader.U16();
        if (is64)
        {
            value = reader.U64();
            size = reader.U64();
        }
        if (section == ExtendedSection)
        {
            var indices = new DataReader(extended, Math.Min(index * 4, extended.Length));
            section = indices.U32();
        }
        return new ElfSymbol(index, name, value, size, (ElfSymbolType)(info & 15), (ElfSymbolBinding)(info >> 4), section);
    }

    private static ReadOnlyMemory<byte> ExtendedIndices(ElfImage image, int symbolSection)
    {
        foreach (ElfSection section in image.Sections)
            if (section.Type == ElfSection.ExtendedIndexType && section.Link == (uint)symbolSection) return image.Data(section).All();
        return default;
    }
}
