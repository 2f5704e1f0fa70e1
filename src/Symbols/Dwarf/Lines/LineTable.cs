using System;
using System.Buffers;
using System.Collections.Generic;

namespace Symbols.Dwarf.Lines;

/// <summary>One decoded line program of <c>.debug_line</c> (DWARF 5, 6.2).</summary>
public sealed class LineTable
{
    private readonly LineHeader _header;
    private readonly int _rowCount;
    private readonly string _compileDirectory;
    private readonly Dictionary<uint, string> _paths = [];
    private LineRow[] _rows;
    private RangeMap? _map;

    internal LineTable(LineHeader header, LineRow[] rows, int rowCount, LineSequence[] sequences, string compileDirectory)
    {
        _header = header;
        _rows = rows;
        _rowCount = rowCount;
        Sequences = sequences;
        _compileDirectory = compileDirectory;
    }

    /// <summary>Where the program starts in <c>.debug_line</c>.</summary>
    public ulong Offset => _header.Offset;

    public ushort Version => _header.Version;

    /// <summary>Version 5: entry 0 is the compilation directory. Before: entry 0 is empty and stands for it.</summary>
    public IReadOnlyList<string> Directories => _header.Directories;

    /// <summary>Version 5: from 0. Before: entry 0 is empty, as files count from 1.</summary>
    public IReadOnlyList<LineFile> Files => _header.Files;

    /// <summary>All rows in the program's order.</summary>
    public ReadOnlySpan<LineRow> Rows => _rows.AsSpan(0, _rows.Length == 0 ? 0 : _rowCount);

    /// <summary>All sequences in the program's order.</summary>
    public IReadOnlyList<LineSequence> Sequences { get; }

    /// <summary>The registers before each row whose number is a multiple of <see cref="LinePoints.RowsPerPoint"/>, if they were asked for.</summary>
    internal IReadOnlyList<LineState> States { get; init; } = [];

    internal LineHeader Header => _header;

    internal string CompileDirectory => _compileDirectory;

    /// <summary>
    /// The file's path as the compiler saw it: compilation directory, directory and name joined, nothing resolved. Null for a bad index.
    /// </summary>
    public string? FilePath(uint file)
    {
        if (file >= (uint)Files.Count || Files[(int)file].Name.Length == 0) return null;
        if (_paths.TryGetValue(file, out string? path)) return path;
        return _paths[file] = _header.Path(file, _compileDirectory);
    }

    /// <summary>What <see cref="FilePath"/> is made of; null for a bad index.</summary>
    internal (string Root, string Directory, string Name)? PathParts(uint file) =>
        file >= (uint)Files.Count || Files[(int)file].Name.Length == 0 ? null : _header.Parts(file, _compileDirectory);

    /// <summary>Ends the use of a table that was borrowed.</summary>
    internal void GiveBack()
    {
        if (_rows.Length > 0) ArrayPool<LineRow>.Shared.Return(_rows);
        _rows = [];
    }

    /// <summary>The row that covers the address, with the address of the next one; null if no sequence does.</summary>
    internal LineRow? Find(ulong address, out AddressRange range)
    {
        range = default;
        _map ??= MapOf(Sequences);
        if (!_map.TryFind(address, out int index)) return null;
        return Find(_rows.AsSpan(Sequences[index].FirstRow, Sequences[index].RowCount), address, out range);
    }

    internal static RangeMap MapOf(IReadOnlyList<LineSequence> sequences)
    {
        var entries = new List<RangeMap.Entry>(sequences.Count);
        for (int i = 0; i < sequences.Count; i++) entries.Add(new RangeMap.Entry(sequences[i].Range, i));
        return new RangeMap(entries);
    }

    /// <summary>
    /// As above within one sequence's rows; of several at one address the last one, as the others are empty. It is a statement if one of the same line before it there is:
    /// GCC writes a row for each view of a place (DWARF 5 location views), and marks the first.
    /// </summary>
    internal static LineRow? Find(ReadOnlySpan<LineRow> rows, ulong address, out AddressRange range)
    {
        int low = 0, high = rows.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (rows[middle].Address <= address) low = middle + 1;
            else high = middle;
        }
        range = low == 0 || low == rows.Length ? default : new AddressRange(rows[low - 1].Address, rows[low].Address);
        if (low == 0 || low == rows.Length) return null;
        LineRow found = rows[low - 1];
        for (int i = low - 2; i >= 0 && rows[i].Address == found.Address && rows[i].File == found.File && rows[i].Line == found.Line; i--)
            found = found with { Flags = found.Flags | rows[i].Flags };
        return found;
    }
}
