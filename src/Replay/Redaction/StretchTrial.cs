using System;
using System.Collections.Generic;
using System.Threading;
using Replay.Checkpoints;
using Replay.Packages;
using Replay.Queries;
using Replay.Replaying;
using Replay.Verification;
using Vmm;
using Vmm.Memory;
using Vmm.Platform;
using Vmm.Time;

namespace Replay.Redaction;

/// <summary>
/// Finds out by replaying which stretches between checkpoints a redacted recording still has. A stretch is whole if it leads, by the same way, from one redacted checkpoint to the next.
/// Else it reaches up to the first access to what was taken out, and the rest is a hole.
/// </summary>
internal sealed class StretchTrial : IDisposable
{
    private const string Memory = "memory was redacted", Log = "input or output was redacted";
    private const int StepsPerComparison = 1 << 12;
    /// <summary>How far both ways are compared step by step; behind that, the state that they lead to says enough.</summary>
    private const int MaximumSteps = 1 << 21;

    private readonly RecordingFile _original, _redacted;
    private readonly int[] _kept;
    private readonly RedactedMemory _memory;
    private readonly RedactedLog _log;
    private readonly RedactionPlan _plan;
    private readonly CancellationToken _cancellation;
    private readonly OutputComparison _outputs;
    private readonly ReplaySession _before;
    private readonly PagePool _pool = new();
    private ReplaySession _after;
    // Where the present stretch of the redacted recording begins.
    private MachineSnapshot? _start;
    // Where the next one does, if not at the checkpoint as it was written.
    private MachineSnapshot? _next;

    /// <param name="original">The recording as it was.</param>
    /// <param name="redacted">Without what was taken out, and without holes as yet.</param>
    /// <param name="kept">The original's checkpoints that the redacted one has.</param>
    /// <param name="memory">What was taken out of memory.</param>
    /// <param name="log">What was taken out of the log.</param>
    /// <param name="plan">With the positions that no replay may go past.</param>
    /// <param name="cancellation">Ends it.</param>
    public StretchTrial(RecordingFile original, RecordingFile redacted, int[] kept, RedactedMemory memory, RedactedLog log, RedactionPlan plan,
        CancellationToken cancellation)
    {
        (_original, _redacted, _kept, _memory, _log, _plan, _cancellation) = (original, redacted, kept, memory, log, plan, cancellation);
        _outputs = new OutputComparison(redacted.Log);
        _before = new ReplaySession(original, new PagePool(), new NullOutputSink());
        _after = new ReplaySession(redacted, _pool, _outputs);
        Spread = new SpreadFiller?[kept.Length];
    }

    /// <summary>By checkpoint: where replay has put more filler; null: it leads to just that checkpoint.</summary>
    public SpreadFiller?[] Spread { get; }

    /// <summary>All holes, in order.</summary>
    public List<RecordingHole> Find(IProgress<double>? progress)
    {
        var holes = new List<RecordingHole>();
        for (int i = 0; i + 1 < _kept.Length; i++)
        {
            _cancellation.ThrowIfCancellationRequested();
            _start = _next ?? _redacted.CheckpointStore.Load(i);
            _next = null;
            if (FindIn(i) is { } hole) holes.Add(hole);
            _start.Pages?.Release();
            progress?.Report((double)(i + 1) / _kept.Length);
        }
        return holes;
    }

    public void Dispose()
    {
        _before.Dispose();
        _after.Dispose();
    }

    private RecordingHole? FindIn(int number)
    {
        Position from = StartOf(number), to = StartOf(number + 1);
        Position? barrier = FirstBarrier(from, to);
        RecordingHole? old = _original.Holes.FirstBetween(from, to);
        bool isUntouched = Spread[number] is null && IsSame(number) && IsSame(number + 1) && _log.FirstChange(from, to) is null;
        if (barrier is null && isUntouched) return old;
        if (barrier is null && old is null && Replays(number, from, to))
        {
            SpreadFiller? spread = Spread[number + 1];
            MachineSnapshot? there = spread is null ? null : _after.Capture();
            if (IsSameWay(number, from, to))
            {
                _next = there;
                return null;
            }
            there?.Pages?.Release();
            Spread[number + 1] = null;
        }
        (Position reach, string why) = isUntouched ? (barrier ?? to, _plan.BarrierReason) : FirstTouch(number, from, old?.From ?? to, barrier) ?? (old?.From ?? from, old?.Why ?? Memory);
        if (old?.From <= reach) (reach, why) = (old.Value.From, old.Value.Why);
        // What nobody has seen being touched, as a chip's reading of memory or executing it, leaves nothing but the checkpoint.
        if (reach > from && !isUntouched && !Arrives(number, from, reach)) reach = from;
        return new RecordingHole(reach, to, why);
    }

    private Position StartOf(int number) => _original.CheckpointStore.PositionOf(_kept[number]);

    private bool IsSame(int number) => _original.CheckpointStore.Meta(_kept[number]).Digest == _redacted.CheckpointStore.Meta(number).Digest;

    private Position? FirstBarrier(Position from, Position before)
    {
        foreach (Position barrier in _plan.Barriers)
            if (barrier >= from && barrier < before) return barrier;
        return null;
    }

    private bool Replays(int number, Position from, Position to)
    {
        try
        {
            RunAfter(from, to);
            _after.SettleOutcome();
            CheckpointMeta expected = _redacted.CheckpointStore.Meta(number + 1);
            if (_after.Position != to || _after.Inputs.Sequence != expected.Sequence) return false;
            if (_after.Digest() == expected.Digest) return true;
            Spread[number + 1] = SpreadFiller.Of(_redacted, _after, number + 1);
            return Spread[number + 1] is not null;
        }
        catch (ReplayDivergenceException)
        {
            BeginAnew();
            return false;
        }
    }

    // A machine that was left in the midst of something is good for nothing more.
    private void BeginAnew()
    {
        _after.Dispose();
        _after = new ReplaySession(_redacted, _pool, _outputs);
    }

    // The redacted machine from the stretch's beginning to a position, with all that it prints.
    private void RunAfter(Position from, Position to)
    {
        _after.Restore(_start!);
        _outputs.Seek(from);
        _after.RunTo(to, _ => !_cancellation.IsCancellationRequested);
        _cancellation.ThrowIfCancellationRequested();
        _outputs.ExpectEverythingBefore(to);
    }

    // Another way may lead to the same state: from the first use of what was taken out on, both go step by step until their states are alike again.
    private bool IsSameWay(int number, Position from, Position to)
    {
        Position first = _log.FirstChange(from, to) ?? to;
        first = FirstHit(number, [.. WatchesOf(number, WatchAccess.Read)], from, first) ?? first;
        if (first == to) return true;
        GoBefore(number, first);
        RunAfter(from, first);
        for (int step = 1; _before.Position < to && step <= MaximumSteps; step++)
        {
            if (step % StepsPerComparison == 0)
            {
                _cancellation.ThrowIfCancellationRequested();
                if (AreStatesAlike()) break;
            }
            _before.Step();
            _after.Step();
            if (_before.Position != _after.Position || !IsSameCode()) return false;
        }
        return true;
    }

    private void GoBefore(int number, Position to)
    {
        _before.Restore(_original.CheckpointStore.Load(_kept[number]));
        _before.RunTo(to, _ => !_cancellation.IsCancellationRequested);
        _cancellation.ThrowIfCancellationRequested();
    }

    private bool AreStatesAlike() => _before.SaveState().SequenceEqual(_after.SaveState());

    private bool IsSameCode()
    {
        for (int i = 0; i < _before.Machine.Vcpus.Count; i++)
            if (_before.Machine.Vcpus[i].State.Rip != _after.Machine.Vcpus[i].State.Rip) return false;
        return true;
    }

    private (Position At, string Why)? FirstTouch(int number, Position from, Position to, Position? barrier)
    {
        List<StopCondition> touches = [.. WatchesOf(number, WatchAccess.Access), .. WatchesOf(number + 1, WatchAccess.Write)];
        (Position At, string Why)? first = barrier is { } at && at < to ? (at, _plan.BarrierReason) : null;
        if (_log.FirstChange(from, to) is { } change && (first is null || change < first.Value.At)) first = (change, Log);
        if (touches.Count > 0 && FirstHit(number, touches, from, first?.At ?? to) is { } touch) first = (touch, Memory);
        return first;
    }

    private IEnumerable<StopCondition> WatchesOf(int number, WatchAccess access)
    {
        foreach ((long offset, int length) in PlacesOf(number))
        {
            // Neighbouring pages may lie on both sides of a gap in the address space.
            for (long at = offset; at < offset + length;)
            {
                int size = (int)Math.Min(offset + length - at, PagedMemory.PageSizeBytes - at % PagedMemory.PageSizeBytes);
                ulong physical = _before.Machine.Memory.AddressOfPage((int)(at >> PagedMemory.PageShift)).Value + (ulong)(at % PagedMemory.PageSizeBytes);
                yield return StopCondition.Watch(physical, size, access, isPhysical: true);
                at += size;
            }
        }
    }

    // What was taken out of RAM at a checkpoint, and where replay has put filler beside.
    private IEnumerable<(long Offset, int Length)> PlacesOf(int number)
    {
        foreach ((long Offset, int Length) place in _memory.RamPlaces[number]) yield return place;
        if (Spread[number] is not { } spread) yield break;
        foreach (((int memory, int page), List<ByteSpan> spans) in spread.Pages)
        {
            if (memory != 0) continue;
            foreach (ByteSpan span in spans) yield return (((long)page << PagedMemory.PageShift) + span.Start, span.Length);
        }
    }

    /// <summary>The first hit from a position on, on the original machine.</summary>
    private Position? FirstHit(int number, IReadOnlyCollection<StopCondition> conditions, Position from, Position before)
    {
        if (conditions.Count == 0 || before <= from) return null;
        GoBefore(number, from);
        Position? first = null;
        var observer = new ConditionObserver(conditions);
        observer.ArmForAll(_before.Machine, from, before, hit =>
        {
            first ??= hit.Event.At;
            _before.Machine.RequestStop();
        });
        try
        {
            _before.RunTo(before, _ => first is null && !_cancellation.IsCancellationRequested);
        }
        finally
        {
            observer.Disarm();
        }
        _cancellation.ThrowIfCancellationRequested();
        return first;
    }

    // Whether the redacted machine gets to a position just as the original does.
    private bool Arrives(int number, Position from, Position reach)
    {
        try
        {
            RunAfter(from, reach);
            if (_after.Position != reach) return false;
        }
        catch (ReplayDivergenceException)
        {
            BeginAnew();
            return false;
        }
        GoBefore(number, reach);
        bool hadSameState = _original.CheckpointStore.Load(_kept[number]).State.Span.SequenceEqual(_start!.State.Span);
        return _before.Inputs.Sequence == _after.Inputs.Sequence && IsSameCode() && (!hadSameState || AreStatesAlike()) && IsMemoryAlike(number);
    }

    // What was written since the checkpoint, but for what was taken out there.
    private bool IsMemoryAlike(int number)
    {
        var dirty = new List<int>();
        for (int m = 0; m < _before.Machine.PagedMemories.Count; m++)
        {
            dirty.Clear();
            _before.Machine.PagedMemories[m].CollectDirty(dirty);
            _after.Machine.PagedMemories[m].CollectDirty(dirty);
            foreach (int page in dirty)
                if (!IsPageAlike(number, m, page)) return false;
        }
        return true;
    }

    private bool IsPageAlike(int number, int memory, int page)
    {
        Span<byte> a = stackalloc byte[PagedMemory.PageSizeBytes], b = stackalloc byte[PagedMemory.PageSizeBytes];
        _before.Machine.PagedMemories[memory].Page(page).CopyTo(a);
        _after.Machine.PagedMemories[memory].Page(page).CopyTo(b);
        if (a.SequenceEqual(b)) return true;
        if (memory != 0) return false;
        long start = (long)page << PagedMemory.PageShift;
        foreach ((long offset, int length) in PlacesOf(number))
        {
            long first = Math.Max(offset, start), end = Math.Min(offset + length, start + a.Length);
            if (first >= end) continue;
            a[(int)(first - start)..(int)(end - start)].Clear();
            b[(int)(first - start)..(int)(end - start)].Clear();
        }
        return a.SequenceEqual(b);
    }
}
