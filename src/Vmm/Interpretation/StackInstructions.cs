using Iced.Intel;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation;

/// <summary>PUSH and POP of general registers, memory and immediates, PUSHA, POPA, PUSHF, POPF, ENTER, LEAVE.</summary>
internal static unsafe class StackInstructions
{
    public static Handler Bind(in Instruction i, ref DecodedInstruction d)
    {
        bool longMode = (d.Traits & InstructionTraits.Long) != 0;
        switch (i.Mnemonic)
        {
            case Mnemonic.Push when i.Op0Kind == OpKind.Register && i.Op0Register.IsGPR():
                d.OperandSize = (byte)i.Op0Register.GetSize();
                return longMode && d.OperandSize == 8 ? new(&PushRegister64) : new(&PushRegister);
            case Mnemonic.Push when i.Op0Kind == OpKind.Memory:
                return new(&PushMemory);
            case Mnemonic.Push when i.Op0Kind != OpKind.Register:
                d.OperandSize = (byte)(-i.StackPointerIncrement);
                return new(&PushImmediate);
            case Mnemonic.Pop when i.Op0Kind == OpKind.Register && i.Op0Register.IsGPR():
                d.OperandSize = (byte)i.Op0Register.GetSize();
                return longMode && d.OperandSize == 8 ? new(&PopRegister64) : new(&PopRegister);
            case Mnemonic.Pop when i.Op0Kind == OpKind.Memory:
                return new(&PopMemory);
            case Mnemonic.Pusha or Mnemonic.Pushad:
                d.OperandSize = (byte)(i.Mnemonic == Mnemonic.Pusha ? 2 : 4);
                return new(&Pusha);
            case Mnemonic.Popa or Mnemonic.Popad:
                d.OperandSize = (byte)(i.Mnemonic == Mnemonic.Popa ? 2 : 4);
                return new(&Popa);
            case Mnemonic.Pushf or Mnemonic.Pushfd or Mnemonic.Pushfq:
                d.OperandSize = (byte)(i.Mnemonic == Mnemonic.Pushf ? 2 : i.Mnemonic == Mnemonic.Pushfd ? 4 : 8);
                return new(&Pushf);
            case Mnemonic.Popf or Mnemonic.Popfd or Mnemonic.Popfq:
                d.OperandSize = (byte)(i.Mnemonic == Mnemonic.Popf ? 2 : i.Mnemonic == Mnemonic.Popfd ? 4 : 8);
                return new(&Popf);
            case Mnemonic.Enter:
                d.OperandSize = (byte)(i.Code == Code.Enterw_imm16_imm8 ? 2 : i.Code == Code.Enterd_imm16_imm8 ? 4 : 8);
                return new(&Enter);
            case Mnemonic.Leave:
                d.OperandSize = (byte)(i.Code == Code.Leavew ? 2 : i.Code == Code.Leaved ? 4 : 8);
                return new(&Leave);
            default:
                return default;
        }
    }

    private static Completion PushRegister64(Vcpu c, in DecodedInstruction d)
    {
        ref ulong rsp = ref c.State.Rsp;
        ulong pointer = rsp - 8;
        if (!c.TryWrite(pointer, c.State.Register<ulong>(d.Destination))) return Completion.Fault;
        rsp = pointer;
        return Completion.Next;
    }

    private static Completion PushRegister(Vcpu c, in DecodedInstruction d) =>
        Stack.TryPush(c, d.OperandSize, c.State.Register<ulong>(d.Destination)) ? Completion.Next : Completion.Fault;

    private static Completion PushImmediate(Vcpu c, in DecodedInstruction d) =>
        Stack.TryPush(c, d.OperandSize, d.Immediate) ? Completion.Next : Completion.Fault;

    private static Completion PushMemory(Vcpu c, in DecodedInstruction d) =>
        c.TryAddress(d, d.OperandSize, false, out ulong linear) && Stack.TryReadSized(c, linear, d.OperandSize, out ulong value)
            && Stack.TryPush(c, d.OperandSize, value) ? Completion.Next : Completion.Fault;

    private static Completion PopRegister64(Vcpu c, in DecodedInstruction d)
    {
        if (!c.TryRead(c.State.Rsp, out ulong value)) return Completion.Fault;
        c.State.Rsp += 8;
        c.State.Register<ulong>(d.Destination) = value;
        return Completion.Next;
    }

    private static Completion PopRegister(Vcpu c, in DecodedInstruction d)
    {
        if (!Stack.TryPop(c, d.OperandSize, out ulong value)) return Completion.Fault;
        if (d.OperandSize == 2) c.State.Register<ushort>(d.Destination) = (ushort)value;
        else c.State.Register<ulong>(d.Destination) = value;
        return Completion.Next;
    }

    private static Completion PopMemory(Vcpu c, in DecodedInstruction d)
    {
        if (!Stack.TryPeek(c, 0, d.OperandSize, out ulong value)) return Completion.Fault;
        // An address that uses RSP is computed after the increment (SDM 2B POP).
        ulong oldPointer = c.State.Rsp;
        Stack.SetPointer(c, oldPointer + d.OperandSize, Stack.PointerMask(c));
        if (c.TryAddress(d, d.OperandSize, true, out ulong linear) && Stack.TryWriteSized(c, linear, d.OperandSize, value)) return Completion.Next;
        c.State.Rsp = oldPointer;
        return Completion.Fault;
    }

    private static Completion Pusha(Vcpu c, in DecodedInstruction d)
    {
        int size = d.OperandSize;
        ulong mask = Stack.PointerMask(c), pointer = c.State.Rsp;
        // All eight or none; the first push that cannot be done is the one that faults.
        ulong lowest = (pointer - (ulong)(8 * size)) & mask;
        for (int slot = 1; slot <= 8; slot++)
        {
            ulong offset = (pointer - (ulong)(slot * size)) & mask;
            if (!c.TrySegment(SegmentIndex.Ss, offset, size, true, false, out ulong linear) || !c.TryProbeWrite(linear, size)) return Completion.Fault;
        }
        for (int register = 0; register < 8; register++)
            if (!Stack.TryWriteAt(c, (pointer - (ulong)((register + 1) * size)) & mask, size, c.State.Register<ulong>(register * 8))) return Completion.Fault;
        Stack.SetPointer(c, lowest, mask);
        return Completion.Next;
    }

    private static Completion Popa(Vcpu c, in DecodedInstruction d)
    {
        int size = d.OperandSize;
        System.Span<ulong> values = stackalloc ulong[8];
        for (int slot = 0; slot < 8; slot++)
            if (!Stack.TryPeek(c, slot * size, size, out values[slot])) return Completion.Fault;
        Stack.SetPointer(c, c.State.Rsp + (ulong)(8 * size), Stack.PointerMask(c));
        for (int slot = 0; slot < 8; slot++)
        {
            int register = 7 - slot;
            if (register == 4) continue; // the saved stack pointer is skipped
            if (size == 2) c.State.Register<ushort>(register * 8) = (ushort)values[slot];
            else c.State.Register<ulong>(register * 8) = values[slot];
        }
        return Completion.Next;
    }

    private static Completion Pushf(Vcpu c, in DecodedInstruction d)
    {
        if (c.State.IsVirtual8086 && Iopl(c) < 3) return c.GeneralProtection();
        ulong flags = c.State.ReadRFlags() & ~(RFlags.Resume | RFlags.Virtual8086);
        if (!Stack.TryPush(c, d.OperandSize, flags)) return Completion.Fault;
        c.Bus.OnExit(c, ExitReason.Flags, 0, flags);
        return Completion.Next;
    }

    private static Completion Popf(Vcpu c, in DecodedInstruction d)
    {
        int iopl = Iopl(c);
        if (c.State.IsVirtual8086 && iopl < 3) return c.GeneralProtection();
        if (!Stack.TryPop(c, d.OperandSize, out ulong value)) return Completion.Fault;
        ulong changeable = RFlags.Arithmetic | RFlags.Trap | RFlags.Direction | RFlags.NestedTask | RFlags.AlignmentCheck | RFlags.Identification;
        if (c.State.Cpl == 0 && !c.State.IsVirtual8086) changeable |= RFlags.Iopl;
        if (!c.State.IsProtected || c.State.Cpl <= iopl || c.State.IsVirtual8086) changeable |= RFlags.Interrupt;
        if (!c.State.IsProtected) changeable |= RFlags.Iopl;
        if (d.OperandSize == 2) changeable &= 0xFFFF;
        ulong old = c.State.ReadRFlags();
        // RF is cleared by POPF (SDM 2B).
        c.State.WriteRFlags(((old & ~changeable) | (value & changeable)) & ~RFlags.Resume);
        c.Bus.OnExit(c, ExitReason.Flags, 1, value);
        c.Mmu.UpdatePrivilege();
        c.Bus.InterruptStateChanged(c);
        c.State.Rip = d.NextRip;
        return Completion.EndBlock;
    }

    private static int Iopl(Vcpu c) => (int)(c.State.SystemFlags >> 12) & 3;

    private static Completion Enter(Vcpu c, in DecodedInstruction d)
    {
        int size = d.OperandSize, level = d.Immediate2 & 31;
        ulong mask = Stack.PointerMask(c), pointer = c.State.Rsp, frame;
        pointer = (pointer - (ulong)size) & mask;
        if (!Stack.TryWriteAt(c, pointer, size, c.State.Rbp)) return Completion.Fault;
        frame = pointer;
        ulong oldFrame = c.State.Rbp;
        for (int l = 1; l < level; l++)
        {
            oldFrame = (oldFrame - (ulong)size) & mask;
            if (!c.TrySegment(SegmentIndex.Ss, oldFrame, size, false, c.Is64BitCode, out ulong linear)) return Completion.Fault;
            if (!Stack.TryReadSized(c, linear, size, out ulong link)) return Completion.Fault;
            pointer = (pointer - (ulong)size) & mask;
            if (!Stack.TryWriteAt(c, pointer, size, link)) return Completion.Fault;
        }
        if (level > 0)
        {
            pointer = (pointer - (ulong)size) & mask;
            if (!Stack.TryWriteAt(c, pointer, size, frame)) return Completion.Fault;
        }
        pointer = (pointer - (ushort)d.Immediate) & mask;
        // The new top must be writable, or ENTER faults (SDM 2A).
        if (!c.TrySegment(SegmentIndex.Ss, pointer, size, true, c.Is64BitCode, out ulong top) || !c.TryProbeWrite(top, size)) return Completion.Fault;
        if (size == 2) c.State.Register<ushort>(40) = (ushort)frame;
        else c.State.Rbp = size == 4 ? (uint)frame : frame;
        Stack.SetPointer(c, pointer, mask);
        return Completion.Next;
    }

    private static Completion Leave(Vcpu c, in DecodedInstruction d)
    {
        int size = d.OperandSize;
        ulong mask = Stack.PointerMask(c), frame = c.State.Rbp & mask;
        if (!c.TrySegment(SegmentIndex.Ss, frame, size, false, c.Is64BitCode, out ulong linear)) return Completion.Fault;
        if (!Stack.TryReadSized(c, linear, size, out ulong value)) return Completion.Fault;
        Stack.SetPointer(c, frame + (ulong)size, mask);
        if (size == 2) c.State.Register<ushort>(40) = (ushort)value;
        else c.State.Rbp = value;
        return Completion.Next;
    }
}
