using Iced.Intel;
using Vmm.Memory;

namespace Vmm.Translation;

/// <summary>REP MOVS and REP STOS, as far as they stay within pages that the TLB knows: the host's own do the same there. Each iteration is an instruction.</summary>
internal sealed partial class BlockTranslator
{
    private const int Rsi = 6, Rdi = 7;

    private void RepeatedString()
    {
        bool moves = _shapes[_index] == Shape.RepeatedMove;
        int size = Current.MemorySize.GetSize(), rcx = HostRegister.OfGuest(Rcx), rdi = HostRegister.OfGuest(Rdi), rsi = HostRegister.OfGuest(Rsi);
        var slow = _e.NewLabel();
        var done = _e.NewLabel();
        BeforeWrite(Rcx);
        BeforeWrite(Rdi);
        if (moves) BeforeWrite(Rsi);
        HostFlagsLost();
        Later(() =>
        {
            _e.Bind(slow);
            ExecuteByHandler();
            _e.Jump(done);
        });
        _e.TestImmediate(4, StateField.SystemFlags, (int)Cpu.RFlags.Direction);
        _e.JumpIf(Condition.NotEqual, slow);
        // None at all is one instruction, and the general way.
        _e.Lea(8, HostRegister.Value, Operand.At(rcx, -1));
        _e.AluImmediate(AluOperation.Cmp, 8, Operand.Of(HostRegister.Value), PagedMemory.PageSizeBytes / size);
        _e.JumpIf(Condition.AboveOrEqual, slow);
        _e.AluTo(AluOperation.Cmp, 8, EngineRoom.BudgetField, rcx);
        _e.JumpIf(Condition.Less, slow);
        _e.Load(8, HostRegister.Address, Operand.Of(rdi));
        LookForString(Access.Write, size, slow);
        if (moves)
        {
            // The addend is the distance to the host; the entry of the source takes its register.
            _e.Store(8, EngineRoom.TargetField, HostRegister.Value);
            _e.Load(8, HostRegister.Address, Operand.Of(rsi));
            LookForString(Access.Read, size, slow);
            _e.Alu(AluOperation.Add, 8, rdi, EngineRoom.TargetField);
            _e.Alu(AluOperation.Add, 8, rsi, Operand.Of(HostRegister.Value));
        }
        else _e.Alu(AluOperation.Add, 8, rdi, Operand.Of(HostRegister.Value));
        // The block's own count has one of them.
        _e.Lea(8, HostRegister.Other, Operand.At(rcx, -1));
        _e.AluTo(AluOperation.Sub, 8, EngineRoom.BudgetField, HostRegister.Other);
        _e.RepeatedString(moves, size);
        if (moves)
        {
            MoveBack(rdi, EngineRoom.TargetField);
            MoveBack(rsi, Operand.Of(HostRegister.Value));
        }
        else MoveBack(rdi, Operand.Of(HostRegister.Value));
        _e.Bind(done);
        HostFlagsLost();
    }

    /// <summary>Makes a host address a linear one again, which wraps in 32-bit code.</summary>
    private void MoveBack(int register, Operand addend) => _e.Alu(AluOperation.Sub, WordSize, register, addend);

    /// <summary>Puts the TLB's addend for RCX elements at the address register into the value register.</summary>
    private void LookForString(Access access, int size, Label slow)
    {
        LookInTlb(access, Operand.At(HostRegister.Address, HostRegister.OfGuest(Rcx), System.Numerics.BitOperations.Log2((uint)size), -1), slow);
        _e.Load(8, HostRegister.Value, TlbField(TlbOffset.Addend));
    }
}
