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
        if (pagingTurnsOn && !s.IsLongMode && (s.Cr4 & Cr4.PhysicalAddressExtension) != 0 && !TryLoadPointers(c, s.Cr3)) return Completion.Fault;
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
        else if ((s.Cr0 & Cr0.Paging) != 0 && (s.Cr4 & Cr4.PhysicalAddressExtension) != 0 && !TryLoadPointers(c, value))
        {
            return Completion.Fault;
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
        bool pae = (s.Cr0 & Cr0.Paging) != 0 && !s.IsLongMode && (value & Cr4.PhysicalAddressExtension) != 0;
        const ulong reloads = Cr4.PageSizeExtensions | Cr4.PhysicalAddressExtension | Cr4.PageGlobalEnable | Cr4.SupervisorExecutionPrevention;
        if (pae && ((value ^ s.Cr4) & reloads) != 0 && !TryLoadPointers(c, s.Cr3)) return Completion.Fault;
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

    /// <summary>PAE: reads the four PDPTEs into the vCPU (SDM 3A 4.4.1). False: one has a reserved bit set, and #GP(0) is pending.</summary>
    internal static bool TryLoadPointers(Vcpu c, ulong cr3)
    {
        const ulong present = 1, reserved = 0xFFF0_0000_0000_01E6 | (~((1UL << PagingControls.PhysicalAddressBits) - 1) & PageTableEntry.AddressMask);
        PageDirectoryPointers pointers = default;
        for (int i = 0; i < 4; i++)
        {
            pointers[i] = c.Mmu.ReadPhysical((cr3 & 0xFFFF_FFE0) + (uint)i * 8);
            if ((pointers[i] & present) == 0 || (pointers[i] & reserved) == 0) continue;
            c.GeneralProtection();
            return false;
        }
        c.State.Pdptes = pointers;
        return true;
    }
}
