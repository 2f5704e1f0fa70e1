using System;
using System.Collections.Generic;
using Dap.Sessions;
using Replay.Timelines;
using Vmm.Time;

namespace Dap.Stepping;

/// <summary>
/// What the vCPUs did before a position, read backwards: stretches of the recording, ever longer, are gone over forward and kept. The machine stands anywhere meanwhile.
/// </summary>
internal sealed class FlowHistory
{
    private const ulong FirstStretch = 64, LongestStretch = 1 << 16;

    private readonly Session _session;
    private readonly Flow _flow;
    private readonly List<FlowStep> _steps = [];
    private Position _loadedFrom;
    private ulong _stretch = FirstStretch;
    private int _index;

    /// <param name="session">Whose timeline it is.</param>
    /// <param name="flow">Goes over it.</param>
    /// <param name="before">What comes from here on does not count.</param>
    public FlowHistory(Session session, Flow flow, Position before)
    {
        _session = session;
        _flow = flow;
        _loadedFrom = before;
    }

    /// <summary>How many transitions have been read.</summary>
    public long ReadCount { get; private set; }

    /// <summary>The transition before the last one that this gave; false at the start of the recording.</summary>
    /// <exception cref="OperationCanceledException">The user has had enough.</exception>
    public bool TryPrevious(out FlowStep step)
    {
        while (_index == 0)
        {
            if (_loadedFrom <= _session.Timeline.Start)
            {
                step = default;
                return false;
            }
            Load();
        }
        step = _steps[--_index];
        return true;
    }

    /// <summary>Goes on before another position.</summary>
    public void Restart(Position before)
    {
        _steps.Clear();
        _index = 0;
        _loadedFrom = before;
        _stretch = FirstStretch;
    }

    private void Load()
    {
        _session.Activity.Token.ThrowIfCancellationRequested();
        Timeline timeline = _session.Timeline;
        Position until = _loadedFrom, start = timeline.Start;
        var from = new Position(until.InstructionCount - Math.Min(_stretch, until.InstructionCount));
        if (from < start) from = start;
        timeline.Seek(from);
        _loadedFrom = timeline.Position;
        _steps.Clear();
        while (timeline.Position < until)
        {
            if (!_flow.TryAdvance(out FlowStep? step)) break;
            if (step is not { } known) continue;
            ReadCount++;
            if (_steps.Count > 0 && IsRepetition(_steps[^1], known)) _steps[^1] = _steps[^1] with { After = known.After };
            else _steps.Add(known);
        }
        _index = _steps.Count;
        _stretch = Math.Min(_stretch * 4, LongestStretch);
    }

    // An instruction that repeats is one step: to whom goes back over it, all its iterations are the same.
    private static bool IsRepetition(in FlowStep last, in FlowStep next) => last.Kind == FlowKind.Other && next.Kind == FlowKind.Other
        && last.Code == next.Code && last.CpuIndex == next.CpuIndex && last.Frame == next.Frame && last.After == next.At;
}
