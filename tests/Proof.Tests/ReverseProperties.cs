using System;
using System.Collections.Generic;
using System.Linq;
using Replay.Checkpoints;
using Replay.Packages;
using Replay.Queries;
using Replay.Timelines;
using Vmm.Cpu;
using Vmm.Memory;
using Vmm.Paging;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Proof.Tests;

/// <summary>What must hold for going back in any recording, whatever it is of.</summary>
internal static class ReverseProperties
{
    /// <summary>n forward and n back lead to the same position and digest, from wherever; back in pieces as well as at once.</summary>
    public static void ForwardAndBack(RecordingFile recording, int seed, int rounds, int mostSteps)
    {
        var random = new Random(seed);
        using var timeline = new Timeline(recording);
        for (int round = 0; round < rounds; round++)
        {
            timeline.Seek(new Position((ulong)random.NextInt64((long)recording.End.InstructionCount)));
            Position from = timeline.Position;
            StateDigest digest = timeline.Digest();
            var positions = new List<Position> { from };
            int count = random.Next(1, mostSteps);
            while (positions.Count <= count && timeline.StepForward().Reason == TimelineStopReason.Done) positions.Add(timeline.Position);
            Position to = timeline.Position;
            StateDigest there = timeline.Digest();
            int left = positions.Count - 1;
            Assert.Equal(TimelineStopReason.Done, timeline.StepBack((ulong)left).Reason);
            Assert.Equal(from, timeline.Position);
            Assert.Equal(digest, timeline.Digest());
            timeline.StepForward((ulong)left);
            Assert.Equal(to, timeline.Position);
            Assert.Equal(there, timeline.Digest());
            while (left > 0)
            {
                int piece = random.Next(3) == 0 ? 1 : random.Next(1, left + 1);
                timeline.StepBack((ulong)piece);
                left -= piece;
                Assert.Equal(positions[left], timeline.Position);
            }
            Assert.Equal(digest, timeline.Digest());
        }
    }

    /// <summary>Going back at the start says "start", as often as it is tried, and stays there.</summary>
    public static void StartIsToldTwice(RecordingFile recording)
    {
        using var timeline = new Timeline(recording);
        StateDigest digest = timeline.Digest();
        timeline.StepForward(5);
        Assert.Equal(TimelineStopReason.Start, timeline.StepBack(6).Reason);
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(TimelineStopReason.Start, timeline.StepBack().Reason);
            Assert.Equal(TimelineStopReason.Start, timeline.ReverseContinue([StopCondition.Exception()]).Reason);
            Assert.Equal(Position.Start, timeline.Position);
            Assert.Equal(digest, timeline.Digest());
        }
    }

    /// <summary>Continue and reverse-continue stop at the next and the last of all hits, from anywhere and from a hit itself.</summary>
    /// <returns>How many of the conditions occur in the recording at all.</returns>
    public static int ContinueFindsWhatBruteForceFinds(RecordingFile recording, int seed, int rounds, uint model, string printed)
    {
        var random = new Random(seed);
        using var timeline = new Timeline(recording);
        List<Probe> probes = ChooseProbes(timeline, random, model, printed);
        List<Position>[] all = HitLists.Collect(recording, probes);
        for (int i = 0; i < probes.Count; i++)
        {
            TestContext.Current.TestOutputHelper?.WriteLine($"{probes[i].Name}: {all[i].Count} hits");
            for (int round = 0; round < rounds; round++)
            {
                Position from = round % 2 == 0 || all[i].Count == 0 ? new Position((ulong)random.NextInt64((long)recording.End.InstructionCount))
                    : all[i][random.Next(all[i].Count)];
                Check(timeline, probes[i], all[i], from);
            }
        }
        return all.Count(static hits => hits.Count > 0);
    }

    /// <summary>Last-write and next-write of memory: those of brute force.</summary>
    public static void WritesAreThoseOfBruteForce(RecordingFile recording, int seed, int addresses, int rounds)
    {
        var random = new Random(seed);
        using var timeline = new Timeline(recording);
        var probes = new List<Probe>();
        while (probes.Count < addresses)
        {
            // Where a stack is now, things are written again and again; and anything in RAM, which mostly is not.
            timeline.Seek(new Position((ulong)random.NextInt64((long)recording.End.InstructionCount)));
            Vcpu vcpu = timeline.Machine.Vcpus[timeline.Machine.CurrentCpuIndex];
            ulong physical = probes.Count % 3 == 2 ? (ulong)random.NextInt64(timeline.Machine.Memory.Ram.PageCount) * PagedMemory.PageSizeBytes
                : Physical(vcpu, timeline.Machine, vcpu.State.Rsp) & ~7ul;
            if (physical != ulong.MaxValue) probes.Add(Probe.Watched(physical, 8, WatchAccess.Write, isPhysical: true));
        }
        List<Position>[] all = HitLists.Collect(recording, probes);
        for (int i = 0; i < probes.Count; i++)
        {
            ulong address = (ulong)probes[i].Condition.Number;
            for (int round = 0; round < rounds; round++)
            {
                Position from = round == 0 ? recording.End : new Position((ulong)random.NextInt64((long)recording.End.InstructionCount));
                timeline.Seek(from);
                Position? last = Before(all[i], from);
                Assert.Equal(last, timeline.LastWrite(address, 8, isPhysical: true)?.At);
                Assert.Equal(last ?? from, timeline.Position);
                timeline.Seek(from);
                Position? next = After(all[i], from);
                Assert.Equal(next, timeline.NextWrite(address, 8, isPhysical: true)?.At);
                Assert.Equal(next ?? from, timeline.Position);
            }
        }
    }

    private static void Check(Timeline timeline, Probe probe, List<Position> hits, Position from)
    {
        timeline.Seek(from);
        Position? next = After(hits, from), last = Before(hits, from);
        TimelineStop stop = timeline.Continue([probe.Condition]);
        Assert.True((next is null ? TimelineStopReason.End : TimelineStopReason.Hit) == stop.Reason && timeline.Position == (next ?? timeline.End),
            $"{probe.Name}: continue from {from} stopped at {stop.Position} ({stop.Reason}), brute force at {next}");
        timeline.Seek(from);
        stop = timeline.ReverseContinue([probe.Condition]);
        Assert.True((last is null ? TimelineStopReason.Start : TimelineStopReason.Hit) == stop.Reason && timeline.Position == (last ?? timeline.Start),
            $"{probe.Name}: reverse-continue from {from} stopped at {stop.Position} ({stop.Reason}), brute force at {last}");
        if (last is not null) Assert.Contains(stop.Hits, hit => hit.Condition == probe.Condition);
    }

    // Addresses that matter in any kernel: where an exception's handler begins, and the stack that the exception was delivered to.
    private static List<Probe> ChooseProbes(Timeline timeline, Random random, uint model, string printed)
    {
        timeline.Seek(new Position((ulong)(timeline.End.InstructionCount * (0.3 + random.NextDouble() / 2))));
        if (timeline.Continue([StopCondition.Exception()]).Reason != TimelineStopReason.Hit) timeline.ReverseContinue([StopCondition.Exception()]);
        timeline.StepForward();
        Machine machine = timeline.Machine;
        Vcpu vcpu = machine.Vcpus[machine.CurrentCpuIndex];
        ulong handler = vcpu.State.Rip, stack = vcpu.State.Rsp;
        var probes = new List<Probe>
        {
            Probe.At(handler),
            Probe.AtPhysical(Physical(vcpu, machine, handler)),
            Probe.Watched(stack, 8, WatchAccess.Write, isPhysical: false),
            Probe.Watched(stack, 8, WatchAccess.Read, isPhysical: false),
            Probe.Watched(stack + 3, 1, WatchAccess.Access, isPhysical: false),
            Probe.Watched(Physical(vcpu, machine, stack), 8, WatchAccess.Write, isPhysical: true),
            Probe.Watched(Physical(vcpu, machine, stack), 4, WatchAccess.Access, isPhysical: true),
            Probe.Event("any exception", StopCondition.Exception(), static _ => true, MachineEventKind.Exception),
            Probe.Event("page fault", StopCondition.Exception(14), static e => e.Number == 14, MachineEventKind.Exception),
            Probe.Event("any interrupt", StopCondition.Interrupt(), static _ => true, MachineEventKind.Interrupt),
            Probe.Event("interrupt on vCPU 0", StopCondition.Interrupt() with { CpuIndex = 0 }, static e => e.CpuIndex == 0, MachineEventKind.Interrupt),
            Probe.Event("system call", StopCondition.SoftwareInterrupt(), static _ => true, MachineEventKind.SoftwareInterrupt),
            Probe.Event("OUT 3f8", StopCondition.Port(0x3F8, AccessDirection.Write), static e => e.Number == 0x3F8, MachineEventKind.PortWrite),
            Probe.Event("port 3fd", StopCondition.Port(0x3FD), static e => e.Number == 0x3FD, MachineEventKind.PortRead, MachineEventKind.PortWrite),
            Probe.Event("local APIC's EOI", StopCondition.Mmio(0xFEE0_00B0, 4, AccessDirection.Write), static e => e.Physical == 0xFEE0_00B0, MachineEventKind.MmioWrite),
            Probe.Event($"MSR {model:x}", StopCondition.Msr(model), e => e.Number == model, MachineEventKind.MsrRead, MachineEventKind.MsrWrite),
            Probe.Event("CR3", StopCondition.ControlRegister(3), static e => e.Number == 3, MachineEventKind.ControlRegisterWrite),
            Probe.Prints(printed),
        };
        return probes;
    }

    private static ulong Physical(Vcpu vcpu, Machine machine, ulong linear)
    {
        PageWalk walk = GuestPageWalker.Walk(machine.Memory, PagingControls.Of(vcpu.State), linear);
        return walk.IsMapped ? walk.Physical : ulong.MaxValue;
    }

    private static Position? Before(List<Position> hits, Position from)
    {
        int index = hits.BinarySearch(from);
        index = index < 0 ? ~index : index;
        return index > 0 ? hits[index - 1] : null;
    }

    private static Position? After(List<Position> hits, Position from)
    {
        int index = hits.BinarySearch(from);
        index = index < 0 ? ~index : index + 1;
        return index < hits.Count ? hits[index] : null;
    }
}
