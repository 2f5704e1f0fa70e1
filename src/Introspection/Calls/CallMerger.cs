using System;
using System.Collections.Generic;
using System.Threading;
using Replay.Queries;
using Replay.Timelines;
using Vmm.Time;

namespace Introspection.Calls;

/// <summary>Puts what was found in single intervals together, in their order: calls that began in one and returned in another.</summary>
internal sealed class CallMerger
{
    /// <summary>Entries that turn out to be none, as they only go on, may be among those of an interval.</summary>
    private const int Slack = 16;

    private readonly IntervalScan _scan;
    private readonly CallQuery _query;
    private readonly int _limit;
    private List<FunctionCall> _open;
    private volatile bool _isFull;

    /// <param name="scan">Replays intervals.</param>
    /// <param name="query">What is looked for.</param>
    /// <param name="limit">How many calls are enough.</param>
    /// <param name="open">Calls that are under way where the first interval begins.</param>
    public CallMerger(IntervalScan scan, CallQuery query, int limit, List<FunctionCall> open)
    {
        _scan = scan;
        _query = query;
        _limit = limit;
        _open = [.. open];
    }

    /// <summary>Calls that are entered from here on are not wanted; intervals behind are for the returns.</summary>
    public Position EntriesBefore { get; init; } = new(ulong.MaxValue);

    /// <summary>In the order of their entries.</summary>
    public List<FunctionCall> Calls { get; private set; } = [];

    public void Run(IReadOnlyList<ReplayInterval> intervals, WantedCalls wanted, IProgress<TimelineProgress>? progress, CancellationToken cancellation)
    {
        _isFull = wanted == WantedCalls.None;
        if (_isFull && _open.Count == 0) return;
        int most = (int)Math.Min(int.MaxValue, (long)_limit + Slack);
        _scan.Run(intervals, () => new CallVisitor(_query, wanted, most, []), (index, found) => Take(intervals[index], found, cancellation), progress, cancellation);
        // What has not returned does not meet a condition on the result.
        if (_query.NeedsResult) Calls.RemoveAll(static call => call.End != CallEnd.Returned);
    }

    private bool Take(in ReplayInterval interval, IntervalCalls found, CancellationToken cancellation)
    {
        Settle(interval, found, cancellation);
        if (_query.NeedsResult) Calls.RemoveAll(static call => call.IsRejected);
        _open.RemoveAll(static call => call.End != CallEnd.Open);
        _isFull |= interval.From >= EntriesBefore;
        if (!_isFull)
        {
            Calls.AddRange(found.Calls);
            _open.AddRange(found.Open);
        }
        if (!_isFull && Calls.Count >= _limit && HasSurePrefix())
        {
            _isFull = true;
            // Only what becomes of the first ones matters now.
            Calls.RemoveRange(_limit, Calls.Count - _limit);
            var kept = new HashSet<FunctionCall>(Calls);
            _open.RemoveAll(call => !kept.Contains(call));
        }
        return !_isFull || _open.Count > 0;
    }

    // The calls that are wanted are the first ones of the list, whatever becomes of those under way.
    private bool HasSurePrefix()
    {
        if (!_query.NeedsResult) return true;
        for (int i = 0; i < _limit; i++)
            if (Calls[i].End != CallEnd.Returned) return false;
        return true;
    }

    // What an interval says about the calls that were under way when it began.
    private void Settle(in ReplayInterval interval, IntervalCalls found, CancellationToken cancellation)
    {
        var unclear = new List<FunctionCall>();
        foreach (FunctionCall call in _open)
            if (!TrySettle(call, found)) unclear.Add(call);
        if (unclear.Count == 0) return;
        // Its return address was not known yet when the interval was replayed, or memory is asked for that is only there at the return.
        foreach (FunctionCall call in unclear)
        {
            (call.End, call.Return, call.ReturnCpuIndex, call.ReturnRegisters, call.Result, call.IsRejected) = (CallEnd.Open, null, null, null, null, false);
        }
        _scan.Run([interval], () => new CallVisitor(_query, WantedCalls.None, 0, unclear), (_, again) =>
        {
            foreach (Position at in again.Resumed) Drop(found, at);
            return true;
        }, null, cancellation);
    }

    // False: the interval has to be replayed once more.
    private bool TrySettle(FunctionCall call, IntervalCalls found)
    {
        if (EarlyReturnOf(call, found) is { } early) return TryReturn(call, early);
        if (call.ReturnAddress != 0 && !found.Watched.Contains(call.ReturnAddress)) return false;
        if (!found.FirstEntries.TryGetValue(call.Slot, out List<FirstEntry>? entries)) return true;
        foreach (FirstEntry entry in entries)
        {
            if (!call.IsOnStack(entry.AddressSpace, entry.SlotPhysical, entry.IsSupervisor)) continue;
            bool isSameReturn = entry.ReturnAddress == call.ReturnAddress;
            bool isResumed = entry.EnteredBy == CallEntry.Unknown && isSameReturn && entry.Target == call.Target;
            if (!isResumed && !(entry.EnteredBy == CallEntry.TailCall && isSameReturn))
            {
                call.End = CallEnd.Abandoned;
                call.IsRejected = _query.NeedsResult;
                return true;
            }
            // It shares the fate of the later one.
            if (entry.Call is not { } later || later.IsRejected) return false;
            if (later.End == CallEnd.Returned && !TryReturn(call, ReturnOf(later))) return false;
            if (later.End == CallEnd.Abandoned) call.End = CallEnd.Abandoned;
            if (isResumed) Drop(found, later.Entry);
            return true;
        }
        return true;
    }

    // False: it needs memory that is not there any more.
    private bool TryReturn(FunctionCall call, in ReturnEvent happened)
    {
        var memory = new GoneMemory();
        _query.Return(call, happened, memory);
        return !memory.WasWanted;
    }

    private static ReturnEvent ReturnOf(FunctionCall call) =>
        new(call.ReturnAddress, call.AddressSpace, call.SlotPhysical, call.IsSupervisor, call.Return!.Value, call.ReturnCpuIndex!.Value, call.ReturnRegisters!);

    private static ReturnEvent? EarlyReturnOf(FunctionCall call, IntervalCalls found)
    {
        if (!found.EarlyReturns.TryGetValue(call.Slot, out List<ReturnEvent>? returns)) return null;
        foreach (ReturnEvent one in returns)
            if (one.Address == call.ReturnAddress && call.IsOnStack(one.AddressSpace, one.SlotPhysical, one.IsSupervisor)) return one;
        return null;
    }

    private static void Drop(IntervalCalls found, Position entry)
    {
        found.Calls.RemoveAll(call => call.Entry == entry);
        found.Open.RemoveAll(call => call.Entry == entry);
    }
}
