using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Symbols.Dwarf.Entries;
using Symbols.Images;

namespace Symbols.Dwarf.Indexing;

/// <summary>
/// Reads all debug information once and makes its index. Made on the thread that uses the <see cref="DwarfInfo"/>; <see cref="Run"/> may be
/// called on any other one meanwhile. The result does not depend on how many threads there are.
/// </summary>
public sealed class DebugIndexBuilder
{
    private const int MaximumThreads = 4;

    private readonly DwarfInfo _target;
    private readonly DebugIndexCache? _cache;
    private readonly byte[] _identity;
    private readonly IndexJobs _targetJobs;
    private readonly List<IndexWorker> _workers = [];
    private int _next, _done;

    internal DebugIndexBuilder(DwarfInfo target, DebugIndexCache? cache, byte[] identity)
    {
        _target = target;
        _cache = cache;
        _identity = identity;
        _targetJobs = new IndexJobs(target);
        int threads = Math.Clamp(Math.Min(Environment.ProcessorCount, target.Units.Count / 8), 1, MaximumThreads);
        for (int i = 0; i < threads; i++) _workers.Add(new IndexWorker(target.Fork()));
    }

    /// <summary>
    /// Makes the index, gives it to the debug information and puts it into the cache. False: it was cancelled, and nothing has changed.
    /// </summary>
    /// <param name="progress">Takes how much is done, in thousandths; called on any thread.</param>
    /// <param name="cancellation">Ends it soon.</param>
    /// <exception cref="IOException">The file cannot be read any more.</exception>
    public bool Run(Action<int>? progress, CancellationToken cancellation)
    {
        int jobCount = new IndexJobs(_workers[0].Info).Count;
        bool[] hasLines = FirstUsers(_workers[0].Info);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var others = new List<Task>();
        ThreadPriority priority = Thread.CurrentThread.Priority;
        for (int i = 1; i < _workers.Count; i++)
        {
            IndexWorker worker = _workers[i];
            others.Add(Task.Factory.StartNew(() =>
            {
                Thread.CurrentThread.Priority = priority;
                Work(worker, jobCount, hasLines, progress, stop);
            }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));
        }
        try
        {
            Work(_workers[0], jobCount, hasLines, progress, stop);
        }
        finally
        {
            Task.WaitAny([Task.WhenAll(others)], CancellationToken.None);
            foreach (IndexWorker worker in _workers) worker.EndWalk();
        }
        // What went wrong in one of them, as where the file cannot be read any more, is told here.
        foreach (Task other in others) other.GetAwaiter().GetResult();
        if (cancellation.IsCancellationRequested) return false;
        // What was decoded would be kept beside what is written now, and is more than that.
        if (!_target.IsSmall) GC.Collect();
        _target.UseIndex(Write(jobCount), _targetJobs);
        _workers.Clear();
        // What it took is given back to the system: whatever the process does next needs memory, too.
        if (!_target.IsSmall) GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        progress?.Invoke(1000);
        return true;
    }

    private IndexFile Write(int jobCount)
    {
        // What was split off into files that are missing now may be found another time.
        bool isComplete = !_workers.Exists(static worker => worker.IsIncomplete);
        using UnfinishedIndex unfinished = (isComplete ? _cache?.Begin(_identity) : null) ?? new UnfinishedIndex();
        new IndexWriter(_workers, jobCount, _identity).Write(new IndexOutput(unfinished));
        ImageSource source = unfinished.Finish(_cache?.PathOf(_identity));
        return IndexFile.Open(source, _identity) ?? throw new IOException("The index was changed while it was written.");
    }

    private void Work(IndexWorker worker, int count, bool[] hasLines, Action<int>? progress, CancellationTokenSource stop)
    {
        bool isDone = false;
        try
        {
            Work(worker, count, hasLines, progress, stop.Token);
            isDone = true;
        }
        finally
        {
            if (!isDone) stop.Cancel();
        }
    }

    private void Work(IndexWorker worker, int count, bool[] hasLines, Action<int>? progress, CancellationToken cancellation)
    {
        var jobs = new IndexJobs(worker.Info);
        while (!cancellation.IsCancellationRequested)
        {
            int job = Interlocked.Increment(ref _next) - 1;
            if (job >= count) return;
            if (jobs.Unit(job) is { } unit) worker.Do(unit, job, job < hasLines.Length && hasLines[job]);
            int done = Interlocked.Increment(ref _done);
            if (progress is not null && done * 1000L / count != (done - 1) * 1000L / count) progress((int)Math.Min(999, done * 1000L / count));
        }
    }

    // Type and partial units share the line program of the unit that they were taken from: the first one counts.
    private static bool[] FirstUsers(DwarfInfo info)
    {
        var seen = new HashSet<ulong>();
        var isFirst = new bool[info.Units.Count];
        foreach (DebugUnit unit in info.Units) isFirst[unit.Index] = unit.Attributes.LineOffset is { } offset && seen.Add(offset);
        return isFirst;
    }
}

/// <summary>Which unit is which job of the builder: those of the program, of its supplementary file, the type units of its package.</summary>
internal sealed class IndexJobs
{
    private readonly DwarfInfo _info;
    private readonly int _ownCount, _supplementaryCount;
    private readonly ulong[] _packed;

    internal IndexJobs(DwarfInfo info)
    {
        _info = info;
        _ownCount = info.Units.Count;
        _supplementaryCount = info.Set.Supplementary?.Units.Count ?? 0;
        _packed = info.Set.Splits is SplitFiles { Package: { } package } ? [.. package.TypeSignatures] : [];
    }

    internal int Count => _ownCount + _supplementaryCount + _packed.Length;

    /// <summary>Null: there is none.</summary>
    internal DebugUnit? Unit(int job)
    {
        if (job < 0 || job >= Count) return null;
        if (job < _ownCount) return _info.Units[job];
        if (job < _ownCount + _supplementaryCount) return _info.Set.Supplementary!.Units[job - _ownCount];
        return _info.Set.Splits!.TypeUnit(_packed[job - _ownCount - _supplementaryCount]);
    }

    /// <summary>The unit of a job that is known to have no other half. Null: there is none.</summary>
    internal DebugUnit? Whole(int job)
    {
        DebugUnit? unit = Unit(job);
        unit?.HasNoSplit();
        return unit;
    }

    /// <summary>The unit of a job by its number: the unit itself, or from 1 one in the file that was split off. Null: there is none.</summary>
    internal DebugUnit? Unit(int job, uint number)
    {
        if (Unit(job)?.Full is not { } full) return null;
        if (number == 0) return full;
        return number <= (uint)full.Set.Units.Count ? full.Set.Units[(int)number - 1] : null;
    }
}
