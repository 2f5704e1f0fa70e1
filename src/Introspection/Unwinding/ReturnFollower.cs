using Iced.Intel;
using Introspection.Code;
using Introspection.State;

namespace Introspection.Unwinding;

/// <summary>
/// Finds the caller of code that has no unwind information, as that of assemblers: follows it, without running it, to the RET or IRET that ends it, and counts what
/// it does to the stack pointer. How high the stack is at an instruction does not depend on the way there, so that branches need not be taken.
/// </summary>
public sealed class ReturnFollower(GuestView view, Disassembler disassembler)
{
    private const int MaximumInstructionCount = 96;
    // RAX, RCX, RDX, RSI, RDI, R8 to R11: a call may change them.
    private const int CallerSaved = 0b1111_1100_0111;

    /// <summary>The caller's registers; null: the code does something to the stack that is not understood, or goes on for too long.</summary>
    /// <param name="frame">The registers in the code.</param>
    /// <param name="isInterrupt">It ends with a return from an interrupt or a system call: the caller's instruction has not begun.</param>
    public FrameRegisters? Follow(FrameRegisters frame, out bool isInterrupt)
    {
        isInterrupt = false;
        if (view.CodeSize == 16 || frame[FrameRegisters.Rsp] is not { } bottom) return null;
        FrameRegisters r = frame.Copy();
        for (int i = 0; i < MaximumInstructionCount; i++)
        {
            Instruction instruction = disassembler.Decode(r.Code);
            if (instruction.IsInvalid || r[FrameRegisters.Rsp] is null) return null;
            r.Rip += (ulong)instruction.Length;
            if (CodeShape.IsReturn(instruction)) return Return(r, instruction) ? r : null;
            isInterrupt = CodeShape.IsInterruptReturn(instruction);
            if (isInterrupt) return InterruptReturn(r) ? r : null;
            isInterrupt = CodeShape.IsSystemReturn(instruction);
            if (isInterrupt) return SystemReturn(r) ? r : null;
            if (!TryApply(r, instruction, bottom)) return null;
        }
        return null;
    }

    private bool Return(FrameRegisters r, in Instruction instruction)
    {
        ulong stack = r[FrameRegisters.Rsp]!.Value;
        if (r.OnStack(stack) is not { } address) return false;
        ulong extra = instruction.OpCount > 0 ? instruction.GetImmediate(0) : 0;
        r.Rip = address;
        r[FrameRegisters.Rsp] = stack + (ulong)r.PointerSize + extra;
        return CodeShape.IsBehindCall(disassembler, r.Code, out _);
    }

    // SDM 3A 6.14.3: in 64-bit mode all five are always there; in others SS:ESP only where the privilege level changes.
    private bool InterruptReturn(FrameRegisters r)
    {
        ulong stack = r[FrameRegisters.Rsp]!.Value, size = (ulong)r.PointerSize;
        if (r.OnStack(stack) is not { } address || r.OnStack(stack + size) is not { } selector || r.OnStack(stack + 2 * size) is not { } flags) return false;
        // Bit 1 of the flags is always set, and a code selector is never null.
        if ((flags & 2) == 0 || selector is < 4 or > 0xFFFF) return false;
        bool hasStack = r.Is64 || (selector & 3) != 0;
        ulong? outer = hasStack ? r.OnStack(stack + 3 * size) : stack + 3 * size;
        if (outer is null) return false;
        r.Rip = address;
        r[FrameRegisters.Rsp] = outer;
        return view.Translate(r.Code) is not null;
    }

    private bool SystemReturn(FrameRegisters r)
    {
        if (!r.Is64 || r[FrameRegisters.Rcx] is not { } address) return false;
        r.Rip = address;
        return view.Translate(r.Code) is not null;
    }

    private static bool TryApply(FrameRegisters r, in Instruction i, ulong bottom)
    {
        ulong stack = r[FrameRegisters.Rsp]!.Value;
        switch (i.Mnemonic)
        {
            case Mnemonic.Push or Mnemonic.Pushad or Mnemonic.Pushf or Mnemonic.Pushfd or Mnemonic.Pushfq:
                r[FrameRegisters.Rsp] = stack + (ulong)(long)i.StackPointerIncrement;
                return true;
            case Mnemonic.Pop:
                // What the code itself would push there first is not known.
                ulong? popped = stack < bottom ? null : r.OnStack(stack);
                r[FrameRegisters.Rsp] = stack + (ulong)(long)i.StackPointerIncrement;
                if (i.Op0Kind == OpKind.Register && NumberOf(i.Op0Register) is { } target) r[target] = popped;
                return true;
            case Mnemonic.Popad:
                // EDI lies lowest, EAX highest; what is at ESP's place is left out.
                for (int register = 0; register < 8; register++)
                    if (register != FrameRegisters.Rsp) r[register] = stack < bottom ? null : r.OnStack(stack + (ulong)(4 * (7 - register)));
                r[FrameRegisters.Rsp] = stack + 32;
                return true;
            case Mnemonic.Popf or Mnemonic.Popfd or Mnemonic.Popfq:
                r[FrameRegisters.Rsp] = stack + (ulong)(long)i.StackPointerIncrement;
                return true;
            case Mnemonic.Leave:
                if (r[FrameRegisters.Rbp] is not { } framePointer) return false;
                r[FrameRegisters.Rbp] = r.OnStack(framePointer);
                r[FrameRegisters.Rsp] = framePointer + (ulong)r.PointerSize;
                return true;
            case Mnemonic.Jmp:
                if (i.FlowControl != FlowControl.UnconditionalBranch) return false;
                r.Rip += i.NearBranchTarget - i.NextIP;
                return true;
            case Mnemonic.Call:
                for (int register = 0; register < 12; register++)
                    if ((CallerSaved >> register & 1) != 0) r[register] = null;
                return true;
            case Mnemonic.Cmp or Mnemonic.Test:
                return true;
        }
        if (CodeShape.IsRegister(i, 0, Register.RSP)) return TrySetStack(r, i);
        if (i.OpCount > 0 && i.Op0Kind == OpKind.Register && NumberOf(i.Op0Register) is { } changed) r[changed] = null;
        return i.FlowControl is FlowControl.Next or FlowControl.ConditionalBranch or FlowControl.Interrupt;
    }

    private static bool TrySetStack(FrameRegisters r, in Instruction i)
    {
        ulong stack = r[FrameRegisters.Rsp]!.Value;
        bool isImmediate = i.OpCount == 2 && i.Op1Kind is >= OpKind.Immediate8 and <= OpKind.Immediate32to64;
        if (i.Mnemonic == Mnemonic.Add && isImmediate) r[FrameRegisters.Rsp] = stack + i.GetImmediate(1);
        else if (i.Mnemonic == Mnemonic.Sub && isImmediate) r[FrameRegisters.Rsp] = stack - i.GetImmediate(1);
        else if (i.Mnemonic == Mnemonic.Mov && i.Op1Kind == OpKind.Register && NumberOf(i.Op1Register) is { } source) r[FrameRegisters.Rsp] = r[source];
        else if (i.Mnemonic == Mnemonic.Lea && i.MemoryIndex == Register.None && NumberOf(i.MemoryBase) is { } origin)
            r[FrameRegisters.Rsp] = r[origin] + i.MemoryDisplacement64;
        else return false;
        return true;
    }

    private static int? NumberOf(Register register)
    {
        Register full = register.GetFullRegister();
        return full is >= Register.RAX and <= Register.R15 ? full - Register.RAX : null;
    }
}
