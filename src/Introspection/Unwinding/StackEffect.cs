using Iced.Intel;

namespace Introspection.Unwinding;

/// <summary>What an instruction that only goes on does to the registers of a frame, as far as that can be said without running it.</summary>
internal static class StackEffect
{
    /// <summary>Changes the registers; false: the stack pointer is set to something that is not known, and not by a frame pointer.</summary>
    /// <param name="r">The frame's.</param>
    /// <param name="i">The instruction.</param>
    /// <param name="bottom">Below it, the stack holds what the code itself has yet to push.</param>
    public static bool TryApply(FrameRegisters r, in Instruction i, ulong bottom)
    {
        ulong? stack = r[FrameRegisters.Rsp];
        switch (i.Mnemonic)
        {
            case Mnemonic.Push or Mnemonic.Pushad or Mnemonic.Pushf or Mnemonic.Pushfd or Mnemonic.Pushfq or Mnemonic.Popf or Mnemonic.Popfd or Mnemonic.Popfq:
                r[FrameRegisters.Rsp] = stack + (ulong)(long)i.StackPointerIncrement;
                return true;
            case Mnemonic.Pop:
                r[FrameRegisters.Rsp] = stack + (ulong)(long)i.StackPointerIncrement;
                if (i.Op0Kind == OpKind.Register && NumberOf(i.Op0Register) is { } target) r[target] = Load(r, stack, bottom);
                return true;
            case Mnemonic.Popad:
                // EDI lies lowest, EAX highest; what is at ESP's place is left out.
                for (int register = 0; register < 8; register++)
                    if (register != FrameRegisters.Rsp) r[register] = Load(r, stack + (ulong)(4 * (7 - register)), bottom);
                r[FrameRegisters.Rsp] = stack + 32;
                return true;
            case Mnemonic.Leave:
                if (r[FrameRegisters.Rbp] is not { } framePointer) return false;
                r[FrameRegisters.Rbp] = Load(r, framePointer, bottom);
                r[FrameRegisters.Rsp] = framePointer + (ulong)r.PointerSize;
                return true;
            case Mnemonic.Cmp or Mnemonic.Test or Mnemonic.Bt or Mnemonic.Nop:
                return true;
        }
        if (CodeShape.IsRegister(i, 0, Register.RSP)) return TrySetStack(r, i);
        if (i.OpCount > 0 && i.Op0Kind == OpKind.Register && NumberOf(i.Op0Register) is { } changed) r[changed] = Moved(r, i, bottom);
        return true;
    }

    private static bool TrySetStack(FrameRegisters r, in Instruction i)
    {
        ulong? stack = r[FrameRegisters.Rsp];
        bool isImmediate = i.OpCount == 2 && i.Op1Kind is >= OpKind.Immediate8 and <= OpKind.Immediate32to64;
        if (i.Mnemonic == Mnemonic.Add && isImmediate) r[FrameRegisters.Rsp] = stack + i.GetImmediate(1);
        else if (i.Mnemonic == Mnemonic.Sub && isImmediate) r[FrameRegisters.Rsp] = stack - i.GetImmediate(1);
        // Aligned: a frame pointer knows where it was.
        else if (i.Mnemonic is Mnemonic.And or Mnemonic.Sub) r[FrameRegisters.Rsp] = null;
        else if (i.Mnemonic == Mnemonic.Mov && i.Op1Kind == OpKind.Register && NumberOf(i.Op1Register) is { } source) r[FrameRegisters.Rsp] = r[source];
        else if (i.Mnemonic == Mnemonic.Lea && AddressOf(r, i) is { } address) r[FrameRegisters.Rsp] = address;
        else return false;
        return true;
    }

    // MOV and LEA of what is known; null: unknown.
    private static ulong? Moved(FrameRegisters r, in Instruction i, ulong bottom)
    {
        if (i.OpCount != 2 || i.Op0Register.GetSize() != r.PointerSize) return null;
        if (i.Mnemonic == Mnemonic.Lea) return AddressOf(r, i);
        if (i.Mnemonic != Mnemonic.Mov) return null;
        if (i.Op1Kind == OpKind.Register) return NumberOf(i.Op1Register) is { } source ? r[source] : null;
        return i.Op1Kind == OpKind.Memory && i.MemorySegment is not (Register.FS or Register.GS) ? Load(r, AddressOf(r, i), bottom) : null;
    }

    private static ulong? AddressOf(FrameRegisters r, in Instruction i) =>
        i.MemoryIndex == Register.None && NumberOf(i.MemoryBase) is { } origin ? r[origin] + i.MemoryDisplacement64 : null;

    // Only what is on the stack already, and near: elsewhere the code may store before it loads.
    private static ulong? Load(FrameRegisters r, ulong? address, ulong bottom) =>
        address is { } at && at >= bottom && at - bottom < 1 << 16 ? r.OnStack(at) : null;

    /// <summary>The number of a general register of full width or a part of one; null: it is none.</summary>
    public static int? NumberOf(Register register)
    {
        Register full = register.GetFullRegister();
        return full is >= Register.RAX and <= Register.R15 ? full - Register.RAX : null;
    }
}
