using System;
using System.Collections.Generic;
using Dap.Protocol;
using Dap.Sessions;
using Dap.Views;
using Introspection.History;
using Introspection.Locks.History;
using Vmm.Time;

namespace Dap.Requests;

/// <summary>
/// Requests of our own about locks: now, their past, what was wrong with them and with classes of them, and going to where they change hands. All but the last two answer at once with
/// what is known.
/// </summary>
internal sealed class LockRequests
{
    private const int DefaultCount = 100, MaximumCount = 10_000, MaximumBuckets = 4_000;

    private readonly Session _session;

    public LockRequests(Session session) => _session = session;

    public void AddTo(RequestTable requests)
    {
        requests.Add("ttvm/locks", () => Answer.Of(new LockViews(_session).Read(waits: false)));
        requests.Add<TtvmLockHistoryArguments>("ttvm/lockHistory", arguments => Answer.Of(History(arguments)));
        requests.Add("ttvm/lockFindings", () => Answer.Of(Findings()));
        requests.Add("ttvm/lockClasses", () => Answer.Of(Classes()));
        requests.Add<TtvmLockSeekArguments>("ttvm/lockSeek", arguments => Seek(arguments).Answer);
    }

    public TtvmLockHistory History(TtvmLockHistoryArguments arguments)
    {
        Position from = arguments.From is { } first ? _session.ParsePosition(first) : _session.Recording.Start;
        Position to = arguments.To is { } last ? _session.ParsePosition(last) : _session.Recording.End;
        if (to < from) throw new RequestException("the window ends before it begins");
        int start = (int)Math.Clamp(arguments.Start ?? 0, 0, int.MaxValue), count = (int)Math.Clamp(arguments.Count ?? DefaultCount, 0, MaximumCount);
        ulong? address = arguments.Lock is { } name ? _session.Locks.AddressOf(name) : null;
        PastWorker<LockHistory> worker = _session.Locks.Worker();
        var views = new LockHistoryViews(_session);
        bool isComplete = worker.IsComplete;
        return worker.Read(history =>
        {
            LockRecord? one = address is { } of ? history.Find(of) : null;
            var uses = new List<LockUse>();
            if (one is not null)
                foreach (LockUse use in one.Uses)
                    if (IsIn(use, from, to)) uses.Add(use);
            var shown = new List<TtvmLockUse>();
            for (int i = start; i < uses.Count && shown.Count < count; i++) shown.Add(views.Describe(uses[i]));
            return new TtvmLockHistory
            {
                Known = history.Before.ToString(), IsComplete = isComplete, Problem = worker.Failure, LockCount = history.LockCount, UseCount = uses.Count, Uses = shown,
                Locks = one is not null ? [views.Describe(one)] : address is null ? views.Totals(history.Locks, count) : [],
                Buckets = address is not null && arguments.BucketCount is >= 1 and { } buckets ? Buckets(uses, from.InstructionCount, to.InstructionCount, buckets, history) : [],
            };
        });
    }

    private List<TtvmLockBucket> Buckets(List<LockUse> uses, ulong from, ulong to, long wanted, LockHistory history)
    {
        // A window of no width still has a bucket.
        to = Math.Max(to, from + 1);
        int count = (int)Math.Min(wanted, MaximumBuckets);
        if ((ulong)count > to - from) count = (int)(to - from);
        return new LockBuckets(from, to, count, _session.Recording.Configuration.CpuCount, history.Before.InstructionCount).Of(uses);
    }

    private static bool IsIn(LockUse use, Position from, Position to)
    {
        Position? end = use.IsFailed ? use.Wanted : use.Released;
        return use.Wanted <= to && (end is not { } ended || ended >= from);
    }

    public TtvmLockFindings Findings()
    {
        PastWorker<LockHistory> worker = _session.Locks.Worker();
        var views = new LockHistoryViews(_session);
        bool isComplete = worker.IsComplete;
        return worker.Read(history => new TtvmLockFindings { Findings = views.Describe(history.Findings), IsComplete = isComplete, Problem = worker.Failure });
    }

    /// <summary>Waits for all of the past, and replays it once more where locks are in allocated memory.</summary>
    public TtvmLockClasses Classes()
    {
        _session.RequireRecording("searching the recording");
        ClassInversions found = _session.Locks.ReadClasses();
        return new TtvmLockClasses { Findings = new LockHistoryViews(_session).Describe(found.Findings), NestedInOwnClass = found.NestedInOwnClassCount };
    }

    public Going Seek(TtvmLockSeekArguments arguments)
    {
        _session.RequireRecording("searching the recording");
        Func<LockUse, Position?> momentOf = arguments.Event switch
        {
            "wait" => static use => use.IsContended && !use.IsTry ? use.Wanted : null,
            "acquire" => static use => use.Taken,
            "release" => static use => use.Released,
            _ => throw new RequestException($"'{arguments.Event}' is nothing that happens to a lock: wait, acquire or release"),
        };
        ulong address = _session.Locks.AddressOf(arguments.Lock);
        bool isForward = arguments.Reverse != true;
        Position here = _session.Timeline.Position;
        (LockUse Use, Position At)? found = _session.Locks.ReadWhole(address, history => Nearest(history.Find(address)?.Uses ?? [], momentOf, here, isForward));
        var views = new LockHistoryViews(_session);
        string what = arguments.Event;
        return Going.To(_session, found is null ? $"{what} of {views.NameOf(address)}" : what, isForward, found?.At, found?.Use.User.CpuIndex,
            () => views.Sentence(found!.Value.Use, found.Value.At));
    }

    private static (LockUse, Position)? Nearest(IReadOnlyList<LockUse> uses, Func<LockUse, Position?> momentOf, Position here, bool isForward)
    {
        (LockUse, Position At)? best = null;
        foreach (LockUse use in uses)
        {
            if (momentOf(use) is not { } at || (isForward ? at <= here : at >= here)) continue;
            if (best is not { } other || (isForward ? at < other.At : at > other.At)) best = (use, at);
        }
        return best;
    }
}
