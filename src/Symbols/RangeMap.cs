using System;
using System.Collections.Generic;

namespace Symbols;

/// <summary>
/// From an address to the innermost range that contains it, in O(log n) whatever the ranges are. Ranges may nest and overlap: the one that
/// starts last wins. They are flattened once into at most 2n segments that do not overlap, so that no hostile nesting makes a look-up slow.
/// </summary>
internal sealed class RangeMap
{
    private readonly List<ulong> _starts = [];
    private readonly List<ulong> _ends = [];
    private readonly List<int> _values = [];

    /// <summary>One range and what it stands for.</summary>
    internal readonly record struct Entry(AddressRange Range, int Value);

    internal RangeMap(List<Entry> entries)
    {
        // Of ranges that start together the longer is the outer one; of equal ranges the first one given wins, so it comes last.
        entries.Sort(static (a, b) =>
        {
            int order = a.Range.Start.CompareTo(b.Range.Start);
            if (order == 0) order = b.Range.End.CompareTo(a.Range.End);
            return order != 0 ? order : b.Value.CompareTo(a.Value);
        });
        var open = new Stack<Entry>();
        ulong position = 0;
        foreach (Entry entry in entries)
        {
            if (entry.Range.SizeBytes == 0) continue;
            position = CloseUpTo(open, position, entry.Range.Start);
            if (open.TryPeek(out Entry outer)) Emit(position, entry.Range.Start, outer.Value);
            position = entry.Range.Start;
            open.Push(entry);
        }
        CloseUpTo(open, position, ulong.MaxValue);
    }

    internal int SegmentCount => _starts.Count;

    /// <summary>One of the segments, in the order of addresses.</summary>
    internal Entry Segment(int index) => new(new AddressRange(_starts[index], _ends[index]), _values[index]);

    internal bool TryFind(ulong address, out int value)
    {
        int index = _starts.BinarySearch(address);
        if (index < 0) index = ~index - 1;
        value = index >= 0 && address < _ends[index] ? _values[index] : -1;
        return value >= 0;
    }

    private ulong CloseUpTo(Stack<Entry> open, ulong position, ulong limit)
    {
        while (open.TryPeek(out Entry top) && top.Range.End <= limit)
        {
            Emit(position, top.Range.End, top.Value);
            position = Math.Max(position, top.Range.End);
            open.Pop();
        }
        return position;
    }

    private void Emit(ulong start, ulong end, int value)
    {
        if (start >= end) return;
        _starts.Add(start);
        _ends.Add(end);
        _values.Add(value);
    }
}
