using System;
using Symbols.Dwarf.Lines;

namespace Symbols.Dwarf.Indexing;

/// <summary>The points and sequences of one line program in an <see cref="IndexFile"/>, which are searched there: nothing of them is kept, however many there are.</summary>
/// <param name="file">The index.</param>
/// <param name="firstSequence">The first of the program's records of <see cref="IndexFile.Part.Sequences"/>.</param>
/// <param name="sequenceCount">How many there are.</param>
/// <param name="firstPoint">The first of its records of <see cref="IndexFile.Part.Points"/>.</param>
/// <param name="pointCount">How many there are.</param>
internal sealed class IndexedLinePlaces(IndexFile file, int firstSequence, int sequenceCount, int firstPoint, int pointCount) : ILinePlaces
{
    /// <summary>Of a record: start, end (8 bytes each), first row, how many rows (4 each).</summary>
    internal const int SequenceBytes = 24;

    /// <summary>Of a record: <c>address</c> before the row, the row's address (8 bytes each), position, file, line, column, discriminator (4 each), op_index, flags (2 each).</summary>
    internal const int PointBytes = 40;

    public int PointCount => pointCount;

    public long SizeBytes => 0;

    /// <summary>Writes those of a table that was borrowed: its sequences by address, without overlaps, and its points.</summary>
    internal static void Write(LineTable table, ByteWriter sequences, ByteWriter points)
    {
        RangeMap map = LineTable.MapOf(table.Sequences);
        for (int i = 0; i < map.SegmentCount; i++)
        {
            RangeMap.Entry segment = map.Segment(i);
            LineSequence sequence = table.Sequences[segment.Value];
            sequences.U64(segment.Range.Start);
            sequences.U64(segment.Range.End);
            sequences.U32((uint)sequence.FirstRow);
            sequences.U32((uint)sequence.RowCount);
        }
        ReadOnlySpan<LineRow> rows = table.Rows;
        int count = Math.Min(table.States.Count, (rows.Length + LinePoints.RowsPerPoint - 1) / LinePoints.RowsPerPoint);
        for (int i = 0; i < count; i++)
        {
            LineState state = table.States[i];
            points.U64(state.Address);
            points.U64(rows[i * LinePoints.RowsPerPoint].Address);
            points.U32((uint)state.Position);
            points.U32(state.File);
            points.U32(state.Line);
            points.U32(state.Column);
            points.U32(state.Discriminator);
            points.U32((ushort)state.OperationIndex | ((uint)state.Flags << 16));
        }
    }

    public bool TryFindSequence(ulong address, out LineSequence sequence)
    {
        int low = 0, high = sequenceCount;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (file.Long(IndexFile.Part.Sequences, At(middle)) <= address) low = middle + 1;
            else high = middle;
        }
        int found = At(low - 1);
        bool isThere = low > 0 && address < file.Long(IndexFile.Part.Sequences, found + 2);
        sequence = !isThere ? default : new LineSequence(
            new AddressRange(file.Long(IndexFile.Part.Sequences, found), file.Long(IndexFile.Part.Sequences, found + 2)),
            (int)Math.Min(file.Number(IndexFile.Part.Sequences, found + 4), int.MaxValue), (int)Math.Min(file.Number(IndexFile.Part.Sequences, found + 5), int.MaxValue));
        return isThere;
    }

    public LineState StateOf(int point)
    {
        int at = (firstPoint + point) * (PointBytes / 4);
        uint last = file.Number(IndexFile.Part.Points, at + 9);
        return new LineState((int)Math.Min(file.Number(IndexFile.Part.Points, at + 4), int.MaxValue), file.Long(IndexFile.Part.Points, at), (ushort)last,
            file.Number(IndexFile.Part.Points, at + 5), file.Number(IndexFile.Part.Points, at + 6), file.Number(IndexFile.Part.Points, at + 7),
            file.Number(IndexFile.Part.Points, at + 8), (LineRowFlags)(byte)(last >> 16));
    }

    public ulong AddressOf(int point) => file.Long(IndexFile.Part.Points, ((firstPoint + point) * (PointBytes / 4)) + 2);

    private int At(int sequence) => (firstSequence + sequence) * (SequenceBytes / 4);
}
