using System;
using System.Text;
using Symbols.Dwarf.Entries;
using Symbols.Images;

namespace Symbols.Dwarf.Lines;

/// <summary>The path of one file of a line program, without making those of the hundreds of others (DWARF 5, 6.2.4).</summary>
internal static class LinePaths
{
    /// <summary>As <see cref="LineTable.FilePath"/>.</summary>
    internal static string? Read(DwarfSections sections, LineHeader header, uint file, string compileDirectory)
    {
        // Nothing else of the section is read meanwhile.
        ReadOnlySpan<byte> bytes = sections.Line.Peek(header.Offset, header.ProgramStart);
        var reader = new DataReader(bytes, header.EntriesStart);
        return header.Version == 5 ? Find5(ref reader, sections, header, bytes, file, compileDirectory) : Find(ref reader, file, compileDirectory);
    }

    // What its entries are like, and how many there are.
    private readonly struct Table
    {
        private readonly UnitHeader _unit;
        private readonly (ulong Content, ulong Form)[] _format;

        internal Table(ref DataReader reader, LineHeader header)
        {
            _unit = new UnitHeader(0, 0, 5, DwUnitType.Compile, (byte)header.AddressSizeBytes, header.Is64, 0, 0);
            _format = new (ulong, ulong)[reader.U8()];
            for (int i = 0; i < _format.Length; i++) _format[i] = (reader.Uleb(), reader.Uleb());
            Count = reader.Uleb();
            // An entry without contents would take no bytes, and its count could be anything.
            if (_format.Length == 0 && Count != 0) reader.Fail();
        }

        internal ulong Count { get; }

        // Goes over so many entries, and gives the last one.
        internal (AttributeValue Path, ulong Directory) Pass(ref DataReader reader, ulong count)
        {
            AttributeValue path = default;
            ulong directory = 0;
            for (ulong i = 0; i < count && !reader.Failed; i++)
            {
                (path, directory) = (default, 0);
                int before = reader.Position;
                foreach ((ulong content, ulong form) in _format)
                {
                    AttributeValue value = FormReader.Read(ref reader, form > ushort.MaxValue ? DwForm.None : (DwForm)form, 0, _unit);
                    if (content == LineHeaderParser.ContentPath) path = value;
                    else if (content == LineHeaderParser.ContentDirectoryIndex) directory = value.Value;
                }
                if (reader.Position == before) reader.Fail();
            }
            return (path, directory);
        }
    }

    private static string? Find5(ref DataReader reader, DwarfSections sections, LineHeader header, ReadOnlySpan<byte> bytes, uint file, string compileDirectory)
    {
        var directories = new Table(ref reader, header);
        DataReader first = reader;
        directories.Pass(ref reader, directories.Count);
        var files = new Table(ref reader, header);
        if (file >= files.Count) return null;
        (AttributeValue path, ulong index) = files.Pass(ref reader, (ulong)file + 1);
        string name = LineHeaderParser.PathText(path, sections, bytes);
        if (reader.Failed || name.Length == 0) return null;
        DataReader second = first;
        string root = directories.Count > 0 ? LineHeaderParser.PathText(directories.Pass(ref first, 1).Path, sections, bytes) : "";
        string directory = index == 0 || index >= directories.Count ? "" : LineHeaderParser.PathText(directories.Pass(ref second, index + 1).Path, sections, bytes);
        return SourcePath.Join(SourcePath.Join(LineHeader.Root(header.Version, root, compileDirectory), directory), name);
    }

    private static string? Find(ref DataReader reader, uint file, string compileDirectory)
    {
        DataReader first = reader;
        ulong directoryCount = 1;
        while (!reader.Failed && !reader.StringBytes().IsEmpty) directoryCount++;
        for (uint number = 1; !reader.Failed; number++)
        {
            ReadOnlySpan<byte> name = reader.StringBytes();
            ulong index = reader.Uleb();
            reader.SkipLeb();
            reader.SkipLeb();
            if (reader.Failed || name.IsEmpty) return null;
            if (number != file) continue;
            ReadOnlySpan<byte> directory = default;
            for (ulong i = 0; i < index && index < directoryCount; i++) directory = first.StringBytes();
            return SourcePath.Join(SourcePath.Join(compileDirectory, Encoding.UTF8.GetString(directory)), Encoding.UTF8.GetString(name));
        }
        return null;
    }
}
