using System.Collections.Generic;
using Iced.Intel;
using Introspection.Code;
using Introspection.State;
using Vmm.Cpu;

namespace Introspection.Unwinding;

/// <summary>
/// Finds the caller of a function whose beginning is known: goes over its code from there to an instruction, without running it, and counts how far the stack pointer
/// has moved since the call, and where the caller's registers were saved. The way does not matter, as in <see cref="ReturnFollower"/>; but unlike the way out, the way
/// in is never cut off by calls that do not return.
/// </summary>
public sealed class EntryFollower(GuestView view, Disassembler disassembler)
{
    private const int MaximumInstructionCount = 4096, MaximumWayCount = 256;
    // RBX, RBP, R12 to R15: a function gives them back as they were; ESI and EDI in 32-bit code too.
    private const int CalleeSaved64 = 0b1111_0000_0010_1000, CalleeSaved32 = 0b1110_1000;

    /// <summary>What is known at an instruction. Offsets count from the stack pointer at the function's beginning, where its return address is.</summary>
    private sealed class Knowledge
    {
        public ulong Code;
        public long? Stack;
        /// <summary>The same of RBP, when it is a frame pointer.</summary>
        public long? FramePointer;
        /// <summary>Registers that hold something else than the caller's.</summary>
        public int Changed;
        /// <summary>Where the caller's are.</summary>
        public readonly long[] Saved = new long[16];

        public Knowledge Copy(ulong code)
        {
            var copy = new Knowledge { Code = code, Stack = Stack, FramePointer = FramePointer, Changed = Changed };
            Saved.CopyTo(copy.Saved, 0);
            return copy;
        }
    }

    /// <summary>The caller's registers; null: they are not found. The return address may be none.</summary>
    /// <param name="frame">The registers in the function.</param>
    /// <param name="entry">Linear address of the function's first instruction.</param>
    public FrameRegisters? Follow(FrameRegisters frame, ulong entry)
    {
        if (frame[FrameRegisters.Rsp] is not { } stack || frame.PointerSize < 4 || Reach(entry, frame.Code, frame.PointerSize) is not { } known) return null;
        ulong origin;
        if (known.Stack is { } height) origin = stack - (ulong)height;
        else if (known.FramePointer is { } offset && frame[FrameRegisters.Rbp] is { } framePointer) origin = framePointer - (ulong)offset;
        else return null;
        if (frame.OnStack(origin) is not { } address || IsInterruptFrame(frame, origin)) return null;
        FrameRegisters caller = frame.Copy();
        int calleeSaved = frame.Is64 ? CalleeSaved64 : CalleeSaved32;
        for (int i = 0; i < 16; i++)
        {
            if ((calleeSaved >> i & 1) == 0) caller[i] = null;
            else if (known.Saved[i] != 0) caller[i] = frame.OnStack(origin + (ulong)known.Saved[i]);
            else if ((known.Changed >> i & 1) != 0) caller[i] = null;
        }
        caller.Rip = address;
        caller[FrameRegisters.Rsp] = origin + (ulong)frame.PointerSize;
        return caller;
    }

    // A handler begins here, not a function: what was interrupted may well lie behind a call. SDM 3A 6.14.2: RIP, CS, RFLAGS, whose bit 1 is always set.
    private bool IsInterruptFrame(FrameRegisters frame, ulong origin)
    {
        ulong size = (ulong)frame.PointerSize, ring = view.Vcpu.State.Segment(SegmentIndex.Cs).Selector;
        return !frame.IsUser && frame.OnStack(origin + size) is { } selector && (selector | 3) == (ring | 3) && frame.OnStack(origin + 2 * size) is { } flags && (flags & 2) != 0
            && flags < 1 << 22;
    }

    private Knowledge? Reach(ulong entry, ulong code, int pointerSize)
    {
        var ways = new Stack<Knowledge>();
        var visited = new HashSet<ulong>();
        ways.Push(new Knowledge { Code = entry, Stack = 0 });
        int count = 0;
        while (ways.TryPop(out Knowledge? k))
        {
            while (k.Code != code)
            {
                if (!visited.Add(k.Code) || count++ >= MaximumInstructionCount) break;
                Instruction i = disassembler.Decode(k.Code);
                if (i.IsInvalid) break;
                ulong next = k.Code + (ulong)i.Length;
                if (i.FlowControl == FlowControl.UnconditionalBranch && i.Mnemonic == Mnemonic.Jmp)
                {
                    next = i.NearBranchTarget;
                }
                else if (i.FlowControl == FlowControl.ConditionalBranch)
                {
                    if (ways.Count < MaximumWayCount) ways.Push(k.Copy(i.NearBranchTarget));
                }
                else if (i.FlowControl is FlowControl.Return or FlowControl.IndirectBranch || !TryApply(k, i, pointerSize))
                {
                    break;
                }
                k.Code = next;
            }
            if (k.Code == code) return k;
        }
        return null;
    }

    private static bool TryApply(Knowledge k, in Instruction i, int pointerSize)
    {
        switch (i.Mnemonic)
        {
            case Mnemonic.Push or Mnemonic.Pushf or Mnemonic.Pushfd or Mnemonic.Pushfq or Mnemonic.Popf or Mnemonic.Popfd or Mnemonic.Popfq:
                k.Stack += i.StackPointerIncrement;
                if (i.Mnemonic == Mnemonic.Push && i.Op0Kind == OpKind.Register && StackEffect.NumberOf(i.Op0Register) is { } pushed) Save(k, pushed, k.Stack);
                return true;
            case Mnemonic.Pop:
                if (i.Op0Kind == OpKind.Register && StackEffect.NumberOf(i.Op0Register) is { } popped) Restore(k, popped);
                k.Stack += i.StackPointerIncrement;
                return true;
            case Mnemonic.Leave:
                k.Stack = k.FramePointer + pointerSize;
                Restore(k, FrameRegisters.Rbp);
                return true;
            case Mnemonic.Call or Mnemonic.Cmp or Mnemonic.Test or Mnemonic.Bt or Mnemonic.Nop or Mnemonic.Endbr64 or Mnemonic.Endbr32:
                return true;
        }
        if (i.OpCount == 0 || i.Op0Kind != OpKind.Register || StackEffect.NumberOf(i.Op0Register) is not { } target)
        {
            SaveByMove(k, i, pointerSize);
            return true;
        }
        if (target == FrameRegisters.Rsp)
        {
            bool isImmediate = i.OpCount == 2 && i.Op1Kind is >= OpKind.Immediate8 and <= OpKind.Immediate32to64;
            if (isImmediate && i.Mnemonic == Mnemonic.Add) k.Stack += (long)i.GetImmediate(1);
            else if (isImmediate && i.Mnemonic == Mnemonic.Sub) k.Stack -= (long)i.GetImmediate(1);
            else k.Stack = i.Mnemonic is Mnemonic.Mov or Mnemonic.Lea ? OffsetOf(k, i) : null;
            // Without either it is another stack, as when tasks are switched.
            return k.Stack is not null || k.FramePointer is not null;
        }
        long? framePointer = target == FrameRegisters.Rbp && i.Mnemonic is Mnemonic.Mov or Mnemonic.Lea ? OffsetOf(k, i) : null;
        if (target == FrameRegisters.Rbp) k.FramePointer = framePointer;
        k.Changed |= 1 << target;
        return true;
    }

    // MOV from RSP or RBP, LEA from them: an offset; null: something else.
    private static long? OffsetOf(Knowledge k, in Instruction i)
    {
        Register from = i.Mnemonic == Mnemonic.Lea ? i.MemoryIndex == Register.None ? i.MemoryBase : Register.None : i.Op1Kind == OpKind.Register ? i.Op1Register : Register.None;
        long displacement = i.Mnemonic == Mnemonic.Lea ? (long)i.MemoryDisplacement64 : 0;
        return from.GetFullRegister() switch
        {
            Register.RSP => k.Stack + displacement,
            Register.RBP => k.FramePointer + displacement,
            _ => null,
        };
    }

    private static void Save(Knowledge k, int register, long? offset)
    {
        if ((k.Changed >> register & 1) == 0 && k.Saved[register] == 0 && offset is < 0 and { } at) k.Saved[register] = at;
    }

    private static void Restore(Knowledge k, int register)
    {
        bool isBack = k.Saved[register] != 0 && (register == FrameRegisters.Rbp || k.Stack == k.Saved[register]);
        k.Changed = isBack ? k.Changed & ~(1 << register) : k.Changed | 1 << register;
        if (isBack) k.Saved[register] = 0;
        if (register == FrameRegisters.Rbp) k.FramePointer = null;
    }

    // Functions that have made their room first store registers there.
    private static void SaveByMove(Knowledge k, in Instruction i, int pointerSize)
    {
        if (i.Mnemonic != Mnemonic.Mov || i.OpCount != 2 || i.Op0Kind != OpKind.Memory || i.Op1Kind != OpKind.Register || i.MemoryIndex != Register.None) return;
        if (i.Op1Register.GetSize() != pointerSize || StackEffect.NumberOf(i.Op1Register) is not { } register) return;
        long displacement = (long)i.MemoryDisplacement64;
        Save(k, register, i.MemoryBase.GetFullRegister() switch { Register.RSP => k.Stack + displacement, Register.RBP => k.FramePointer + displacement, _ => null });
    }
}
