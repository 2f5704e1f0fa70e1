using System;
using System.Text;
using Symbols.Dwarf.Entries;
using Symbols.Images;

namespace Symbols.Dwarf.Lines;

/// <summary>Reads a line program's header of version 2 to 5.</summary>
internal static class LineHeaderParser
{
    /// <summary>Up to <c>header_length</c>, in the 64-bit format of version 5.</summary>
    private const int LongestFields = 24;

    /// <summary>All fields before the tables of directories and files: there are at most 255 lengths of opcodes.</summary>
    private const ulong FieldBytes = LongestFields + 6 + 256;

    /// <summary>DW_LNCT_path.</summary>
    internal const ulong ContentPath = 1;

    /// <summary>DW_LNCT_directory_index.</summary>
    internal const ulong ContentDirectoryIndex = 2;

    /// <summary>Null if there is no program at the offset, or none of a known version; its size may be known nevertheless.</summary>
    /// <param name="sections">The file's.</param>
    /// <param name="offset">Where it is in <c>.debug_line</c>.</param>
    /// <param name="addressSizeBytes">The unit's, for versions before 5.</param>
    /// <param name="isAlone">The program is not read, only its header.</param>
    /// <param name="buffer">Takes what is read, and is used again and again: valid until it is.</param>
    /// <param name="bytes">What was read, from the offset on.</param>
    /// <param name="size">From the offset to the next program; 0 if that is unknown.</param>
    internal static LineHeader? Read(
        DwarfSections sections, ulong offset, int addressSizeBytes, bool isAlone, ref byte[] buffer, out ReadOnlyMemory<byte> bytes, out ulong size)
    {
        LineHeader? header = ReadFields(sections, offset, addressSizeBytes, isAlone ? null : ulong.MaxValue, ref buffer, out bytes, out size);
        if (header is null) return null;
        var reader = new DataReader(bytes.Span, header.EntriesStart);
        if (header.Version == 5) ReadEntries5(ref reader, header, sections, bytes.Span);
        else ReadEntries(ref reader, header);
        header.IsComplete &= !reader.Failed;
        if (!header.IsComplete) sections.Diagnostics.Add(sections.Line.Name, offset, "The line program's header is cut off or damaged.");
        return header;
    }

    /// <summary>As <see cref="Read"/>, without the tables of directories and files: <see cref="LinePaths"/> finds what is in them.</summary>
    internal static LineHeader? ReadFields(DwarfSections sections, ulong offset, int addressSizeBytes)
    {
        byte[] buffer = [];
        return ReadFields(sections, offset, addressSizeBytes, FieldBytes, ref buffer, out _, out _);
    }

    // Of the program so many bytes are read; null: all of its header.
    private static LineHeader? ReadFields(
        DwarfSections sections, ulong offset, int addressSizeBytes, ulong? wantedBytes, ref byte[] buffer, out ReadOnlyMemory<byte> bytes, out ulong size)
    {
        SectionData line = sections.Line;
        bytes = default;
        size = 0;
        Span<byte> fields = stackalloc byte[LongestFields];
        fields = fields[..line.Read(offset, fields)];
        var length = new DataReader(fields);
        ulong unitLength = length.InitialLength(out bool is64);
        if (length.Failed)
        {
            sections.Diagnostics.Add(line.Name, offset, "There is no line program here: its length is cut off or reserved.");
            return null;
        }
        ulong available = line.Length - offset - (ulong)length.Position;
        if (unitLength > available)
            sections.Diagnostics.Add(line.Name, offset, $"The line program should have {unitLength} bytes, but {available} are there.");
        size = (ulong)length.Position + Math.Min(unitLength, available);
        bytes = line.Window(offset, Math.Min(size, wantedBytes ?? HeaderBytes(fields)), ref buffer);
        var reader = new DataReader(bytes.Span, Math.Min(length.Position, bytes.Length));
        ushort version = reader.U16();
        if (reader.Failed || version is < 2 or > 5)
        {
            sections.Diagnostics.Add(line.Name, offset, $"The line program has version {version}, which is not between 2 and 5.");
            return null;
        }
        var header = new LineHeader
        {
            Offset = offset, SizeBytes = size, Version = version, Is64 = is64, AddressSizeBytes = addressSizeBytes,
        };
        ReadFields(ref reader, header);
        header.EntriesStart = reader.Position;
        header.IsComplete = !reader.Failed && (ulong)header.ProgramStart <= size;
        return header;
    }

    // Up to the program, as far as the first fields say.
    private static ulong HeaderBytes(ReadOnlySpan<byte> bytes)
    {
        var reader = new DataReader(bytes);
        reader.InitialLength(out bool is64);
        if (reader.U16() == 5) reader.U16(); // address_size and segment_selector_size
        ulong length = reader.Offset(is64);
        return reader.Failed ? (ulong)bytes.Length : (ulong)reader.Position + Math.Min(length, int.MaxValue);
    }

    private static void ReadFields(ref DataReader reader, LineHeader header)
    {
        if (header.Version == 5)
        {
            header.AddressSizeBytes = reader.U8();
            reader.U8(); // segment_selector_size
        }
        ulong headerLength = reader.Offset(header.Is64);
        if (headerLength > header.SizeBytes - Math.Min(header.SizeBytes, (ulong)reader.Position)) reader.Fail();
        header.ProgramStart = reader.Position + (int)(reader.Failed ? 0 : headerLength);
        header.MinimumInstructionLength = reader.U8();
        if (header.Version >= 4) header.MaximumOperationsPerInstruction = Math.Max((byte)1, reader.U8());
        header.DefaultIsStatement = reader.U8() != 0;
        header.LineBase = (sbyte)reader.U8();
        header.LineRange = reader.U8();
        header.OpcodeBase = reader.U8();
        var lengths = new byte[Math.Max(1, (int)header.OpcodeBase)];
        for (int i = 1; i < lengths.Length; i++) lengths[i] = reader.U8();
        header.StandardOpcodeLengths = lengths;
        // A special opcode divides by it.
        if (header.LineRange == 0) header.LineRange = 1;
    }

    private static void ReadEntries(ref DataReader reader, LineHeader header)
    {
        header.Directories.Add("");
        header.Files.Add(new LineFile("", 0));
        while (!reader.Failed && reader.String() is { Length: > 0 } directory) header.Directories.Add(directory);
        while (!reader.Failed && ReadFile(ref reader) is { } file) header.Files.Add(file);
    }

    /// <summary>Name, directory index, time of modification and length, as DW_LNE_define_file has them too; null for the end.</summary>
    internal static LineFile? ReadFile(ref DataReader reader)
    {
        string name = reader.String();
        if (name.Length == 0) return null;
        ulong directory = reader.Uleb();
        reader.Uleb();
        reader.Uleb();
        return reader.Failed ? null : new LineFile(name, directory);
    }

    private static void ReadEntries5(ref DataReader reader, LineHeader header, DwarfSections sections, ReadOnlySpan<byte> bytes)
    {
        ReadTable5(ref reader, header, sections, bytes, isDirectories: true);
        ReadTable5(ref reader, header, sections, bytes, isDirectories: false);
    }

    // DWARF 5, 6.2.4.1: a list of (content, form) pairs, then the entries. MD5 sums, sizes and times are skipped by their forms.
    private static void ReadTable5(
        ref DataReader reader, LineHeader header, DwarfSections sections, ReadOnlySpan<byte> bytes, bool isDirectories)
    {
        int formatCount = reader.U8();
        Span<(ulong Content, ulong Form)> format = new (ulong, ulong)[formatCount];
        foreach (ref (ulong Content, ulong Form) entry in format) entry = (reader.Uleb(), reader.Uleb());
        ulong count = reader.Uleb();
        // An entry without contents would take no bytes, and its count could be anything.
        if (formatCount == 0 && count != 0) reader.Fail();
        var unit = new UnitHeader(0, 0, 5, DwUnitType.Compile, (byte)header.AddressSizeBytes, header.Is64, 0, 0);
        for (ulong i = 0; i < count && !reader.Failed; i++)
        {
            string name = "";
            ulong directory = 0;
            int before = reader.Position;
            foreach ((ulong content, ulong form) in format)
            {
                AttributeValue value = FormReader.Read(ref reader, form > ushort.MaxValue ? DwForm.None : (DwForm)form, 0, unit);
                if (content == ContentPath) name = Text(value, sections, bytes);
                else if (content == ContentDirectoryIndex) directory = value.Value;
            }
            // Forms of no size at all would let a count of any size through.
            if (reader.Position == before) reader.Fail();
            if (reader.Failed) return;
            if (isDirectories) header.Directories.Add(name);
            else header.Files.Add(new LineFile(name, directory));
        }
    }

    private static string Text(in AttributeValue value, DwarfSections sections, ReadOnlySpan<byte> bytes) =>
        value.Form == DwForm.LineStringPointer ? sections.LineString(value.Value) ?? "" : PathText(value, sections, bytes);

    /// <summary>What the value of a path is; <see cref="DwarfSections.LineString"/> is for those who read all of them, and keeps them.</summary>
    internal static string PathText(in AttributeValue value, DwarfSections sections, ReadOnlySpan<byte> bytes) => value.Form switch
    {
        DwForm.String => Encoding.UTF8.GetString(bytes.Slice((int)value.Value, value.SizeBytes)),
        DwForm.LineStringPointer => sections.LineStrings.StringAt(value.Value) ?? "",
        DwForm.StringPointer => sections.Strings.StringAt(value.Value) ?? "",
        // DW_FORM_strx occurs in split units only, which are not read.
        _ => "",
    };
}
