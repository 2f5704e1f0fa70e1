using System;
using System.Buffers;
using System.Collections.Generic;

namespace Symbols.Dwarf.Lines;

/// <summary>
/// Finds rows of one line program without keeping them: it was run once, and what is kept are the places from which it can be gone on with, one for every so many rows.
/// The index of a large file has them, so that not even that one run is needed.
/// </summary>
internal sealed class LinePoints
{
    /// <summary>So many rows follow each point: about what a look-up runs.</summary>
    internal const int RowsPerPoint = 256;

    private readonly DwarfSections _sections;
    private readonly LineHeader _header;
    private readonly string _compileDirectory;
    private readonly ILinePlaces _places;
    private readonly Dictionary<uint, string> _paths = [];

    /// <param name="sections">The file's.</param>
    /// <param name="header">The program's; with the files that the program itself defines, if it does.</param>
    /// <param name="compileDirectory">The unit's DW_AT_comp_dir.</param>
    /// <param name="places">The points, and the sequences that they are in.</param>
    internal LinePoints(DwarfSections sections, LineHeader header, string compileDirectory, ILinePlaces places)
    {
        _sections = sections;
        _header = header;
        _compileDirectory = compileDirectory;
        _places = places;
    }

    /// <summary>What it takes, roughly.</summary>
    internal long SizeBytes => _places.SizeBytes + (_header.Files.Count * 24L);

    /// <summary>Of a table that was borrowed, which may be given back then.</summary>
    internal static LinePoints Of(LineTable table, DwarfSections sections) => new(sections, table.Header, table.CompileDirectory, new LinePlaces(table));

    /// <summary>As <see cref="LineTable.FilePath"/>.</summary>
    internal string? FilePath(uint file)
    {
        if (_paths.TryGetValue(file, out string? path)) return path;
        if (!_header.IsExtended) path = LinePaths.Read(_sections, _header, file, _compileDirectory);
        else if (file < (uint)_header.Files.Count && _header.Files[(int)file].Name.Length > 0) path = _header.Path(file, _compileDirectory);
        if (path is not null) _paths[file] = path;
        return path;
    }

    /// <summary>As <see cref="LineTable.Find(ulong, out AddressRange)"/>.</summary>
    internal LineRow? Find(ulong address, out AddressRange range)
    {
        range = default;
        // An index says what it likes: what it has too few points for, or is longer than any program, is not there.
        if (!_places.TryFindSequence(address, out LineSequence sequence) || sequence.FirstRow < 0 || sequence.RowCount < 2
            || sequence.FirstRow + (long)sequence.RowCount > Math.Min(LineProgram.MaximumRows, _places.PointCount * (long)RowsPerPoint)) return null;
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
            if (_places.AddressOf(middle) <= address) low = middle + 1;
            else high = middle;
        }
        return low - 1;
    }

    private int Run(int point, int count, LineRow[] rows)
    {
        int next = point + ((count + RowsPerPoint - 1) / RowsPerPoint);
        LineState state = _places.StateOf(point);
        ulong start = (ulong)state.Position;
        ulong end = next < _places.PointCount ? Math.Min((ulong)_places.StateOf(next).Position, _header.SizeBytes) : _header.SizeBytes;
        if (start < (ulong)_header.ProgramStart || start >= end) return 0;
        return LineProgram.Resume(_header, _sections.Line.Peek(_header.Offset + start, (int)Math.Min(end - start, int.MaxValue)), state, count, rows);
    }
}
