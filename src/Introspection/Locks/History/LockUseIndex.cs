using System;
using System.Collections.Generic;
using Vmm.Time;

namespace Introspection.Locks.History;

/// <summary>Which uses of locks last at a position, found without looking at all of them: now and then, those that last are written down.</summary>
internal sealed class LockUseIndex
{
    private const int Spacing = 1024;

    // In the order in which they were wanted.
    private readonly List<LockUse> _uses = [];
    private readonly HashSet<LockUse> _open = [];
    private readonly List<(int Index, LockUse[] Open)> _marks = [];
    private int _nextMark;

    public void Begin(LockUse use)
    {
        if (_uses.Count >= _nextMark)
        {
            _marks.Add((_uses.Count, [.. _open]));
            _nextMark = _uses.Count + Math.Max(Spacing, _open.Count);
        }
        _uses.Add(use);
        _open.Add(use);
    }

    /// <summary>It is given back, or was not got.</summary>
    public void End(LockUse use) => _open.Remove(use);

    /// <summary>Those that hold a lock or wait for one, in the order in which they wanted it.</summary>
    public List<LockUse> At(Position at)
    {
        var found = new List<LockUse>();
        int end = CountUpTo(at), mark = _marks.Count - 1;
        while (mark >= 0 && _marks[mark].Index > end) mark--;
        if (mark < 0) return found;
        foreach (LockUse use in _marks[mark].Open) Add(use);
        for (int i = _marks[mark].Index; i < end; i++) Add(_uses[i]);
        found.Sort(static (a, b) => a.Wanted.CompareTo(b.Wanted));
        return found;

        void Add(LockUse use)
        {
            if (use.IsHeldAt(at) || use.IsWaitingAt(at)) found.Add(use);
        }
    }

    private int CountUpTo(Position at)
    {
        int low = 0, high = _uses.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_uses[middle].Wanted <= at) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}
