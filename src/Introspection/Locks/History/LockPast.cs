using System.Collections.Generic;
using Introspection.History;
using Replay.Packages;
using Vmm.Time;

namespace Introspection.Locks.History;

/// <summary>The past of all locks, learnt in the background.</summary>
internal sealed class LockPast : Past<LockHistory, LockEvent>
{
    private readonly RecordingFile _recording;
    private readonly LockFunctionTable _table;
    private readonly LockTracker _tracker;
    private List<LockFinding> _findings = [];
    private bool _isFindingSettled;

    public LockPast(RecordingFile recording, GuestLocks locks) : base(new LockVisitor(locks.Functions, locks.Tasks, lends: true))
    {
        (_recording, _table) = (recording, locks.Functions);
        _tracker = new LockTracker(locks.Functions, new LockHistoryOptions(), isFromStart: true);
    }

    public override bool IsEmpty => _table.IsEmpty;

    public override LockHistory Read(Position from, Position before) => new(_tracker, Findings(), from, before);

    public override void Begun() => _isFindingSettled = false;

    public override void Ended(Position end)
    {
        LockHistory.FailAtEnd(_tracker, _recording, end);
        _findings = [.. _tracker.Findings];
    }

    public override void Refine(IRefinement replay)
    {
        LockLifetimes.RemoveUnrelated(_findings, _table, (from, before, createVisitor, take) => replay.Scan(from, before, createVisitor(), take));
        _findings.Sort(static (a, b) => a.At.CompareTo(b.At));
    }

    public override void Refined() => _isFindingSettled = true;

    protected override Position PositionOf(in LockEvent e) => e.At;

    protected override void Add(in LockEvent e) => _tracker.Add(e);

    // Two opposite orders may be of different locks, which takes another replay to tell.
    private IReadOnlyList<LockFinding> Findings() =>
        _isFindingSettled ? _findings : [.. _tracker.Findings.FindAll(static one => one.Kind != LockFindingKind.OrderInversion)];
}
