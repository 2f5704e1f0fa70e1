using System;
using System.Collections.Generic;
using System.Text;
using System.Threading;

namespace Symbols.Dwarf.Indexing;

/// <summary>Puts together what the workers found, in an order that does not depend on them.</summary>
internal sealed class IndexWriter(List<IndexWorker> workers, int jobCount, byte[] identity)
{
    /// <summary>So many rows follow each stop: what a look-up of a line reads in vain at most.</summary>
    internal const int RowsPerStop = 128;

    private readonly ByteWriter[] _parts = NewParts();

    internal byte[] Write()
    {
        Of(IndexFile.Part.Identity).Bytes(identity);
        // The two have nothing in common.
        var rows = new Thread(WriteRows) { IsBackground = true, Name = "symbol index" };
        rows.Start();
        WriteSegments();
        WriteNames();
        rows.Join();
        return IndexFile.Write(_parts);
    }

    private static ByteWriter[] NewParts()
    {
        var parts = new ByteWriter[Enum.GetValues<IndexFile.Part>().Length];
        for (int i = 0; i < parts.Length; i++) parts[i] = new ByteWriter();
        return parts;
    }

    private ByteWriter Of(IndexFile.Part part) => _parts[(int)part];

    private void WriteSegments()
    {
        ByteWriter jobs = Of(IndexFile.Part.Jobs), segments = Of(IndexFile.Part.Segments);
        uint count = 0;
        for (int job = 0; job < jobCount; job++)
        {
            jobs.U32(count);
            foreach (IndexWorker worker in workers)
            {
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
        }
        jobs.U32(count);
    }

    private void WriteNames()
    {
        var names = new NamePool();
        var entries = new List<IndexWorker.Entry>();
        foreach (IndexWorker worker in workers)
        {
            var ids = new int[worker.Names.Count];
            for (int i = 0; i < ids.Length; i++) ids[i] = names.Add(worker.Names[i]);
            foreach (IndexWorker.Entry entry in worker.Entries)
                if (ids[entry.Name] >= 0) entries.Add(entry with { Name = ids[entry.Name] });
        }
        int[] order = new int[names.Count], rank = new int[names.Count];
        for (int i = 0; i < order.Length; i++) order[i] = i;
        Array.Sort(order, (a, b) => names[a].SequenceCompareTo(names[b]));
        for (int i = 0; i < order.Length; i++) rank[order[i]] = i;
        entries.Sort((a, b) =>
        {
            int compared = rank[a.Name].CompareTo(rank[b.Name]);
            if (compared == 0) compared = a.Job.CompareTo(b.Job);
            if (compared == 0) compared = a.Unit.CompareTo(b.Unit);
            return compared != 0 ? compared : a.Distance.CompareTo(b.Distance);
        });
        ByteWriter offsets = Of(IndexFile.Part.NameOffsets), text = Of(IndexFile.Part.Names), written = Of(IndexFile.Part.Entries);
        var seen = new HashSet<(NamedKinds, ulong)>();
        for (int at = 0, i = 0; i < order.Length; i++)
        {
            offsets.U32((uint)text.Length);
            offsets.U32((uint)(written.Length / 16));
            text.Bytes(names[order[i]]);
            int end = at;
            NamedKinds defined = NamedKinds.None;
            for (; end < entries.Count && entries[end].Name == order[i]; end++)
                if ((entries[end].Kind & NamedKinds.Declaration) == 0) defined |= entries[end].Kind;
            seen.Clear();
            for (; at < end; at++)
            {
                IndexWorker.Entry entry = entries[at];
                bool isDeclaration = (entry.Kind & NamedKinds.Declaration) != 0;
                // One declaration says as much as the next, and nothing beside a definition.
                if (isDeclaration && (defined & entry.Kind) != 0) continue;
                if (entry.Likeness != 0 && !seen.Add((entry.Kind, isDeclaration ? 0 : entry.Likeness))) continue;
                written.U32((uint)entry.Job);
                written.U32((uint)entry.Unit);
                written.U32(entry.Distance);
                written.U32((uint)entry.Kind);
            }
        }
        offsets.U32((uint)text.Length);
        offsets.U32((uint)(written.Length / 16));
    }

    private void WriteRows()
    {
        ByteWriter files = Of(IndexFile.Part.Files), paths = Of(IndexFile.Part.Paths), stops = Of(IndexFile.Part.Stops), written = Of(IndexFile.Part.Rows);
        var all = new SortedSet<string>(StringComparer.Ordinal);
        foreach (IndexWorker worker in workers) all.UnionWith(worker.Rows.Files.Keys);
        var rows = new List<SourceRows.Row>();
        foreach (string path in all)
        {
            files.U32((uint)paths.Length);
            files.U32((uint)written.Length);
            files.U32((uint)(stops.Length / 8));
            paths.Bytes(Encoding.UTF8.GetBytes(path));
            rows.Clear();
            foreach (IndexWorker worker in workers)
                if (worker.Rows.Take(path) is { } found) found.CopyTo(rows);
            rows.Sort();
            SourceRows.Row before = default;
            int start = written.Length;
            for (int i = 0; i < rows.Count; i++)
            {
                if (i % RowsPerStop == 0)
                {
                    stops.U32(rows[i].Line);
                    stops.U32((uint)(written.Length - start));
                    before = default;
                }
                rows[i].Write(written, before);
                before = rows[i];
            }
        }
        files.U32((uint)paths.Length);
        files.U32((uint)written.Length);
        files.U32((uint)(stops.Length / 8));
    }
}
