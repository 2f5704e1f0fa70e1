using Iced.Intel;

namespace Vmm.Translation;

/// <summary>SSE instructions, encoded again with their registers renamed and their memory operand in its place. XMM registers are the host's own.</summary>
internal sealed partial class BlockTranslator
{
    private sealed class EncodedBytes(Emitter emitter) : CodeWriter
    {
        public override void WriteByte(byte value) => emitter.Byte(value);
    }

    private Encoder? _encoder;

    private void Vector()
    {
        ref readonly Instruction i = ref Current;
        int memory = MemoryOperandOf(i);
        if (memory < 0)
        {
            VectorCore();
            return;
        }
        Access access = memory == 0 ? Access.Write : Access.Read;
        Simple(access, i.MemorySize.GetSize(), VectorCore, alignment: VectorForms.NeedsAlignment(i) ? 16 : 1);
    }

    private void VectorComparison() => OnOperand(1, Access.Read, VectorComparisonCore);

    private void VectorComparisonCore()
    {
        VectorCore();
        if (IsObserved)
        {
            _e.PushFlags();
            _e.Pop(HostRegister.Value);
            _e.Store(8, EngineRoom.FlagXField, HostRegister.Value);
        }
        FlagsAre(FlagKind.Image, 8, FlagSource.Stored);
    }

    /// <summary>FNSTCW, which C's conversions to integers are full of.</summary>
    private void StoreX87Control() => Simple(Access.Write, 2, () =>
    {
        _e.LoadZeroExtended(2, HostRegister.Value, StateField.X87Control);
        _e.Store(2, Target, HostRegister.Value);
    });

    private static int MemoryOperandOf(in Instruction i)
    {
        for (int operand = 0; operand < i.OpCount; operand++)
            if (i.GetOpKind(operand) == OpKind.Memory) return operand;
        return -1;
    }

    private void VectorCore()
    {
        Instruction carried = Current;
        int written = -1;
        for (int operand = 0; operand < carried.OpCount; operand++)
        {
            if (carried.GetOpKind(operand) == OpKind.Memory)
            {
                carried.MemoryBase = Register.R9;
                carried.MemoryIndex = Register.None;
                carried.MemoryIndexScale = 1;
                carried.MemoryDisplacement64 = (ulong)_targetOffset;
                carried.MemoryDisplSize = _targetOffset == 0 ? 0 : 8;
                carried.SegmentPrefix = Register.None;
                continue;
            }
            if (carried.GetOpKind(operand) != OpKind.Register || !carried.GetOpRegister(operand).IsGPR()) continue;
            Register register = carried.GetOpRegister(operand);
            int guest = GuestOf(register);
            if (operand == 0) BeforeWrite(guest);
            int host = operand == 0 && !IsMapped(guest) ? HostRegister.Value : InRegister(guest, HostRegister.Value);
            carried.SetOpRegister(operand, Renamed(register, host));
            if (operand == 0 && !IsMapped(guest)) written = guest;
        }
        _encoder ??= Encoder.Create(64, new EncodedBytes(_e));
        Invariant.Check(_encoder.TryEncode(carried, 0, out _, out string? _));
        if (written >= 0) _e.Store(8, StateField.General(written), HostRegister.Value);
    }

    private static Register Renamed(Register register, int host) => register.GetSize() switch
    {
        8 => Register.RAX + host,
        4 => Register.EAX + host,
        2 => Register.AX + host,
        _ => host < 4 ? Register.AL + host : Register.SPL + (host - 4),
    };
}
