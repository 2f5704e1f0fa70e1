using Iced.Intel;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Translation;

/// <summary>How an instruction is translated.</summary>
internal enum Shape : byte
{
    /// <summary>By calling its handler.</summary>
    Handler,
    /// <summary>The same, and what follows may need another translation.</summary>
    HandlerAndLeave,
    Move, Extend, LoadAddress, Binary, Test, Increment, Negate, Not, Shift, ShiftByCl, DoubleShift, Rotate, RotateByCl, MultiplyTruncating, Multiply, Divide, SignExtendAccumulator, ByteSwap,
    Exchange, ExchangeAdd, CompareExchange, BitTest, BitScan, PopulationCount, ConditionalMove, ConditionalSet, Push, PushMemory, Pop, Leave, Nop, Vector, VectorComparison, StoreX87Control,
    RepeatedStore, RepeatedMove,
    BranchIf, Jump, Call, JumpIndirect, CallIndirect, Return,
}

/// <summary>Sorts instructions by how they are translated, and says what the translator must know of each beforehand.</summary>
internal sealed partial class BlockTranslator
{
    private Shape ShapeOf(in Instruction i, in DecodedInstruction d)
    {
        if (i.IsInvalid) return Shape.Handler;
        if (i.HasRepePrefix && i.IsStringInstruction) return ShapeOfRepeated(i);
        if (!HasPlainOperands(i)) return Shape.Handler;
        switch (i.Mnemonic)
        {
            case Mnemonic.Mov:
                if (IsGeneral(i)) return Shape.Move;
                // A segment register: 32-bit code is translated for flat ones.
                return !Is64 && i.Op0Kind == OpKind.Register && i.Op0Register.IsSegmentRegister() ? Shape.HandlerAndLeave : Shape.Handler;
            case Mnemonic.Stac or Mnemonic.Clac or Mnemonic.Lds or Mnemonic.Les or Mnemonic.Lss: return Shape.HandlerAndLeave;
            // MXCSR may unmask exceptions.
            case Mnemonic.Ldmxcsr or Mnemonic.Fxrstor or Mnemonic.Fxrstor64 or Mnemonic.Xrstor or Mnemonic.Xrstor64: return Shape.HandlerAndLeave;
            case Mnemonic.Movzx or Mnemonic.Movsx or Mnemonic.Movsxd: return Shape.Extend;
            case Mnemonic.Lea: return i.Op0Register.GetSize() > 2 && !IsSpecialAddress(i) ? Shape.LoadAddress : Shape.Handler;
            case Mnemonic.Add or Mnemonic.Or or Mnemonic.Adc or Mnemonic.Sbb or Mnemonic.And or Mnemonic.Sub or Mnemonic.Xor or Mnemonic.Cmp: return Shape.Binary;
            case Mnemonic.Test: return Shape.Test;
            case Mnemonic.Inc or Mnemonic.Dec: return Shape.Increment;
            case Mnemonic.Neg: return Shape.Negate;
            case Mnemonic.Not: return Shape.Not;
            case Mnemonic.Shl or Mnemonic.Sal or Mnemonic.Shr or Mnemonic.Sar: return ShapeOfShift(i, Shape.Shift, Shape.ShiftByCl);
            case Mnemonic.Rol or Mnemonic.Ror: return ShapeOfShift(i, Shape.Rotate, Shape.RotateByCl);
            case Mnemonic.Shld or Mnemonic.Shrd: return ShapeOfDoubleShift(i);
            case Mnemonic.Imul: return i.OpCount == 1 ? ShapeOfProduct(i) : SizeOf(i, 0) >= 4 ? Shape.MultiplyTruncating : Shape.Handler;
            case Mnemonic.Mul: return ShapeOfProduct(i);
            case Mnemonic.Div or Mnemonic.Idiv: return SizeOf(i, 0) >= 4 ? Shape.Divide : Shape.Handler;
            case Mnemonic.Cbw or Mnemonic.Cwde or Mnemonic.Cdqe or Mnemonic.Cwd or Mnemonic.Cdq or Mnemonic.Cqo: return Shape.SignExtendAccumulator;
            case Mnemonic.Bswap: return SizeOf(i, 0) >= 4 ? Shape.ByteSwap : Shape.Handler;
            case Mnemonic.Xchg: return HasHighByte(i) ? Shape.Handler : Shape.Exchange;
            case Mnemonic.Xadd: return HasHighByte(i) || i.Op0Kind != OpKind.Memory ? Shape.Handler : Shape.ExchangeAdd;
            case Mnemonic.Cmpxchg: return HasHighByte(i) || i.Op0Kind != OpKind.Memory ? Shape.Handler : Shape.CompareExchange;
            case Mnemonic.Bt or Mnemonic.Bts or Mnemonic.Btr or Mnemonic.Btc:
                // In memory, a register index reaches beyond the operand.
                return i.Op0Kind == OpKind.Memory && i.Op1Kind == OpKind.Register || SizeOf(i, 0) < 4 ? Shape.Handler : Shape.BitTest;
            case Mnemonic.Bsf or Mnemonic.Bsr: return SizeOf(i, 0) >= 4 ? Shape.BitScan : Shape.Handler;
            case Mnemonic.Popcnt: return SizeOf(i, 0) >= 4 ? Shape.PopulationCount : Shape.Handler;
            case Mnemonic.Push when i.Op0Kind == OpKind.Memory: return IsWord(i) ? Shape.PushMemory : Shape.Handler;
            case Mnemonic.Push: return IsWord(i) && !i.Op0Register.IsSegmentRegister() ? Shape.Push : Shape.Handler;
            case Mnemonic.Pop:
                if (!Is64 && i.Op0Register.IsSegmentRegister()) return Shape.HandlerAndLeave;
                return IsWord(i) && i.Op0Kind == OpKind.Register && i.Op0Register.IsGPR() && GuestOf(i.Op0Register) != Rsp ? Shape.Pop : Shape.Handler;
            case Mnemonic.Leave: return IsWord(i) ? Shape.Leave : Shape.Handler;
            case Mnemonic.Fnstcw: return _mode.HasVectors ? Shape.StoreX87Control : Shape.Handler;
            case Mnemonic.Nop or Mnemonic.Endbr32 or Mnemonic.Endbr64: return Shape.Nop;
        }
        ConditionCode condition = i.ConditionCode;
        if (condition != ConditionCode.None)
        {
            if (i.Code >= Code.Cmovo_r16_rm16 && i.Code <= Code.Cmovg_r64_rm64) return Shape.ConditionalMove;
            if (i.Code >= Code.Seto_rm8 && i.Code <= Code.Setg_rm8) return Shape.ConditionalSet;
        }
        Shape transfer = ShapeOfTransfer(i);
        if (transfer != Shape.Handler) return transfer;
        if (_mode.HasVectors && VectorForms.IsCarriedOver(i) || _mode.HasFloatingPoint && VectorForms.IsFloatingPoint(i)) return Shape.Vector;
        return _mode.HasFloatingPoint && VectorForms.IsComparison(i) ? Shape.VectorComparison : Shape.Handler;
    }

    private Shape ShapeOfTransfer(in Instruction i)
    {
        switch (i.FlowControl)
        {
            case FlowControl.ConditionalBranch: return i.IsJccShortOrNear && IsWordTarget(i) ? Shape.BranchIf : Shape.Handler;
            case FlowControl.UnconditionalBranch: return i.IsJmpShortOrNear && IsWordTarget(i) ? Shape.Jump : Shape.Handler;
            case FlowControl.Call: return i.IsCallNear && IsWord(i) && IsWordTarget(i) ? Shape.Call : Shape.Handler;
            case FlowControl.IndirectBranch: return i.IsJmpNearIndirect && SizeOf(i, 0) == WordSize ? Shape.JumpIndirect : Shape.Handler;
            case FlowControl.IndirectCall:
                return i.IsCallNearIndirect && SizeOf(i, 0) == WordSize && !(i.Op0Kind == OpKind.Register && GuestOf(i.Op0Register) == Rsp) ? Shape.CallIndirect : Shape.Handler;
            case FlowControl.Return: return i.Code == (Is64 ? Code.Retnq : Code.Retnd) ? Shape.Return : Shape.Handler;
            default: return Shape.Handler;
        }
    }

    /// <summary>REP MOVS and REP STOS with pointers of the mode's size and without segments that have bases.</summary>
    private Shape ShapeOfRepeated(in Instruction i)
    {
        bool moves = i.Mnemonic is Mnemonic.Movsb or Mnemonic.Movsw or Mnemonic.Movsd or Mnemonic.Movsq;
        if (!moves && i.Mnemonic is not (Mnemonic.Stosb or Mnemonic.Stosw or Mnemonic.Stosd or Mnemonic.Stosq)) return Shape.Handler;
        if (i.Op0Kind != (Is64 ? OpKind.MemoryESRDI : OpKind.MemoryESEDI)) return Shape.Handler;
        if (moves && i.MemorySegment is Register.FS or Register.GS) return Shape.Handler;
        return moves ? Shape.RepeatedMove : Shape.RepeatedStore;
    }

    /// <summary>Counts that reach the operand's size have results of their own.</summary>
    private static Shape ShapeOfShift(in Instruction i, Shape byConstant, Shape byCl)
    {
        int size = SizeOf(i, 0);
        if (i.Op1Kind == OpKind.Register) return size >= 4 && i.Op0Kind == OpKind.Register ? byCl : Shape.Handler;
        int count = (int)i.GetImmediate(1) & (size == 8 ? 63 : 31);
        return count == 0 || count >= size * 8 || HasHighByte(i) ? Shape.Handler : byConstant;
    }

    private static Shape ShapeOfDoubleShift(in Instruction i)
    {
        int size = SizeOf(i, 0);
        if (size < 4 || i.Op0Kind != OpKind.Register) return Shape.Handler;
        return i.Op2Kind == OpKind.Register || ((int)i.GetImmediate(2) & (size == 8 ? 63 : 31)) != 0 ? Shape.DoubleShift : Shape.Handler;
    }

    private static Shape ShapeOfProduct(in Instruction i) => SizeOf(i, 0) >= 4 ? Shape.Multiply : Shape.Handler;

    /// <summary>Operands are registers, constants, and at most one address of a kind that is translated.</summary>
    private bool HasPlainOperands(in Instruction i)
    {
        for (int operand = 0; operand < i.OpCount; operand++)
        {
            OpKind kind = i.GetOpKind(operand);
            if (kind == OpKind.Memory && IsSpecialAddress(i)) return false;
            if (kind is OpKind.MemorySegSI or OpKind.MemorySegDI or OpKind.MemoryESDI or OpKind.MemorySegESI or OpKind.MemorySegEDI or OpKind.MemoryESEDI
                or OpKind.MemorySegRSI or OpKind.MemorySegRDI or OpKind.MemoryESRDI) return false;
        }
        return true;
    }

    /// <summary>16-bit addresses, and in 32-bit code FS and GS, which have bases and limits.</summary>
    private bool IsSpecialAddress(in Instruction i)
    {
        Register sized = i.MemoryBase != Register.None ? i.MemoryBase : i.MemoryIndex;
        if (sized is >= Register.AX and <= Register.R15W || (sized == Register.None && i.MemoryDisplSize == 2)) return true;
        return !Is64 && i.MemorySegment is Register.FS or Register.GS;
    }

    private static bool IsGeneral(in Instruction i) =>
        (i.Op0Kind != OpKind.Register || i.Op0Register.IsGPR()) && (i.Op1Kind != OpKind.Register || i.Op1Register.IsGPR());

    private bool IsWord(in Instruction i) => System.Math.Abs(i.StackPointerIncrement) == WordSize || i.Mnemonic == Mnemonic.Leave && i.Code == (Is64 ? Code.Leaveq : Code.Leaved);

    private bool IsWordTarget(in Instruction i) => i.Op0Kind == (Is64 ? OpKind.NearBranch64 : OpKind.NearBranch32);

    private static bool HasHighByte(in Instruction i)
    {
        for (int operand = 0; operand < i.OpCount; operand++)
            if (i.GetOpKind(operand) == OpKind.Register && IsHighByte(i.GetOpRegister(operand))) return true;
        return false;
    }

    private static int SizeOf(in Instruction i, int operand) => i.GetOpKind(operand) switch
    {
        OpKind.Register => i.GetOpRegister(operand).GetSize(),
        OpKind.Memory => i.MemorySize.GetSize(),
        _ => 0,
    };

    /// <summary>There is a way out of the code at this instruction, before or behind it.</summary>
    private bool CanLeave(int index)
    {
        Shape shape = _shapes[index];
        if (shape is Shape.Handler or Shape.HandlerAndLeave or Shape.Divide or >= Shape.RepeatedStore or Shape.Push or Shape.Pop or Shape.Leave) return true;
        if (shape is Shape.LoadAddress or Shape.Nop) return false;
        return _memoryOperands[index] >= 0;
    }

    private static bool ReadsFlags(Shape shape, in Instruction i) => shape switch
    {
        Shape.Binary => i.Mnemonic is Mnemonic.Adc or Mnemonic.Sbb,
        Shape.ConditionalMove or Shape.ConditionalSet => true,
        _ => false,
    };

    private static bool WritesAllFlags(Shape shape) => shape is Shape.Binary or Shape.Test or Shape.Negate or Shape.Shift or Shape.MultiplyTruncating or Shape.Multiply
        or Shape.ExchangeAdd or Shape.CompareExchange or Shape.PopulationCount or Shape.VectorComparison;
}
