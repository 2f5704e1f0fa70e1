using System;
using System.Collections.Generic;
using Dap.Protocol;
using Introspection.Locks.History;

namespace Dap.Views;

/// <summary>A lock's history in parts of equal instruction counts: who had it for how long, and how many waited.</summary>
/// <param name="from">First instruction count.</param>
/// <param name="to">The count behind the last; greater.</param>
/// <param name="count">At least 1.</param>
/// <param name="cpuCount">Of the machine.</param>
/// <param name="known">Up to this count everything is known.</param>
internal sealed class LockBuckets(ulong from, ulong to, int count, int cpuCount, ulong known)
{
    public List<TtvmLockBucket> Of(IReadOnlyList<LockUse> uses)
    {
        var held = new ulong[count][];
        var waiters = new int[count];
        var nesting = new int[count];
        for (int i = 0; i < count; i++) held[i] = new ulong[cpuCount];
        var changes = new List<(ulong At, int Change)>();
        foreach (LockUse use in uses)
        {
            if (use.Taken is { } taken) AddHeld(use, taken.InstructionCount, use.Released?.InstructionCount ?? Math.Max(known, taken.InstructionCount), held, nesting);
            if (!use.IsContended || use.IsTry) continue;
            changes.Add((use.Wanted.InstructionCount, 1));
            if (use.Taken is { } end) changes.Add((end.InstructionCount, -1));
        }
        // At one instruction count, who comes is seen before who goes.
        changes.Sort(static (a, b) => a.At != b.At ? a.At.CompareTo(b.At) : b.Change.CompareTo(a.Change));
        int waiting = 0, next = 0;
        for (int i = 0; i < count; i++)
        {
            ulong end = StartOf(i + 1);
            if (StartOf(i) < known) waiters[i] = waiting;
            for (; next < changes.Count && changes[next].At < end; next++)
            {
                waiting += changes[next].Change;
                if (changes[next].At >= StartOf(i)) waiters[i] = Math.Max(waiters[i], waiting);
                else waiters[i] = waiting;
            }
        }
        var buckets = new List<TtvmLockBucket>(count);
        for (int i = 0; i < count; i++) buckets.Add(new TtvmLockBucket { IsKnown = StartOf(i + 1) <= known, Held = held[i], Waiters = waiters[i], Nesting = nesting[i] });
        return buckets;
    }

    private void AddHeld(LockUse use, ulong taken, ulong released, ulong[][] held, int[] nesting)
    {
        if (released < from || taken >= to || use.User.CpuIndex >= cpuCount) return;
        for (int i = BucketOf(Math.Max(taken, from)); i < count && StartOf(i) <= released; i++)
        {
            ulong begin = Math.Max(taken, StartOf(i)), end = Math.Min(released, StartOf(i + 1));
            if (end > begin) held[i][use.User.CpuIndex] += end - begin;
            nesting[i] = Math.Max(nesting[i], use.Nesting);
        }
    }

    private ulong StartOf(int bucket) => from + (ulong)((UInt128)(to - from) * (ulong)bucket / (ulong)count);

    // The last that begins at or before.
    private int BucketOf(ulong at)
    {
        int bucket = Math.Min((int)((UInt128)(at - from) * (ulong)count / (to - from)), count - 1);
        while (bucket + 1 < count && StartOf(bucket + 1) <= at) bucket++;
        return bucket;
    }
}
