using Iced.Intel;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation;

/// <summary>Privileged and sensitive instructions: control, debug and model-specific registers, descriptor tables, HLT, CPUID, time stamp, caches and TLB.</summary>
internal static unsafe class SystemInstructions
{
    public static Handler Bind(in Instruction i, ref DecodedInstruction d)
    {
        switch (i.Mnemonic)
        {
            case Mnemonic.Mov when i.Op0Kind == OpKind.Register && i.Op0Register.IsCR(): return new(&WriteControl);
            case Mnemonic.Mov when i.Op1Kind == OpKind.Register && i.Op1Register.IsCR(): return new(&ReadControl);
            case Mnemonic.Mov when i.Op0Kind == OpKind.Register && i.Op0Register.IsDR(): return new(&WriteDebug);
            case Mnemonic.Mov when i.Op1Kind == OpKind.Register && i.Op1Register.IsDR(): return new(&ReadDebug);
            case Mnemonic.Clts: return new(&Clts);
            case Mnemonic.Lmsw: return new(&Lmsw);
            case Mnemonic.Smsw: return Store(i, ref d, new(&Smsw));
            case Mnemonic.Sldt: return Store(i, ref d, new(&Sldt));
            case Mnemonic.Str: return Store(i, ref d, new(&Str));
            case Mnemonic.Lldt: return new(&Lldt);
            case Mnemonic.Ltr: return new(&Ltr);
            case Mnemonic.Lgdt or Mnemonic.Lidt: return new(&LoadTable);
            case Mnemonic.Sgdt or Mnemonic.Sidt: return new(&StoreTable);
            case Mnemonic.Hlt: return new(&Hlt);
            case Mnemonic.Cpuid: return new(&CpuidHandler);
            case Mnemonic.Rdtsc: return new(&Rdtsc);
            case Mnemonic.Rdtscp: return new(&Rdtscp);
            case Mnemonic.Rdmsr: return new(&Rdmsr);
            case Mnemonic.Wrmsr: return new(&Wrmsr);
            case Mnemonic.Rdpmc: return new(&Rdpmc);
            case Mnemonic.Invlpg: return new(&Invlpg);
            case Mnemonic.Invpcid: return new(&Invpcid);
            case Mnemonic.Invd or Mnemonic.Wbinvd: return new(&CacheControl);
            case Mnemonic.Pause: return new(&Pause);
            case Mnemonic.Xgetbv: return new(&Xgetbv);
            case Mnemonic.Xsetbv: return new(&Xsetbv);
            case Mnemonic.Ud0 or Mnemonic.Ud1 or Mnemonic.Ud2: return new(&Ud);
            default: return default;
        }
    }

    internal static Completion Ud(Vcpu c, in DecodedInstruction d) => c.InvalidOpcode();

    private static Completion Unprivileged(Vcpu c) => c.GeneralProtection();

    /// <summary>Ends the block: decoding, translation or interrupts may differ from here on.</summary>
    private static Completion End(Vcpu c, in DecodedInstruction d)
    {
        c.Bus.InterruptStateChanged(c);
        c.State.Rip = d.NextRip;
        return Completion.EndBlock;
    }

    // ---- Control registers

    private static Completion ReadControl(Vcpu c, in DecodedInstruction d)
    {
        ref VcpuState s = ref c.State;
        if (s.Cpl != 0) return Unprivileged(c);
        ulong value;
        switch (d.Source)
        {
            case 0: value = s.Cr0; break;
            case 2: value = s.Cr2; break;
            case 3: value = s.Cr3; break;
            case 4: value = s.Cr4; break;
            case 8: value = (ulong)(c.Bus.ReadTaskPriority(c) >> 4); break;
            default: return c.InvalidOpcode();
        }
        s.Register<ulong>(d.Destination) = (d.Traits & InstructionTraits.Long) != 0 ? value : (uint)value;
        c.Bus.OnExit(c, ExitReason.ControlRegisterRead, d.Source, value);
        return Completion.Next;
    }

    private static Completion WriteControl(Vcpu c, in DecodedInstruction d)
    {
        ref VcpuState s = ref c.State;
        if (s.Cpl != 0) return Unprivileged(c);
        ulong value = (d.Traits & InstructionTraits.Long) != 0 ? s.Register<ulong>(d.Source) : s.Register<uint>(d.Source);
        Completion result = Completion.Next;
        switch (d.Destination)
        {
            case 0: result = ControlRegisters.WriteCr0(c, value); break;
            case 2: s.Cr2 = value; break;
            case 3: result = ControlRegisters.WriteCr3(c, value); break;
            case 4: result = ControlRegisters.WriteCr4(c, value); break;
            case 8:
                if (value > 15) return c.GeneralProtection();
                c.Bus.WriteTaskPriority(c, (byte)(value << 4));
                break;
            default: return c.InvalidOpcode();
        }
        if (result == Completion.Fault) return result;
        c.Bus.OnExit(c, ExitReason.ControlRegisterWrite, d.Destination, value);
        return End(c, d);
    }

    private static Completion Clts(Vcpu c, in DecodedInstruction d)
    {
        if (c.State.Cpl != 0) return Unprivileged(c);
        c.State.Cr0 &= ~Cr0.TaskSwitched;
        c.Bus.OnExit(c, ExitReason.ControlRegisterWrite, 0, c.State.Cr0);
        return Completion.Next;
    }

    private static Completion Lmsw(Vcpu c, in DecodedInstruction d)
    {
        if (c.State.Cpl != 0) return Unprivileged(c);
        if (!TryReadWord(c, d, out ushort value)) return Completion.Fault;
        // LMSW can set PE but not clear it.
        ulong cr0 = (c.State.Cr0 & ~0xEUL) | (value & 0xFUL);
        if (ControlRegisters.WriteCr0(c, cr0) == Completion.Fault) return Completion.Fault;
        c.Bus.OnExit(c, ExitReason.ControlRegisterWrite, 0, cr0);
        return End(c, d);
    }

    private static bool TryReadWord(Vcpu c, in DecodedInstruction d, out ushort value)
    {
        if (!d.HasMemory)
        {
            value = c.State.Register<ushort>(d.Destination);
            return true;
        }
        value = 0;
        return c.TryAddress(d, 2, false, out ulong linear) && c.TryRead(linear, out value);
    }

    private static Handler Store(in Instruction i, ref DecodedInstruction d, Handler handler)
    {
        d.OperandSize = (byte)(i.Op0Kind == OpKind.Register ? i.Op0Register.GetSize() : 2);
        return handler;
    }

    private static Completion StoreWord(Vcpu c, in DecodedInstruction d, ulong value)
    {
        if ((c.State.Cr4 & Cr4.UserModeInstructionPrevention) != 0 && c.State.Cpl != 0) return c.GeneralProtection();
        if (d.HasMemory)
        {
            if (!c.TryAddress(d, 2, true, out ulong linear) || !c.TryWrite(linear, (ushort)value)) return Completion.Fault;
        }
        else if (d.OperandSize == 2) c.State.Register<ushort>(d.Destination) = (ushort)value;
        else c.State.Register<ulong>(d.Destination) = d.OperandSize == 4 ? (uint)value : value;
        c.Bus.OnExit(c, ExitReason.DescriptorTable, 0, value);
        return Completion.Next;
    }

    private static Completion Smsw(Vcpu c, in DecodedInstruction d) => StoreWord(c, d, c.State.Cr0);

    private static Completion Sldt(Vcpu c, in DecodedInstruction d) =>
        !c.State.IsProtected || c.State.IsVirtual8086 ? c.InvalidOpcode() : StoreWord(c, d, c.State.Segment(SegmentIndex.Ldtr).Selector);

    private static Completion Str(Vcpu c, in DecodedInstruction d) =>
        !c.State.IsProtected || c.State.IsVirtual8086 ? c.InvalidOpcode() : StoreWord(c, d, c.State.Segment(SegmentIndex.Tr).Selector);

    // ---- Debug registers

    private static bool TryDebugIndex(Vcpu c, int index, out int effective)
    {
        // DR4 and DR5 are DR6 and DR7 unless CR4.DE (SDM 3B 18.2.2).
        effective = index is 4 or 5 ? index + 2 : index;
        if ((index is 4 or 5 && (c.State.Cr4 & Cr4.DebuggingExtensions) != 0) || index > 7)
        {
            c.InvalidOpcode();
            return false;
        }
        if (c.State.Cpl != 0)
        {
            c.GeneralProtection();
            return false;
        }
        if ((c.State.Debug[7] & (1 << 13)) != 0)
        {
            c.PendingException = new PendingException(Vector.Debug, 0, 1 << 13);
            return false;
        }
        return true;
    }

    private static Completion ReadDebug(Vcpu c, in DecodedInstruction d)
    {
        if (!TryDebugIndex(c, d.Source, out int index)) return Completion.Fault;
        ulong value = c.State.Debug[index];
        c.State.Register<ulong>(d.Destination) = (d.Traits & InstructionTraits.Long) != 0 ? value : (uint)value;
        c.Bus.OnExit(c, ExitReason.DebugRegister, index, value);
        return Completion.Next;
    }

    private static Completion WriteDebug(Vcpu c, in DecodedInstruction d)
    {
        if (!TryDebugIndex(c, d.Destination, out int index)) return Completion.Fault;
        ulong value = (d.Traits & InstructionTraits.Long) != 0 ? c.State.Register<ulong>(d.Source) : c.State.Register<uint>(d.Source);
        if (index >= 6 && value >> 32 != 0) return c.GeneralProtection();
        c.State.Debug[index] = index switch
        {
            6 => (value & 0xE00F) | 0xFFFF_0FF0,
            7 => (value & 0xFFFF_2FFF) | 0x400,
            _ => value,
        };
        c.Bus.OnExit(c, ExitReason.DebugRegister, 0x100 | index, value);
        return End(c, d);
    }

    // ---- Descriptor tables

    private static Completion LoadTable(Vcpu c, in DecodedInstruction d)
    {
        ref VcpuState s = ref c.State;
        if (s.Cpl != 0) return Unprivileged(c);
        bool longMode = (d.Traits & InstructionTraits.Long) != 0;
        if (!c.TryAddress(d, longMode ? 10 : 6, false, out ulong linear) || !c.TryRead(linear, out ushort limit)) return Completion.Fault;
        ulong address;
        if (longMode)
        {
            if (!c.TryRead(linear + 2, out address)) return Completion.Fault;
            if ((ulong)((long)(address << 16) >> 16) != address) return c.GeneralProtection();
        }
        else
        {
            if (!c.TryRead(linear + 2, out uint narrow)) return Completion.Fault;
            address = (Code)d.Code is Code.Lgdt_m1632_16 or Code.Lidt_m1632_16 ? narrow & 0xFF_FFFF : narrow;
        }
        bool global = (Code)d.Code is Code.Lgdt_m1632_16 or Code.Lgdt_m1632 or Code.Lgdt_m1664;
        if (global) (s.GdtrBase, s.GdtrLimit) = (address, limit);
        else (s.IdtrBase, s.IdtrLimit) = (address, limit);
        c.Bus.OnExit(c, ExitReason.DescriptorTable, global ? 1 : 2, address);
        return Completion.Next;
    }

    private static Completion StoreTable(Vcpu c, in DecodedInstruction d)
    {
        ref VcpuState s = ref c.State;
        if ((s.Cr4 & Cr4.UserModeInstructionPrevention) != 0 && s.Cpl != 0) return c.GeneralProtection();
        bool longMode = (d.Traits & InstructionTraits.Long) != 0;
        bool global = (Code)d.Code is Code.Sgdt_m1632_16 or Code.Sgdt_m1632 or Code.Sgdt_m1664;
        ulong address = global ? s.GdtrBase : s.IdtrBase;
        int size = longMode ? 10 : 6;
        if (!c.TryAddress(d, size, true, out ulong linear) || !c.TryProbeWrite(linear, size)) return Completion.Fault;
        c.TryWrite(linear, (ushort)(global ? s.GdtrLimit : s.IdtrLimit));
        if (longMode) c.TryWrite(linear + 2, address);
        else c.TryWrite(linear + 2, (uint)address);
        c.Bus.OnExit(c, ExitReason.DescriptorTable, global ? 3 : 4, address);
        return Completion.Next;
    }

    private static bool TryReadSystemDescriptor(Vcpu c, in DecodedInstruction d, out ushort selector, out Descriptor descriptor)
    {
        descriptor = default;
        selector = 0;
        if (!c.State.IsProtected || c.State.IsVirtual8086)
        {
            c.InvalidOpcode();
            return false;
        }
        if (c.State.Cpl != 0)
        {
            c.GeneralProtection();
            return false;
        }
        if (!TryReadWord(c, d, out selector)) return false;
        if (Segmentation.IsNull(selector)) return true;
        if ((selector & 4) != 0) return Segmentation.Fail(c, Vector.GeneralProtection, selector);
        return Segmentation.TryRead(c, selector, c.State.IsLongMode, out descriptor);
    }

    private static Completion Lldt(Vcpu c, in DecodedInstruction d)
    {
        if (!TryReadSystemDescriptor(c, d, out ushort selector, out Descriptor ldt)) return Completion.Fault;
        if (Segmentation.IsNull(selector)) Segmentation.LoadNull(c, SegmentIndex.Ldtr, selector);
        else
        {
            if (ldt.IsCodeOrData || ldt.Type != SystemDescriptorType.Ldt) return c.GeneralProtection((uint)selector & 0xFFFC);
            if (!ldt.IsPresent) return c.Fault(Vector.SegmentNotPresent, (uint)selector & 0xFFFC);
            c.State.Segment(SegmentIndex.Ldtr) = ldt.ToRegister(selector);
        }
        c.Bus.OnExit(c, ExitReason.DescriptorTable, 5, selector);
        return Completion.Next;
    }

    private static Completion Ltr(Vcpu c, in DecodedInstruction d)
    {
        if (!TryReadSystemDescriptor(c, d, out ushort selector, out Descriptor tss)) return Completion.Fault;
        if (Segmentation.IsNull(selector)) return c.GeneralProtection();
        bool available = tss.Type == SystemDescriptorType.Tss32Available || (tss.Type == SystemDescriptorType.Tss16Available && !c.State.IsLongMode);
        if (tss.IsCodeOrData || !available) return c.GeneralProtection((uint)selector & 0xFFFC);
        if (!tss.IsPresent) return c.Fault(Vector.SegmentNotPresent, (uint)selector & 0xFFFC);
        if (!Segmentation.TryChangeType(c, selector, 2, 0)) return Completion.Fault;
        c.State.Segment(SegmentIndex.Tr) = tss.ToRegister(selector);
        c.State.Segment(SegmentIndex.Tr).AccessRights |= 2;
        c.Bus.OnExit(c, ExitReason.DescriptorTable, 6, selector);
        return Completion.Next;
    }

    // ---- HLT, CPUID, time

    private static Completion Hlt(Vcpu c, in DecodedInstruction d)
    {
        if (c.State.Cpl != 0) return Unprivileged(c);
        c.State.Activity = VcpuActivity.Halted;
        c.Bus.OnExit(c, ExitReason.Hlt, 0, 0);
        return End(c, d);
    }

    private static Completion Pause(Vcpu c, in DecodedInstruction d)
    {
        c.Bus.OnExit(c, ExitReason.Pause, 0, 0);
        c.Bus.Yield(c);
        return Completion.Next;
    }

    private static Completion CpuidHandler(Vcpu c, in DecodedInstruction d)
    {
        ref VcpuState s = ref c.State;
        uint leaf = (uint)s.Rax;
        (s.Rax, s.Rbx, s.Rcx, s.Rdx) = Cpuid.Query(s, c.Index, c.Bus.CpuCount, leaf, (uint)s.Rcx);
        c.Bus.OnExit(c, ExitReason.Cpuid, leaf, 0);
        return Completion.Next;
    }

    private static Completion Rdtsc(Vcpu c, in DecodedInstruction d)
    {
        ref VcpuState s = ref c.State;
        if ((s.Cr4 & Cr4.TimeStampDisable) != 0 && s.Cpl != 0) return Unprivileged(c);
        ulong value = c.Bus.ReadTimeStampCounter() + s.TscAdjust;
        s.Rax = (uint)value;
        s.Rdx = value >> 32;
        c.Bus.OnExit(c, ExitReason.Rdtsc, 0, value);
        return Completion.Next;
    }

    private static Completion Rdtscp(Vcpu c, in DecodedInstruction d)
    {
        Completion result = Rdtsc(c, d);
        if (result == Completion.Next) c.State.Rcx = (uint)c.State.TscAux;
        return result;
    }

    private static Completion Rdmsr(Vcpu c, in DecodedInstruction d)
    {
        ref VcpuState s = ref c.State;
        uint msr = (uint)s.Rcx;
        if (s.Cpl != 0 || !ModelSpecificRegisters.TryRead(c, msr, out ulong value)) return c.GeneralProtection();
        s.Rax = (uint)value;
        s.Rdx = value >> 32;
        c.Bus.OnExit(c, ExitReason.MsrRead, msr, value);
        return Completion.Next;
    }

    private static Completion Wrmsr(Vcpu c, in DecodedInstruction d)
    {
        ref VcpuState s = ref c.State;
        uint msr = (uint)s.Rcx;
        ulong value = (uint)s.Rax | s.Rdx << 32;
        if (s.Cpl != 0 || !ModelSpecificRegisters.TryWrite(c, msr, value)) return c.GeneralProtection();
        c.Bus.OnExit(c, ExitReason.MsrWrite, msr, value);
        return End(c, d);
    }

    /// <summary>No performance counters in the model: #GP for every index (and from user mode without CR4.PCE).</summary>
    private static Completion Rdpmc(Vcpu c, in DecodedInstruction d) => c.GeneralProtection();

    // ---- TLB and caches: nothing is cached that a guest could see, so these only check and count

    private static Completion Invlpg(Vcpu c, in DecodedInstruction d)
    {
        if (c.State.Cpl != 0) return Unprivileged(c);
        c.Bus.OnExit(c, ExitReason.Invlpg, 0, c.EffectiveOffset(d) + c.State.Segment(d.Segment).Base);
        return Completion.Next;
    }

    private static Completion Invpcid(Vcpu c, in DecodedInstruction d)
    {
        ref VcpuState s = ref c.State;
        if (s.Cpl != 0) return Unprivileged(c);
        ulong type = (d.Traits & InstructionTraits.Long) != 0 ? s.Register<ulong>(d.Destination) : s.Register<uint>(d.Destination);
        if (!c.TryAddress(d, 16, false, out ulong linear) || !c.TryRead(linear, out ulong pcid) || !c.TryRead(linear + 8, out ulong address)) return Completion.Fault;
        if (type > 3 || pcid >> 12 != 0 || (type == 0 && (ulong)((long)(address << 16) >> 16) != address)) return c.GeneralProtection();
        if (type <= 1 && (s.Cr4 & Cr4.ProcessContextIds) == 0 && pcid != 0) return c.GeneralProtection();
        c.Bus.OnExit(c, ExitReason.Invlpg, (long)type + 1, address);
        return Completion.Next;
    }

    private static Completion CacheControl(Vcpu c, in DecodedInstruction d)
    {
        if (c.State.Cpl != 0) return Unprivileged(c);
        c.Bus.OnExit(c, ExitReason.CacheControl, 0, 0);
        return Completion.Next;
    }

    // ---- Extended control register

    private static Completion Xgetbv(Vcpu c, in DecodedInstruction d)
    {
        ref VcpuState s = ref c.State;
        if ((s.Cr4 & Cr4.OsXsave) == 0) return c.InvalidOpcode();
        if ((uint)s.Rcx != 0) return c.GeneralProtection();
        s.Rax = (uint)s.Xcr0;
        s.Rdx = s.Xcr0 >> 32;
        return Completion.Next;
    }

    private static Completion Xsetbv(Vcpu c, in DecodedInstruction d)
    {
        ref VcpuState s = ref c.State;
        if ((s.Cr4 & Cr4.OsXsave) == 0) return c.InvalidOpcode();
        ulong value = (uint)s.Rax | s.Rdx << 32;
        if (s.Cpl != 0 || (uint)s.Rcx != 0 || (value & 1) == 0 || (value & ~3UL) != 0) return c.GeneralProtection();
        s.Xcr0 = value;
        c.Bus.OnExit(c, ExitReason.ControlRegisterWrite, 256, value);
        return End(c, d);
    }
}
