using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;
using Symbols.Dwarf.Entries;
using Symbols.Dwarf.Functions;
using Symbols.Dwarf.Lines;

namespace Symbols.Dwarf.Indexing;

/// <summary>From names and addresses to the entries of the debug information, by an <see cref="IndexFile"/>.</summary>
internal sealed class DebugIndex : IDisposable
{
    private const int SegmentBytes = 24, EntryBytes = 16, EntryNumbers = 4;

    private readonly IndexFile _file;
    private readonly IndexJobs _jobs;

    internal DebugIndex(IndexFile file, IndexJobs jobs)
    {
        _file = file;
        _jobs = jobs;
        Sources = new IndexedSources(file);
    }

    internal IndexedSources Sources { get; }

    /// <summary>The same index for another thread, and that one's view of the files; it is open as long as this one.</summary>
    internal DebugIndex Fork(DwarfInfo info) => new(_file.Fork(), new IndexJobs(info));

    /// <summary>Takes the memory that look-ups will need.</summary>
    internal void Prepare() => _file.Prepare();

    /// <summary>A name by its number, in the order of their bytes.</summary>
    internal string Name(int index) => Encoding.UTF8.GetString(NameAt(index));

    /// <summary>How many different names there are.</summary>
    internal int NameCount => Math.Max(0, _file.Count(IndexFile.Part.NameOffsets, 8) - 1);

    /// <summary>
    /// Everything of that name, qualified with <c>::</c> for types and variables; of the kinds asked for, in the order of the units. What is local only if that is asked for.
    /// </summary>
    internal List<NamedEntry> Find(string name, NamedKinds kinds)
    {
        var found = new List<NamedEntry>();
        byte[] bytes = Encoding.UTF8.GetBytes(name);
        int at = FirstAtOrAfter(bytes);
        if (at >= NameCount || !NameAt(at).SequenceEqual(bytes)) return found;
        ulong first = _file.Number(IndexFile.Part.NameOffsets, (at * 2) + 1), end = _file.Number(IndexFile.Part.NameOffsets, (at * 2) + 3);
        // Some names are in thousands of units, which are not looked at here.
        ReadOnlySpan<uint> numbers = MemoryMarshal.Cast<byte, uint>(_file.Slice(IndexFile.Part.Entries, first * EntryBytes, end * EntryBytes));
        for (; numbers.Length >= EntryNumbers; numbers = numbers[EntryNumbers..])
        {
            var kind = (NamedKinds)Little(numbers[3]);
            if (!IsWanted(kind, kinds)) continue;
            uint number = Little(numbers[1]), distance = Little(numbers[2]);
            int job = (int)Math.Min(Little(numbers[0]), int.MaxValue / IndexFile.JobNumbers / 2);
            DebugUnit? unit = number == 0 && (OfJob(job, 3) & IndexFile.IsSplit) == 0 ? _jobs.Whole(job) : _jobs.Unit(job, number);
            if (unit is not null && distance < unit.Header.SizeBytes) found.Add(new NamedEntry(kind, unit, unit.Header.Offset + distance));
        }
        return found;
    }

    /// <summary>Names of the kinds asked for that begin so, in the order of their bytes, at most so many.</summary>
    internal List<string> Names(string prefix, NamedKinds kinds, int limit)
    {
        var found = new List<string>();
        byte[] bytes = Encoding.UTF8.GetBytes(prefix);
        for (int at = FirstAtOrAfter(bytes); at < NameCount && found.Count < limit && NameAt(at).StartsWith(bytes); at++)
            if (Has(at, kinds)) found.Add(Encoding.UTF8.GetString(NameAt(at)));
        return found;
    }

    /// <summary>The points of a line program, without running it; null: they are not there.</summary>
    internal LinePoints? Lines(DebugUnit unit, ulong offset)
    {
        if ((OfJob(unit.Index, 3) & IndexFile.HasLines) == 0) return null;
        (int firstSequence, int sequenceCount) = Records(unit.Index, 1, IndexFile.Part.Sequences, IndexedLinePlaces.SequenceBytes);
        (int firstPoint, int pointCount) = Records(unit.Index, 2, IndexFile.Part.Points, IndexedLinePlaces.PointBytes);
        return LineHeaderParser.ReadFields(unit.Sections, offset, unit.Header.AddressSizeBytes) is { IsComplete: true } header
            ? new LinePoints(unit.Sections, header, unit.CompileDirectory, new IndexedLinePlaces(_file, firstSequence, sequenceCount, firstPoint, pointCount)) : null;
    }

    /// <summary>The function at an address among those of a unit of the program; null: none.</summary>
    internal DebugFunction? FunctionAt(DebugUnit unit, ulong address)
    {
        (int first, int count) = Records(unit.Index, 0, IndexFile.Part.Segments, SegmentBytes);
        int low = first, high = first + count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_file.Long(IndexFile.Part.Segments, middle * 6) <= address) low = middle + 1;
            else high = middle;
        }
        if (--low < first || address >= _file.Long(IndexFile.Part.Segments, (low * 6) + 2)) return null;
        return unit.FunctionOf(unit.Full.Header.Offset + _file.Number(IndexFile.Part.Segments, (low * 6) + 4));
    }

    public void Dispose() => _file.Dispose();

    private static uint Little(uint number) => BitConverter.IsLittleEndian ? number : BinaryPrimitives.ReverseEndianness(number);

    private uint OfJob(int job, int number) => _file.Number(IndexFile.Part.Jobs, (job * IndexFile.JobNumbers) + number);

    // Which records of a part are a job's: those that the part has.
    private (int First, int Count) Records(int job, int number, IndexFile.Part part, int recordBytes)
    {
        uint end = Math.Min(OfJob(job + 1, number), (uint)_file.Count(part, recordBytes)), first = Math.Min(OfJob(job, number), end);
        return ((int)first, (int)(end - first));
    }

    private bool Has(int name, NamedKinds kinds)
    {
        uint end = _file.Number(IndexFile.Part.NameOffsets, (name * 2) + 3);
        for (uint i = _file.Number(IndexFile.Part.NameOffsets, (name * 2) + 1); i < end && i < (uint)_file.Count(IndexFile.Part.Entries, 16); i++)
            if (IsWanted((NamedKinds)_file.Number(IndexFile.Part.Entries, ((int)i * 4) + 3), kinds)) return true;
        return false;
    }

    private static bool IsWanted(NamedKinds kind, NamedKinds kinds) =>
        (kind & kinds & ~(NamedKinds.Declaration | NamedKinds.Local)) != 0 && ((kind & NamedKinds.Local) == 0 || (kinds & NamedKinds.Local) != 0);

    private ReadOnlySpan<byte> NameAt(int index) =>
        _file.Peek(IndexFile.Part.Names, _file.Number(IndexFile.Part.NameOffsets, index * 2), _file.Number(IndexFile.Part.NameOffsets, (index * 2) + 2));

    private int FirstAtOrAfter(ReadOnlySpan<byte> name)
    {
        int low = 0, high = NameCount;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (NameAt(middle).SequenceCompareTo(name) < 0) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}
