using Vmm.Decoding;
using Vmm.Paging;

namespace Vmm.Cpu;

/// <summary>Loads of control registers and EFER with all their checks and consequences (SDM 3A 2.5, 4.1, 9.8.5).</summary>
internal static class ControlRegisters
{
    public static Completion WriteCr0(Vcpu c, ulong value)
    {
        ref VcpuState s = ref c.State;
        if (value >> 32 != 0) return c.GeneralProtection();
        value = (value & Cr0.All) | Cr0.ExtensionType;
        if ((value & Cr0.Paging) != 0 && (value & Cr0.ProtectionEnable) == 0) return c.GeneralProtection();
        if ((value & Cr0.NotWriteThrough) != 0 && (value & Cr0.CacheDisable) == 0) return c.GeneralProtection();
        bool pagingTurnsOn = (value & ~s.Cr0 & Cr0.Paging) != 0, pagingTurnsOff = (~value & s.Cr0 & Cr0.Paging) != 0;
        if (pagingTurnsOn && (s.Efer & Efer.LongModeEnable) != 0)
        {
            if ((s.Cr4 & Cr4.PhysicalAddressExtension) == 0 || s.Segment(SegmentIndex.Cs).IsLong) return c.GeneralProtection();
            s.Efer |= Efer.LongModeActive;
        }
        else if (pagingTurnsOff && s.IsLongMode)
        {
            if (c.Is64BitCode || (s.Cr4 & Cr4.ProcessContextIds) != 0) return c.GeneralProtection();
            s.Efer &= ~Efer.LongModeActive;
        }
        ulong changed = value ^ s.Cr0;
        s.Cr0 = value;
        if ((changed & Cr0.ProtectionEnable) != 0 && (value & Cr0.ProtectionEnable) == 0) s.Cpl = 0;
        if ((changed & (Cr0.Paging | Cr0.WriteProtect | Cr0.ProtectionEnable | Cr0.AlignmentMask)) != 0) c.Mmu.Reload();
        return Completion.Next;
    }

    public static Completion WriteCr3(Vcpu c, ulong value)
    {
        ref VcpuState s = ref c.State;
        if (s.IsLongMode)
        {
            // Bit 63 asks to keep the TLB entries of the PCID; it is not stored. There is nothing to flush (ShadowPageTables).
            if ((s.Cr4 & Cr4.ProcessContextIds) != 0) value &= ~(1UL << 63);
            if (value >> PagingControls.PhysicalAddressBits != 0) return c.GeneralProtection();
        }
        s.Cr3 = value;
        c.Mmu.Reload();
        return Completion.Next;
    }

    public static Completion WriteCr4(Vcpu c, ulong value)
    {
        ref VcpuState s = ref c.State;
        if ((value & ~Cr4.All) != 0) return c.GeneralProtection();
        if (s.IsLongMode && (value & Cr4.PhysicalAddressExtension) == 0) return c.GeneralProtection();
        bool pcidTurnsOn = (value & ~s.Cr4 & Cr4.ProcessContextIds) != 0;
        if (pcidTurnsOn && (!s.IsLongMode || (s.Cr3 & 0xFFF) != 0)) return c.GeneralProtection();
        s.Cr4 = value;
        c.Mmu.Reload();
        return Completion.Next;
    }

    public static Completion WriteEfer(Vcpu c, ulong value)
    {
        ref VcpuState s = ref c.State;
        const ulong known = Efer.SyscallEnable | Efer.LongModeEnable | Efer.LongModeActive | Efer.NoExecuteEnable;
        if ((value & ~known) != 0) return c.GeneralProtection();
        if (((value ^ s.Efer) & Efer.LongModeEnable) != 0 && (s.Cr0 & Cr0.Paging) != 0) return c.GeneralProtection();
        s.Efer = (value & ~Efer.LongModeActive) | (s.Efer & Efer.LongModeActive);
        c.Mmu.Reload();
        return Completion.Next;
    }
}
