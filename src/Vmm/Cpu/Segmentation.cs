namespace Vmm.Cpu;

/// <summary>Reads descriptors and loads segment registers (SDM 3A 3.4, 5.5 to 5.9).</summary>
internal static class Segmentation
{
    public static bool IsNull(ushort selector) => (selector & 0xFFFC) == 0;

    /// <summary>Leaves a fault pending whose error code is a selector. Always false.</summary>
    public static bool Fail(Vcpu c, Vector vector, int selector, uint external = 0)
    {
        c.Fault(vector, (uint)(selector & 0xFFFC) | external);
        return false;
    }

    /// <summary>
    /// Reads a descriptor from the GDT or LDT. Outside the table: <paramref name="vector"/> with the selector. System descriptors of long mode are read whole
    /// when <paramref name="wide"/>.
    /// </summary>
    public static bool TryRead(Vcpu c, ushort selector, bool wide, out Descriptor descriptor, Vector vector = Vector.GeneralProtection, uint external = 0)
    {
        descriptor = default;
        ref VcpuState s = ref c.State;
        ulong tableBase = s.GdtrBase, limit = s.GdtrLimit;
        if ((selector & 4) != 0)
        {
            ref SegmentRegister ldtr = ref s.Segment(SegmentIndex.Ldtr);
            if (!ldtr.IsPresent) return Fail(c, vector, selector, external);
            tableBase = ldtr.Base;
            limit = ldtr.Limit;
        }
        ulong offset = (ulong)selector & 0xFFF8;
        if (offset + (wide ? 15UL : 7) > limit) return Fail(c, vector, selector, external);
        if (!c.TryReadSystem(Linear(c, tableBase + offset), out ulong low)) return false;
        ulong high = 0;
        if (wide && !c.TryReadSystem(Linear(c, tableBase + offset + 8), out high)) return false;
        descriptor = new Descriptor(low, high & 0xFFFF_FFFF);
        return true;
    }

    /// <summary>Sets the accessed bit of a code or data descriptor if it is clear.</summary>
    public static bool TryMarkAccessed(Vcpu c, ushort selector, in Descriptor descriptor) =>
        (descriptor.Low & (1UL << 40)) != 0 || TryChangeType(c, selector, 1, 0);

    /// <summary>Changes bits of a descriptor's type in its table (accessed, TSS busy).</summary>
    public static bool TryChangeType(Vcpu c, ushort selector, byte set, byte clear)
    {
        ref VcpuState s = ref c.State;
        ulong tableBase = (selector & 4) != 0 ? s.Segment(SegmentIndex.Ldtr).Base : s.GdtrBase;
        ulong at = Linear(c, tableBase + ((ulong)selector & 0xFFF8) + 5);
        return c.TryReadSystem(at, out byte access) && c.TryWriteSystem(at, (byte)((access & ~clear) | set));
    }

    private static ulong Linear(Vcpu c, ulong address) => c.State.IsLongMode ? address : (uint)address;

    /// <summary>What a segment register becomes when real mode or virtual-8086 mode loads it.</summary>
    public static void LoadReal(Vcpu c, int index, ushort selector)
    {
        ref SegmentRegister segment = ref c.State.Segment(index);
        segment.Selector = selector;
        segment.Base = (ulong)selector << 4;
        if (c.State.IsVirtual8086)
        {
            segment.Limit = 0xFFFF;
            segment.AccessRights = 0xF3;
        }
        else
        {
            // Real mode keeps the limit ("unreal mode"), and CS is writable there.
            segment.AccessRights = 0x93;
        }
        if (index == SegmentIndex.Cs) c.UpdateFetchMode();
    }

    /// <summary>Loads ES, SS, DS, FS or GS as MOV and POP do. False: a fault is pending and nothing has changed.</summary>
    public static bool TryLoadData(Vcpu c, int index, ushort selector)
    {
        ref VcpuState s = ref c.State;
        if (!s.IsProtected || s.IsVirtual8086)
        {
            LoadReal(c, index, selector);
            return true;
        }
        return index == SegmentIndex.Ss ? TryLoadStack(c, selector, s.Cpl, Vector.GeneralProtection, 0) : TryLoadOther(c, index, selector);
    }

    /// <summary>Loads SS for privilege level <paramref name="cpl"/>; wrong selectors raise <paramref name="vector"/> (#GP, or #TS in stack switches).</summary>
    public static bool TryLoadStack(Vcpu c, ushort selector, int cpl, Vector vector, uint external)
    {
        ref VcpuState s = ref c.State;
        int rpl = selector & 3;
        if (IsNull(selector))
        {
            if (vector == Vector.GeneralProtection && c.Is64BitCode && cpl != 3 && rpl == cpl)
            {
                LoadNull(c, SegmentIndex.Ss, selector);
                s.Segment(SegmentIndex.Ss).AccessRights = (ushort)(cpl << 5);
                return true;
            }
            return Fail(c, vector, vector == Vector.InvalidTss ? selector : 0, external);
        }
        if (!TryRead(c, selector, false, out Descriptor descriptor, vector, external)) return false;
        if (rpl != cpl || descriptor.Dpl != cpl || !descriptor.IsWritable) return Fail(c, vector, selector, external);
        if (!descriptor.IsPresent) return Fail(c, Vector.StackFault, selector, external);
        if (!TryMarkAccessed(c, selector, descriptor)) return false;
        s.Segment(SegmentIndex.Ss) = descriptor.ToRegister(selector);
        s.Segment(SegmentIndex.Ss).AccessRights |= 1;
        return true;
    }

    private static bool TryLoadOther(Vcpu c, int index, ushort selector)
    {
        ref VcpuState s = ref c.State;
        if (IsNull(selector))
        {
            LoadNull(c, index, selector);
            return true;
        }
        if (!TryRead(c, selector, false, out Descriptor descriptor)) return false;
        if (!descriptor.IsReadable) return Fail(c, Vector.GeneralProtection, selector);
        if (!descriptor.IsConforming && ((selector & 3) > descriptor.Dpl || s.Cpl > descriptor.Dpl)) return Fail(c, Vector.GeneralProtection, selector);
        if (!descriptor.IsPresent) return Fail(c, Vector.SegmentNotPresent, selector);
        if (!TryMarkAccessed(c, selector, descriptor)) return false;
        s.Segment(index) = descriptor.ToRegister(selector);
        s.Segment(index).AccessRights |= 1;
        return true;
    }

    /// <summary>A null selector: usable in 64-bit mode, where its base is 0.</summary>
    public static void LoadNull(Vcpu c, int index, ushort selector) =>
        c.State.Segment(index) = new SegmentRegister { Selector = selector };

    /// <summary>
    /// Enters a code segment whose descriptor was checked: CS and CPL. The caller has marked it accessed and sets RIP.
    /// </summary>
    public static void SetCode(Vcpu c, ushort selector, in Descriptor descriptor, int cpl)
    {
        ref VcpuState s = ref c.State;
        s.Segment(SegmentIndex.Cs) = descriptor.ToRegister((ushort)((selector & 0xFFFC) | cpl));
        s.Segment(SegmentIndex.Cs).AccessRights |= 1;
        SetPrivilege(c, cpl);
    }

    public static void SetPrivilege(Vcpu c, int cpl)
    {
        c.State.Cpl = (byte)cpl;
        c.Mmu.UpdatePrivilege();
    }

    /// <summary>After a return to an outer level: segments that it may not use become null (SDM 2B RET).</summary>
    public static void DropInaccessibleData(Vcpu c)
    {
        ref VcpuState s = ref c.State;
        foreach (int index in (System.ReadOnlySpan<int>)[SegmentIndex.Es, SegmentIndex.Ds, SegmentIndex.Fs, SegmentIndex.Gs])
        {
            ref SegmentRegister segment = ref s.Segment(index);
            if (segment.IsPresent && !segment.IsConforming && segment.Dpl < s.Cpl) LoadNull(c, index, 0);
        }
    }

    /// <summary>Whether an offset may become RIP in a code segment: below the limit, or canonical in 64-bit code.</summary>
    public static bool IsValidTarget(Vcpu c, in Descriptor code, ulong offset) =>
        c.State.IsLongMode && code.IsLong ? (ulong)((long)(offset << 16) >> 16) == offset : offset <= code.Limit;
}
