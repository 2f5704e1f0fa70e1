using Iced.Intel;
using Introspection.Code;
using Introspection.State;
using Vmm.Cpu;

namespace Introspection.Unwinding;

/// <summary>
/// Finds the program that called a 64-bit kernel by SYSCALL, from the code at which the processor entered it (IA32_LSTAR). As long as that code has no stack of its own
/// the program is in registers (SDM 2B, SYSCALL: RIP in RCX, RSP as it was); then the kernel keeps what an interrupt would have left: RIP, CS, RFLAGS, RSP, SS.
/// </summary>
public sealed class SystemCallEntry(GuestView view, Disassembler disassembler)
{
    private const ulong EntrySizeBytes = 1024;
    private const int MaximumInstructionCount = 64, MaximumSlotCount = 40;
    // Linux, arch/x86/include/asm/ptrace.h: struct pt_regs begins with R15, R14, R13, R12, RBP, RBX, and RIP is its 16th number.
    private const int LinuxRipIndex = 16;
    private static readonly int[] s_linuxSaved = [15, 14, 13, 12, FrameRegisters.Rbp, 3];

    /// <summary>The code belongs to the entry.</summary>
    public bool Covers(FrameRegisters frame) =>
        frame.Is64 && view.Vcpu.State is { Cpl: 0, Lstar: not 0 } && frame.Code - view.Vcpu.State.Lstar < EntrySizeBytes;

    /// <summary>The program's registers before the entry has saved them; null: it has, or is none.</summary>
    /// <param name="frame">The vCPU's own.</param>
    public FrameRegisters? FromRegisters(FrameRegisters frame)
    {
        ulong code = view.Vcpu.State.Lstar;
        Instruction? saved = null;
        bool isProgramStack = true;
        for (int i = 0; code != frame.Code; i++)
        {
            Instruction instruction = disassembler.Decode(code);
            if (i == MaximumInstructionCount || instruction.IsInvalid) return null;
            code += (ulong)instruction.Length;
            switch (instruction.FlowControl)
            {
                case FlowControl.UnconditionalBranch:
                    code = instruction.NearBranchTarget;
                    continue;
                case not (FlowControl.Next or FlowControl.ConditionalBranch):
                    return null;
            }
            bool writesRegister = instruction.OpCount > 0 && instruction.Op0Kind == OpKind.Register && instruction.Mnemonic is not (Mnemonic.Push or Mnemonic.Cmp or Mnemonic.Test);
            if (writesRegister && StackEffect.NumberOf(instruction.Op0Register) == FrameRegisters.Rcx) return null;
            if (writesRegister && CodeShape.IsRegister(instruction, 0, Register.RSP)) isProgramStack = false;
            else if (isProgramStack && instruction.Mnemonic == Mnemonic.Mov && instruction.Op0Kind == OpKind.Memory && CodeShape.IsRegister(instruction, 1, Register.RSP))
                saved = instruction;
        }
        ulong? stack = isProgramStack ? frame[FrameRegisters.Rsp] : saved is { } store ? Reload(store) : null;
        if (stack is null || frame[FrameRegisters.Rcx] is not { } address) return null;
        FrameRegisters program = frame.Copy();
        Enter(program, address, stack.Value);
        return view.Translate(address) is null ? null : program;
    }

    /// <summary>The program's registers from the kernel's stack; null: they are not there.</summary>
    /// <param name="frame">The entry's.</param>
    public FrameRegisters? FromStack(FrameRegisters frame)
    {
        if (frame[FrameRegisters.Rsp] is not { } stack) return null;
        // SDM 2B, SYSRET to 64-bit mode: the selectors come from IA32_STAR.
        ulong data = (view.Vcpu.State.Star >> 48) + 8 | 3, code = (view.Vcpu.State.Star >> 48) + 16 | 3;
        for (int i = 0; i < MaximumSlotCount; i++)
        {
            ulong at = stack + (ulong)i * 8;
            if (frame.OnStack(at + 8) != code || frame.OnStack(at + 32) != data || (frame.OnStack(at + 16) & 2) != 2) continue;
            if (frame.OnStack(at) is not { } address || frame.OnStack(at + 24) is not { } outer || view.Translate(address) is null) continue;
            FrameRegisters program = frame.Copy();
            for (int register = 0; register < 16; register++) program[register] = null;
            for (int saved = 0; i == LinuxRipIndex && saved < s_linuxSaved.Length; saved++) program[s_linuxSaved[saved]] = frame.OnStack(stack + (ulong)saved * 8);
            Enter(program, address, outer);
            return program;
        }
        return null;
    }

    private static void Enter(FrameRegisters program, ulong address, ulong stack)
    {
        program.Rip = address;
        program[FrameRegisters.Rsp] = stack;
        program[FrameRegisters.Rcx] = null;
        program.IsUser = true;
    }

    // What MOV [memory], RSP has stored, when the address depends on nothing but GS.
    private ulong? Reload(in Instruction store)
    {
        if (store.MemoryIndex != Register.None || store.MemoryBase is not (Register.None or Register.RIP)) return null;
        ulong origin = store.MemorySegment == Register.GS ? view.Vcpu.State.Segment(SegmentIndex.Gs).Base : 0;
        return view.ReadNumber(origin + store.MemoryDisplacement64, 8);
    }
}
