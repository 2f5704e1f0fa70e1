using System;
using System.Threading;
using Gdb.Memory;
using Replay.Timelines;
using Vmm.Cpu;
using Vmm.Platform;
using Vmm.Time;

namespace Gdb.Running;

/// <summary>A diversion that gdb has changed and may run on: forwards only, one transition after the other.</summary>
internal sealed class DivertedRun(Timeline timeline, BreakpointTable breakpoints) : IDisposable
{
    private const int TransitionsPerCheck = 4096;

    private readonly Diversion _diversion = timeline.Divert();
    private readonly AccessRecorder _accesses = new(breakpoints);

    /// <summary>Where in the recording it began.</summary>
    public Position Origin { get; } = timeline.Position;

    public Machine Machine => _diversion.Machine;

    /// <param name="cpuIndex">The vCPU whose step ends it; null: run on.</param>
    /// <param name="cancellation">The user's.</param>
    public StopReport Run(int? cpuIndex, CancellationToken cancellation)
    {
        _accesses.Attach(Machine);
        try
        {
            for (int i = 0; ; i++)
            {
                if (i % TransitionsPerCheck == 0 && cancellation.IsCancellationRequested) return new StopReport(StopKind.Interrupted, Machine.CurrentCpuIndex);
                int current = Machine.CurrentCpuIndex;
                VcpuMark before = VcpuMark.Of(Machine, current);
                if (Machine.Step() == RunStop.Ended) return new StopReport(StopKind.End, current);
                if (_accesses.First is { } access) return access;
                bool isStep = before != VcpuMark.Of(Machine, current);
                if (isStep && cpuIndex == current) return new StopReport(StopKind.Step, current);
                Vcpu next = Machine.Vcpus[Machine.CurrentCpuIndex];
                // An event that moves nobody leaves a vCPU on a breakpoint that was reported already.
                if ((isStep || next.Index != current) && next.State.Activity == VcpuActivity.Running
                    && breakpoints.ReportAt(LinearMemory.CodeAddress(next), next.Index) is { } report) return report;
            }
        }
        finally
        {
            AccessRecorder.Detach(Machine);
        }
    }

    public void Dispose() => _diversion.Dispose();
}
