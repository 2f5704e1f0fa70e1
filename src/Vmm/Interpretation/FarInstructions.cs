using Iced.Intel;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation;

/// <summary>Far JMP, CALL, RET, IRET, INT n, INT3, INT1, INTO, SYSCALL, SYSRET, SYSENTER, SYSEXIT.</summary>
internal static unsafe class FarInstructions
{
    public static Handler Bind(in Instruction i, ref DecodedInstruction d)
    {
        switch (i.Code)
        {
            case Code.Jmp_ptr1616 or Code.Jmp_ptr1632: return FarImmediate(i, ref d, new(&JmpFar));
            case Code.Call_ptr1616 or Code.Call_ptr1632: return FarImmediate(i, ref d, new(&CallFar));
            case Code.Jmp_m1616: return FarMemory(ref d, 2, new(&JmpFarMemory));
            case Code.Jmp_m1632: return FarMemory(ref d, 4, new(&JmpFarMemory));
            case Code.Jmp_m1664: return FarMemory(ref d, 8, new(&JmpFarMemory));
            case Code.Call_m1616: return FarMemory(ref d, 2, new(&CallFarMemory));
            case Code.Call_m1632: return FarMemory(ref d, 4, new(&CallFarMemory));
            case Code.Call_m1664: return FarMemory(ref d, 8, new(&CallFarMemory));
            case Code.Retfw or Code.Retfw_imm16: return FarMemory(ref d, 2, new(&Retf));
            case Code.Retfd or Code.Retfd_imm16: return FarMemory(ref d, 4, new(&Retf));
            case Code.Retfq or Code.Retfq_imm16: return FarMemory(ref d, 8, new(&Retf));
            case Code.Iretw: return FarMemory(ref d, 2, new(&Iret));
            case Code.Iretd: return FarMemory(ref d, 4, new(&Iret));
            case Code.Iretq: return FarMemory(ref d, 8, new(&Iret));
            case Code.Int_imm8: return new(&Int);
            case Code.Int3: return new(&Int3);
            case Code.Int1: return new(&Int1);
            case Code.Into: return new(&Into);
            case Code.Syscall: return new(&Syscall);
            case Code.Sysretd: return FarMemory(ref d, 4, new(&Sysret));
            case Code.Sysretq: return FarMemory(ref d, 8, new(&Sysret));
            case Code.Sysenter: return new(&Sysenter);
            case Code.Sysexitd or Code.Sysexitq: return new(&Sysexit);
            default: return default;
        }
    }

    private static Handler FarImmediate(in Instruction i, ref DecodedInstruction d, Handler handler)
    {
        bool wide = i.Op0Kind == OpKind.FarBranch32;
        d.Immediate = wide ? i.FarBranch32 : i.FarBranch16;
        d.FarSelector = i.FarBranchSelector;
        d.OperandSize = (byte)(wide ? 4 : 2);
        return handler;
    }

    private static Handler FarMemory(ref DecodedInstruction d, int size, Handler handler)
    {
        d.OperandSize = (byte)size;
        return handler;
    }

    /// <summary>A far transfer may change mode, privilege and the interrupt flag: the block ends, and interrupts are looked at.</summary>
    private static Completion Done(Vcpu c, bool ok)
    {
        if (!ok) return Completion.Fault;
        c.Bus.InterruptStateChanged(c);
        return Completion.EndBlock;
    }

    private static Completion JmpFar(Vcpu c, in DecodedInstruction d) =>
        Done(c, FarTransfer.TryJump(c, d.FarSelector, d.Immediate, d.OperandSize, d.NextRip));

    private static Completion CallFar(Vcpu c, in DecodedInstruction d) =>
        Done(c, FarTransfer.TryCall(c, d.FarSelector, d.Immediate, d.OperandSize, d.NextRip));

    private static bool TryReadPointer(Vcpu c, in DecodedInstruction d, out ushort selector, out ulong offset)
    {
        selector = 0;
        offset = 0;
        return c.TryAddress(d, d.OperandSize + 2, false, out ulong linear) && Stack.TryReadSized(c, linear, d.OperandSize, out offset)
            && c.TryRead(linear + d.OperandSize, out selector);
    }

    private static Completion JmpFarMemory(Vcpu c, in DecodedInstruction d) =>
        Done(c, TryReadPointer(c, d, out ushort selector, out ulong offset) && FarTransfer.TryJump(c, selector, offset, d.OperandSize, d.NextRip));

    private static Completion CallFarMemory(Vcpu c, in DecodedInstruction d) =>
        Done(c, TryReadPointer(c, d, out ushort selector, out ulong offset) && FarTransfer.TryCall(c, selector, offset, d.OperandSize, d.NextRip));

    private static Completion Retf(Vcpu c, in DecodedInstruction d) => Done(c, FarTransfer.TryReturn(c, d.OperandSize, (ushort)d.Immediate));

    private static Completion Iret(Vcpu c, in DecodedInstruction d)
    {
        if (!FarTransfer.TryInterruptReturn(c, d.OperandSize, d.NextRip)) return Completion.Fault;
        c.State.NmiBlocked = 0;
        c.Bus.OnExit(c, ExitReason.Iret, 0, 0);
        return Done(c, true);
    }

    /// <summary>Runs a software interrupt. The return address is the next instruction; on a fault RIP is put back by the caller.</summary>
    private static Completion SoftwareInterrupt(Vcpu c, in DecodedInstruction d, byte vector, InterruptSource source)
    {
        ulong rip = c.State.Rip;
        c.State.Rip = d.NextRip;
        if (!InterruptDelivery.TryDeliver(c, vector, source))
        {
            c.State.Rip = rip;
            return Completion.Fault;
        }
        c.Bus.OnExit(c, ExitReason.SoftwareInterrupt, vector, 0);
        c.SuppressTrap = true;
        return Done(c, true);
    }

    private static Completion Int(Vcpu c, in DecodedInstruction d)
    {
        if (c.State.IsVirtual8086 && ((c.State.SystemFlags >> 12) & 3) < 3) return c.GeneralProtection();
        return SoftwareInterrupt(c, d, (byte)d.Immediate, InterruptSource.Software);
    }

    private static Completion Int3(Vcpu c, in DecodedInstruction d) => SoftwareInterrupt(c, d, 3, InterruptSource.Software);

    private static Completion Int1(Vcpu c, in DecodedInstruction d) => SoftwareInterrupt(c, d, 1, InterruptSource.Exception);

    private static Completion Into(Vcpu c, in DecodedInstruction d) =>
        c.State.Overflow() ? SoftwareInterrupt(c, d, 4, InterruptSource.Software) : Completion.Next;

    // ---- Fast system calls. Segment bases, limits and rights are fixed values, not read from descriptors (SDM 2B SYSCALL).

    private static void SetFlatSegment(Vcpu c, int index, int selector, int dpl, bool code, bool long64)
    {
        c.State.Segment(index) = new SegmentRegister
        {
            Selector = (ushort)selector,
            Limit = uint.MaxValue,
            AccessRights = (ushort)(0x8000 | (long64 ? 0x2000 : 0x4000) | 0x90 | dpl << 5 | (code ? 0xB : 0x3)),
        };
    }

    private static Completion Syscall(Vcpu c, in DecodedInstruction d)
    {
        ref VcpuState s = ref c.State;
        if ((s.Efer & 1) == 0 || !s.IsProtected) return c.InvalidOpcode();
        int selector = (int)(s.Star >> 32) & 0xFFFC;
        if (!s.IsLongMode)
        {
            // AMD's SYSCALL in legacy mode: EIP from STAR, ECX keeps the return address (APM 3).
            s.Rcx = (uint)d.NextRip;
            s.Rip = (uint)s.Star;
            s.SystemFlags &= ~(RFlags.Interrupt | RFlags.Virtual8086 | RFlags.Resume);
            SetFlatSegment(c, SegmentIndex.Cs, selector, 0, code: true, long64: false);
        }
        else
        {
            bool from64 = (d.Traits & InstructionTraits.Long) != 0;
            ulong flags = s.ReadRFlags() & ~RFlags.Resume;
            s.Rcx = d.NextRip;
            s.Register<ulong>(11 * 8) = flags;
            s.WriteRFlags(flags & ~s.SfMask);
            s.Rip = from64 ? s.Lstar : s.Cstar;
            SetFlatSegment(c, SegmentIndex.Cs, selector, 0, code: true, long64: true);
        }
        SetFlatSegment(c, SegmentIndex.Ss, selector + 8, 0, code: false, long64: false);
        Segmentation.SetPrivilege(c, 0);
        c.SuppressTrap = (s.SystemFlags & RFlags.Trap) == 0;
        c.Bus.OnExit(c, ExitReason.Syscall, -1, s.Rax);
        return Done(c, true);
    }

    private static Completion Sysret(Vcpu c, in DecodedInstruction d)
    {
        ref VcpuState s = ref c.State;
        if ((s.Efer & 1) == 0 || !s.IsProtected) return c.InvalidOpcode();
        if (s.Cpl != 0) return c.GeneralProtection();
        bool to64 = d.OperandSize == 8;
        int selector = (int)(s.Star >> 48) & 0xFFFC;
        if (to64 && (ulong)((long)(s.Rcx << 16) >> 16) != s.Rcx) return c.GeneralProtection();
        s.Rip = to64 ? s.Rcx : (uint)s.Rcx;
        if (s.IsLongMode) s.WriteRFlags(s.Register<ulong>(11 * 8) & 0x003C_7FD7);
        else s.SystemFlags |= RFlags.Interrupt;
        SetFlatSegment(c, SegmentIndex.Cs, (to64 ? selector + 16 : selector) | 3, 3, code: true, long64: to64);
        SetFlatSegment(c, SegmentIndex.Ss, (selector + 8) | 3, 3, code: false, long64: false);
        Segmentation.SetPrivilege(c, 3);
        c.Bus.OnExit(c, ExitReason.Sysret, 0, 0);
        return Done(c, true);
    }

    /// <summary>As on AMD's processors, whose vendor string the model has, SYSENTER and SYSEXIT exist in legacy mode only (APM 3).</summary>
    private static Completion Sysenter(Vcpu c, in DecodedInstruction d)
    {
        ref VcpuState s = ref c.State;
        if (s.IsLongMode) return c.InvalidOpcode();
        if (!s.IsProtected || (s.SysenterCs & 0xFFFC) == 0) return c.GeneralProtection();
        int selector = (int)s.SysenterCs & 0xFFFC;
        s.SystemFlags &= ~(RFlags.Virtual8086 | RFlags.Interrupt | RFlags.Resume);
        SetFlatSegment(c, SegmentIndex.Cs, selector, 0, code: true, long64: false);
        SetFlatSegment(c, SegmentIndex.Ss, selector + 8, 0, code: false, long64: false);
        Segmentation.SetPrivilege(c, 0);
        s.Rsp = (uint)s.SysenterEsp;
        s.Rip = (uint)s.SysenterEip;
        c.SuppressTrap = true;
        c.Bus.OnExit(c, ExitReason.Syscall, -2, s.Rax);
        return Done(c, true);
    }

    private static Completion Sysexit(Vcpu c, in DecodedInstruction d)
    {
        ref VcpuState s = ref c.State;
        if (s.IsLongMode) return c.InvalidOpcode();
        if (!s.IsProtected || s.Cpl != 0 || (s.SysenterCs & 0xFFFC) == 0) return c.GeneralProtection();
        int selector = ((int)s.SysenterCs & 0xFFFC) + 16;
        SetFlatSegment(c, SegmentIndex.Cs, selector | 3, 3, code: true, long64: false);
        SetFlatSegment(c, SegmentIndex.Ss, (selector + 8) | 3, 3, code: false, long64: false);
        Segmentation.SetPrivilege(c, 3);
        s.Rsp = (uint)s.Rcx;
        s.Rip = (uint)s.Rdx;
        c.Bus.OnExit(c, ExitReason.Sysret, 0, 0);
        return Done(c, true);
    }
}
