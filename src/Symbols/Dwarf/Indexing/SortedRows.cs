using System;
using System.Collections.Generic;
using System.Threading;

namespace Symbols.Dwarf.Indexing;

/// <summary>
/// The rows of each file that workers have collected, in order, as an index has them. Several threads may sort at a time; what is sorted is taken in the order of the files.
/// </summary>
/// <param name="paths">The files.</param>
/// <param name="workers">What they have of those files is moved out of them.</param>
/// <param name="take">Takes the rows and the stops of a file; called by one thread at a time, for one file after the other.</param>
internal sealed class SortedRows(IReadOnlyList<string> paths, List<IndexWorker> workers, Action<int, ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> take)
{
    /// <summary>So many rows follow each stop: what a look-up of a line reads in vain at most.</summary>
    internal const int RowsPerStop = 128;

    private readonly Lock _gate = new();
    private readonly Dictionary<int, (byte[] Rows, byte[] Stops)> _waiting = [];
    private int _next, _nextToTake;

    /// <summary>Sorts the rows of files until there are no more.</summary>
    internal void Sort()
    {
        var rows = new SourceRows.Row[LongestCount()];
        ByteWriter written = new(), stops = new();
        for (int i = Interlocked.Increment(ref _next) - 1; i < paths.Count; i = Interlocked.Increment(ref _next) - 1)
        {
            Span<SourceRows.Row> own = Collect(paths[i], rows);
            own.Sort();
            written.Clear();
            stops.Clear();
            for (int row = 0; row < own.Length; row++)
            {
                bool isStop = row % RowsPerStop == 0;
                if (isStop)
                {
                    stops.U32(own[row].Line);
                    stops.U32((uint)written.Length);
                }
                written.Advance(own[row].Write(written.Room(SourceRows.Row.MaximumBytes), isStop ? default : own[row - 1]));
            }
            lock (_gate) Deliver(i, written, stops);
        }
    }

    private void Deliver(int file, ByteWriter rows, ByteWriter stops)
    {
        if (file != _nextToTake)
        {
            _waiting[file] = (rows.Written.ToArray(), stops.Written.ToArray());
            return;
        }
        take(_nextToTake++, rows.WrittenMemory, stops.WrittenMemory);
        while (_waiting.Remove(_nextToTake, out (byte[] Rows, byte[] Stops) ready)) take(_nextToTake++, ready.Rows, ready.Stops);
    }

    private int LongestCount()
    {
        int longest = 0;
        foreach (string path in paths)
        {
            int count = 0;
            foreach (IndexWorker worker in workers) count += worker.Rows.Files.TryGetValue(path, out SourceRows.FileRows? found) ? found.Count : 0;
            longest = Math.Max(longest, count);
        }
        return longest;
    }

    // A file's rows of all workers, which forget them.
    private Span<SourceRows.Row> Collect(string path, SourceRows.Row[] rows)
    {
        int count = 0;
        foreach (IndexWorker worker in workers)
        {
            if (!worker.Rows.Files.TryGetValue(path, out SourceRows.FileRows? found)) continue;
            int end = count + found.Count;
            found.MoveTo(rows.AsSpan(count, found.Count));
            count = end;
        }
        return rows.AsSpan(0, count);
    }
}
