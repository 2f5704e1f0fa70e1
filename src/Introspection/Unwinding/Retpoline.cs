using Iced.Intel;
using Introspection.Code;

namespace Introspection.Unwinding;

/// <summary>
/// The jump through a register that must not be predicted (Intel, "Retpoline: A Branch Target Injection Mitigation"): a CALL over a trap for speculation, MOV [RSP], target, RET.
/// What is on top of the stack there is where it goes to, and the return address lies above; unwind information does not say so.
/// </summary>
internal static class Retpoline
{
    // REX.W MOV r/m64, r64 with a SIB byte and no displacement.
    private const int StoreBytes = 4;

    /// <summary>The caller's registers; null: the code is not the end of such a jump.</summary>
    public static FrameRegisters? Caller(FrameRegisters frame, Disassembler disassembler)
    {
        if (!frame.Is64 || frame[FrameRegisters.Rsp] is not { } stack) return null;
        Instruction next = disassembler.Decode(frame.Code);
        bool isBeforeStore = IsStore(next) && CodeShape.IsReturn(disassembler.Decode(frame.Code + StoreBytes));
        if (!isBeforeStore && !(CodeShape.IsReturn(next) && IsStore(disassembler.Decode(frame.Code - StoreBytes)))) return null;
        if (frame.OnStack(stack + (ulong)frame.PointerSize) is not { } address) return null;
        FrameRegisters caller = frame.Copy();
        caller.Rip = address;
        caller[FrameRegisters.Rsp] = stack + 2 * (ulong)frame.PointerSize;
        return caller;
    }

    private static bool IsStore(in Instruction i) =>
        i.Mnemonic == Mnemonic.Mov && i.Length == StoreBytes && i.Op0Kind == OpKind.Memory && i.Op1Kind == OpKind.Register && i.Op1Register.IsGPR64()
        && i.MemoryBase == Register.RSP && i.MemoryIndex == Register.None && i.MemoryDisplacement64 == 0;
}
