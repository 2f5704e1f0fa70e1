using System;
using System.Buffers;
using System.Collections.Generic;
using Symbols.Images;

namespace Symbols.Dwarf.Lines;

/// <summary>
/// Finds rows of one line program without keeping them: it was run once, and what is kept are the places from which it can be gone on with, one for every so many rows.
/// </summary>
internal sealed class LinePoints
{
    /// <summary>So many rows follow each point: about what a look-up runs.</summary>
    internal const int RowsPerPoint = 256;

    private readonly SectionData _section;
    private readonly LineHeader _header;
    private readonly string _compileDirectory;
    private readonly LineState[] _states;
    private readonly ulong[] _addresses;
    private readonly LineSequence[] _sequences;
    private readonly Dictionary<uint, string> _paths = [];
    private RangeMap? _map;

    /// <param name="section"><c>.debug_line</c>.</param>
    /// <param name="header">The program's.</param>
    /// <param name="states">Before each row whose number is a multiple of <see cref="RowsPerPoint"/>.</param>
    /// <param name="rows">All rows, which are not kept.</param>
    /// <param name="sequences">As in <see cref="LineTable.Sequences"/>.</param>
    /// <param name="compileDirectory">The unit's DW_AT_comp_dir.</param>
    internal LinePoints(SectionData section, LineHeader header, List<LineState> states, ReadOnlySpan<LineRow> rows, LineSequence[] sequences, string compileDirectory)
    {
        _section = section;
        _header = header;
        _compileDirectory = compileDirectory;
        _sequences = sequences;
        _states = [.. states];
        _addresses = new ulong[(rows.Length + RowsPerPoint - 1) / RowsPerPoint];
        for (int i = 0; i < _addresses.Length; i++) _addresses[i] = rows[i * RowsPerPoint].Address;
    }

    /// <summary>What it takes, roughly.</summary>
    internal long SizeBytes => (_states.Length * 48L) + (_sequences.Length * 56L) + (_header.Files.Count * 24L);

    /// <summary>As <see cref="LineTable.FilePath"/>.</summary>
    internal string? FilePath(uint file)
    {
        if (file >= (uint)_header.Files.Count || _header.Files[(int)file].Name.Length == 0) return null;
        if (_paths.TryGetValue(file, out string? path)) return path;
        return _paths[file] = _header.Path(file, _compileDirectory);
    }

    /// <summary>As <see cref="LineTable.Find(ulong, out AddressRange)"/>.</summary>
    internal LineRow? Find(ulong address, out AddressRange range)
    {
        range = default;
        _map ??= LineTable.MapOf(_sequences);
        if (!_map.TryFind(address, out int index)) return null;
        LineSequence sequence = _sequences[index];
        int first = sequence.FirstRow / RowsPerPoint, point = PointBefore(sequence, address);
        // The row behind the last one of this point, which says where that ends.
        int end = Math.Min(sequence.FirstRow + sequence.RowCount, ((point + 1) * RowsPerPoint) + 1);
        for (int step = 1; ; step *= 2)
        {
            int start = Math.Max(sequence.FirstRow, point * RowsPerPoint);
            LineRow[] rows = ArrayPool<LineRow>.Shared.Rent(end - (point * RowsPerPoint));
            int count = Run(point, end - (point * RowsPerPoint), rows);
            ReadOnlySpan<LineRow> own = rows.AsSpan(0, count)[Math.Min(count, start - (point * RowsPerPoint))..];
            LineRow? found = LineTable.Find(own, address, out range);
            // Rows at the same address may be before the point.
            bool isWhole = point <= first || own.IsEmpty || found is not { } row || own[0].Address != row.Address;
            ArrayPool<LineRow>.Shared.Return(rows);
            if (isWhole) return found;
            point = Math.Max(first, point - step);
        }
    }

    // The last one at or before the address, of those that are in the sequence.
    private int PointBefore(in LineSequence sequence, ulong address)
    {
        int low = (sequence.FirstRow / RowsPerPoint) + 1, high = ((sequence.FirstRow + sequence.RowCount - 1) / RowsPerPoint) + 1;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_addresses[middle] <= address) low = middle + 1;
            else high = middle;
        }
        return low - 1;
    }

    private int Run(int point, int count, LineRow[] rows)
    {
        int next = point + ((count + RowsPerPoint - 1) / RowsPerPoint);
        ulong start = (ulong)_states[point].Position;
        ulong end = next < _states.Length ? (ulong)_states[next].Position : _header.SizeBytes;
        return LineProgram.Resume(_header, _section.Bytes(_header.Offset + start, (int)Math.Min(end - start, int.MaxValue)), _states[point], count, rows);
    }
}
