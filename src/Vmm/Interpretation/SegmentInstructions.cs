using System.Runtime.CompilerServices;
using Iced.Intel;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation;

/// <summary>MOV, PUSH and POP of segment registers, LDS/LES/LFS/LGS/LSS, LAR, LSL, VERR, VERW, ARPL, BOUND, SWAPGS.</summary>
internal static unsafe class SegmentInstructions
{
    public static Handler Bind(in Instruction i, ref DecodedInstruction d)
    {
        switch (i.Mnemonic)
        {
            case Mnemonic.Mov when i.Op0Kind == OpKind.Register && i.Op0Register.IsSegmentRegister():
                return i.Op1Kind == OpKind.Register ? new(&LoadFromRegister) : new(&LoadFromMemory);
            case Mnemonic.Mov when i.Op1Kind == OpKind.Register && i.Op1Register.IsSegmentRegister():
                d.OperandSize = (byte)(i.Op0Kind == OpKind.Register ? i.Op0Register.GetSize() : 2);
                return i.Op0Kind == OpKind.Register ? new(&StoreToRegister) : new(&StoreToMemory);
            case Mnemonic.Push when i.Op0Kind == OpKind.Register && i.Op0Register.IsSegmentRegister():
                d.OperandSize = (byte)(-i.StackPointerIncrement);
                return new(&PushSegment);
            case Mnemonic.Pop when i.Op0Kind == OpKind.Register && i.Op0Register.IsSegmentRegister():
                d.OperandSize = (byte)i.StackPointerIncrement;
                return new(&PopSegment);
            case Mnemonic.Lds: return FarPointer(i, ref d, SegmentIndex.Ds);
            case Mnemonic.Les: return FarPointer(i, ref d, SegmentIndex.Es);
            case Mnemonic.Lfs: return FarPointer(i, ref d, SegmentIndex.Fs);
            case Mnemonic.Lgs: return FarPointer(i, ref d, SegmentIndex.Gs);
            case Mnemonic.Lss: return FarPointer(i, ref d, SegmentIndex.Ss);
            case Mnemonic.Lar: return Inspection(i, ref d, new(&Lar));
            case Mnemonic.Lsl: return Inspection(i, ref d, new(&Lsl));
            case Mnemonic.Verr: return new(&Verr);
            case Mnemonic.Verw: return new(&Verw);
            case Mnemonic.Arpl: return new(&Arpl);
            case Mnemonic.Bound:
                d.OperandSize = (byte)i.Op0Register.GetSize();
                return new(&Bound);
            case Mnemonic.Swapgs: return new(&Swapgs);
            default: return default;
        }
    }

    private static Handler FarPointer(in Instruction i, ref DecodedInstruction d, int segment)
    {
        d.OperandSize = (byte)i.Op0Register.GetSize();
        d.Third = (byte)segment;
        return new(&LoadFarPointer);
    }

    private static Handler Inspection(in Instruction i, ref DecodedInstruction d, Handler handler)
    {
        d.OperandSize = (byte)i.Op0Register.GetSize();
        return handler;
    }

    private static Completion Load(Vcpu c, in DecodedInstruction d, int index, ushort selector)
    {
        if (index == SegmentIndex.Cs) return c.InvalidOpcode();
        if (!Segmentation.TryLoadData(c, index, selector)) return Completion.Fault;
        return Loaded(c, d, index);
    }

    private static Completion Loaded(Vcpu c, in DecodedInstruction d, int index)
    {
        // After a load of SS interrupts wait for one instruction, so that the stack pointer can follow (SDM 3A 6.8.3).
        if (index != SegmentIndex.Ss) return Completion.Next;
        c.State.InterruptShadow = 2;
        // The machine ends the shadow behind the next instruction, wherever this run would have ended.
        c.EndBlockSoon();
        c.State.Rip = d.NextRip;
        return Completion.EndBlock;
    }

    private static Completion LoadFromRegister(Vcpu c, in DecodedInstruction d) => Load(c, d, d.Destination, c.State.Register<ushort>(d.Source));

    private static Completion LoadFromMemory(Vcpu c, in DecodedInstruction d) =>
        c.TryAddress(d, 2, false, out ulong linear) && c.TryRead(linear, out ushort selector) ? Load(c, d, d.Destination, selector) : Completion.Fault;

    private static Completion StoreToRegister(Vcpu c, in DecodedInstruction d)
    {
        ushort selector = c.State.Segment(d.Source).Selector;
        if (d.OperandSize == 2) c.State.Register<ushort>(d.Destination) = selector;
        else c.State.Register<ulong>(d.Destination) = selector;
        return Completion.Next;
    }

    private static Completion StoreToMemory(Vcpu c, in DecodedInstruction d) =>
        c.TryAddress(d, 2, true, out ulong linear) && c.TryWrite(linear, c.State.Segment(d.Source).Selector) ? Completion.Next : Completion.Fault;

    private static Completion PushSegment(Vcpu c, in DecodedInstruction d)
    {
        ushort selector = c.State.Segment(d.Destination).Selector;
        // A wide push is zero-extended, as on AMD's processors; newer ones of Intel write only the low half (SDM 2B PUSH).
        return Stack.TryPush(c, d.OperandSize, selector) ? Completion.Next : Completion.Fault;
    }

    private static Completion PopSegment(Vcpu c, in DecodedInstruction d)
    {
        if (!Stack.TryPeek(c, 0, d.OperandSize == 2 ? 2 : d.OperandSize, out ulong selector)) return Completion.Fault;
        ulong mask = Stack.PointerMask(c), pointer = c.State.Rsp + d.OperandSize;
        if (!Segmentation.TryLoadData(c, d.Destination, (ushort)selector)) return Completion.Fault;
        Stack.SetPointer(c, pointer, mask);
        return Loaded(c, d, d.Destination);
    }

    private static Completion LoadFarPointer(Vcpu c, in DecodedInstruction d)
    {
        if (!c.TryAddress(d, d.OperandSize + 2, false, out ulong linear) || !Stack.TryReadSized(c, linear, d.OperandSize, out ulong offset)
            || !c.TryRead(linear + d.OperandSize, out ushort selector)) return Completion.Fault;
        if (!Segmentation.TryLoadData(c, d.Third, selector)) return Completion.Fault;
        if (d.OperandSize == 2) c.State.Register<ushort>(d.Destination) = (ushort)offset;
        else c.State.Register<ulong>(d.Destination) = offset;
        return Completion.Next;
    }

    // ---- Looking at descriptors

    private static bool TryReadSelector(Vcpu c, in DecodedInstruction d, int register, out ushort selector)
    {
        if (!d.HasMemory)
        {
            selector = c.State.Register<ushort>(register);
            return true;
        }
        selector = 0;
        return c.TryAddress(d, 2, false, out ulong linear) && c.TryRead(linear, out selector);
    }

    /// <summary>Reads the descriptor if the selector reaches it and the privilege allows; a page fault is still a fault.</summary>
    private static bool TryInspect(Vcpu c, ushort selector, out Descriptor descriptor, out bool fault)
    {
        fault = false;
        descriptor = default;
        if (Segmentation.IsNull(selector)) return false;
        if (!Segmentation.TryRead(c, selector, false, out descriptor))
        {
            fault = c.PendingException.Vector == Vector.PageFault;
            return false;
        }
        return descriptor.IsConforming || (descriptor.Dpl >= c.State.Cpl && descriptor.Dpl >= (selector & 3));
    }

    private static Completion Lar(Vcpu c, in DecodedInstruction d) => Inspect(c, d, limit: false);
    private static Completion Lsl(Vcpu c, in DecodedInstruction d) => Inspect(c, d, limit: true);

    private static Completion Inspect(Vcpu c, in DecodedInstruction d, bool limit)
    {
        if (!c.State.IsProtected || c.State.IsVirtual8086) return c.InvalidOpcode();
        if (!TryReadSelector(c, d, d.Source, out ushort selector)) return Completion.Fault;
        bool visible = TryInspect(c, selector, out Descriptor descriptor, out bool fault);
        if (fault) return Completion.Fault;
        if (visible && !descriptor.IsCodeOrData)
        {
            // System descriptors that LAR and LSL know (SDM 2A tables 3-53, 3-54).
            uint known = c.State.IsLongMode ? (limit ? 0x0A04U : 0x1A04) : limit ? 0x0A0EU : 0x1A3E;
            visible = ((known >> descriptor.Type) & 1) != 0;
        }
        c.State.SetZero(visible);
        if (!visible) return Completion.Next;
        ulong value = limit ? descriptor.Limit : (uint)(descriptor.Low >> 32) & 0x00FF_FF00;
        if (!limit && d.OperandSize == 2) value &= 0xFF00;
        if (d.OperandSize == 2) c.State.Register<ushort>(d.Destination) = (ushort)value;
        else c.State.Register<ulong>(d.Destination) = value;
        return Completion.Next;
    }

    private static Completion Verr(Vcpu c, in DecodedInstruction d) => Verify(c, d, write: false);
    private static Completion Verw(Vcpu c, in DecodedInstruction d) => Verify(c, d, write: true);

    private static Completion Verify(Vcpu c, in DecodedInstruction d, bool write)
    {
        if (!c.State.IsProtected || c.State.IsVirtual8086) return c.InvalidOpcode();
        if (!TryReadSelector(c, d, d.Destination, out ushort selector)) return Completion.Fault;
        bool visible = TryInspect(c, selector, out Descriptor descriptor, out bool fault);
        if (fault) return Completion.Fault;
        c.State.SetZero(visible && (write ? descriptor.IsWritable : descriptor.IsReadable));
        return Completion.Next;
    }

    private static Completion Arpl(Vcpu c, in DecodedInstruction d)
    {
        if (!c.State.IsProtected || c.State.IsVirtual8086) return c.InvalidOpcode();
        ulong linear = 0;
        ushort destination;
        nint host = 0;
        if (d.HasMemory)
        {
            if (!c.TryAddress(d, 2, true, out linear) || !c.TryBeginUpdate(linear, out destination, out host)) return Completion.Fault;
        }
        else destination = c.State.Register<ushort>(d.Destination);
        int wanted = c.State.Register<ushort>(d.Source) & 3;
        bool raised = (destination & 3) < wanted;
        c.State.SetZero(raised);
        if (!raised) return Completion.Next;
        ushort result = (ushort)((destination & ~3) | wanted);
        if (d.HasMemory) c.EndUpdate(linear, host, result);
        else c.State.Register<ushort>(d.Destination) = result;
        return Completion.Next;
    }

    private static Completion Bound(Vcpu c, in DecodedInstruction d)
    {
        int size = d.OperandSize;
        if (!c.TryAddress(d, 2 * size, false, out ulong linear) || !Stack.TryReadSized(c, linear, size, out ulong lower)
            || !Stack.TryReadSized(c, linear + (ulong)size, size, out ulong upper)) return Completion.Fault;
        bool outside = size == 2
            ? c.State.Register<short>(d.Destination) < (short)lower || c.State.Register<short>(d.Destination) > (short)upper
            : c.State.Register<int>(d.Destination) < (int)lower || c.State.Register<int>(d.Destination) > (int)upper;
        return outside ? c.Fault(Vector.BoundRange) : Completion.Next;
    }

    private static Completion Swapgs(Vcpu c, in DecodedInstruction d)
    {
        if (c.State.Cpl != 0) return c.GeneralProtection();
        ref ulong gsBase = ref c.State.Segment(SegmentIndex.Gs).Base;
        (gsBase, c.State.KernelGsBase) = (c.State.KernelGsBase, gsBase);
        return Completion.Next;
    }
}
