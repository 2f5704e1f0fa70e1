using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Cli.Lockstep;
using Replay.Checkpoints;
using Replay.Packages;
using Replay.Replaying;
using Replay.Timelines;
using Vmm.Cpu;
using Vmm.Platform;
using Vmm.Time;

namespace Cli.Comparison;

/// <summary>Where the states of two recordings part.</summary>
/// <param name="IsSameStart">They begin with the same state.</param>
/// <param name="LastSame">The last position known at which both have the same state; the start, if they do not begin with the same.</param>
/// <param name="LastAlike">A position at or behind it up to which both execute the same, as far as a look at registers can tell.</param>
/// <param name="First">The first transition after which they do not; null: they never part before one ends, or do not begin with the same state.</param>
internal sealed record StateParting(bool IsSameStart, Position LastSame, Position LastAlike, LockstepDifference? First);

/// <summary>
/// Looks for the first difference of state between two recordings: first among the digests that both have at the same positions, which costs no replay, then by halves, then in lockstep.
/// </summary>
internal sealed class StateSearch(RecordingFile a, RecordingFile b)
{
    private const ulong LockstepInterval = 250_000, ShortEnough = 4_000_000;

    /// <exception cref="OperationCanceledException">Ctrl-C.</exception>
    public StateParting Run(IProgress<TimelineProgress>? progress, CancellationToken cancellation)
    {
        if (a.Checkpoints[0].Digest != b.Checkpoints[0].Digest) return new StateParting(false, a.Start, LastAlike(a.Start, cancellation), null);
        Position end = a.End < b.End ? a.End : b.End;
        (Position good, Position bad) = (a.Start, end);
        foreach ((CheckpointInfo one, CheckpointInfo other) in Shared())
        {
            if (one.Digest != other.Digest)
            {
                bad = one.Position;
                break;
            }
            good = one.Position;
        }
        if (good == end) return new StateParting(true, good, good, null);
        using LockstepSide sideA = BlockSide.WithItsEngine(a, "A"), sideB = BlockSide.WithItsEngine(b, "B");
        good = Halve(sideA, sideB, good, ref bad, cancellation);
        LockstepDifference? first = new LockstepRun(sideA, sideB, LockstepInterval).Run(good, bad, progress, cancellation);
        Position same = first?.Before ?? bad;
        return new StateParting(true, same, first is null ? same : LastAlike(same, cancellation), first);
    }

    // Recordings whose checkpoints lie elsewhere, or that part long before their next common one.
    private static Position Halve(LockstepSide sideA, LockstepSide sideB, Position good, ref Position bad, CancellationToken cancellation)
    {
        while (bad.InstructionCount - good.InstructionCount > ShortEnough)
        {
            cancellation.ThrowIfCancellationRequested();
            var middle = new Position(good.InstructionCount + (bad.InstructionCount - good.InstructionCount) / 2);
            foreach (LockstepSide side in (ReadOnlySpan<LockstepSide>)[sideA, sideB])
            {
                side.RestartBefore(middle);
                side.RunTo(middle.InstructionCount);
            }
            if (sideA.Position == sideB.Position && sideA.Digest == sideB.Digest) good = middle;
            else bad = middle;
        }
        return good;
    }

    // Checkpoints that both have at the same position, in order.
    private IEnumerable<(CheckpointInfo A, CheckpointInfo B)> Shared()
    {
        for (int i = 0, j = 0; i < a.Checkpoints.Count && j < b.Checkpoints.Count;)
        {
            int order = a.Checkpoints[i].Position.CompareTo(b.Checkpoints[j].Position);
            if (order == 0) yield return (a.Checkpoints[i++], b.Checkpoints[j++]);
            else if (order < 0) i++;
            else j++;
        }
    }

    // Another image makes another state from the start on, and so does an input that nobody reads yet, though the same may be executed for long: the last common checkpoint at which
    // the registers are the same. By halves, as registers that were different do not become the same again but by chance.
    private Position LastAlike(Position from, CancellationToken cancellation)
    {
        List<(CheckpointInfo A, CheckpointInfo B)> shared = [.. Shared().Where(one => one.A.Position > from)];
        if (shared.Count == 0 || a.Manifest.Machine.CpuCount != b.Manifest.Machine.CpuCount) return from;
        using var sideA = new Replayer(a);
        using var sideB = new Replayer(b);
        int low = -1, high = shared.Count - 1;
        while (low < high)
        {
            cancellation.ThrowIfCancellationRequested();
            int middle = (low + high + 1) / 2;
            sideA.Restart(shared[middle].A.Index);
            sideB.Restart(shared[middle].B.Index);
            if (AreAlike(sideA.Machine, sideB.Machine)) low = middle;
            else high = middle - 1;
        }
        return low >= 0 ? shared[low].A.Position : from;
    }

    private static bool AreAlike(Machine one, Machine other)
    {
        if (one.CurrentCpuIndex != other.CurrentCpuIndex) return false;
        for (int i = 0; i < one.Vcpus.Count; i++)
        {
            ref VcpuState s = ref one.Vcpus[i].State, t = ref other.Vcpus[i].State;
            if (s.Rip != t.Rip || s.Activity != t.Activity || s.Cr3 != t.Cr3) return false;
            for (int r = 0; r < 16; r++)
                if (s.General[r] != t.General[r]) return false;
        }
        return true;
    }
}
