using System;
using System.Collections.Generic;
using System.Threading;
using Microsoft.Extensions.Logging;
using Replay.Checkpoints;
using Replay.Messages;
using Replay.Packages;
using Replay.Queries;
using Replay.Recording;
using Replay.Redaction;
using Replay.Replaying;
using Vmm.Memory;
using Vmm.Platform;
using Vmm.Time;

namespace Replay.Timelines;

/// <summary>
/// A recording with a cursor: the machine stands at <see cref="Position"/> and can be looked at. Not thread-safe; its reverse scans use
/// other machines on other threads inside. A cancelled movement throws <see cref="OperationCanceledException"/> and leaves the cursor where
/// it was.
/// </summary>
public sealed class Timeline : IDisposable
{
    /// <summary>What it costs to put a machine elsewhere, in instructions: blocks are decoded and shadow page tables filled
    /// again.</summary>
    private const ulong RestoreCost = 100_000;
    /// <summary>Snapshots are taken on the way to a position down to this distance.</summary>
    private const ulong DensestDistance = 2_048;
    /// <summary>Distance of the snapshots that a continue leaves behind.</summary>
    private const ulong TrailDistance = 4_000_000;
    private const int MaxStepsPerChunk = 1 << 20;
    private const int StepsPerCheck = 1 << 16;

    private readonly TimelineOptions _options;
    private readonly ILogger _log;
    private readonly PagePool _pool = new();
    private readonly NearbySnapshots _nearby;
    private readonly SessionPool _sessions;
    private readonly CheckpointStore _checkpoints;
    private readonly ReplaySession _session;
    private readonly PrintedTexts _printed;
    private readonly LiveRecording? _live;
    private readonly Dictionary<Position, MachineSnapshot> _kept = [];

    /// <summary>Stands at the start of a recording that is still being made. Its end is where the guest lives: what goes forward there lets it live on.</summary>
    /// <param name="live">Stays the caller's to dispose of.</param>
    /// <param name="options">Limits.</param>
    public Timeline(LiveRecording live, TimelineOptions? options = null) : this(live.Recording, options) => _live = live;

    /// <summary>Stands at the start. The recording stays the caller's to dispose of.</summary>
    /// <exception cref="RecordingFormatException">The recording does not make a machine.</exception>
    public Timeline(RecordingFile recording, TimelineOptions? options = null)
    {
        _options = options ?? new TimelineOptions();
        Recording = recording;
        _printed = new PrintedTexts(recording);
        _log = recording.Loggers.CreateLogger(typeof(Timeline).FullName!);
        recording.Pages.CacheBudgetBytes = Math.Max(16L << 20, _options.MemoryBudgetBytes / 4);
        _nearby = new NearbySnapshots(_pool, _options.MemoryBudgetBytes - _options.MemoryBudgetBytes / 4);
        _sessions = new SessionPool(recording, _pool, _options.MemoryBudgetBytes);
        _checkpoints = recording.CheckpointStore;
        _session = new ReplaySession(recording, _pool, new NullOutputSink());
        try
        {
            _session.Restore(_checkpoints.Load(0));
        }
        catch
        {
            _session.Dispose();
            throw;
        }
    }

    public RecordingFile Recording { get; }

    /// <summary>The machine at the cursor. Look, do not run or change it: that is what <see cref="Divert"/> is for.</summary>
    public Machine Machine => _session.Machine;

    public Position Position => _session.Position;
    public Position Start => Recording.Start;

    /// <summary>The last position that can be visited; of a living guest's recording, up to now.</summary>
    public Position End => Recording.End;

    /// <summary>The guest still lives: behind the end there is more to come.</summary>
    public bool IsLive => _live is { IsAlive: true };

    private RecordingHoles Holes => Recording.Holes;

    private int Parallelism => _options.MaxParallelism > 0 ? _options.MaxParallelism : Environment.ProcessorCount;

    /// <summary>Keeps the state at the cursor in memory: coming back there replays nothing. Takes what memory the pages need that changed since the nearest checkpoint.</summary>
    public void Keep()
    {
        if (!_kept.ContainsKey(Position)) _kept.Add(Position, _session.Capture());
    }

    /// <summary>The state at a position is kept.</summary>
    public bool IsKept(Position position) => _kept.ContainsKey(position);

    /// <summary>Keeps it no more; nothing happens when it is not kept.</summary>
    public void Forget(Position position)
    {
        if (_kept.Remove(position, out MachineSnapshot? snapshot)) snapshot.Pages?.Release();
    }

    /// <summary>Digest of the whole state at the cursor.</summary>
    public StateDigest Digest() => _session.Digest();

    /// <summary>Moves to a position. One between two events that does not exist lands on the next that does.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Before the start, or past the end.</exception>
    /// <exception cref="RedactedPositionException">It cannot be replayed any more.</exception>
    public void Seek(Position target, IProgress<TimelineProgress>? progress = null, CancellationToken cancellation = default)
    {
        if (target > End)
            throw new ArgumentOutOfRangeException(nameof(target), $"position {target} is past the end of the recording, which is {End}");
        if (target < Start)
            throw new ArgumentOutOfRangeException(nameof(target), $"position {target} is before the start of the recording, which is {Start}");
        if (Holes.At(target) is { } hole) throw new RedactedPositionException(target, hole);
        cancellation.ThrowIfCancellationRequested();
        Position origin = Position;
        if (TryMoveTo(target, progress, cancellation)) return;
        TryMoveTo(origin, null, default);
        cancellation.ThrowIfCancellationRequested();
    }

    /// <summary>
    /// Forward by <paramref name="count"/> transitions: instructions (or REP iterations) retired and events in between. A living guest lives on when the end is
    /// reached; that it waits for an input is ended by cancellation. A hole ends the movement at its edge; one that begins there is one step over the hole.
    /// </summary>
    public TimelineStop StepForward(ulong count = 1, IProgress<TimelineProgress>? progress = null, CancellationToken cancellation = default)
    {
        Position origin = Position;
        for (ulong done = 0; done < count; done++)
        {
            if (Position >= End && !TryLiveOn(cancellation))
            {
                _session.SettleOutcome();
                return Stop(TimelineStopReason.End);
            }
            RecordingHole? hole = Holes.BeginningAt(Position);
            if (hole is null || done == 0) StepOnce();
            if (hole is { } edge) return StopAt(edge);
            if (done % StepsPerCheck != StepsPerCheck - 1) continue;
            progress?.Report(new TimelineProgress(done, count));
            if (cancellation.IsCancellationRequested) ReturnTo(origin, cancellation);
        }
        _session.SettleOutcome();
        return Stop(TimelineStopReason.Done);
    }

    /// <summary>Back by <paramref name="count"/> transitions: the exact inverse of <see cref="StepForward"/>.</summary>
    public TimelineStop StepBack(ulong count = 1, IProgress<TimelineProgress>? progress = null, CancellationToken cancellation = default)
    {
        Position origin = Position, cursor = origin;
        var positions = new List<Position>();
        for (ulong left = count; left > 0;)
        {
            RecordingHole? hole = Holes.LastBefore(cursor);
            if (hole is { } edge && edge.To == cursor)
            {
                MoveTo(cursor == origin ? edge.From : edge.To);
                if (cursor == origin) Holes.Pass(edge);
                return StopAt(edge);
            }
            if (cursor == Start)
            {
                MoveTo(Start);
                return Stop(TimelineStopReason.Start);
            }
            if (cursor.EventOrdinal >= left)
            {
                // Ordinals have no gaps.
                MoveTo(cursor with { EventOrdinal = cursor.EventOrdinal - (uint)left });
                return Stop(TimelineStopReason.Done);
            }
            // How many events lie between instructions is only known after going over them: a stretch of at least the transitions that are
            // left, or a chunk of them.
            ulong stretch = Math.Min(Math.Min(left, MaxStepsPerChunk), cursor.InstructionCount);
            var from = new Position(cursor.InstructionCount - stretch);
            if (hole is { } before && before.To > from) from = before.To;
            MoveTo(from);
            MachineSnapshot? here = stretch <= DensestDistance ? _session.Capture() : null;
            CollectPositions(cursor, positions);
            bool isLast = (ulong)positions.Count >= left;
            Position target = isLast ? positions[positions.Count - (int)left] : from;
            if (here is not null)
            {
                _session.Restore(here);
                here.Pages?.Release();
            }
            if (isLast)
            {
                MoveTo(target);
                return Stop(TimelineStopReason.Done);
            }
            left -= (ulong)positions.Count;
            cursor = from;
            progress?.Report(new TimelineProgress(count - left, count));
            if (cancellation.IsCancellationRequested) ReturnTo(origin, cancellation);
        }
        return Stop(TimelineStopReason.Done);
    }

    /// <summary>Forward to the first hit after the cursor, or the end.</summary>
    public TimelineStop Continue(IReadOnlyCollection<StopCondition> conditions, IProgress<TimelineProgress>? progress = null,
        CancellationToken cancellation = default) => Continue(conditions, null, progress, cancellation);

    /// <summary>Forward to the first hit after the cursor, or the end, or a limit.</summary>
    /// <param name="conditions">Any of them.</param>
    /// <param name="limit">Stand there (<see cref="TimelineStopReason.Done"/>) when nothing is hit before it; null: the end.</param>
    /// <param name="progress">Of the movement.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <param name="stopsAtHoles">Stand at the edge of a hole (<see cref="TimelineStopReason.Hole"/>), and go over it when standing there; else holes are passed over.</param>
    public TimelineStop Continue(IReadOnlyCollection<StopCondition> conditions, Position? limit, IProgress<TimelineProgress>? progress, CancellationToken cancellation,
        bool stopsAtHoles = false)
    {
        Position after = Position;
        RecordingHole? edge = null;
        if (stopsAtHoles)
        {
            // At an edge it was told of the hole.
            if (Holes.BeginningAt(after) is { } here && (limit is null || limit >= here.To)) MoveTo(here.To);
            edge = Holes.FirstBetween(Position, limit ?? End);
        }
        QueryHit? printed = _printed.Find(conditions, after, reverse: false, out List<StopCondition> others);
        if (printed?.Event.At >= (edge?.From ?? limit)) printed = null;
        Position last = printed?.Event.At ?? edge?.From ?? limit ?? End;
        IReadOnlyList<QueryHit> hits = others.Count == 0 ? [] : FindFirst(others, after, last, progress, cancellation);
        if (hits.Count == 0 && printed is { } hit) hits = [hit];
        Seek(hits.Count > 0 ? hits[0].Event.At : last, others.Count == 0 ? progress : null, cancellation);
        if (hits.Count > 0) return new TimelineStop(TimelineStopReason.Hit, Position, hits);
        return edge is { } reached ? StopAt(reached) : Stop(limit is null ? TimelineStopReason.End : TimelineStopReason.Done);
    }

    /// <summary>
    /// Lets the guest live on, from the end of what is recorded, until a condition is met, it ends, or cancellation, which leaves the cursor at the end then
    /// (<see cref="TimelineStopReason.Done"/>): a life cannot be undone. At a hit the cursor stands just before it, as in a recording.
    /// </summary>
    /// <exception cref="Vmm.InvariantException">The guest does not live.</exception>
    public TimelineStop ContinueLive(IReadOnlyCollection<StopCondition> conditions, CancellationToken cancellation = default)
    {
        Vmm.Invariant.Check(IsLive);
        IReadOnlyList<QueryHit> hits = _live!.Run(conditions, Position, cancellation);
        Seek(hits.Count > 0 ? hits[0].Event.At : End, null, CancellationToken.None);
        if (hits.Count > 0) return new TimelineStop(TimelineStopReason.Hit, Position, hits);
        return Stop(IsLive ? TimelineStopReason.Done : TimelineStopReason.End);
    }

    /// <summary>Back to the last hit before the cursor, or the start.</summary>
    public TimelineStop ReverseContinue(IReadOnlyCollection<StopCondition> conditions, IProgress<TimelineProgress>? progress = null,
        CancellationToken cancellation = default) => ReverseContinue(conditions, null, progress, cancellation);

    /// <summary>Back to the last hit before the cursor, or the start, or a limit.</summary>
    /// <param name="conditions">Any of them.</param>
    /// <param name="limit">Stand there (<see cref="TimelineStopReason.Done"/>) when nothing is hit from it on; null: the start.</param>
    /// <param name="progress">Of the movement.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <param name="stopsAtHoles">As going forward.</param>
    public TimelineStop ReverseContinue(IReadOnlyCollection<StopCondition> conditions, Position? limit, IProgress<TimelineProgress>? progress, CancellationToken cancellation,
        bool stopsAtHoles = false)
    {
        RecordingHole? edge = null;
        if (stopsAtHoles)
        {
            if (Holes.LastBefore(Position) is { } here && here.To == Position && (limit is null || limit <= here.From)) MoveTo(here.From);
            edge = Holes.LastBefore(Position);
            if (edge?.To <= limit) edge = null;
        }
        QueryHit? printed = _printed.Find(conditions, Position, reverse: true, out List<StopCondition> others);
        Position first = edge?.To ?? limit ?? Start;
        if (printed?.Event.At < first) printed = null;
        IReadOnlyList<QueryHit> hits = others.Count == 0 ? [] : FindLast(others, printed?.Event.At ?? first, null, progress, cancellation);
        if (hits.Count == 0 && printed is { } hit) hits = [hit];
        Seek(hits.Count > 0 ? hits[0].Event.At : first, null, cancellation);
        if (hits.Count > 0) return new TimelineStop(TimelineStopReason.Hit, Position, hits);
        return edge is { } reached ? StopAt(reached) : Stop(limit is null ? TimelineStopReason.Start : TimelineStopReason.Done);
    }

    /// <summary>Every hit from a position on and before another, in their order; the cursor stays.</summary>
    /// <param name="conditions">Any but console texts.</param>
    /// <param name="from">The first position that counts.</param>
    /// <param name="before">The first one that does not.</param>
    /// <param name="onHit">Called with a machine that may be looked at: at a breakpoint it stands just before the instruction, at anything else in the midst of it.</param>
    /// <param name="progress">Of the scan.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>.</param>
    public void Scan(IReadOnlyCollection<StopCondition> conditions, Position from, Position before, Action<Machine, QueryHit> onHit, IProgress<TimelineProgress>? progress,
        CancellationToken cancellation)
    {
        if (before <= from) return;
        ReplaySession session = _sessions.Rent();
        var observer = new ConditionObserver(conditions);
        bool isGood = false;
        try
        {
            MachineSnapshot? nearby = _nearby.FindAtOrBefore(from);
            int checkpoint = _checkpoints.FindAtOrBefore(from);
            bool isNearer = nearby is not null && nearby.Position > _checkpoints.PositionOf(checkpoint);
            session.Restore(isNearer ? nearby! : _checkpoints.Load(checkpoint));
            observer.ArmForAll(session.Machine, from, before, hit => onHit(session.Machine, hit));
            ulong done = 0, total = before.InstructionCount - session.Machine.InstructionCount;
            session.RunTo(before, count =>
            {
                progress?.Report(new TimelineProgress(done += count, total));
                return !cancellation.IsCancellationRequested;
            });
            isGood = true;
        }
        finally
        {
            observer.Disarm();
            if (isGood) _sessions.Return(session);
            else session.Dispose();
        }
        cancellation.ThrowIfCancellationRequested();
    }

    /// <summary>Replays many intervals at once, for questions about the whole recording; the cursor stays.</summary>
    public IntervalScan Intervals => new(_checkpoints, _sessions, _log, Parallelism);

    /// <summary>Moves to the last write before the cursor to any of the bytes; null (and the cursor stays) when nothing wrote them since
    /// the start.</summary>
    public MachineEvent? LastWrite(ulong address, int sizeBytes, bool isPhysical, IProgress<TimelineProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        StopCondition[] conditions = [StopCondition.Watch(address, sizeBytes, WatchAccess.Write, isPhysical)];
        (int First, int Last)? pages = isPhysical ? RamPages(address, sizeBytes) : null;
        IReadOnlyList<QueryHit> hits = FindLast(conditions, Start, pages, progress, cancellation);
        if (hits.Count == 0) return null;
        Seek(hits[0].Event.At, null, cancellation);
        return hits[0].Event;
    }

    /// <summary>Moves to the first write after the cursor to any of the bytes; null (and the cursor stays) when nothing does up to the
    /// end.</summary>
    public MachineEvent? NextWrite(ulong address, int sizeBytes, bool isPhysical, IProgress<TimelineProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        Position origin = Position;
        StopCondition[] conditions = [StopCondition.Watch(address, sizeBytes, WatchAccess.Write, isPhysical)];
        if (isPhysical) SkipUnwritten(RamPages(address, sizeBytes));
        IReadOnlyList<QueryHit> hits;
        try
        {
            hits = FindFirst(conditions, origin, End, progress, cancellation);
        }
        catch (OperationCanceledException)
        {
            MoveTo(origin);
            throw;
        }
        if (hits.Count == 0)
        {
            MoveTo(origin);
            return null;
        }
        Seek(hits[0].Event.At, null, cancellation);
        return hits[0].Event;
    }

    /// <summary>
    /// Moves to the last transition before the cursor that a probe picks; null (and the cursor stays) when there is none since the start. Every transition is looked at, which is a tenth as
    /// fast as replaying, but those of other vCPUs are passed over.
    /// </summary>
    /// <param name="makeProbe">Makes one for each thread.</param>
    /// <param name="progress">Of the search.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>.</param>
    public Position? LastTransition(Func<ITransitionProbe> makeProbe, IProgress<TimelineProgress>? progress = null, CancellationToken cancellation = default)
    {
        var scan = new ReverseScan<TransitionHit>(IntervalsBefore(Position, Start, null), () => new TransitionScan(makeProbe()), _sessions, _checkpoints, _log, cancellation);
        if (scan.Run(Parallelism, progress) is not { } hit) return null;
        Seek(hit.At, null, cancellation);
        return hit.At;
    }

    /// <summary>Forward by one transition of the recording, telling all that happens in it, with the accesses to watched memory.</summary>
    /// <exception cref="Vmm.InvariantException">The cursor is at the end.</exception>
    public IReadOnlyList<MachineEvent> StepWatching(IReadOnlyCollection<Watch> watches)
    {
        Vmm.Invariant.Check(Position < End);
        var events = new EventCollector();
        Machine.Observer = events;
        Machine.SetWatches(watches);
        try
        {
            StepOnce();
        }
        finally
        {
            Machine.Observer = null;
            Machine.SetWatches([]);
        }
        return events.Events;
    }

    /// <summary>Moves to where the text was printed; null (and the cursor stays) when nowhere.</summary>
    public ConsoleOutput? FindConsole(string text, bool reverse, IProgress<TimelineProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        if (_printed.Find(text, Position, reverse) is not { } found) return null;
        Seek(found.At, progress, cancellation);
        return found;
    }

    /// <summary>A throw-away machine in the state at the cursor.</summary>
    public Diversion Divert()
    {
        MachineSnapshot snapshot = _session.Capture();
        try
        {
            return new Diversion(Recording, _pool, snapshot);
        }
        finally
        {
            snapshot.Pages?.Release();
        }
    }

    public void Dispose()
    {
        _nearby.Clear();
        foreach (MachineSnapshot snapshot in _kept.Values) snapshot.Pages?.Release();
        _kept.Clear();
        _sessions.Dispose();
        _session.Dispose();
    }

    private TimelineStop Stop(TimelineStopReason reason) => new(reason, Position, []);

    private TimelineStop StopAt(in RecordingHole hole) => new(TimelineStopReason.Hole, Position, []) { Hole = hole };

    // False: there is no more life to come, or it was cancelled before anything happened.
    private bool TryLiveOn(CancellationToken cancellation)
    {
        if (!IsLive || cancellation.IsCancellationRequested) return false;
        _live!.Step(cancellation);
        return Position < End;
    }

    private void StepOnce()
    {
        Position before = Position;
        _session.Step();
        if (Position == before)
            throw new ReplayDivergenceException(before, $"the machine to live until {End}", $"its end ({Machine.Outcome.Detail})");
    }

    private void MoveTo(Position target)
    {
        bool arrived = TryMoveTo(target, null, default);
        Vmm.Invariant.Check(arrived);
    }

    private void ReturnTo(Position origin, CancellationToken cancellation)
    {
        MoveTo(origin);
        cancellation.ThrowIfCancellationRequested();
    }

    /// <summary>False when it was cancelled on the way; the cursor then is anywhere.</summary>
    private bool TryMoveTo(Position target, IProgress<TimelineProgress>? progress, CancellationToken cancellation)
    {
        if (target == Position) return true;
        StartNear(target);
        ulong total = target.InstructionCount - _session.Machine.InstructionCount, done = 0;
        bool AfterSlice(ulong count)
        {
            done += count;
            progress?.Report(new TimelineProgress(done, total));
            return !cancellation.IsCancellationRequested;
        }
        // Snapshots at half the way, three quarters, seven eighths: going back from there soon finds one near.
        for (ulong left = total; left > DensestDistance; left = target.InstructionCount - Position.InstructionCount)
        {
            if (!_session.RunTo(new Position(target.InstructionCount - left / 2), AfterSlice)) return false;
            _nearby.Add(_session.Capture(), target);
        }
        if (!_session.RunTo(target, AfterSlice)) return false;
        _session.SettleOutcome();
        return true;
    }

    // Puts the machine at the best place to run to the target from, which may be where it is.
    private void StartNear(Position target)
    {
        if (_kept.TryGetValue(target, out MachineSnapshot? kept))
        {
            _session.Restore(kept);
            _log.RestoredFor(target, "a state that is kept", target, 0);
            return;
        }
        int checkpoint = _checkpoints.FindAtOrBefore(target);
        MachineSnapshot? nearby = _nearby.FindAtOrBefore(target);
        Position best = _checkpoints.PositionOf(checkpoint);
        if (nearby is not null && nearby.Position >= best) best = nearby.Position;
        else nearby = null;
        if (Position <= target && (Position >= best || best.InstructionCount - Position.InstructionCount < RestoreCost) && Holes.FirstBetween(Position, target) is null)
        {
            _log.GoesOnFor(target, Position, target.InstructionCount - Position.InstructionCount);
            return;
        }
        _session.Restore(nearby ?? _checkpoints.Load(checkpoint));
        _log.RestoredFor(target, nearby is null ? "a checkpoint" : "a snapshot in memory", best, target.InstructionCount - best.InstructionCount);
    }

    private void CollectPositions(Position until, List<Position> positions)
    {
        positions.Clear();
        while (Position < until)
        {
            positions.Add(Position);
            StepOnce();
        }
        if (Position != until)
            throw new ReplayDivergenceException(until, "the position to exist", $"{Position}, which follows {positions[^1]}");
    }

    /// <summary>The first hits behind a position and before a limit; the cursor may end up anywhere.</summary>
    private IReadOnlyList<QueryHit> FindFirst(IReadOnlyCollection<StopCondition> conditions, Position after, Position limit,
        IProgress<TimelineProgress>? progress, CancellationToken cancellation)
    {
        Position origin = Position;
        var observer = new ConditionObserver(conditions);
        ulong total = limit.InstructionCount - Math.Min(origin.InstructionCount, limit.InstructionCount), done = 0;
        // So that coming back to a hit close by is cheap.
        _nearby.Add(_session.Capture(), origin);
        _log.ForwardScanBegins(conditions.Count, origin, limit);
        observer.ArmForFirst(Machine, after);
        try
        {
            while (Position < limit)
            {
                ulong next = Math.Min(limit.InstructionCount, Position.InstructionCount + TrailDistance);
                Position stop = next == limit.InstructionCount ? limit : new Position(next);
                bool arrived = _session.RunTo(stop, count =>
                {
                    progress?.Report(new TimelineProgress(done += count, total));
                    return observer.Hits.Count == 0 && !cancellation.IsCancellationRequested;
                });
                if (observer.Hits.Count > 0) break;
                if (!arrived) break;
                if (Position < limit) _nearby.Add(_session.Capture(), Position);
            }
            // A breakpoint reports before its instruction: let that do what else is asked for.
            if (observer.Hits.Count > 0 && Position == observer.Hits[0].Event.At) StepOnce();
        }
        finally
        {
            observer.Disarm();
        }
        _log.ForwardScanEnds(observer.Hits.Count, Position);
        if (observer.Hits.Count == 0 && cancellation.IsCancellationRequested) ReturnTo(origin, cancellation);
        return observer.Hits.Count > 0 && observer.Hits[0].Event.At < limit ? observer.Hits : [];
    }

    /// <summary>The last hits before the cursor, from a position on; the cursor stays.</summary>
    /// <param name="conditions">No console texts.</param>
    /// <param name="from">Where to stop looking.</param>
    /// <param name="ramPages">When only stores to these pages matter: first and last page of RAM. Intervals that did not dirty them are
    /// skipped.</param>
    /// <param name="progress">Of the scan.</param>
    /// <param name="cancellation">Of the scan.</param>
    private IReadOnlyList<QueryHit> FindLast(IReadOnlyCollection<StopCondition> conditions, Position from, (int First, int Last)? ramPages,
        IProgress<TimelineProgress>? progress, CancellationToken cancellation)
    {
        List<ScanInterval> intervals = IntervalsBefore(Position, from, ramPages);
        var scan = new ReverseScan<IReadOnlyList<QueryHit>>(intervals, () => new ConditionScan(conditions), _sessions, _checkpoints, _log, cancellation);
        IReadOnlyList<QueryHit> hits = scan.Run(Parallelism, progress) ?? [];
        return hits.Count > 0 && hits[0].Event.At >= from ? hits : [];
    }

    // The stretches between snapshots, from the latest to the earliest.
    private List<ScanInterval> IntervalsBefore(Position before, Position from, (int First, int Last)? ramPages)
    {
        var intervals = new List<ScanInterval>();
        Position to = before;
        int nearby = _nearby.Count - 1;
        for (int checkpoint = _checkpoints.FindAtOrBefore(to); to > from;)
        {
            while (nearby >= 0 && _nearby[nearby].Position >= to) nearby--;
            while (checkpoint > 0 && _checkpoints.PositionOf(checkpoint) >= to) checkpoint--;
            Position start = _checkpoints.PositionOf(checkpoint);
            MachineSnapshot? snapshot = nearby >= 0 && _nearby[nearby].Position > start ? _nearby[nearby] : null;
            if (snapshot is not null) start = snapshot.Position;
            bool matters = ramPages is not { } pages || MayHaveWritten(checkpoint, pages);
            Position reach = Holes.Reach(start, to);
            if (reach < to) Holes.Pass(Holes.FirstBetween(start, to)!.Value);
            if (matters && reach > start) intervals.Add(new ScanInterval(start, reach, snapshot, checkpoint));
            to = start;
        }
        return intervals;
    }

    // Whether pages were dirtied between a checkpoint and the next.
    private bool MayHaveWritten(int checkpoint, (int First, int Last) pages)
    {
        if (checkpoint + 1 >= _checkpoints.Count) return true;
        for (int page = pages.First; page <= pages.Last; page++)
            if (_checkpoints.WasWritten(checkpoint + 1, 0, page)) return true;
        return false;
    }

    // Null where not all is RAM, or it is much: then every interval is looked at.
    private (int First, int Last)? RamPages(ulong address, int sizeBytes)
    {
        long first = Machine.Memory.RamOffset(address), last = Machine.Memory.RamOffset(address + (ulong)Math.Max(1, sizeBytes) - 1);
        if (first < 0 || last < first || last - first > 1 << 20) return null;
        return ((int)(first >> PagedMemory.PageShift), (int)(last >> PagedMemory.PageShift));
    }

    // Goes to the checkpoint behind which the pages are next written.
    private void SkipUnwritten((int First, int Last)? pages)
    {
        if (pages is not { } known) return;
        int checkpoint = _checkpoints.FindAtOrBefore(Position), first = checkpoint;
        while (checkpoint + 1 < _checkpoints.Count && !MayHaveWritten(checkpoint, known)) checkpoint++;
        if (checkpoint > first) MoveTo(_checkpoints.PositionOf(checkpoint));
    }
}
