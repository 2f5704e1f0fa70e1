using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace Symbols.Dwarf.Indexing;

/// <summary>Puts together what the workers found, in an order that does not depend on them.</summary>
internal sealed class IndexWriter(List<IndexWorker> workers, int jobCount, byte[] identity)
{
    private static readonly Comparer<IndexWorker.Entry> s_inOrder = Comparer<IndexWorker.Entry>.Create(static (a, b) =>
    {
        int order = a.Job.CompareTo(b.Job);
        if (order == 0) order = a.Unit.CompareTo(b.Unit);
        if (order == 0) order = a.Distance.CompareTo(b.Distance);
        return order != 0 ? order : a.Kind.CompareTo(b.Kind);
    });

    private readonly ByteWriter[] _parts = NewParts(workers);
    private long _rowBytes;

    /// <summary>The workers are empty then.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    internal void Write(IndexOutput output)
    {
        var paths = new SortedSet<string>(StringComparer.Ordinal);
        foreach (IndexWorker worker in workers) paths.UnionWith(worker.Rows.Files.Keys);
        string[] inOrder = [.. paths];
        output.Begin(IndexFile.Part.Identity);
        output.Bytes(identity);
        output.Begin(IndexFile.Part.Rows);
        // Rows are by far the most: they are written as they are sorted. The names have nothing in common with them.
        var rows = new SortedRows(inOrder, workers, (file, own, stops) => WriteRows(inOrder[file], own.Span, stops.Span, output));
        Task others = Task.Factory.StartNew(rows.Sort, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            WriteJobs();
            WriteNames();
            if (workers.Count > 1) rows.Sort();
        }
        finally
        {
            Task.WaitAny([others], CancellationToken.None);
        }
        others.GetAwaiter().GetResult();
        EndFile();
        for (int i = 0; i < _parts.Length; i++)
        {
            if ((IndexFile.Part)i is IndexFile.Part.Identity or IndexFile.Part.Rows) continue;
            output.Begin((IndexFile.Part)i);
            output.Bytes(_parts[i].Written);
        }
        output.End();
    }

    // Large parts are made in the size that they will have at most: growing would take their memory twice.
    private static ByteWriter[] NewParts(List<IndexWorker> workers)
    {
        long names = 0, text = 0, entries = 0, sequences = 0, points = 0;
        foreach (IndexWorker worker in workers)
        {
            names += worker.Names.Count;
            text += worker.Names.LengthBytes;
            entries += worker.Entries.Count;
            sequences += worker.Rows.Sequences.Length;
            points += worker.Rows.Points.Length;
        }
        var parts = new ByteWriter[IndexFile.PartCount];
        for (int i = 0; i < parts.Length; i++)
        {
            long size = (IndexFile.Part)i switch
            {
                IndexFile.Part.NameOffsets => (names + 1) * 8,
                IndexFile.Part.Names => text,
                IndexFile.Part.Entries => entries * 16,
                IndexFile.Part.Sequences => sequences,
                IndexFile.Part.Points => points,
                _ => 64,
            };
            parts[i] = new ByteWriter((int)Math.Clamp(size, 64, Array.MaxLength));
        }
        return parts;
    }

    private ByteWriter Of(IndexFile.Part part) => _parts[(int)part];

    private void WriteJobs()
    {
        ByteWriter jobs = Of(IndexFile.Part.Jobs), segments = Of(IndexFile.Part.Segments);
        ByteWriter sequences = Of(IndexFile.Part.Sequences), points = Of(IndexFile.Part.Points);
        uint count = 0;
        for (int job = 0; job <= jobCount; job++)
        {
            jobs.U32(count);
            jobs.U32((uint)(sequences.Length / IndexedLinePlaces.SequenceBytes));
            jobs.U32((uint)(points.Length / IndexedLinePlaces.PointBytes));
            uint flags = 0;
            foreach (IndexWorker worker in workers)
            {
                if (worker.SplitJobs.Contains(job)) flags |= IndexFile.IsSplit;
                if (worker.Rows.PlacesOf.TryGetValue(job, out (Range Sequences, Range Points) own))
                {
                    flags |= IndexFile.HasLines;
                    sequences.Bytes(worker.Rows.Sequences.Written[own.Sequences]);
                    points.Bytes(worker.Rows.Points.Written[own.Points]);
                }
                if (!worker.Functions.TryGetValue(job, out (RangeMap Map, List<uint> Distances) functions)) continue;
                for (int i = 0; i < functions.Map.SegmentCount; i++, count++)
                {
                    RangeMap.Entry segment = functions.Map.Segment(i);
                    segments.U64(segment.Range.Start);
                    segments.U64(segment.Range.End);
                    segments.U32(functions.Distances[segment.Value]);
                    segments.U32(0);
                }
            }
            jobs.U32(flags);
        }
    }

    private void WriteNames()
    {
        var names = new NamePool();
        var ids = new List<int[]>();
        foreach (IndexWorker worker in workers)
        {
            var own = new int[worker.Names.Count];
            for (int i = 0; i < own.Length; i++) own[i] = names.Add(worker.Names[i]);
            ids.Add(own);
        }
        int[] order = new int[names.Count], rank = new int[names.Count];
        for (int i = 0; i < order.Length; i++) order[i] = i;
        Array.Sort(order, (a, b) => names[a].SequenceCompareTo(names[b]));
        for (int i = 0; i < order.Length; i++) rank[order[i]] = i;
        IndexWorker.Entry[] entries = ByRank(ids, rank);
        ByteWriter offsets = Of(IndexFile.Part.NameOffsets), text = Of(IndexFile.Part.Names), written = Of(IndexFile.Part.Entries);
        var seen = new HashSet<(NamedKinds, ulong)>();
        for (int at = 0, i = 0; i < order.Length; i++)
        {
            offsets.U32((uint)text.Length);
            offsets.U32((uint)(written.Length / 16));
            text.Bytes(names[order[i]]);
            int end = at;
            NamedKinds defined = NamedKinds.None;
            for (; end < entries.Length && entries[end].Name == i; end++)
                if ((entries[end].Kind & NamedKinds.Declaration) == 0) defined |= entries[end].Kind;
            bool isAlone = end == at + 1;
            if (!isAlone) Array.Sort(entries, at, end - at, s_inOrder);
            if (!isAlone) seen.Clear();
            for (; at < end; at++)
            {
                IndexWorker.Entry entry = entries[at];
                bool isDeclaration = (entry.Kind & NamedKinds.Declaration) != 0;
                // One declaration says as much as the next, and nothing beside a definition.
                if (isDeclaration && (defined & entry.Kind & ~NamedKinds.Local) != 0) continue;
                if (entry.Likeness != 0 && !isAlone && !seen.Add((entry.Kind, isDeclaration ? 0 : entry.Likeness))) continue;
                written.U32((uint)entry.Job);
                written.U32((uint)entry.Unit);
                written.U32(entry.Distance);
                written.U32((uint)entry.Kind);
            }
        }
        offsets.U32((uint)text.Length);
        offsets.U32((uint)(written.Length / 16));
    }

    // All entries by their names' ranks, which replace the names; the workers' are forgotten.
    private IndexWorker.Entry[] ByRank(List<int[]> ids, int[] rank)
    {
        var next = new int[rank.Length + 1];
        for (int w = 0; w < workers.Count; w++)
            foreach (IndexWorker.Entry entry in workers[w].Entries)
                if (ids[w][entry.Name] is >= 0 and int id) next[rank[id] + 1]++;
        for (int i = 1; i < next.Length; i++) next[i] += next[i - 1];
        var entries = new IndexWorker.Entry[next[^1]];
        for (int w = 0; w < workers.Count; w++)
        {
            foreach (IndexWorker.Entry entry in workers[w].Entries)
                if (ids[w][entry.Name] is >= 0 and int id) entries[next[rank[id]]++] = entry with { Name = rank[id] };
            workers[w].Entries.Clear();
            workers[w].Entries.Capacity = 0;
        }
        return entries;
    }

    private void WriteRows(string path, ReadOnlySpan<byte> rows, ReadOnlySpan<byte> stops, IndexOutput output)
    {
        // Places are kept in 4 bytes; what has more rows than that is no program.
        if (_rowBytes + rows.Length > uint.MaxValue) throw new IOException("The debug information is too large for an index.");
        EndFile();
        Of(IndexFile.Part.Paths).Bytes(Encoding.UTF8.GetBytes(path));
        Of(IndexFile.Part.Stops).Bytes(stops);
        output.Bytes(rows);
        _rowBytes += rows.Length;
    }

    // Where the next file's path, rows and stops start.
    private void EndFile()
    {
        ByteWriter files = Of(IndexFile.Part.Files);
        files.U32((uint)Of(IndexFile.Part.Paths).Length);
        files.U32((uint)_rowBytes);
        files.U32((uint)(Of(IndexFile.Part.Stops).Length / 8));
    }
}
