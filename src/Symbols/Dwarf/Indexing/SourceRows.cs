using System;
using System.Collections.Generic;
using Symbols.Dwarf.Entries;
using Symbols.Dwarf.Lines;
using Symbols.Elf;
using Symbols.Images;

namespace Symbols.Dwarf.Indexing;

/// <summary>Rows of line tables, collected by file: a few bytes each, as a kernel has millions.</summary>
internal sealed class SourceRows
{
    private readonly Dictionary<string, FileRows> _files = new(StringComparer.Ordinal);

    // Every unit names hundreds of headers: their paths are put together once.
    private readonly Dictionary<(string, string, string), FileRows> _byParts = [];

    /// <summary>One row of one file.</summary>
    internal readonly record struct Row(uint Line, ulong Address, uint Column, byte Flags) : IComparable<Row>
    {
        /// <summary>The bit of <see cref="Flags"/> above those of <see cref="LineRowFlags"/>: an instruction follows before the next row.</summary>
        internal const byte CodeFlag = 0x80;

        public int CompareTo(Row other)
        {
            int order = Line.CompareTo(other.Line);
            if (order == 0) order = Address.CompareTo(other.Address);
            if (order == 0) order = (other.Flags & CodeFlag).CompareTo(Flags & CodeFlag);
            if (order == 0) order = Column.CompareTo(other.Column);
            return order != 0 ? order : Flags.CompareTo(other.Flags);
        }

        /// <summary>Writes it as the difference to the row before.</summary>
        internal void Write(ByteWriter writer, in Row before)
        {
            writer.Zigzag((int)(Line - before.Line));
            writer.Zigzag((long)(Address - before.Address));
            writer.Uleb(Column);
            writer.U8(Flags);
        }

        internal static Row Read(ref DataReader reader, in Row before)
        {
            uint line = before.Line + (uint)Unzigzag(reader.Uleb());
            ulong address = before.Address + (ulong)Unzigzag(reader.Uleb());
            return new Row(line, address, (uint)reader.Uleb(), reader.U8());
        }

        private static long Unzigzag(ulong value) => (long)(value >> 1) ^ -(long)(value & 1);
    }

    /// <summary>What was collected of one file.</summary>
    internal sealed class FileRows
    {
        private readonly ByteWriter _writer = new(16);
        private Row _last;

        internal int Count { get; private set; }

        internal int LengthBytes => _writer.Length;

        internal void Add(in Row row)
        {
            row.Write(_writer, _last);
            _last = row;
            Count++;
        }

        internal void CopyTo(List<Row> rows)
        {
            var reader = new DataReader(_writer.Written);
            Row row = default;
            for (int i = 0; i < Count; i++) rows.Add(row = Row.Read(ref reader, row));
        }
    }

    /// <summary>By the path that the compiler wrote.</summary>
    internal IReadOnlyDictionary<string, FileRows> Files => _files;

    /// <summary>What was collected of a file, which is forgotten here; null: nothing.</summary>
    internal FileRows? Take(string path) => _files.Remove(path, out FileRows? rows) ? rows : null;

    /// <summary>Adds all rows of mapped code of a unit's line table, and the names of all files, with rows or without.</summary>
    internal void Add(DebugUnit unit, ElfImage image)
    {
        if (unit.BorrowLineTable() is not { } table) return;
        var files = new FileRows?[table.Files.Count];
        for (int file = 0; file < files.Length; file++)
        {
            if (table.PathParts((uint)file) is not { } parts) continue;
            if (!_byParts.TryGetValue(parts, out FileRows? rows))
            {
                string path = SourcePath.Join(SourcePath.Join(parts.Root, parts.Directory), parts.Name);
                if (!_files.TryGetValue(path, out rows)) _files[path] = rows = new FileRows();
                _byParts[parts] = rows;
            }
            files[file] = rows;
        }
        ReadOnlySpan<LineRow> all = table.Rows;
        foreach (LineSequence sequence in table.Sequences)
        {
            if (!image.IsMapped(sequence.Range.Start)) continue;
            for (int i = sequence.FirstRow; i < sequence.FirstRow + sequence.RowCount - 1; i++)
            {
                ref readonly LineRow row = ref all[i];
                if (row.Line == 0 || row.File >= (uint)files.Length || files[row.File] is not { } rows) continue;
                bool hasCode = all[i + 1].Address > row.Address;
                rows.Add(new Row(row.Line, row.Address, row.Column, (byte)((byte)row.Flags | (hasCode ? Row.CodeFlag : 0))));
            }
        }
        table.GiveBack();
    }
}
