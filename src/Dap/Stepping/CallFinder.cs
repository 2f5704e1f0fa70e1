using System.Collections.Generic;
using Iced.Intel;
using Introspection.Code;
using Introspection.State;
using Introspection.Unwinding;
using Replay.Queries;

namespace Dap.Stepping;

/// <summary>Finds, going back, the call, interrupt or exception that a place was come back to from.</summary>
internal static class CallFinder
{
    /// <summary>What to look for.</summary>
    /// <param name="view">Of a vCPU that can read the code.</param>
    /// <param name="cpuIndex">The vCPU that may have come there; null: any.</param>
    /// <param name="code">Linear address at which it goes on.</param>
    /// <param name="frame">What the registers say there; RSP less what the return has popped of arguments.</param>
    /// <param name="kind">The return: RET, or IRET and the like.</param>
    public static List<StopCondition> Conditions(GuestView view, int? cpuIndex, ulong code, FramePlace frame, FlowKind kind)
    {
        var conditions = new List<StopCondition>();
        var disassembler = new Disassembler(view);
        for (ulong length = 1; length <= 8; length++)
        {
            Instruction instruction = disassembler.Decode(code - length);
            if (instruction.Length == (int)length && CodeShape.IsCall(instruction))
                conditions.Add(frame.Breakpoint(code - length, cpuIndex));
        }
        if (kind == FlowKind.InterruptReturn)
        {
            conditions.Add(StopCondition.Interrupt() with { CpuIndex = cpuIndex });
            conditions.Add(StopCondition.Exception() with { CpuIndex = cpuIndex });
        }
        return conditions;
    }

    /// <summary>The machine stands just before it: what a delivery interrupts goes on at the very place, or behind its instruction.</summary>
    public static bool IsCall(in GuestView view, ulong code, in FramePlace frame)
    {
        FramePlace here = FramePlace.Of(view.Vcpu.State);
        // Of an interrupted user program only the stack may be known.
        if (here.AddressSpace != frame.AddressSpace && here.AddressSpace != 0 && frame.AddressSpace != 0) return false;
        if (view.CodeAddress == code) return here.Stack == frame.Stack;
        Instruction instruction = new Disassembler(view).Decode(view.CodeAddress);
        return view.CodeAddress + (ulong)instruction.Length == code && here.Stack == frame.Stack;
    }
}
