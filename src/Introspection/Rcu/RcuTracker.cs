using System.Collections.Generic;
using Vmm.Time;

namespace Introspection.Rcu;

/// <summary>Puts together what the visitors saw, in order: critical sections, grace periods, versions, and what was freed too early.</summary>
internal sealed class RcuTracker(GuestRcu rcu, int limit)
{
    private const int MaximumFindings = 1000, MaximumUnlinked = 1 << 20;

    private readonly Dictionary<ulong, (RcuSection Section, int Depth)> _open = [];
    // When something was taken away from readers: by being replaced where it was published, or by being given to be freed, which counts more.
    private readonly Dictionary<ulong, (Position At, bool IsDeferred)> _unlinked = [];
    private readonly List<RcuSection> _sections = [];
    private readonly List<RcuGracePeriod> _periods = [];
    private readonly List<RcuPublication> _publications = [];
    private readonly List<RcuFinding> _findings = [];
    private long _sectionCount, _deferCount, _freeCount;
    private RcuSection? _longest;
    private bool _isCut;

    public RcuHistory Finish() => new()
    {
        Sections = _sections, GracePeriods = _periods, Publications = _publications, Findings = _findings, SectionCount = _sectionCount, DeferCount = _deferCount, FreeCount = _freeCount,
        Longest = _longest, IsCut = _isCut,
    };

    public void Add(in RcuEvent e)
    {
        switch (e.Step)
        {
            case RcuStep.ReadLock: Enter(e); break;
            case RcuStep.ReadUnlock: Leave(e); break;
            case RcuStep.Defer:
                _deferCount++;
                Unlink(e.Address, e.At, isDeferred: true);
                break;
            case RcuStep.Free: Free(e); break;
            case RcuStep.Publish: Publish(e); break;
            case RcuStep.Current:
                if (e.New > e.Old) BeginPeriod((long)e.New, e.At);
                break;
            case RcuStep.Completed: EndPeriods((long)e.New + (rcu.Layout.State?.IdleDifference ?? 0), e.At); break;
            case RcuStep.Sequence: Sequence(e); break;
        }
    }

    private void Enter(in RcuEvent e)
    {
        ulong actor = ActorOf(e);
        if (_open.TryGetValue(actor, out (RcuSection Section, int Depth) open))
        {
            open.Depth++;
            if (open.Depth > open.Section.MaximumNesting) open.Section.MaximumNesting = open.Depth;
            _open[actor] = open;
            return;
        }
        var section = new RcuSection { CpuIndex = e.CpuIndex, Task = e.Task, Begin = e.At, Caller = e.Code };
        _open[actor] = (section, 1);
        _sectionCount++;
        if (_sections.Count < limit) _sections.Add(section);
        else _isCut = true;
    }

    private void Leave(in RcuEvent e)
    {
        // One that began before what is known is in no list.
        if (!_open.TryGetValue(ActorOf(e), out (RcuSection Section, int Depth) open)) return;
        if (open.Depth > 1)
        {
            _open[ActorOf(e)] = (open.Section, open.Depth - 1);
            return;
        }
        _open.Remove(ActorOf(e));
        open.Section.End = e.At;
        if (_longest is null || open.Section.Instructions > _longest.Instructions) _longest = open.Section;
    }

    private void Publish(in RcuEvent e)
    {
        if (e.Old == e.New) return;
        if (_publications.Count < limit) _publications.Add(new RcuPublication(e.At, e.CpuIndex, e.Task, e.Code, rcu.NameOf(e.Address) ?? "", e.Address, e.Old, e.New));
        else _isCut = true;
        if (e.New != 0) _unlinked.Remove(e.New);
        if (e.Old != 0) Unlink(e.Old, e.At, isDeferred: false);
    }

    // The first moment counts: whatever else pointed to it may be overwritten later. One that was given to be freed is unlinked by then.
    private void Unlink(ulong pointer, Position at, bool isDeferred)
    {
        if (_unlinked.TryGetValue(pointer, out (Position At, bool IsDeferred) known) && (known.IsDeferred || !isDeferred)) return;
        if (_unlinked.Count >= MaximumUnlinked) _unlinked.Clear();
        _unlinked[pointer] = (at, isDeferred);
    }

    private void Free(in RcuEvent e)
    {
        _freeCount++;
        if (!_unlinked.Remove(e.Address, out (Position At, bool IsDeferred) unlinked)) return;
        List<RcuSection>? readers = null;
        foreach ((RcuSection section, _) in _open.Values)
            if (section.Begin < unlinked.At) (readers ??= []).Add(section);
        if (readers is null || _findings.Count >= MaximumFindings) return;
        readers.Sort(static (a, b) => a.Begin.CompareTo(b.Begin));
        _findings.Add(new RcuFinding(e.At, e.CpuIndex, e.Task, e.Function, e.Code, e.Address, unlinked.At, readers));
    }

    private void Sequence(in RcuEvent e)
    {
        int bits = rcu.Layout.State?.StateBits ?? 0;
        ulong mask = (1UL << bits) - 1;
        bool was = (e.Old & mask) != 0, now = (e.New & mask) != 0;
        if (!was && now) BeginPeriod(((long)e.New >> bits) + 1, e.At);
        else if (was && !now) EndPeriods((long)e.New >> bits, e.At);
    }

    private void BeginPeriod(long number, Position at)
    {
        if (_periods.Count < limit) _periods.Add(new RcuGracePeriod(number, at, null));
        else _isCut = true;
    }

    // All up to a number.
    private void EndPeriods(long number, Position at)
    {
        for (int i = _periods.Count - 1; i >= 0 && _periods[i].End is null; i--)
            if (_periods[i].Number <= number) _periods[i] = _periods[i] with { End = at };
    }

    private ulong ActorOf(in RcuEvent e) => rcu.IsHeldByTask && e.Task != 0 ? e.Task : (ulong)e.CpuIndex;
}
