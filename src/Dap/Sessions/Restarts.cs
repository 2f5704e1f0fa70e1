using System;
using Dap.Stepping;
using Iced.Intel;
using Introspection.Code;
using Introspection.State;
using Introspection.Unwinding;
using Replay.Queries;
using Replay.Timelines;
using Vmm.Cpu;
using Vmm.Platform;
using Vmm.Time;

namespace Dap.Sessions;

/// <summary>
/// Tells a new execution of an instruction from one that an exception had ended before the instruction retired, and that its handler has begun again: for the guest's
/// program both are one. A handler that takes longer than <see cref="LongestHandler"/> is not seen, nor one that goes back by something else than IRET.
/// </summary>
internal sealed class Restarts(Session session)
{
    /// <summary>In instructions of all vCPUs.</summary>
    public const ulong LongestHandler = 20_000_000;

    private const int MaximumReturns = 64;
    private const ulong LongestInstruction = 15;

    /// <summary>The instruction that the vCPU stands at was begun before and has not retired since; in a diversion, which has no past of its own, never.</summary>
    /// <exception cref="OperationCanceledException">The user has had enough; the machine stands where it stood.</exception>
    public bool IsRestart(int cpuIndex)
    {
        GuestView view = session.ViewOf(cpuIndex);
        if (session.IsDiverted || !TouchesMemory(new Disassembler(view).Decode(view.CodeAddress))) return false;
        Timeline timeline = session.Timeline;
        Position here = timeline.Position;
        var limit = new Position(here.InstructionCount - Math.Min(here.InstructionCount, LongestHandler));
        try
        {
            // What is interrupted before it has begun is gone back to by IRET, too: then what was before that counts.
            for (int i = 0; i < MaximumReturns; i++)
            {
                if (Delivery(ref cpuIndex, limit) is not { } delivery) return false;
                if (delivery.Kind == MachineEventKind.Exception && !IsOfFetch(delivery, session.ViewOf(cpuIndex).CodeAddress)) return true;
            }
            return false;
        }
        finally
        {
            timeline.Seek(here);
        }
    }

    /// <summary>An exception that came before the instruction had begun: its code was not there.</summary>
    public static bool IsOfFetch(in MachineEvent exception, ulong code) =>
        exception.Number == (long)Vector.PageFault && exception.Address - code < LongestInstruction;

    // The last interrupt or exception that IRET has just come back from to this very place; the machine stands just before it then. Null: nothing such.
    private MachineEvent? Delivery(ref int cpuIndex, Position limit)
    {
        Timeline timeline = session.Timeline;
        GuestView view = session.ViewOf(cpuIndex);
        ulong rip = view.Vcpu.State.Rip;
        FramePlace frame = FramePlace.Of(view.Vcpu.State);
        if (!PreviousTransition.TryGo(session, cpuIndex)) return null;
        view = session.ViewOf(cpuIndex);
        if (!CodeShape.IsInterruptReturn(new Disassembler(view).Decode(view.CodeAddress))) return null;
        StopCondition[] conditions = [At(StopCondition.Exception()), At(StopCondition.Interrupt())];
        TimelineStop stop = timeline.ReverseContinue(conditions, limit, session.Activity, session.Activity.Token);
        if (stop.Reason != TimelineStopReason.Hit) return null;
        cpuIndex = stop.Hits[0].Event.CpuIndex;
        return stop.Hits[0].Event;

        StopCondition At(StopCondition condition) => condition with
        {
            Stack = (frame.Stack, frame.Stack), AddressSpace = frame.AddressSpace == 0 ? null : frame.AddressSpace, Filter = (machine, cpu) => machine.Vcpus[cpu].State.Rip == rip,
        };
    }

    // Nearly all other instructions cannot fault.
    private static bool TouchesMemory(in Instruction instruction)
    {
        if (instruction.IsStackInstruction) return true;
        for (int i = 0; i < instruction.OpCount; i++)
            if (instruction.GetOpKind(i) is OpKind.Memory or (>= OpKind.MemorySegSI and <= OpKind.MemoryESRDI)) return instruction.Mnemonic is not (Mnemonic.Lea or Mnemonic.Nop);
        return false;
    }
}
