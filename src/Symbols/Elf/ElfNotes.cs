using System;
using System.Text;
using Symbols.Images;

namespace Symbols.Elf;

/// <summary>The build ID among the notes, and the link to a separate debug file.</summary>
public static class ElfNotes
{
    private const uint BuildIdType = 3;
    private const int MaximumNoteBytes = 1 << 20;

    /// <summary>The descriptor of NT_GNU_BUILD_ID, from the sections or, where they are stripped, from the segments.</summary>
    internal static ReadOnlyMemory<byte> BuildId(ElfImage image)
    {
        foreach (ElfSection section in image.Sections)
            if (section.Type == ElfSection.NoteType && Find(image.Data(section).Window(0, MaximumNoteBytes)) is { IsEmpty: false } id) return id;
        foreach (ElfSegment segment in image.Segments)
            if (segment.Type == ElfSegment.NoteType && Find(image.SegmentBytes(segment, MaximumNoteBytes)) is { IsEmpty: false } id) return id;
        return default;
    }

    /// <summary>A file name, NUL, padding to 4 bytes, and the file's CRC-32 (GDB manual, "Separate Debug Files").</summary>
    internal static string? DebugLink(ElfImage image, out uint crc)
    {
        crc = 0;
        if (image.Section(".gnu_debuglink") is not { } section) return null;
        var reader = new DataReader(image.Data(section).Window(0, 4096).Span);
        string name = reader.String();
        reader.Seek((ulong)(reader.Position + 3) & ~3ul);
        crc = reader.U32();
        if (!reader.Failed && name.Length > 0) return name;
        image.Diagnostics.Add(section.Name, 0, "The link to the debug file is cut off.");
        return null;
    }

    /// <summary>
    /// The supplementary file that <c>.gnu_debugaltlink</c> (name, NUL, build ID) or <c>.debug_sup</c> (DWARF 5, 7.3.6) names; null: none.
    /// </summary>
    internal static string? SupplementaryLink(ElfImage image, out ReadOnlyMemory<byte> id)
    {
        id = default;
        if (image.Section(".gnu_debugaltlink") is { } section)
        {
            ReadOnlyMemory<byte> bytes = image.Data(section).Window(0, 4096);
            var reader = new DataReader(bytes.Span);
            string name = reader.String();
            if (!reader.Failed && name.Length > 0)
            {
                id = bytes[reader.Position..];
                return name;
            }
            image.Diagnostics.Add(section.Name, 0, "The link to the supplementary debug file is cut off.");
            return null;
        }
        return SupplementarySection(image, out bool isSupplementary, out id) is { Length: > 0 } other && !isSupplementary ? other : null;
    }

    /// <summary>What <c>.debug_sup</c> says: of a program the other file's name and ID, of a supplementary file its own ID.</summary>
    internal static string? SupplementarySection(ElfImage image, out bool isSupplementary, out ReadOnlyMemory<byte> id)
    {
        isSupplementary = false;
        id = default;
        if (image.Section(".debug_sup") is not { } section) return null;
        ReadOnlyMemory<byte> bytes = image.Data(section).Window(0, 4096);
        var reader = new DataReader(bytes.Span);
        ushort version = reader.U16();
        isSupplementary = reader.U8() != 0;
        string name = reader.String();
        ulong size = reader.Uleb();
        int start = reader.Position;
        reader.Skip(size);
        if (reader.Failed || version is not (2 or 5))
        {
            image.Diagnostics.Add(section.Name, 0, "The link to the supplementary debug file is cut off.");
            return null;
        }
        id = bytes.Slice(start, (int)size);
        return name;
    }

    /// <summary>The same among notes that are in memory, such as a guest's; empty: there is none.</summary>
    public static ReadOnlyMemory<byte> Find(ReadOnlyMemory<byte> notes)
    {
        var reader = new DataReader(notes.Span);
        while (reader.Remaining >= 12)
        {
            uint nameSize = reader.U32();
            uint descriptorSize = reader.U32();
            uint type = reader.U32();
            int nameStart = reader.Position;
            reader.Skip(((ulong)nameSize + 3) & ~3ul);
            int start = reader.Position;
            reader.Skip(descriptorSize);
            if (reader.Failed) return default;
            if (type == BuildIdType && nameSize == 4 && Encoding.ASCII.GetString(notes.Span.Slice(nameStart, 4)) == "GNU\0")
                return notes.Slice(start, (int)descriptorSize);
            reader.Seek((ulong)(reader.Position + 3) & ~3ul);
        }
        return default;
    }
}
