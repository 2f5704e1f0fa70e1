using System;
using Introspection.Linux;
using Introspection.Programs;
using Introspection.State;

namespace Introspection.Unwinding;

/// <summary>Callers in a Linux kernel's code by the unwind tables in its own memory; and the program below it, by the registers that it has saved.</summary>
internal sealed class KernelFrames(GuestView view, SymbolSet symbols)
{
    // The names in pt_regs of RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15.
    private static readonly string[] s_names = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];

    private readonly Lazy<OrcUnwinder?> _tables = new(() => symbols.KernelAt(view)?.Orc);

    /// <summary>The caller's registers as far as they are known; null: it is no kernel's code, or the tables do not tell.</summary>
    /// <param name="frame">The registers in the code.</param>
    /// <param name="isExact">The instruction has not begun; else it lies behind a call.</param>
    /// <param name="isInterrupt">The caller was interrupted, or has entered the kernel: its instruction lies behind no call.</param>
    /// <param name="isOtherStack">The caller's stack is another one, which may lie below.</param>
    public FrameRegisters? Caller(FrameRegisters frame, bool isExact, out bool isInterrupt, out bool isOtherStack)
    {
        isInterrupt = isOtherStack = false;
        if (!frame.Is64 || frame.IsUser || frame.Rip >> 63 == 0 || frame[FrameRegisters.Rsp] is not { } stack || _tables.Value is not { } tables) return null;
        var known = new OrcFrame(frame.Rip, stack, frame[FrameRegisters.Rbp], isExact) { Held = name => frame[Array.IndexOf(s_names, name)] };
        if (tables.Outer(known) is not { } outer) return null;
        (isInterrupt, isOtherStack) = (outer.IsInterrupted, outer.IsOtherStack);
        FrameRegisters caller = frame.Copy();
        for (int i = 0; i < s_names.Length; i++) caller[i] = tables.SavedRegister(outer, s_names[i]);
        caller.Rip = outer.Rip;
        caller[FrameRegisters.Rsp] = outer.Rsp;
        caller[FrameRegisters.Rbp] ??= outer.Rbp;
        caller.IsUser = outer.IsUser;
        return caller;
    }
}
