using System;
using System.Threading;
using Replay.Timelines;
using Vmm.Platform;
using Vmm.Time;

namespace Gdb.Running;

/// <summary>
/// What gdb looks at: the recording, or since the first change a diversion from it. Any step backwards, or a seek, drops the diversion: the recording never changes.
/// </summary>
internal sealed class DebuggedMachine(Timeline timeline, BreakpointTable breakpoints) : IDisposable
{
    private readonly RecordedRun _recorded = new(timeline, breakpoints);
    private DivertedRun? _diverted;
    private string? _notice;

    public Timeline Timeline => timeline;

    public Machine Machine => _diverted?.Machine ?? timeline.Machine;

    /// <summary>Where in the recording the diversion began; null: there is none.</summary>
    public Position? DivertedAt => _diverted?.Origin;

    /// <summary>What the user is to know at the next occasion; null: nothing.</summary>
    public string? TakeNotice()
    {
        string? notice = _notice;
        _notice = null;
        return notice;
    }

    /// <summary>From here on the machine may be changed.</summary>
    public void Divert()
    {
        if (_diverted is not null) return;
        _diverted = new DivertedRun(timeline, breakpoints);
        _notice = $"ttvm: this is a diversion from position {_diverted.Origin}: the recording does not change. "
            + "Any reverse command drops it and returns there.\n";
    }

    /// <summary>Back to the recording; false: it was not left.</summary>
    public bool Return()
    {
        if (_diverted is null) return false;
        _diverted.Dispose();
        _diverted = null;
        _notice = null;
        return true;
    }

    public StopReport Continue(CancellationToken cancellation) => _diverted?.Run(null, cancellation) ?? _recorded.Continue(cancellation);

    public StopReport Step(int cpuIndex, bool stopsForOthers, CancellationToken cancellation) =>
        _diverted?.Run(cpuIndex, cancellation) ?? _recorded.Step(cpuIndex, stopsForOthers, cancellation);

    public StopReport ReverseContinue(CancellationToken cancellation) => ReturnToOrigin() ?? _recorded.ReverseContinue(cancellation);

    public StopReport ReverseStep(int cpuIndex, bool stopsForOthers, CancellationToken cancellation) =>
        ReturnToOrigin() ?? _recorded.ReverseStep(cpuIndex, stopsForOthers, cancellation);

    public void Dispose() => _diverted?.Dispose();

    private StopReport? ReturnToOrigin()
    {
        if (!Return()) return null;
        _notice = $"ttvm: the diversion is dropped; back in the recording at position {timeline.Position}\n";
        return new StopReport(StopKind.Interrupted, timeline.Machine.CurrentCpuIndex);
    }
}
