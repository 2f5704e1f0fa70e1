namespace Vmm.Cpu;

internal enum TaskSwitchKind
{
    Jump,
    Call,
    /// <summary>IRET with NT set.</summary>
    Return,
    /// <summary>An interrupt or exception through a task gate.</summary>
    Interrupt,
}

/// <summary>Hardware task switching with 16- and 32-bit task state segments (SDM 3A 7.3). Runs inside its caller's transaction.</summary>
internal static class TaskSwitch
{
    private static System.ReadOnlySpan<int> SegmentOrder => [SegmentIndex.Es, SegmentIndex.Cs, SegmentIndex.Ss, SegmentIndex.Ds, SegmentIndex.Fs, SegmentIndex.Gs];

    public static bool TrySwitchThroughGate(Vcpu c, in Descriptor gate, uint external) =>
        TrySwitch(c, gate.GateSelector, TaskSwitchKind.Interrupt, c.State.Rip, external);

    public static bool TrySwitch(Vcpu c, ushort selector, TaskSwitchKind kind, ulong nextRip, uint external = 0)
    {
        ref VcpuState s = ref c.State;
        Vector bad = kind == TaskSwitchKind.Return ? Vector.InvalidTss : Vector.GeneralProtection;
        if ((selector & 4) != 0 || Segmentation.IsNull(selector)) return Segmentation.Fail(c, bad, selector, external);
        if (!Segmentation.TryRead(c, selector, false, out Descriptor tss, bad, external)) return false;
        bool busy = tss.Type is SystemDescriptorType.Tss16Busy or SystemDescriptorType.Tss32Busy;
        bool available = tss.Type is SystemDescriptorType.Tss16Available or SystemDescriptorType.Tss32Available;
        if (tss.IsCodeOrData || (kind == TaskSwitchKind.Return ? !busy : !available)) return Segmentation.Fail(c, bad, selector, external);
        if (!tss.IsPresent) return Segmentation.Fail(c, Vector.SegmentNotPresent, selector, external);
        bool wide = (tss.Type & 8) != 0;
        if (tss.Limit < (wide ? 0x67U : 0x2B)) return Segmentation.Fail(c, Vector.InvalidTss, selector, external);
        c.Bus.OnExit(c, ExitReason.TaskSwitch, selector, 0);

        SegmentRegister oldTr = s.Segment(SegmentIndex.Tr);
        ulong oldFlags = s.ReadRFlags();
        if (kind == TaskSwitchKind.Return) oldFlags &= ~RFlags.NestedTask;
        if (!TrySave(c, oldTr, oldFlags, nextRip)) return false;
        if (!TryReadTask(c, tss.Base, wide, out TaskImage image)) return false;
        bool nested = kind is TaskSwitchKind.Call or TaskSwitchKind.Interrupt;
        if (nested && !c.TryWriteSystem((uint)tss.Base, oldTr.Selector)) return false;
        // Busy marks: the old task stays busy when it will be returned to; the new one becomes busy.
        if (!nested && !Segmentation.TryChangeType(c, oldTr.Selector, 0, 2)) return false;
        if (kind != TaskSwitchKind.Return && !Segmentation.TryChangeType(c, selector, 2, 0)) return false;

        SegmentRegister tr = tss.ToRegister(selector);
        tr.AccessRights |= 2;
        s.Segment(SegmentIndex.Tr) = tr;
        s.Cr0 |= 8; // TS
        if (wide && (s.Cr0 & (1UL << 31)) != 0)
        {
            bool pae = (s.Cr4 & Cr4.PhysicalAddressExtension) != 0;
            if (pae && !ControlRegisters.TryLoadPointers(c, image.Cr3)) return false;
            s.Cr3 = image.Cr3;
            c.Mmu.Reload();
        }
        s.WriteRFlags(image.Flags | (nested ? RFlags.NestedTask : 0));
        for (int r = 0; r < 8; r++) s.Register<ulong>(r * 8) = wide ? image.Registers[r] : image.Registers[r] | 0xFFFF_0000;
        s.Rip = image.Rip;
        s.Debug[7] &= ~0x55UL; // local breakpoints belong to the old task (SDM 3B 18.2.4)
        return TryLoadSegments(c, image, external);
    }

    private ref struct TaskImage
    {
        public System.Span<ulong> Registers;
        public System.Span<ushort> Selectors;
        public ulong Rip, Flags, Cr3;
        public ushort Ldt;
        public bool DebugTrap;
    }

    private static bool TrySave(Vcpu c, in SegmentRegister tr, ulong flags, ulong nextRip)
    {
        ref VcpuState s = ref c.State;
        uint at = (uint)tr.Base;
        bool ok = true;
        if ((tr.Type & 8) != 0)
        {
            ok &= c.TryWriteSystem(at + 0x20, (uint)nextRip) && c.TryWriteSystem(at + 0x24, (uint)flags);
            for (int r = 0; r < 8 && ok; r++) ok &= c.TryWriteSystem(at + 0x28 + (uint)(4 * r), (uint)s.Register<ulong>(r * 8));
            for (int i = 0; i < 6 && ok; i++) ok &= c.TryWriteSystem(at + 0x48 + (uint)(4 * i), s.Segment(SegmentOrder[i]).Selector);
            return ok;
        }
        ok &= c.TryWriteSystem(at + 0x0E, (ushort)nextRip) && c.TryWriteSystem(at + 0x10, (ushort)flags);
        for (int r = 0; r < 8 && ok; r++) ok &= c.TryWriteSystem(at + 0x12 + (uint)(2 * r), (ushort)s.Register<ulong>(r * 8));
        for (int i = 0; i < 4 && ok; i++) ok &= c.TryWriteSystem(at + 0x22 + (uint)(2 * i), s.Segment(SegmentOrder[i]).Selector);
        return ok;
    }

    private static bool TryReadTask(Vcpu c, ulong tssBase, bool wide, out TaskImage image)
    {
        image = new TaskImage { Registers = new ulong[8], Selectors = new ushort[6] };
        uint at = (uint)tssBase;
        bool ok = true;
        if (wide)
        {
            ok &= c.TryReadSystem(at + 0x1C, out uint cr3) & c.TryReadSystem(at + 0x20, out uint eip) & c.TryReadSystem(at + 0x24, out uint eflags)
                & c.TryReadSystem(at + 0x60, out image.Ldt) & c.TryReadSystem(at + 0x64, out ushort trap);
            image.Cr3 = cr3;
            image.Rip = eip;
            image.Flags = eflags;
            image.DebugTrap = (trap & 1) != 0;
            for (int r = 0; r < 8 && ok; r++)
            {
                ok &= c.TryReadSystem(at + 0x28 + (uint)(4 * r), out uint value);
                image.Registers[r] = value;
            }
            for (int i = 0; i < 6 && ok; i++) ok &= c.TryReadSystem(at + 0x48 + (uint)(4 * i), out image.Selectors[i]);
            return ok;
        }
        ok &= c.TryReadSystem(at + 0x0E, out ushort ip) & c.TryReadSystem(at + 0x10, out ushort flags) & c.TryReadSystem(at + 0x2A, out image.Ldt);
        image.Rip = ip;
        image.Flags = flags;
        for (int r = 0; r < 8 && ok; r++)
        {
            ok &= c.TryReadSystem(at + 0x12 + (uint)(2 * r), out ushort value);
            image.Registers[r] = value;
        }
        for (int i = 0; i < 4 && ok; i++) ok &= c.TryReadSystem(at + 0x22 + (uint)(2 * i), out image.Selectors[i]);
        return ok;
    }

    private static bool TryLoadSegments(Vcpu c, in TaskImage image, uint external)
    {
        ref VcpuState s = ref c.State;
        if (!TryLoadLdt(c, image.Ldt, external)) return false;
        if (s.IsVirtual8086)
        {
            for (int i = 0; i < 6; i++) Segmentation.LoadReal(c, SegmentOrder[i], image.Selectors[i]);
            Segmentation.SetPrivilege(c, 3);
        }
        else
        {
            ushort selector = image.Selectors[1];
            int cpl = selector & 3;
            if (Segmentation.IsNull(selector)) return Segmentation.Fail(c, Vector.InvalidTss, selector, external);
            if (!Segmentation.TryRead(c, selector, false, out Descriptor code, Vector.InvalidTss, external)) return false;
            if (!code.IsCode || (code.IsConforming ? code.Dpl > cpl : code.Dpl != cpl)) return Segmentation.Fail(c, Vector.InvalidTss, selector, external);
            if (!code.IsPresent) return Segmentation.Fail(c, Vector.SegmentNotPresent, selector, external);
            if (!Segmentation.TryMarkAccessed(c, selector, code)) return false;
            Segmentation.SetCode(c, selector, code, cpl);
            if (!Segmentation.TryLoadStack(c, image.Selectors[2], cpl, Vector.InvalidTss, external)) return false;
            foreach (int i in (System.ReadOnlySpan<int>)[0, 3, 4, 5])
            {
                if (Segmentation.TryLoadData(c, SegmentOrder[i], image.Selectors[i])) continue;
                // Wrong data selectors of a task are the TSS's fault.
                if (c.PendingException.Vector == Vector.GeneralProtection)
                    c.PendingException = c.PendingException with { Vector = Vector.InvalidTss };
                return false;
            }
            if (s.Rip > s.Segment(SegmentIndex.Cs).Limit)
            {
                c.GeneralProtection();
                return false;
            }
        }
        if (image.DebugTrap) s.PendingDebug |= 1 << 15; // DR6.BT
        return true;
    }

    private static bool TryLoadLdt(Vcpu c, ushort selector, uint external)
    {
        ref VcpuState s = ref c.State;
        if (Segmentation.IsNull(selector))
        {
            Segmentation.LoadNull(c, SegmentIndex.Ldtr, selector);
            return true;
        }
        if ((selector & 4) != 0) return Segmentation.Fail(c, Vector.InvalidTss, selector, external);
        if (!Segmentation.TryRead(c, selector, false, out Descriptor ldt, Vector.InvalidTss, external)) return false;
        if (ldt.IsCodeOrData || ldt.Type != SystemDescriptorType.Ldt || !ldt.IsPresent) return Segmentation.Fail(c, Vector.InvalidTss, selector, external);
        s.Segment(SegmentIndex.Ldtr) = ldt.ToRegister(selector);
        return true;
    }
}
