using System;
using System.Collections.Generic;
using Symbols.Dwarf.Entries;
using Symbols.Dwarf.Lines;
using Symbols.Elf;
using Symbols.Images;

namespace Symbols.Dwarf.Indexing;

/// <summary>Rows of line tables, collected by file: a few bytes each, as a kernel has millions. And the points of each line program.</summary>
internal sealed class SourceRows
{
    private readonly Dictionary<string, FileRows> _files = new(StringComparer.Ordinal);

    // Every unit names hundreds of headers: their paths are put together once.
    private readonly Dictionary<(string, string, string), FileRows> _byParts = [];
    private byte[] _buffer = [];

    /// <summary>One row of one file, as two numbers whose order is the rows': line, address, those with code first, column, flags.</summary>
    internal readonly struct Row : IComparable<Row>
    {
        /// <summary>What is written takes no more.</summary>
        internal const int MaximumBytes = 32;

        /// <summary>Columns beyond are taken for this one.</summary>
        private const uint LastColumn = 0x7f_ffff;
        private const uint EmptyBit = 1u << 31;

        private readonly ulong _place, _rest;

        internal Row(uint line, ulong address, uint column, LineRowFlags flags, bool hasCode)
        {
            _place = ((ulong)line << 32) | (address >> 32);
            _rest = (address << 32) | (hasCode ? 0 : EmptyBit) | (Math.Min(column, LastColumn) << 8) | (byte)flags;
        }

        private Row(uint line, ulong address, uint tail)
        {
            _place = ((ulong)line << 32) | (address >> 32);
            _rest = (address << 32) | tail;
        }

        internal uint Line => (uint)(_place >> 32);

        internal ulong Address => (_place << 32) | (_rest >> 32);

        internal uint Column => ((uint)_rest >> 8) & LastColumn;

        internal LineRowFlags Flags => (LineRowFlags)(byte)_rest;

        /// <summary>An instruction follows before the next row.</summary>
        internal bool HasCode => (_rest & EmptyBit) == 0;

        public int CompareTo(Row other) => _place != other._place ? (_place < other._place ? -1 : 1) : _rest.CompareTo(other._rest);

        /// <summary>Writes it as the difference to the row before.</summary>
        internal int Write(Span<byte> bytes, in Row before)
        {
            int count = ByteWriter.Zigzag(bytes, (int)(Line - before.Line));
            count += ByteWriter.Zigzag(bytes[count..], (long)(Address - before.Address));
            // Nearly all columns are below 64.
            uint tail = (uint)_rest;
            count += ByteWriter.Uleb(bytes[count..], ((ulong)(tail & ~(EmptyBit | 0xff)) >> 7) | ((tail & EmptyBit) >> 31));
            bytes[count] = (byte)tail;
            return count + 1;
        }

        internal static Row Read(ref DataReader reader, in Row before)
        {
            uint line = before.Line + (uint)reader.Zigzag();
            ulong address = before.Address + (ulong)reader.Zigzag();
            ulong column = reader.Uleb();
            return new Row(line, address, (uint)((column & 1) << 31) | ((uint)((column >> 1) & LastColumn) << 8) | reader.U8());
        }
    }

    /// <summary>What was collected of one file, in blocks: thousands of files grow by turns, and none is to be copied again and again.</summary>
    internal sealed class FileRows
    {
        private const int LargestBlockBytes = 4096;

        private readonly List<(byte[] Bytes, int Used)> _full = [];
        private byte[] _block = [];
        private int _used;
        private Row _last;

        internal int Count { get; private set; }

        internal void Add(in Row row)
        {
            if (_block.Length - _used < Row.MaximumBytes) Grow();
            _used += row.Write(_block.AsSpan(_used), _last);
            _last = row;
            Count++;
        }

        /// <summary>Puts the rows into the first places, and forgets them.</summary>
        internal void MoveTo(Span<Row> rows)
        {
            _full.Add((_block, _used));
            Row row = default;
            int next = 0;
            foreach ((byte[] bytes, int used) in _full)
            {
                var reader = new DataReader(bytes.AsSpan(0, used));
                while (!reader.AtEnd) rows[next++] = row = Row.Read(ref reader, row);
            }
            (Count, _used, _block) = (0, 0, []);
            _full.Clear();
        }

        private void Grow()
        {
            if (_used > 0) _full.Add((_block, _used));
            _block = new byte[Math.Clamp(_block.Length * 2, Row.MaximumBytes * 2, LargestBlockBytes)];
            _used = 0;
        }
    }

    /// <summary>By the path that the compiler wrote.</summary>
    internal IReadOnlyDictionary<string, FileRows> Files => _files;

    /// <summary>Of each line program, by the builder's number for its unit, which bytes of <see cref="Sequences"/> and <see cref="Points"/> are its own.</summary>
    internal Dictionary<int, (Range Sequences, Range Points)> PlacesOf { get; } = [];

    /// <summary>What <see cref="IndexedLinePlaces.Write"/> wrote.</summary>
    internal ByteWriter Sequences { get; } = new();

    internal ByteWriter Points { get; } = new();

    /// <summary>Adds all rows of mapped code of a unit's line table, and the names of all files, with rows or without.</summary>
    internal void Add(DebugUnit unit, int job, ElfImage image)
    {
        if (unit.BorrowLineTable(ref _buffer) is not { } table) return;
        FileRows?[] files = FilesOf(table);
        ReadOnlySpan<LineRow> all = table.Rows;
        foreach (LineSequence sequence in table.Sequences)
        {
            if (!image.IsMapped(sequence.Range.Start)) continue;
            for (int i = sequence.FirstRow; i < sequence.FirstRow + sequence.RowCount - 1; i++)
            {
                ref readonly LineRow row = ref all[i];
                if (row.Line == 0 || row.File >= (uint)files.Length || files[row.File] is not { } rows) continue;
                rows.Add(new Row(row.Line, row.Address, row.Column, row.Flags, all[i + 1].Address > row.Address));
            }
        }
        // Files that the program itself defines are not in its header, which is all that is read with the points.
        if (!table.Header.IsExtended && table.Header.IsComplete)
        {
            (int sequences, int points) = (Sequences.Length, Points.Length);
            IndexedLinePlaces.Write(table, Sequences, Points);
            PlacesOf[job] = (sequences..Sequences.Length, points..Points.Length);
        }
        table.GiveBack();
    }

    private FileRows?[] FilesOf(LineTable table)
    {
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
        return files;
    }
}
