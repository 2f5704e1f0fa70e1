using System;
using System.Buffers.Binary;

namespace Vmm.Platform.Boot;

/// <summary>
/// The section headers as both Multiboot versions hand them to a kernel: sections that are not loaded but that a kernel wants to see
/// (symbols and strings) are placed in memory, and their headers tell where.
/// </summary>
internal static class ElfSections
{
    private const uint SymbolTable = 2, StringTable = 3;

    /// <summary>Reads the header table and places those sections at or above <paramref name="floor"/>.</summary>
    /// <returns>The changed header table, empty where the file has none.</returns>
    public static byte[] Place(BootImage file, ElfImage elf, BootArena arena, ulong floor)
    {
        int size = elf.SectionHeaderSizeBytes;
        if (elf.SectionCount == 0 || size < (elf.Is64 ? 64 : 40)) return [];
        ulong tableSize = (ulong)elf.SectionCount * (ulong)size;
        byte[] table = file.Slice(elf.SectionHeadersOffset, tableSize, "the table of section headers").ToArray();
        for (int i = 0; i < elf.SectionCount; i++)
        {
            Span<byte> header = table.AsSpan(i * size, size);
            uint type = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
            if (type is not (SymbolTable or StringTable)) continue;
            if (Field(header, elf.Is64, 16, 12) != 0) continue;
            ulong bytes = Field(header, elf.Is64, 32, 20);
            if (bytes == 0) continue;
            ReadOnlySpan<byte> content = file.Slice(Field(header, elf.Is64, 24, 16), bytes, "a symbol or string section");
            ulong address = arena.AllocateFrom(file, floor, bytes, 4096, "the kernel's symbols");
            arena.Write(address, content);
            if (elf.Is64) BinaryPrimitives.WriteUInt64LittleEndian(header[16..], address);
            else BinaryPrimitives.WriteUInt32LittleEndian(header[12..], (uint)address);
        }
        return table;
    }

    private static ulong Field(ReadOnlySpan<byte> header, bool is64, int offset64, int offset32) => is64
        ? BinaryPrimitives.ReadUInt64LittleEndian(header[offset64..])
        : BinaryPrimitives.ReadUInt32LittleEndian(header[offset32..]);
}
