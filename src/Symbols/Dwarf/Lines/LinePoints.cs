using System;
using System.Buffers;
using System.Collections.Generic;
using Symbols.Dwarf.Indexing;
using Symbols.Images;

namespace Symbols.Dwarf.Lines;

/// <summary>
/// Finds rows of one line program without keeping them: it was run once, and what is kept are the places from which it can be gone on with, one for every so many rows.
/// The index of a large file has them, so that not even that one run is needed.
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
    /// <param name="compileDirectory">The unit's DW_AT_comp_dir.</param>
    /// <param name="states">Before each row whose number is a multiple of <see cref="RowsPerPoint"/>.</param>
    /// <param name="addresses">Of each of those rows.</param>
    /// <param name="sequences">As in <see cref="LineTable.Sequences"/>; within those rows.</param>
    private LinePoints(SectionData section, LineHeader header, string compileDirectory, LineState[] states, ulong[] addresses, LineSequence[] sequences)
    {
        _section = section;
        _header = header;
        _compileDirectory = compileDirectory;
        _states = states;
        _addresses = addresses;
        _sequences = sequences;
    }

    /// <summary>What it takes, roughly.</summary>
    internal long SizeBytes => (_states.Length * 48L) + (_sequences.Length * 56L) + (_header.Files.Count * 24L);

    /// <summary>Of a table that was borrowed, which may be given back then.</summary>
    internal static LinePoints Of(LineTable table, SectionData section)
    {
        ReadOnlySpan<LineRow> rows = table.Rows;
        var addresses = new ulong[(rows.Length + RowsPerPoint - 1) / RowsPerPoint];
        for (int i = 0; i < addresses.Length; i++) addresses[i] = rows[i * RowsPerPoint].Address;
        return new LinePoints(section, table.Header, table.CompileDirectory, [.. table.States], addresses, [.. table.Sequences]);
    }

    /// <summary>Writes those of a table that was borrowed, for <see cref="Read"/>: sequences and points, each as the difference to the one before.</summary>
    internal static void Write(LineTable table, ByteWriter writer)
    {
        writer.Uleb((ulong)table.Sequences.Count);
        ulong address = 0;
        int row = 0;
        foreach (LineSequence sequence in table.Sequences)
        {
            writer.Zigzag((long)(sequence.Range.Start - address));
            writer.Uleb(sequence.Range.SizeBytes);
            writer.Zigzag(sequence.FirstRow - row);
            writer.Uleb((ulong)sequence.RowCount);
            (address, row) = (sequence.Range.End, sequence.FirstRow + sequence.RowCount);
        }
        int count = Math.Min(table.States.Count, (table.Rows.Length + RowsPerPoint - 1) / RowsPerPoint);
        writer.Uleb((ulong)count);
        LineState before = default;
        for (int i = 0; i < count; i++)
        {
            LineState state = table.States[i];
            writer.Uleb((ulong)(state.Position - before.Position));
            writer.Zigzag((long)(state.Address - before.Address));
            writer.Uleb(state.OperationIndex);
            writer.Uleb(state.File);
            writer.Zigzag((int)(state.Line - before.Line));
            writer.Uleb(state.Column);
            writer.Uleb(state.Discriminator);
            writer.U8((byte)state.Flags);
            writer.Zigzag((long)(table.Rows[i * RowsPerPoint].Address - state.Address));
            before = state;
        }
    }

    /// <summary>What <see cref="Write"/> has written of a program with that header; null: it cannot be that.</summary>
    internal static LinePoints? Read(ReadOnlySpan<byte> bytes, SectionData section, LineHeader header, string compileDirectory)
    {
        var reader = new DataReader(bytes);
        // Each takes a few bytes.
        ulong sequenceCount = reader.Uleb();
        if (sequenceCount > (ulong)reader.Remaining) return null;
        var sequences = new LineSequence[sequenceCount];
        ulong address = 0;
        long row = 0, rowCount = 0;
        for (int i = 0; i < sequences.Length; i++)
        {
            ulong start = address + (ulong)reader.Zigzag();
            address = start + reader.Uleb();
            long first = row + reader.Zigzag(), count = (long)reader.Uleb();
            if (reader.Failed || first is < 0 or > LineProgram.MaximumRows || count is < 2 or > LineProgram.MaximumRows || start > address) return null;
            sequences[i] = new LineSequence(new AddressRange(start, address), (int)first, (int)count);
            row = first + count;
            rowCount = Math.Max(rowCount, row);
        }
        ulong stateCount = reader.Uleb();
        if (stateCount > (ulong)reader.Remaining || rowCount > (long)stateCount * RowsPerPoint) return null;
        var states = new LineState[stateCount];
        var addresses = new ulong[stateCount];
        LineState state = default;
        for (int i = 0; i < states.Length; i++)
        {
            ulong position = (ulong)state.Position + reader.Uleb();
            state = new LineState((int)Math.Min(position, int.MaxValue), state.Address + (ulong)reader.Zigzag(), (uint)reader.Uleb(), (uint)reader.Uleb(),
                state.Line + (uint)reader.Zigzag(), (uint)reader.Uleb(), (uint)reader.Uleb(), (LineRowFlags)reader.U8());
            if (reader.Failed || position < (ulong)header.ProgramStart || position > header.SizeBytes) return null;
            states[i] = state;
            addresses[i] = state.Address + (ulong)reader.Zigzag();
        }
        return reader.Failed ? null : new LinePoints(section, header, compileDirectory, states, addresses, sequences);
    }

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
