using System;
using System.Collections.Generic;

namespace Introspection.History;

/// <summary>Distributes what is known of intervals over the buckets of a window.</summary>
internal sealed class HistoryWindowBuilder
{
    private readonly ulong _from, _to;
    private readonly int _maximumEvents;
    private readonly HistoryBucket[] _buckets;
    private readonly List<HistoryEvent> _events = [], _inputs = [];
    private bool _hasAllEvents = true;

    public HistoryWindowBuilder(ulong from, ulong to, int bucketCount, int cpuCount, int maximumEvents)
    {
        Vmm.Invariant.Check(to > from && bucketCount > 0);
        (_from, _to, _maximumEvents) = (from, to, maximumEvents);
        _buckets = new HistoryBucket[bucketCount];
        for (int i = 0; i < bucketCount; i++) _buckets[i] = new HistoryBucket(cpuCount);
    }

    public HistoryWindow Build()
    {
        bool isComplete = Array.TrueForAll(_buckets, static bucket => bucket.IsKnown);
        return new HistoryWindow(_buckets, _hasAllEvents && _events.Count <= _maximumEvents ? _events : _inputs, isComplete);
    }

    public void AddUnknown(ulong from, ulong to)
    {
        _hasAllEvents = false;
        for (int i = BucketOf(from); i <= BucketOf(Math.Max(from, to - 1)); i++) _buckets[i].IsKnown = false;
    }

    /// <summary>False: only its totals are left, and its buckets need more.</summary>
    public bool TryAdd(IntervalHistory history, bool mayBeCoarse)
    {
        if (history.Events is not { } events) return TryAddTotals(history, mayBeCoarse);
        ulong at = history.From;
        int cpu = history.FirstCpu;
        foreach (HistoryEvent one in events)
        {
            if (one.Kind == HistoryEventKind.Schedule)
            {
                AddInstructions(cpu, at, one.Count);
                (at, cpu) = (one.Count, one.Number);
            }
            if (one.Count < _from || one.Count >= _to) continue;
            if ((int)one.Kind < IntervalHistory.CounterCount) _buckets[BucketOf(one.Count)].Counters[(int)one.Kind]++;
            if (one.Kind == HistoryEventKind.Input && _inputs.Count < _maximumEvents) _inputs.Add(one);
            if (_events.Count <= _maximumEvents) _events.Add(one);
        }
        AddInstructions(cpu, at, history.To);
        return true;
    }

    // In equal parts over the buckets that the interval touches: true of long buckets.
    private bool TryAddTotals(IntervalHistory history, bool mayBeCoarse)
    {
        ulong from = Math.Max(history.From, _from), to = Math.Min(history.To, _to);
        int first = BucketOf(from), last = BucketOf(Math.Max(from, to - 1));
        if (last > first + 1 && !mayBeCoarse) return false;
        _hasAllEvents = false;
        double part = (to - from) / (double)(history.To - history.From) / (last - first + 1);
        for (int i = first; i <= last; i++)
        {
            for (int c = 0; c < history.Instructions.Length; c++) _buckets[i].Instructions[c] += (ulong)(history.Instructions[c] * part);
            for (int k = 0; k < history.Counters.Length; k++) _buckets[i].Counters[k] += (long)(history.Counters[k] * part);
        }
        return true;
    }

    private void AddInstructions(int cpu, ulong from, ulong to)
    {
        from = Math.Max(from, _from);
        to = Math.Min(to, _to);
        while (from < to)
        {
            int bucket = BucketOf(from);
            ulong end = Math.Min(to, StartOf(bucket + 1));
            _buckets[bucket].Instructions[cpu] += end - from;
            from = end;
        }
    }

    // The largest bucket that begins at or before a count.
    private int BucketOf(ulong count) =>
        (int)UInt128.Min((uint)_buckets.Length - 1, ((UInt128)(Math.Clamp(count, _from, _to - 1) - _from) * (uint)_buckets.Length + (uint)_buckets.Length - 1) / (_to - _from));

    private ulong StartOf(int bucket) => _from + (ulong)((UInt128)(_to - _from) * (uint)bucket / (uint)_buckets.Length);
}
