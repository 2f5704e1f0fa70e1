using System.Collections.Generic;
using Iced.Intel;
using Vmm.Cpu;

namespace Dap.Inspection;

/// <summary>One call that has not returned.</summary>
/// <param name="Code">Linear address of the instruction that comes next in it.</param>
/// <param name="ReturnSlot">Linear address of the stack slot that holds this frame's return address; 0: unknown.</param>
/// <param name="ReturnAddress">What that slot holds, as a linear address.</param>
internal readonly record struct CallFrame(ulong Code, ulong ReturnSlot, ulong ReturnAddress);

/// <summary>
/// Finds callers by the chain of frame pointers that code compiled with -fno-omit-frame-pointer leaves on the stack: [RBP] is the caller's RBP, [RBP+8] the return address.
/// The first and last instructions of a function, where its frame does not stand yet or any more, are recognized.
/// </summary>
internal sealed class FrameWalker(GuestView view)
{
    private const int MaximumDepth = 256;

    private int PointerSize => view.CodeSize / 8;

    public List<CallFrame> Walk()
    {
        var frames = new List<CallFrame>();
        ref VcpuState s = ref view.Vcpu.State;
        ulong code = view.CodeAddress, framePointer = s.Rbp;
        ulong slot = InnermostSlot(code, ref framePointer);
        while (frames.Count < MaximumDepth)
        {
            ulong? next = slot == 0 ? null : view.ReadNumber(slot, PointerSize);
            ulong returnAddress = next is { } known && known != 0 ? view.CodeAddressOf(known) : 0;
            // A return address points behind a call, in memory that can be read.
            if (returnAddress != 0 && view.Translate(returnAddress) is null) returnAddress = 0;
            frames.Add(new CallFrame(code, returnAddress != 0 ? slot : 0, returnAddress));
            if (returnAddress == 0) break;
            code = returnAddress;
            slot = SlotOf(framePointer);
            ulong outer = slot == 0 ? 0 : view.ReadNumber(view.StackAddressOf(framePointer), PointerSize) ?? 0;
            // The stack grows down: an outer frame lies above. Anything else ends the chain.
            framePointer = outer > framePointer ? outer : 0;
        }
        return frames;
    }

    // The slot of the innermost return address; the frame pointer becomes the one that belongs to the caller if the frame does not stand.
    private ulong InnermostSlot(ulong code, ref ulong framePointer)
    {
        var disassembler = new Disassembler(view);
        Instruction next = disassembler.Decode(code);
        ulong stack = view.StackAddress;
        if (IsReturn(next) || IsPushOfFramePointer(next)) return stack;
        if (IsFrameSetup(next)) return stack + (ulong)PointerSize;
        ulong slot = SlotOf(framePointer);
        framePointer = view.ReadNumber(view.StackAddressOf(framePointer), PointerSize) ?? 0;
        return slot;
    }

    private ulong SlotOf(ulong framePointer)
    {
        if (framePointer == 0) return 0;
        ulong slot = view.StackAddressOf(framePointer) + (ulong)PointerSize;
        return view.ReadNumber(slot, PointerSize) is null ? 0 : slot;
    }

    public static bool IsReturn(in Instruction instruction) => instruction.FlowControl == FlowControl.Return && !IsInterruptReturn(instruction);

    public static bool IsInterruptReturn(in Instruction instruction) => instruction.Mnemonic is Mnemonic.Iret or Mnemonic.Iretd or Mnemonic.Iretq;

    private static bool IsPushOfFramePointer(in Instruction i) => i.Mnemonic == Mnemonic.Push && i.Op0Kind == OpKind.Register && i.Op0Register.GetFullRegister() == Register.RBP;

    private static bool IsFrameSetup(in Instruction i) => i.Mnemonic == Mnemonic.Mov && i.Op0Kind == OpKind.Register && i.Op1Kind == OpKind.Register
        && i.Op0Register.GetFullRegister() == Register.RBP && i.Op1Register.GetFullRegister() == Register.RSP;
}
