using System;
using System.Collections.Generic;
using Replay.Queries;
using Vmm.Platform;
using Vmm.Time;

namespace Introspection.History;

/// <summary>A past that is learnt one interval after the other, for <see cref="PastWorker{THistory}"/>, which tells what is called under its lock.</summary>
internal abstract class Past<THistory>
{
    /// <summary>There is nothing to be learnt from a replay.</summary>
    public virtual bool IsEmpty => false;

    /// <summary>The machine stands where an interval begins.</summary>
    public abstract void Begin(Machine machine, in ReplayInterval interval);

    /// <summary>It stands at its end: what was seen can be added.</summary>
    public abstract void End();

    /// <summary>Adds some of what was seen, all that happened at one position together. Under the lock.</summary>
    /// <param name="count">About so many.</param>
    /// <returns>Everything before it is known; null: all is added.</returns>
    public abstract Position? Add(int count);

    /// <summary>What is known. Under the lock.</summary>
    public abstract THistory Read(Position from, Position before);

    /// <summary>More is to be learnt. Under the lock.</summary>
    public virtual void Begun() { }

    /// <summary>All of the recording is added. Under the lock.</summary>
    public virtual void Ended(Position end) { }

    /// <summary>What takes another replay is looked at; without the lock.</summary>
    public virtual void Refine(IRefinement replay) { }

    /// <summary>That was done, and still is all of the recording. Under the lock.</summary>
    public virtual void Refined() { }
}

/// <summary>Another replay of what has been learnt.</summary>
internal interface IRefinement
{
    /// <summary>Replays a stretch, and hands on what a visitor finds in its intervals, in order.</summary>
    void Scan<TFound>(Position from, Position before, IIntervalVisitor<TFound> visitor, Action<TFound> take);
}

/// <summary>The same with what a visitor sees.</summary>
internal abstract class Past<THistory, TEvent>(IIntervalVisitor<List<TEvent>> visitor) : Past<THistory> where TEvent : struct
{
    private List<TEvent> _seen = [];
    private int _added;

    public sealed override void Begin(Machine machine, in ReplayInterval interval) => visitor.Begin(machine, 0, interval);

    public sealed override void End() => (_seen, _added) = (visitor.End(), 0);

    public sealed override Position? Add(int count)
    {
        for (int n = 0; _added < _seen.Count && (n < count || PositionOf(_seen[_added]) == PositionOf(_seen[_added - 1])); n++) Add(_seen[_added++]);
        return _added < _seen.Count ? PositionOf(_seen[_added]) : null;
    }

    protected abstract Position PositionOf(in TEvent e);

    protected abstract void Add(in TEvent e);
}
