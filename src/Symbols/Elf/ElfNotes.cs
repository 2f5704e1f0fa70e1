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
