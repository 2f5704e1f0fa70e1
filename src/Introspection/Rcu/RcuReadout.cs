using System;
using System.Collections.Generic;
using System.Threading;
using Introspection.Layouts;
using Introspection.Linux;
using Introspection.State;
using Replay.Queries;
using Replay.Timelines;
using Vmm.Time;

namespace Introspection.Rcu;

/// <summary>Reads read-copy-update at one moment.</summary>
public static class RcuReadout
{
    private const int MaximumCallbacks = 64, MaximumIntervals = 64;

    /// <summary>The state at the view's moment. Nothing in there is trusted, and every walk ends.</summary>
    public static RcuView Read(GuestRcu rcu, GuestView view, LinuxKernel? kernel) =>
        rcu.IsLinux && kernel is not null ? new LinuxRcu(kernel, rcu, view).Read() : ReadDeclared(rcu, view);

    /// <summary>
    /// The same with when and where each reader's section began, which is looked for backwards from the timeline's position, interval by interval, at most 64 of them. The cursor stays.
    /// </summary>
    public static RcuView ReadWithBegins(Timeline timeline, GuestRcu rcu, GuestView view, LinuxKernel? kernel, IProgress<TimelineProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        RcuView now = Read(rcu, view, kernel);
        if (now.Readers.Count == 0 || !rcu.HasReaders) return now;
        var wanted = new Dictionary<ulong, RcuBegin>();
        foreach (RcuReader reader in now.Readers) wanted.TryAdd(ActorOf(rcu, reader), new RcuBegin(reader.Nesting));
        var intervals = new List<ReplayInterval>(timeline.Intervals.IntervalsOf(timeline.Start, timeline.Position));
        intervals.Reverse();
        if (intervals.Count > MaximumIntervals) intervals.RemoveRange(MaximumIntervals, intervals.Count - MaximumIntervals);
        timeline.Intervals.Run(intervals, () => new RcuVisitor(rcu, watchesMemory: false), (_, events) =>
        {
            for (int i = events.Count - 1; i >= 0; i--)
            {
                RcuEvent e = events[i];
                ulong actor = rcu.IsHeldByTask && e.Task != 0 ? e.Task : (ulong)e.CpuIndex;
                if (wanted.TryGetValue(actor, out RcuBegin? begin)) begin.GoBack(e);
            }
            foreach (RcuBegin begin in wanted.Values)
                if (!begin.IsDone) return true;
            return false;
        }, progress, cancellation);
        var readers = new List<RcuReader>();
        foreach (RcuReader reader in now.Readers)
        {
            RcuBegin begin = wanted[ActorOf(rcu, reader)];
            readers.Add(begin.At is { } at ? reader with { Since = at, Caller = begin.Caller } : reader);
        }
        return now with { Readers = readers };
    }

    private static ulong ActorOf(GuestRcu rcu, RcuReader reader) => rcu.IsHeldByTask && reader.Task != 0 ? reader.Task : (ulong)(reader.CpuIndex ?? 0);

    private static RcuView ReadDeclared(GuestRcu rcu, GuestView view)
    {
        var problems = new List<string>(rcu.Problems);
        long? current = (long?)Number(view, rcu.State, rcu.Current), completed = (long?)Number(view, rcu.State, rcu.Completed);
        bool isInProgress = current is { } c && completed is { } d && c - d != (rcu.Layout.State?.IdleDifference ?? 0);
        if (Number(view, rcu.State, rcu.Sequence) is { } sequence && rcu.Layout.State?.StateBits is { } bits)
        {
            isInProgress = (sequence & ((1UL << bits) - 1)) != 0;
            completed = (long)sequence >> bits;
            current = completed + (isInProgress ? 1 : 0);
        }
        List<RcuReader> readers = ReadersOf(rcu, view, current, isInProgress, problems);
        var waits = new List<RcuWait>();
        if (Number(view, rcu.State, rcu.WaitingFor) is { } waiting and not 0)
        {
            if (waiting <= (ulong)view.Machine.Vcpus.Count) waits.Add(new RcuWait((int)waiting - 1, 0, $"the updater looks at vCPU {waiting - 1}"));
            else problems.Add($"It is said to wait for vCPU {waiting - 1}, and there is none of that number.");
        }
        foreach (RcuReader reader in readers)
            if (reader.IsWaitedFor) waits.Add(new RcuWait(reader.CpuIndex, reader.Task, $"a reader on vCPU {reader.CpuIndex} that began in grace period {reader.Period}"));
        string state = current is null ? "unknown" : isInProgress ? $"grace period {current} is in progress" : "no grace period is in progress";
        var callbacks = new List<RcuCallbacks>();
        if (rcu.Callbacks is not null || rcu.CallbackCount is not null)
        {
            List<RcuCallback> first = CallbacksOf(rcu, view, problems);
            callbacks.Add(new RcuCallbacks(null, Number(view, rcu.State, rcu.CallbackCount) ?? (rcu.NextCallback is null ? null : (ulong)first.Count), [], first));
        }
        return new RcuView("declared", new RcuGracePeriodView(current, completed, isInProgress, state, waits), readers, callbacks, [.. rcu.PublishedAt(view)], problems);
    }

    private static List<RcuReader> ReadersOf(GuestRcu rcu, GuestView view, long? current, bool isInProgress, List<string> problems)
    {
        var readers = new List<RcuReader>();
        if (rcu.Readers is not { } first || rcu.Since is not { } since || rcu.ReaderStride == 0) return readers;
        for (int cpu = 0; cpu < view.Machine.Vcpus.Count; cpu++)
        {
            ulong at = first + (ulong)cpu * rcu.ReaderStride;
            if (Number(view, at, since) is not { } period)
            {
                problems.Add($"What vCPU {cpu} says of its reader is not in memory.");
                continue;
            }
            if (period == 0) continue;
            ulong task = rcu.Tasks.Of(new GuestView(view.Machine, view.Machine.Vcpus[cpu]));
            readers.Add(new RcuReader
            {
                CpuIndex = cpu, Task = task, TaskName = task == 0 ? null : rcu.Tasks.NameOf(view, task), Period = (long)period, Nesting = (int?)Number(view, at, rcu.Nesting),
                IsWaitedFor = isInProgress && (long)period != current,
            });
        }
        return readers;
    }

    private static List<RcuCallback> CallbacksOf(GuestRcu rcu, GuestView view, List<string> problems)
    {
        var callbacks = new List<RcuCallback>();
        if (rcu.NextCallback is not { } next || Number(view, rcu.State, rcu.Callbacks) is not { } at) return callbacks;
        var seen = new HashSet<ulong>();
        while (at != 0 && callbacks.Count < MaximumCallbacks)
        {
            if (!seen.Add(at))
            {
                problems.Add($"The list of callbacks is a cycle: it comes back to 0x{at:x}.");
                break;
            }
            callbacks.Add(new RcuCallback(at, Number(view, at, rcu.CallbackFunction) ?? 0));
            if (Number(view, at, next) is not { } following)
            {
                problems.Add($"The callback at 0x{at:x} is not in memory.");
                break;
            }
            at = following;
        }
        return callbacks;
    }

    private static ulong? Number(GuestView view, ulong? structure, MemoryField? field) =>
        structure is { } at && field is { } there ? view.ReadNumber(at + (ulong)there.OffsetBytes, there.SizeBytes) : null;

    // Goes backwards over what one reader did, to where its outermost section began.
    private sealed class RcuBegin(int? nesting)
    {
        private int _closed, _depth = nesting ?? 1;

        public bool IsDone { get; private set; }
        public Position? At { get; private set; }
        public ulong Caller { get; private set; }

        public void GoBack(in RcuEvent e)
        {
            if (IsDone) return;
            if (e.Step == RcuStep.ReadUnlock)
            {
                // Without a count of nested ones: it is about to begin, or the unlock has not been entered for long.
                if (nesting is null) IsDone = true;
                _closed++;
            }
            else if (e.Step == RcuStep.ReadLock)
            {
                if (_closed > 0)
                {
                    _closed--;
                    return;
                }
                if (--_depth > 0) return;
                (IsDone, At, Caller) = (true, e.At, e.Code);
            }
        }
    }
}
