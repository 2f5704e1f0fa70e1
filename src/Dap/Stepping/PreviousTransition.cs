using System;
using Dap.Sessions;
using Replay.Timelines;
using Vmm.Time;

namespace Dap.Stepping;

/// <summary>Goes back to just before the last transition that concerned a vCPU.</summary>
internal static class PreviousTransition
{
    private const ulong NearTransitions = 64;

    /// <summary>False: there was none, and the machine stands at the start.</summary>
    /// <param name="session">Whose timeline goes there.</param>
    /// <param name="cpuIndex">The vCPU.</param>
    /// <param name="exceptAtRip">Not one of the instruction there; null: any.</param>
    /// <exception cref="OperationCanceledException">The user has had enough; the machine stands where it stood.</exception>
    public static bool TryGo(Session session, int cpuIndex, ulong? exceptAtRip = null)
    {
        Timeline timeline = session.Timeline;
        Position origin = timeline.Position;
        // Nearly always the transition before is the one; a vCPU that sleeps may have done its last instruction long ago, and one instruction may repeat for long.
        for (ulong near = 1; near <= NearTransitions; near *= NearTransitions)
        {
            timeline.StepBack(near);
            Position? last = null;
            var probe = new VcpuProbe(cpuIndex, exceptAtRip);
            while (timeline.Position < origin)
            {
                Position before = timeline.Position;
                probe.Before(timeline.Machine);
                timeline.StepForward();
                if (probe.After(timeline.Machine)) last = before;
            }
            if (last is not { } found) continue;
            timeline.Seek(found);
            return true;
        }
        if (timeline.LastTransition(() => new VcpuProbe(cpuIndex, exceptAtRip), session.Activity, session.Activity.Token) is not null) return true;
        timeline.Seek(timeline.Start);
        return false;
    }
}
