using Iced.Intel;
using Introspection.Code;

namespace Introspection.Unwinding;

/// <summary>What instructions do to frames.</summary>
public static class CodeShape
{
    public static bool IsReturn(in Instruction i) => i.FlowControl == FlowControl.Return && !IsInterruptReturn(i) && !IsSystemReturn(i);

    public static bool IsInterruptReturn(in Instruction i) => i.Mnemonic is Mnemonic.Iret or Mnemonic.Iretd or Mnemonic.Iretq;

    public static bool IsSystemReturn(in Instruction i) => i.Mnemonic is Mnemonic.Sysret or Mnemonic.Sysretq or Mnemonic.Sysexit or Mnemonic.Sysexitq;

    /// <summary>Comes back, as a rule, behind itself: CALL, INT n, SYSCALL.</summary>
    public static bool IsCall(in Instruction i) => i.FlowControl is FlowControl.Call or FlowControl.IndirectCall or FlowControl.Interrupt;

    /// <summary>
    /// RSP is loaded from a structure, as kernels do to go on with another task. What is loaded by way of FS or GS is the processor's own, as at the entry of system
    /// calls; what lies on the stack, or in a register, is another stack of the same task.
    /// </summary>
    public static bool IsStackSwitch(in Instruction i) => i.Mnemonic == Mnemonic.Mov && IsRegister(i, 0, Register.RSP) && i.Op1Kind == OpKind.Memory
        && i.MemorySegment is not (Register.FS or Register.GS) && i.MemoryBase.GetFullRegister() is not (Register.None or Register.RIP or Register.RSP or Register.RBP);

    /// <summary>RBP is about to be saved: the frame of this function does not stand yet.</summary>
    public static bool IsPushOfFramePointer(in Instruction i) => i.Mnemonic == Mnemonic.Push && IsRegister(i, 0, Register.RBP);

    /// <summary>RBP is about to become this function's.</summary>
    public static bool IsFrameSetup(in Instruction i) => i.Mnemonic == Mnemonic.Mov && IsRegister(i, 0, Register.RBP) && IsRegister(i, 1, Register.RSP);

    public static bool IsRegister(in Instruction i, int operand, Register register) =>
        i.OpCount > operand && i.GetOpKind(operand) == OpKind.Register && i.GetOpRegister(operand).GetFullRegister() == register;

    /// <summary>A near call ends right before an address; then that may be a return address.</summary>
    /// <param name="disassembler">Reads the code.</param>
    /// <param name="address">Linear.</param>
    /// <param name="call">Where the call begins.</param>
    public static bool IsBehindCall(Disassembler disassembler, ulong address, out ulong call)
    {
        // CALL rel32 has 5 bytes, as nearly all have; indirect ones have 2 to 8.
        foreach (int length in (System.ReadOnlySpan<int>)[5, 2, 3, 6, 7, 4, 8])
        {
            call = address - (ulong)length;
            Instruction instruction = disassembler.Decode(call);
            if (instruction.Length == length && instruction.FlowControl is FlowControl.Call or FlowControl.IndirectCall) return true;
        }
        call = 0;
        return false;
    }

    /// <summary>The instruction before an address is a far return: startup code pushes a return address and a function, and returns to the function.</summary>
    public static bool IsBehindFarReturn(Disassembler disassembler, ulong address)
    {
        const int length = 2;
        Instruction instruction = disassembler.Decode(address - length);
        return instruction.Length == length && instruction.Mnemonic == Mnemonic.Retf;
    }
}
