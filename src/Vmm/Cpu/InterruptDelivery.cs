namespace Vmm.Cpu;

/// <summary>Where an interrupt or exception comes from.</summary>
internal enum InterruptSource
{
    /// <summary>INT n, INT3, INTO: gate privilege is checked, error codes have EXT clear.</summary>
    Software,
    Exception,
    Hardware,
}

/// <summary>
/// Calls an interrupt or exception handler through the IVT or IDT (SDM 3A 6.12, 6.14, 3A 20.1 for real mode, 20.2 for virtual-8086). Each method
/// either completes or leaves the state as it was with a fault pending.
/// </summary>
internal static class InterruptDelivery
{
    /// <summary>
    /// Delivers an exception, following the rules for exceptions during delivery (SDM 3A 6.15, table 6-5). False: a triple fault.
    /// </summary>
    public static bool TryDeliverException(Vcpu c, PendingException exception)
    {
        while (true)
        {
            if (exception.Vector == Vector.PageFault) c.State.Cr2 = exception.Address;
            if (exception.Vector == Vector.Debug) EnterDebugException(c, (uint)exception.Address);
            if (TryDeliver(c, (byte)exception.Vector, InterruptSource.Exception, exception.HasErrorCode, exception.ErrorCode)) return true;
            PendingException second = c.PendingException;
            if (exception.Vector == Vector.DoubleFault) return false;
            bool contributoryPair = IsContributory(exception.Vector) && IsContributory(second.Vector);
            bool afterPageFault = exception.Vector == Vector.PageFault && (second.Vector == Vector.PageFault || IsContributory(second.Vector));
            exception = contributoryPair || afterPageFault ? new PendingException(Vector.DoubleFault, 0) : second;
        }
    }

    private static bool IsContributory(Vector vector) =>
        vector is Vector.DivideError or Vector.InvalidTss or Vector.SegmentNotPresent or Vector.StackFault or Vector.GeneralProtection;

    /// <summary>DR6 tells the cause; DR7.GD is cleared (SDM 3B 18.2.3, 18.2.4).</summary>
    private static void EnterDebugException(Vcpu c, uint cause)
    {
        c.State.Debug[6] = (c.State.Debug[6] & ~0xFUL) | cause;
        c.State.Debug[7] &= ~(1UL << 13);
    }

    /// <summary>Delivers one interrupt or exception. False: another fault is pending, and the state is as before.</summary>
    public static bool TryDeliver(Vcpu c, byte vector, InterruptSource source, bool hasErrorCode = false, uint errorCode = 0)
    {
        VcpuState saved = c.State;
        bool delivered = !c.State.IsProtected ? TryDeliverReal(c, vector)
            : c.State.IsLongMode ? TryDeliverLong(c, vector, source, hasErrorCode, errorCode)
            : TryDeliverProtected(c, vector, source, hasErrorCode, errorCode);
        if (delivered) return true;
        c.RollBack(saved);
        return false;
    }

    private static bool TryDeliverReal(Vcpu c, byte vector)
    {
        ref VcpuState s = ref c.State;
        uint offset = (uint)vector * 4;
        if (offset + 3 > s.IdtrLimit) return Segmentation.Fail(c, Vector.GeneralProtection, 0);
        if (!c.TryReadSystem((uint)(s.IdtrBase + offset), out uint entry)) return false;
        if (!Stack.TryPush(c, 2, s.ReadRFlags()) || !Stack.TryPush(c, 2, s.Segment(SegmentIndex.Cs).Selector) || !Stack.TryPush(c, 2, s.Rip)) return false;
        s.SystemFlags &= ~(RFlags.Interrupt | RFlags.Trap | RFlags.AlignmentCheck | RFlags.Resume);
        Segmentation.LoadReal(c, SegmentIndex.Cs, (ushort)(entry >> 16));
        s.Rip = (ushort)entry;
        return true;
    }

    /// <summary>The error code for a bad IDT entry: index, IDT bit, EXT.</summary>
    private static uint GateError(byte vector, uint external) => (uint)vector << 3 | 2 | external;

    private static bool FailGate(Vcpu c, Vector fault, byte vector, uint external)
    {
        c.Fault(fault, GateError(vector, external));
        return false;
    }

    private static bool TryDeliverProtected(Vcpu c, byte vector, InterruptSource source, bool hasErrorCode, uint errorCode)
    {
        ref VcpuState s = ref c.State;
        uint external = source == InterruptSource.Software ? 0U : 1;
        ulong offset = (ulong)vector * 8;
        if (offset + 7 > s.IdtrLimit) return FailGate(c, Vector.GeneralProtection, vector, external);
        if (!c.TryReadSystem((uint)(s.IdtrBase + offset), out ulong low)) return false;
        var gate = new Descriptor(low, 0);
        bool isGate = !gate.IsCodeOrData && gate.Type is SystemDescriptorType.TaskGate or SystemDescriptorType.InterruptGate16
            or SystemDescriptorType.TrapGate16 or SystemDescriptorType.InterruptGate32 or SystemDescriptorType.TrapGate32;
        if (!isGate || gate.IsCodeOrData) return FailGate(c, Vector.GeneralProtection, vector, external);
        if (source == InterruptSource.Software && gate.Dpl < s.Cpl) return FailGate(c, Vector.GeneralProtection, vector, 0);
        if (!gate.IsPresent) return FailGate(c, Vector.SegmentNotPresent, vector, external);
        if (gate.Type == SystemDescriptorType.TaskGate)
        {
            return TaskSwitch.TrySwitchThroughGate(c, gate, external)
                && (!hasErrorCode || Stack.TryPush(c, s.Segment(SegmentIndex.Tr).Type == SystemDescriptorType.Tss32Busy ? 4 : 2, errorCode));
        }
        int size = (gate.Type & 8) != 0 ? 4 : 2;
        if (!TryReadHandlerCode(c, gate, external, out Descriptor code)) return false;
        ulong flags = PushedFlags(c, vector, source);
        SegmentRegister oldCs = s.Segment(SegmentIndex.Cs);
        ulong oldRip = s.Rip;
        if (!code.IsConforming && code.Dpl < s.Cpl)
        {
            if (!TryEnterInnerStack(c, code.Dpl, size, external)) return false;
        }
        else if (s.IsVirtual8086 || (!code.IsConforming && code.Dpl != s.Cpl))
        {
            return Segmentation.Fail(c, Vector.GeneralProtection, gate.GateSelector, external);
        }
        int cpl = code.IsConforming ? s.Cpl : code.Dpl;
        Segmentation.SetPrivilege(c, cpl);
        if (!Stack.TryPush(c, size, flags) || !Stack.TryPush(c, size, oldCs.Selector) || !Stack.TryPush(c, size, oldRip)) return false;
        if (hasErrorCode && !Stack.TryPush(c, size, errorCode)) return false;
        if (gate.GateOffset > code.Limit)
        {
            c.Fault(Vector.GeneralProtection, external);
            return false;
        }
        EnterHandler(c, gate, code, cpl);
        s.Rip = size == 4 ? gate.GateOffset : gate.GateOffset & 0xFFFF;
        return true;
    }

    private static bool TryReadHandlerCode(Vcpu c, in Descriptor gate, uint external, out Descriptor code)
    {
        code = default;
        ushort selector = gate.GateSelector;
        if (Segmentation.IsNull(selector)) return Segmentation.Fail(c, Vector.GeneralProtection, 0, external);
        if (!Segmentation.TryRead(c, selector, false, out code, Vector.GeneralProtection, external)) return false;
        if (!code.IsCode || code.Dpl > c.State.Cpl) return Segmentation.Fail(c, Vector.GeneralProtection, selector, external);
        if (!code.IsPresent) return Segmentation.Fail(c, Vector.SegmentNotPresent, selector, external);
        return Segmentation.TryMarkAccessed(c, selector, code);
    }

    /// <summary>RFLAGS as a handler finds it: faults set RF so that a restarted instruction does not break again (SDM 3B 18.3.1.1).</summary>
    private static ulong PushedFlags(Vcpu c, byte vector, InterruptSource source)
    {
        ulong flags = c.State.ReadRFlags();
        bool fault = source == InterruptSource.Exception && (Vector)vector is not (Vector.Debug or Vector.Breakpoint or Vector.Overflow
            or Vector.NonMaskableInterrupt or Vector.DoubleFault or Vector.MachineCheck);
        return fault ? flags | RFlags.Resume : flags;
    }

    /// <summary>Takes SS:ESP of an inner level from the TSS and pushes the old one (and, from virtual-8086 mode, the data segments).</summary>
    private static bool TryEnterInnerStack(Vcpu c, int cpl, int size, uint external)
    {
        ref VcpuState s = ref c.State;
        bool fromVirtual8086 = s.IsVirtual8086;
        if (fromVirtual8086 && cpl != 0) return Segmentation.Fail(c, Vector.GeneralProtection, s.Segment(SegmentIndex.Cs).Selector, external);
        if (!TryReadInnerStack(c, cpl, external, out ushort selector, out uint pointer)) return false;
        SegmentRegister oldSs = s.Segment(SegmentIndex.Ss);
        ulong oldRsp = s.Rsp;
        s.SystemFlags &= ~RFlags.Virtual8086;
        if (!Segmentation.TryLoadStack(c, selector, cpl, Vector.InvalidTss, external)) return false;
        Segmentation.SetPrivilege(c, cpl);
        Stack.SetPointer(c, pointer, Stack.PointerMask(c));
        if (fromVirtual8086)
        {
            foreach (int index in (System.ReadOnlySpan<int>)[SegmentIndex.Gs, SegmentIndex.Fs, SegmentIndex.Ds, SegmentIndex.Es])
            {
                if (!Stack.TryPush(c, size, s.Segment(index).Selector)) return false;
                Segmentation.LoadNull(c, index, 0);
            }
        }
        return Stack.TryPush(c, size, oldSs.Selector) && Stack.TryPush(c, size, oldRsp);
    }

    /// <summary>SSn:ESPn of the current TSS (SDM 3A 7.2.1).</summary>
    public static bool TryReadInnerStack(Vcpu c, int cpl, uint external, out ushort selector, out uint pointer)
    {
        selector = 0;
        pointer = 0;
        ref SegmentRegister tr = ref c.State.Segment(SegmentIndex.Tr);
        bool wide = (tr.Type & 8) != 0;
        uint offset = wide ? (uint)(4 + 8 * cpl) : (uint)(2 + 4 * cpl);
        if (offset + (wide ? 5 : 3) > tr.Limit) return Segmentation.Fail(c, Vector.InvalidTss, tr.Selector, external);
        ulong at = tr.Base + offset;
        if (wide) return c.TryReadSystem((uint)at, out pointer) && c.TryReadSystem((uint)(at + 4), out selector);
        if (!c.TryReadSystem((uint)at, out ushort narrow) || !c.TryReadSystem((uint)(at + 2), out selector)) return false;
        pointer = narrow;
        return true;
    }

    private static void EnterHandler(Vcpu c, in Descriptor gate, in Descriptor code, int cpl)
    {
        ref VcpuState s = ref c.State;
        Segmentation.SetCode(c, gate.GateSelector, code, cpl);
        s.SystemFlags &= ~(RFlags.Trap | RFlags.NestedTask | RFlags.Resume | RFlags.Virtual8086);
        // An interrupt gate (even type) clears IF, a trap gate (odd) leaves it.
        if ((gate.Type & 1) == 0) s.SystemFlags &= ~RFlags.Interrupt;
    }

    private static bool TryDeliverLong(Vcpu c, byte vector, InterruptSource source, bool hasErrorCode, uint errorCode)
    {
        ref VcpuState s = ref c.State;
        uint external = source == InterruptSource.Software ? 0U : 1;
        ulong offset = (ulong)vector * 16;
        if (offset + 15 > s.IdtrLimit) return FailGate(c, Vector.GeneralProtection, vector, external);
        if (!c.TryReadSystem(s.IdtrBase + offset, out ulong low) || !c.TryReadSystem(s.IdtrBase + offset + 8, out ulong high)) return false;
        var gate = new Descriptor(low, high & 0xFFFF_FFFF);
        if (gate.IsCodeOrData || gate.Type is not (SystemDescriptorType.InterruptGate32 or SystemDescriptorType.TrapGate32))
            return FailGate(c, Vector.GeneralProtection, vector, external);
        if (source == InterruptSource.Software && gate.Dpl < s.Cpl) return FailGate(c, Vector.GeneralProtection, vector, 0);
        if (!gate.IsPresent) return FailGate(c, Vector.SegmentNotPresent, vector, external);
        if (!TryReadHandlerCode(c, gate, external, out Descriptor code)) return false;
        if (!code.IsLong || code.IsDefault32) return Segmentation.Fail(c, Vector.GeneralProtection, gate.GateSelector, external);

        ulong flags = PushedFlags(c, vector, source), oldRip = s.Rip, oldRsp = s.Rsp, pointer = oldRsp;
        SegmentRegister oldCs = s.Segment(SegmentIndex.Cs), oldSs = s.Segment(SegmentIndex.Ss);
        int cpl = code.IsConforming ? s.Cpl : code.Dpl;
        bool inner = cpl < s.Cpl;
        int interruptStack = gate.GateInterruptStack;
        if (interruptStack != 0 || inner)
        {
            // RSPn at 4 + 8n, ISTn at 0x1C + 8n (SDM 3A 7.7).
            uint slot = interruptStack != 0 ? (uint)(0x1C + 8 * interruptStack) : (uint)(4 + 8 * cpl);
            ref SegmentRegister tr = ref s.Segment(SegmentIndex.Tr);
            if (slot + 7 > tr.Limit) return Segmentation.Fail(c, Vector.InvalidTss, tr.Selector, external);
            if (!c.TryReadSystem(tr.Base + slot, out pointer)) return false;
        }
        Segmentation.SetCode(c, gate.GateSelector, code, cpl);
        if (inner)
        {
            Segmentation.LoadNull(c, SegmentIndex.Ss, (ushort)cpl);
            s.Segment(SegmentIndex.Ss).AccessRights = (ushort)(cpl << 5);
        }
        s.Rsp = pointer & ~0xFUL;
        if ((ulong)((long)(s.Rsp << 16) >> 16) != s.Rsp)
        {
            c.Fault(Vector.StackFault, external);
            return false;
        }
        if (!Stack.TryPush(c, 8, oldSs.Selector) || !Stack.TryPush(c, 8, oldRsp) || !Stack.TryPush(c, 8, flags)
            || !Stack.TryPush(c, 8, oldCs.Selector) || !Stack.TryPush(c, 8, oldRip)) return false;
        if (hasErrorCode && !Stack.TryPush(c, 8, errorCode)) return false;
        if ((ulong)((long)(gate.GateOffset << 16) >> 16) != gate.GateOffset)
        {
            c.Fault(Vector.GeneralProtection, external);
            return false;
        }
        EnterHandler(c, gate, code, cpl);
        s.Rip = gate.GateOffset;
        return true;
    }
}
