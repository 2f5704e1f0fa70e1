using System;
using System.Collections.Generic;
using System.Threading;
using Introspection.State;
using Introspection.Text;
using Replay.Queries;
using Replay.Timelines;
using Vmm.Cpu;

namespace Introspection.Calls;

/// <summary>What became of a call.</summary>
/// <param name="Result">RAX, or EAX; of a function that returns 64 bits on i386, EDX:EAX.</param>
/// <param name="Problem">One sentence if it did not come back; null otherwise.</param>
public readonly record struct CallOutcome(ulong Result, string? Problem);

/// <summary>
/// Runs a function of the guest in a diversion: arguments go where the System V ABI has them (AMD64: RDI, RSI, RDX, RCX, R8, R9 and the stack; i386: the stack), the
/// return address is the instruction that comes next, and afterwards the vCPU's registers are put back. What the function did to memory stays in the diversion.
/// </summary>
public sealed class FunctionCaller(Diversion diversion, int cpuIndex)
{
    /// <summary>A function that takes longer is given up.</summary>
    public const ulong MaximumInstructionCount = 100_000_000;

    // RDI, RSI, RDX, RCX, R8, R9 by the numbers that instructions have for them.
    private static readonly int[] s_argumentRegisters = [7, 6, 2, 1, 8, 9];
    private const int Rax = 0, Rdx = 2, Rsp = 4;
    // Below the stack pointer leaf functions keep data (AMD64 ABI 3.2.2).
    private const ulong RedZoneSizeBytes = 128;

    /// <summary>Calls it.</summary>
    /// <param name="function">Its first instruction's linear address.</param>
    /// <param name="arguments">Integers and pointers.</param>
    /// <param name="cancellation">Gives it up.</param>
    public CallOutcome Call(ulong function, IReadOnlyList<ulong> arguments, CancellationToken cancellation = default)
    {
        Vcpu vcpu = diversion.Machine.Vcpus[cpuIndex];
        var view = new GuestView(diversion.Machine, vcpu);
        if (view.CodeSize == 16) return new CallOutcome(0, "functions cannot be called in 16-bit code");
        if (view.Translate(function) is null) return new CallOutcome(0, $"there is no code at {Hexadecimal.Of(function)}");
        if (vcpu.State.Activity != VcpuActivity.Running) return new CallOutcome(0, $"vCPU {cpuIndex} does not run now");
        VcpuState before = vcpu.State;
        ulong back = view.CodeAddress;
        ulong stack = PushFrame(view, arguments);
        if (stack == 0) return new CallOutcome(0, "its arguments cannot be put on the stack: there is no memory below the stack pointer");
        vcpu.State.Rip = function;
        StopCondition returned = StopCondition.Breakpoint(back) with
        {
            CpuIndex = cpuIndex, Stack = (stack + (ulong)(view.CodeSize / 8), ulong.MaxValue), AddressSpace = before.Cr3 & ~0xFFFul,
        };
        TimelineStop stop = diversion.Continue([returned], MaximumInstructionCount, cancellation);
        if (stop.Reason != TimelineStopReason.Hit)
        {
            return new CallOutcome(0, stop.Reason == TimelineStopReason.End ? "the machine ended in it" : cancellation.IsCancellationRequested ? "it was given up"
                : $"it did not come back within {MaximumInstructionCount} instructions");
        }
        ulong result = view.CodeSize == 64 ? vcpu.State.General[Rax] : (uint)vcpu.State.General[Rax] | vcpu.State.General[Rdx] << 32;
        vcpu.State = before;
        return new CallOutcome(result, null);
    }

    // The new stack pointer, at the return address; 0: there is no memory.
    private static ulong PushFrame(in GuestView view, IReadOnlyList<ulong> arguments)
    {
        ref VcpuState s = ref view.Vcpu.State;
        bool is64 = view.CodeSize == 64;
        int size = is64 ? 8 : 4, inRegisters = is64 ? Math.Min(arguments.Count, s_argumentRegisters.Length) : 0;
        ulong onStack = (ulong)(arguments.Count - inRegisters);
        // At the call itself the stack is aligned to 16 bytes (both ABIs).
        ulong stack = ((s.General[Rsp] - RedZoneSizeBytes - onStack * (ulong)size) & ~15ul) - (ulong)size;
        if (!is64) stack = (uint)stack;
        var bytes = new byte[(onStack + 1) * (ulong)size];
        Put(bytes, 0, s.Rip, size);
        for (int i = inRegisters; i < arguments.Count; i++) Put(bytes, i - inRegisters + 1, arguments[i], size);
        if (view.Write(new MemoryPlace(view.StackAddressOf(stack)), bytes) != bytes.Length) return 0;
        for (int i = 0; i < inRegisters; i++) s.General[s_argumentRegisters[i]] = arguments[i];
        // AL is the number of vector registers that a variadic function is given.
        s.General[Rax] = 0;
        s.General[Rsp] = stack;
        return stack;
    }

    private static void Put(byte[] bytes, int slot, ulong value, int size)
    {
        for (int i = 0; i < size; i++) bytes[slot * size + i] = (byte)(value >> (8 * i));
    }
}
