namespace Vmm.Cpu;

/// <summary>
/// Far JMP, CALL, RET and IRET in every mode (SDM 2A, 2B; 3A 5.8). The public methods either complete or leave the state as it was with a
/// fault pending.
/// </summary>
internal static class FarTransfer
{
    public static bool TryJump(Vcpu c, ushort selector, ulong offset, int size, ulong nextRip) =>
        Transact(c, (selector, offset, size, nextRip), static (c, a) => IsRealStyle(c) ? JumpReal(c, a.selector, a.offset) : JumpProtected(c, a.selector, a.offset, a.nextRip));

    public static bool TryCall(Vcpu c, ushort selector, ulong offset, int size, ulong nextRip) =>
        Transact(c, (selector, offset, size, nextRip), static (c, a) => Call(c, a.selector, a.offset, a.size, a.nextRip));

    /// <param name="c">The vCPU.</param>
    /// <param name="size">Operand size in bytes.</param>
    /// <param name="release">Bytes of parameters to release.</param>
    public static bool TryReturn(Vcpu c, int size, int release) => Transact(c, (size, release), static (c, a) => Return(c, a.size, a.release));

    public static bool TryInterruptReturn(Vcpu c, int size, ulong nextRip) =>
        Transact(c, (size, nextRip), static (c, a) => InterruptReturn(c, a.size, a.nextRip));

    private delegate bool Body<TArgument>(Vcpu c, TArgument argument);

    private static bool Transact<TArgument>(Vcpu c, TArgument argument, Body<TArgument> body)
    {
        VcpuState saved = c.State;
        if (body(c, argument)) return true;
        c.RollBack(saved);
        return false;
    }

    private static bool IsRealStyle(Vcpu c) => !c.State.IsProtected || c.State.IsVirtual8086;

    private static bool FailZero(Vcpu c)
    {
        c.GeneralProtection();
        return false;
    }

    private static bool JumpReal(Vcpu c, ushort selector, ulong offset)
    {
        if (offset > 0xFFFF && offset > c.State.Segment(SegmentIndex.Cs).Limit) return FailZero(c);
        ushort rights = c.State.Segment(SegmentIndex.Cs).AccessRights;
        Segmentation.LoadReal(c, SegmentIndex.Cs, selector);
        // The D bit stays what it was when protected mode was left ("unreal" code segments).
        if (!c.State.IsVirtual8086) c.State.Segment(SegmentIndex.Cs).AccessRights |= (ushort)(rights & 0x4000);
        c.UpdateFetchMode();
        c.State.Rip = offset;
        return true;
    }

    private static bool JumpProtected(Vcpu c, ushort selector, ulong offset, ulong nextRip)
    {
        ref VcpuState s = ref c.State;
        if (Segmentation.IsNull(selector)) return FailZero(c);
        if (!Segmentation.TryRead(c, selector, false, out Descriptor target)) return false;
        if (target.IsCode) return JumpToCode(c, selector, target, offset);
        if (target.IsCodeOrData) return Segmentation.Fail(c, Vector.GeneralProtection, selector);
        bool gateAllowed = target.Dpl >= s.Cpl && target.Dpl >= (selector & 3);
        switch (target.Type)
        {
            case SystemDescriptorType.CallGate32 or SystemDescriptorType.CallGate16 when !s.IsLongMode || target.Type == SystemDescriptorType.CallGate32:
                if (!gateAllowed) return Segmentation.Fail(c, Vector.GeneralProtection, selector);
                if (!TryReadGateTarget(c, selector, target, out Descriptor gate, out Descriptor code)) return false;
                // A jump through a gate never changes the privilege level.
                if (code.IsConforming ? code.Dpl > s.Cpl : code.Dpl != s.Cpl) return Segmentation.Fail(c, Vector.GeneralProtection, gate.GateSelector);
                return Enter(c, gate.GateSelector, code, gate.Type == SystemDescriptorType.CallGate16 ? gate.GateOffset & 0xFFFF : gate.GateOffset, s.Cpl);
            case SystemDescriptorType.Tss16Available or SystemDescriptorType.Tss32Available when !s.IsLongMode:
                if (!gateAllowed || (selector & 4) != 0) return Segmentation.Fail(c, Vector.GeneralProtection, selector);
                return TaskSwitch.TrySwitch(c, selector, TaskSwitchKind.Jump, nextRip);
            case SystemDescriptorType.TaskGate when !s.IsLongMode:
                if (!gateAllowed) return Segmentation.Fail(c, Vector.GeneralProtection, selector);
                if (!target.IsPresent) return Segmentation.Fail(c, Vector.SegmentNotPresent, selector);
                return TaskSwitch.TrySwitch(c, target.GateSelector, TaskSwitchKind.Jump, nextRip);
            default:
                return Segmentation.Fail(c, Vector.GeneralProtection, selector);
        }
    }

    private static bool JumpToCode(Vcpu c, ushort selector, in Descriptor code, ulong offset)
    {
        int cpl = c.State.Cpl;
        if (code.IsConforming ? code.Dpl > cpl : (selector & 3) > cpl || code.Dpl != cpl) return Segmentation.Fail(c, Vector.GeneralProtection, selector);
        if (c.State.IsLongMode && code.IsLong && code.IsDefault32) return Segmentation.Fail(c, Vector.GeneralProtection, selector);
        if (!code.IsPresent) return Segmentation.Fail(c, Vector.SegmentNotPresent, selector);
        return Enter(c, selector, code, offset, cpl);
    }

    private static bool Enter(Vcpu c, ushort selector, in Descriptor code, ulong offset, int cpl)
    {
        if (!(c.State.IsLongMode && code.IsLong)) offset &= 0xFFFF_FFFF;
        if (!Segmentation.IsValidTarget(c, code, offset)) return FailZero(c);
        if (!Segmentation.TryMarkAccessed(c, selector, code)) return false;
        Segmentation.SetCode(c, selector, code, cpl);
        c.State.Rip = offset;
        return true;
    }

    /// <summary>The code segment behind a call gate, and the gate read whole (16 bytes in long mode).</summary>
    private static bool TryReadGateTarget(Vcpu c, ushort selector, in Descriptor narrow, out Descriptor gate, out Descriptor code)
    {
        gate = narrow;
        code = default;
        bool longMode = c.State.IsLongMode;
        if (!narrow.IsPresent) return Segmentation.Fail(c, Vector.SegmentNotPresent, selector);
        if (longMode && !Segmentation.TryRead(c, selector, true, out gate)) return false;
        if (Segmentation.IsNull(gate.GateSelector)) return FailZero(c);
        if (!Segmentation.TryRead(c, gate.GateSelector, false, out code)) return false;
        if (!code.IsCode || code.Dpl > c.State.Cpl || (longMode && (!code.IsLong || code.IsDefault32)))
            return Segmentation.Fail(c, Vector.GeneralProtection, gate.GateSelector);
        return code.IsPresent || Segmentation.Fail(c, Vector.SegmentNotPresent, gate.GateSelector);
    }

    private static bool Call(Vcpu c, ushort selector, ulong offset, int size, ulong nextRip)
    {
        ref VcpuState s = ref c.State;
        ushort oldCs = s.Segment(SegmentIndex.Cs).Selector;
        if (IsRealStyle(c))
            return Stack.TryPush(c, size, oldCs) && Stack.TryPush(c, size, nextRip) && JumpReal(c, selector, offset);
        if (Segmentation.IsNull(selector)) return FailZero(c);
        if (!Segmentation.TryRead(c, selector, false, out Descriptor target)) return false;
        if (target.IsCode)
            return Stack.TryPush(c, size, oldCs) && Stack.TryPush(c, size, nextRip) && JumpToCode(c, selector, target, offset);
        if (target.IsCodeOrData) return Segmentation.Fail(c, Vector.GeneralProtection, selector);
        bool gateAllowed = target.Dpl >= s.Cpl && target.Dpl >= (selector & 3);
        switch (target.Type)
        {
            case SystemDescriptorType.CallGate32 or SystemDescriptorType.CallGate16 when !s.IsLongMode || target.Type == SystemDescriptorType.CallGate32:
                if (!gateAllowed) return Segmentation.Fail(c, Vector.GeneralProtection, selector);
                return CallThroughGate(c, selector, target, nextRip);
            case SystemDescriptorType.Tss16Available or SystemDescriptorType.Tss32Available when !s.IsLongMode:
                if (!gateAllowed || (selector & 4) != 0) return Segmentation.Fail(c, Vector.GeneralProtection, selector);
                return TaskSwitch.TrySwitch(c, selector, TaskSwitchKind.Call, nextRip);
            case SystemDescriptorType.TaskGate when !s.IsLongMode:
                if (!gateAllowed) return Segmentation.Fail(c, Vector.GeneralProtection, selector);
                if (!target.IsPresent) return Segmentation.Fail(c, Vector.SegmentNotPresent, selector);
                return TaskSwitch.TrySwitch(c, target.GateSelector, TaskSwitchKind.Call, nextRip);
            default:
                return Segmentation.Fail(c, Vector.GeneralProtection, selector);
        }
    }

    private static bool CallThroughGate(Vcpu c, ushort selector, in Descriptor narrow, ulong nextRip)
    {
        ref VcpuState s = ref c.State;
        if (!TryReadGateTarget(c, selector, narrow, out Descriptor gate, out Descriptor code)) return false;
        int size = s.IsLongMode ? 8 : gate.Type == SystemDescriptorType.CallGate32 ? 4 : 2;
        ulong target = size == 2 ? gate.GateOffset & 0xFFFF : gate.GateOffset;
        ushort oldCs = s.Segment(SegmentIndex.Cs).Selector;
        if (code.IsConforming || code.Dpl == s.Cpl)
            return Stack.TryPush(c, size, oldCs) && Stack.TryPush(c, size, nextRip) && Enter(c, gate.GateSelector, code, target, s.Cpl);

        int cpl = code.Dpl;
        SegmentRegister oldSs = s.Segment(SegmentIndex.Ss);
        ulong oldRsp = s.Rsp;
        if (s.IsLongMode)
        {
            ref SegmentRegister tr = ref s.Segment(SegmentIndex.Tr);
            uint slot = (uint)(4 + 8 * cpl);
            if (slot + 7 > tr.Limit) return Segmentation.Fail(c, Vector.InvalidTss, tr.Selector);
            if (!c.TryReadSystem(tr.Base + slot, out ulong pointer)) return false;
            if (!Segmentation.TryMarkAccessed(c, gate.GateSelector, code)) return false;
            Segmentation.SetCode(c, gate.GateSelector, code, cpl);
            Segmentation.LoadNull(c, SegmentIndex.Ss, (ushort)cpl);
            s.Segment(SegmentIndex.Ss).AccessRights = (ushort)(cpl << 5);
            s.Rsp = pointer;
            if (!Stack.TryPush(c, 8, oldSs.Selector) || !Stack.TryPush(c, 8, oldRsp) || !Stack.TryPush(c, 8, oldCs) || !Stack.TryPush(c, 8, nextRip)) return false;
            s.Rip = target;
            return true;
        }

        int parameterCount = gate.GateParameterCount;
        System.Span<ulong> parameters = stackalloc ulong[parameterCount];
        for (int i = 0; i < parameterCount; i++)
            if (!Stack.TryPeek(c, i * size, size, out parameters[i])) return false;
        if (!InterruptDelivery.TryReadInnerStack(c, cpl, 0, out ushort stackSelector, out uint stackPointer)) return false;
        if (!Segmentation.TryLoadStack(c, stackSelector, cpl, Vector.InvalidTss, 0)) return false;
        Segmentation.SetPrivilege(c, cpl);
        Stack.SetPointer(c, stackPointer, Stack.PointerMask(c));
        if (!Stack.TryPush(c, size, oldSs.Selector) || !Stack.TryPush(c, size, oldRsp)) return false;
        for (int i = parameterCount - 1; i >= 0; i--)
            if (!Stack.TryPush(c, size, parameters[i])) return false;
        return Stack.TryPush(c, size, oldCs) && Stack.TryPush(c, size, nextRip) && Enter(c, gate.GateSelector, code, target, cpl);
    }

    private static bool Return(Vcpu c, int size, int release)
    {
        ref VcpuState s = ref c.State;
        if (!Stack.TryPeek(c, 0, size, out ulong offset) || !Stack.TryPeek(c, size, size, out ulong rawSelector)) return false;
        ushort selector = (ushort)rawSelector;
        if (IsRealStyle(c))
        {
            Stack.SetPointer(c, s.Rsp + (ulong)(2 * size + release), Stack.PointerMask(c));
            return JumpReal(c, selector, offset);
        }
        return ReturnProtected(c, size, selector, offset, 2 * size, release, keepsFlags: true, 0);
    }

    /// <summary>
    /// The protected-mode part that RET and IRET share: to the same level, or to an outer one whose SS:RSP lie above. <paramref name="popped"/> bytes have been
    /// looked at.
    /// </summary>
    private static bool ReturnProtected(Vcpu c, int size, ushort selector, ulong offset, int popped, int release, bool keepsFlags, ulong flags)
    {
        ref VcpuState s = ref c.State;
        int rpl = selector & 3, oldCpl = s.Cpl;
        if (Segmentation.IsNull(selector)) return FailZero(c);
        if (!Segmentation.TryRead(c, selector, false, out Descriptor code)) return false;
        if (!code.IsCode || rpl < oldCpl || (code.IsConforming ? code.Dpl > rpl : code.Dpl != rpl)) return Segmentation.Fail(c, Vector.GeneralProtection, selector);
        if (s.IsLongMode && code.IsLong && code.IsDefault32) return Segmentation.Fail(c, Vector.GeneralProtection, selector);
        if (!code.IsPresent) return Segmentation.Fail(c, Vector.SegmentNotPresent, selector);
        if (!(s.IsLongMode && code.IsLong)) offset &= 0xFFFF_FFFF;
        bool from64 = c.Is64BitCode;
        // IRET in 64-bit mode always pops SS:RSP.
        bool popsStack = rpl > oldCpl || (!keepsFlags && from64);
        if (!popsStack)
        {
            if (!Segmentation.IsValidTarget(c, code, offset)) return FailZero(c);
            ulong mask = Stack.PointerMask(c);
            if (!Segmentation.TryMarkAccessed(c, selector, code)) return false;
            Stack.SetPointer(c, s.Rsp + (ulong)(popped + release), mask);
            Segmentation.SetCode(c, selector, code, rpl);
            s.Rip = offset;
            if (!keepsFlags) SetReturnedFlags(c, flags, size, oldCpl);
            return true;
        }
        if (!Stack.TryPeek(c, popped + release, size, out ulong pointer) || !Stack.TryPeek(c, popped + release + size, size, out ulong stackSelector)) return false;
        if (!Segmentation.IsValidTarget(c, code, offset)) return FailZero(c);
        if (!Segmentation.TryMarkAccessed(c, selector, code)) return false;
        if (!TryLoadReturnStack(c, (ushort)stackSelector, code, rpl)) return false;
        Segmentation.SetCode(c, selector, code, rpl);
        ulong newMask = Stack.PointerMask(c);
        if (c.Is64BitCode) s.Rsp = pointer;
        else Stack.SetPointer(c, newMask == 0xFFFF ? pointer : (uint)pointer, newMask);
        if (keepsFlags) Stack.SetPointer(c, s.Rsp + (ulong)release, newMask);
        s.Rip = offset;
        if (!keepsFlags) SetReturnedFlags(c, flags, size, oldCpl);
        if (rpl > oldCpl) Segmentation.DropInaccessibleData(c);
        return true;
    }

    /// <summary>SS of the level that is returned to; null is allowed for 64-bit code outside ring 3.</summary>
    private static bool TryLoadReturnStack(Vcpu c, ushort selector, in Descriptor code, int cpl)
    {
        if (Segmentation.IsNull(selector))
        {
            if (!c.State.IsLongMode || !code.IsLong || cpl == 3 || (selector & 3) != cpl) return FailZero(c);
            Segmentation.LoadNull(c, SegmentIndex.Ss, selector);
            c.State.Segment(SegmentIndex.Ss).AccessRights = (ushort)(cpl << 5);
            return true;
        }
        return Segmentation.TryLoadStack(c, selector, cpl, Vector.GeneralProtection, 0);
    }

    /// <summary>What IRET may change of RFLAGS (SDM 2A IRET): IOPL only at CPL 0, IF only at CPL up to IOPL.</summary>
    private static void SetReturnedFlags(Vcpu c, ulong flags, int size, int oldCpl)
    {
        ulong old = c.State.ReadRFlags();
        ulong changeable = RFlags.Arithmetic | RFlags.Trap | RFlags.Direction | RFlags.NestedTask;
        if (size > 2) changeable |= RFlags.Resume | RFlags.AlignmentCheck | RFlags.Identification;
        if (oldCpl <= (int)(old >> 12 & 3)) changeable |= RFlags.Interrupt;
        if (oldCpl == 0)
        {
            changeable |= RFlags.Iopl;
            if (size > 2) changeable |= RFlags.VirtualInterrupt | RFlags.VirtualInterruptPending;
        }
        c.State.WriteRFlags((old & ~changeable) | (flags & changeable));
        c.Mmu.UpdatePrivilege();
    }

    private static bool InterruptReturn(Vcpu c, int size, ulong nextRip)
    {
        ref VcpuState s = ref c.State;
        if (!s.IsProtected) return InterruptReturnReal(c, size);
        if (s.IsVirtual8086) return ((s.SystemFlags >> 12) & 3) == 3 ? InterruptReturnReal(c, size) : FailZero(c);
        if ((s.SystemFlags & RFlags.NestedTask) != 0)
        {
            if (s.IsLongMode) return FailZero(c);
            ref SegmentRegister tr = ref s.Segment(SegmentIndex.Tr);
            if (!c.TryReadSystem((uint)tr.Base, out ushort link)) return false;
            return TaskSwitch.TrySwitch(c, link, TaskSwitchKind.Return, nextRip);
        }
        if (!Stack.TryPeek(c, 0, size, out ulong offset) || !Stack.TryPeek(c, size, size, out ulong selector) || !Stack.TryPeek(c, 2 * size, size, out ulong flags)) return false;
        if (size == 4 && (flags & RFlags.Virtual8086) != 0 && s.Cpl == 0 && !s.IsLongMode) return ReturnToVirtual8086(c, offset, (ushort)selector, flags);
        return ReturnProtected(c, size, (ushort)selector, offset, 3 * size, 0, keepsFlags: false, flags);
    }

    private static bool InterruptReturnReal(Vcpu c, int size)
    {
        ref VcpuState s = ref c.State;
        if (!Stack.TryPeek(c, 0, size, out ulong offset) || !Stack.TryPeek(c, size, size, out ulong selector) || !Stack.TryPeek(c, 2 * size, size, out ulong flags)) return false;
        Stack.SetPointer(c, s.Rsp + (ulong)(3 * size), Stack.PointerMask(c));
        if (!JumpReal(c, (ushort)selector, offset)) return false;
        ulong old = s.ReadRFlags();
        ulong changeable = RFlags.Arithmetic | RFlags.Trap | RFlags.Interrupt | RFlags.Direction | RFlags.NestedTask;
        if (!s.IsVirtual8086) changeable |= RFlags.Iopl;
        if (size == 4) changeable |= RFlags.Resume | RFlags.AlignmentCheck | RFlags.Identification;
        s.WriteRFlags((old & ~changeable) | (flags & changeable));
        c.Mmu.UpdatePrivilege();
        return true;
    }

    private static bool ReturnToVirtual8086(Vcpu c, ulong offset, ushort selector, ulong flags)
    {
        ref VcpuState s = ref c.State;
        System.Span<ulong> rest = stackalloc ulong[6]; // ESP, SS, ES, DS, FS, GS
        for (int i = 0; i < 6; i++)
            if (!Stack.TryPeek(c, 12 + 4 * i, 4, out rest[i])) return false;
        s.WriteRFlags(flags & 0x003F_7FD5);
        foreach ((int index, ushort value) in (System.ReadOnlySpan<(int, ushort)>)[(SegmentIndex.Cs, selector), (SegmentIndex.Ss, (ushort)rest[1]),
            (SegmentIndex.Es, (ushort)rest[2]), (SegmentIndex.Ds, (ushort)rest[3]), (SegmentIndex.Fs, (ushort)rest[4]), (SegmentIndex.Gs, (ushort)rest[5])])
            Segmentation.LoadReal(c, index, value);
        s.Rsp = (uint)rest[0];
        s.Rip = offset & 0xFFFF;
        Segmentation.SetPrivilege(c, 3);
        return true;
    }
}
