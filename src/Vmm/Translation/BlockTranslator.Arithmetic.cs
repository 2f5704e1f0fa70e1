using System;
using Iced.Intel;

namespace Vmm.Translation;

/// <summary>Integer instructions that write flags.</summary>
internal sealed partial class BlockTranslator
{
    private void Binary()
    {
        ref readonly Instruction i = ref Current;
        if (i.Op0Kind == OpKind.Memory) Buffered(i.Mnemonic == Mnemonic.Cmp ? Access.Read : Access.Update, SizeOf(i, 0), BinaryCore);
        else if (i.Op1Kind == OpKind.Memory) Buffered(Access.Read, SizeOf(i, 0), BinaryCore);
        else BinaryCore();
    }

    private static AluOperation OperationOf(Mnemonic mnemonic) => mnemonic switch
    {
        Mnemonic.Add => AluOperation.Add,
        Mnemonic.Or => AluOperation.Or,
        Mnemonic.Adc => AluOperation.Adc,
        Mnemonic.Sbb => AluOperation.Sbb,
        Mnemonic.And => AluOperation.And,
        Mnemonic.Sub => AluOperation.Sub,
        Mnemonic.Xor => AluOperation.Xor,
        _ => AluOperation.Cmp,
    };

    private static FlagKind KindOf(AluOperation operation) => operation switch
    {
        AluOperation.Add => FlagKind.Add,
        AluOperation.Adc => FlagKind.AddWithCarry,
        AluOperation.Sub => FlagKind.Subtract,
        AluOperation.Sbb => FlagKind.SubtractWithBorrow,
        AluOperation.Cmp => FlagKind.Compare,
        _ => FlagKind.Logic,
    };

    /// <summary>Does an instruction at once, or where that operand is memory by an access to it.</summary>
    private void OnOperand(int operand, Access access, Action core)
    {
        if (Current.GetOpKind(operand) == OpKind.Memory) Buffered(access, SizeOf(Current, operand), core);
        else core();
    }

    private void BinaryCore()
    {
        ref readonly Instruction i = ref Current;
        AluOperation operation = OperationOf(i.Mnemonic);
        FlagKind kind = KindOf(operation);
        int size = SizeOf(i, 0);
        if (operation is AluOperation.Adc or AluOperation.Sbb)
        {
            NeedHostFlags(HostFlag.Carry);
            if (IsObserved) _e.SetIf(Condition.Below, EngineRoom.CarryInField);
        }
        bool immediate = IsImmediate(i, 1);
        int value = immediate ? ImmediateOf(i, 1) : 0;
        bool writes = operation != AluOperation.Cmp;
        Operand source = immediate ? default : SecondOperand(i, size, IsObserved && kind != FlagKind.Logic, writes);
        FlagSource y = kind == FlagKind.Logic ? default : SourceOfSecond(i, source, immediate, value);
        FlagSource x = WithFirstOperand(i, size, writes, IsObserved, source, immediate, (destination, from) =>
        {
            if (immediate) _e.AluImmediate(operation, size, destination, value);
            else if (destination.IsMemory) _e.AluTo(operation, size, destination, from.Register);
            else _e.Alu(operation, size, destination.Register, from);
        });
        FlagsAre(kind, size, x, y);
    }

    /// <summary>
    /// The source of a two-operand instruction. With <paramref name="keep"/> it can be asked for later: what the instruction overwrites, or what lies in memory, is stored in the
    /// room's Y.
    /// </summary>
    private Operand SecondOperand(in Instruction i, int size, bool keep, bool writes)
    {
        bool memory = i.Op1Kind == OpKind.Memory, high = !memory && IsHighByte(i.Op1Register);
        if (memory && !keep) return Target;
        bool overwritten = !memory && !high && writes && i.Op0Kind == OpKind.Register && GuestOf(i.Op0Register) == GuestOf(i.Op1Register);
        if (!memory && !high && !(keep && overwritten)) return OperandOf(GuestOf(i.Op1Register));
        _e.LoadZeroExtended(size, HostRegister.Other, memory ? Target : RegisterOperand(i.Op1Register));
        if (keep) _e.Store(8, EngineRoom.FlagYField, HostRegister.Other);
        return Operand.Of(HostRegister.Other);
    }

    /// <summary>Where the same operand can be had for the flags (which nobody asks for when it was not kept).</summary>
    private static FlagSource SourceOfSecond(in Instruction i, Operand source, bool immediate, int value)
    {
        if (immediate) return FlagSource.Of(value);
        return i.Op1Kind == OpKind.Memory || source == Operand.Of(HostRegister.Other) ? FlagSource.Stored : FlagSource.OfGuest(GuestOf(i.Op1Register));
    }

    /// <summary>
    /// Lets an operation work on operand 0 wherever it is. The operation gets a destination, and a source such that at most one of them is memory. Returns where operand 0 (after
    /// the operation, if it writes) can be had for the flags; with <paramref name="keep"/> it is stored in the room's X if need be.
    /// </summary>
    private FlagSource WithFirstOperand(in Instruction i, int size, bool writes, bool keep, Operand source, bool immediate, Action<Operand, Operand> operate)
    {
        if (i.Op0Kind == OpKind.Memory)
        {
            if (!immediate) source = OutOfMemory(source, size);
            if (!writes && !keep)
            {
                operate(Target, source);
                return default;
            }
            _e.LoadZeroExtended(size, HostRegister.Value, Target);
            if (!writes) _e.Store(8, EngineRoom.FlagXField, HostRegister.Value);
            operate(Operand.Of(HostRegister.Value), source);
            if (!writes) return FlagSource.Stored;
            _e.Store(size, Target, HostRegister.Value);
            return StoredResult(keep);
        }
        int guest = GuestOf(i.Op0Register);
        if (IsHighByte(i.Op0Register))
        {
            _e.LoadZeroExtended(1, HostRegister.Value, RegisterOperand(i.Op0Register));
            if (!writes && keep) _e.Store(8, EngineRoom.FlagXField, HostRegister.Value);
            operate(Operand.Of(HostRegister.Value), source);
            if (!writes) return FlagSource.Stored;
            WriteRegister(i.Op0Register, 1, HostRegister.Value);
            return StoredResult(keep);
        }
        if (IsMapped(guest)) operate(OperandOf(guest), source);
        else if (!writes || (size != 4 && (immediate || source.IsRegister)))
        {
            operate(StateField.General(guest), immediate ? source : OutOfMemory(source, size));
        }
        else
        {
            _e.LoadZeroExtended(size, HostRegister.Value, StateField.General(guest));
            operate(Operand.Of(HostRegister.Value), source);
            WriteRegister(i.Op0Register, size, HostRegister.Value);
        }
        return FlagSource.OfGuest(guest);
    }

    private FlagSource StoredResult(bool keep)
    {
        if (keep) _e.Store(8, EngineRoom.FlagXField, HostRegister.Value);
        return FlagSource.Stored;
    }

    /// <summary>The same value as a register operand.</summary>
    private Operand OutOfMemory(Operand operand, int size)
    {
        if (operand.IsRegister) return operand;
        _e.Load(size, HostRegister.Other, operand);
        return Operand.Of(HostRegister.Other);
    }

    private void TestOperands() => OnOperand(0, Access.Read, TestCore);

    private void TestCore()
    {
        ref readonly Instruction i = ref Current;
        int size = SizeOf(i, 0);
        bool immediate = IsImmediate(i, 1), same = i.Op0Kind == OpKind.Register && i.Op1Kind == OpKind.Register && i.Op0Register == i.Op1Register;
        int value = immediate ? ImmediateOf(i, 1) : 0;
        Operand source = immediate ? default : SecondOperand(i, size, IsObserved && !same, false);
        FlagSource y = same ? default : SourceOfSecond(i, source, immediate, value);
        FlagSource x = WithFirstOperand(i, size, false, IsObserved, source, immediate, (destination, from) =>
        {
            if (immediate) _e.TestImmediate(size, destination, value);
            else if (from.IsMemory) _e.Test(size, from, destination.Register);
            else _e.Test(size, destination, from.Register);
        });
        FlagsAre(same ? FlagKind.Logic : FlagKind.Test, size, x, y);
    }

    private void IncrementOperand() => OnOperand(0, Access.Update, IncrementCore);

    private void IncrementCore()
    {
        ref readonly Instruction i = ref Current;
        int size = SizeOf(i, 0), digit = i.Mnemonic == Mnemonic.Inc ? 0 : 1;
        if (!IsObserved || TryNeedHostFlags(HostFlag.Carry))
        {
            if (IsObserved) _e.SetIf(Condition.Below, EngineRoom.CarryInField);
            int carry = _flags.Host & HostFlag.Carry;
            FlagSource x = WithFirstOperand(i, size, true, IsObserved, default, true, (destination, _) => _e.Increment(digit, size, destination));
            FlagsAre(digit == 0 ? FlagKind.Increment : FlagKind.Decrement, size, x, default, (HostFlag.All & ~HostFlag.Carry) | carry);
            return;
        }
        // CF is wherever it is: only what changes is put beside it.
        Settle();
        (int clear, int set) = DeferredFlags.EncodeIncrement(digit == 1, size);
        _e.AluImmediate(AluOperation.And, 4, EngineRoom.FlagKindField, ~clear);
        _e.AluImmediate(AluOperation.Or, 4, EngineRoom.FlagKindField, set);
        Operand result = default;
        WithFirstOperand(i, size, true, false, default, true, (destination, _) =>
        {
            _e.Increment(digit, size, destination);
            result = destination;
        });
        if (result.IsRegister) _e.Store(8, EngineRoom.FlagIncrementField, result.Register);
        else
        {
            _e.Load(8, HostRegister.Value, result);
            _e.Store(8, EngineRoom.FlagIncrementField, HostRegister.Value);
        }
        _flags = FlagTrack.AtEntry with { Host = HostFlag.All & ~HostFlag.Carry };
    }

    private void NegateOperand() => OnOperand(0, Access.Update, NegateCore);

    private void NegateCore()
    {
        int size = SizeOf(Current, 0);
        FlagSource x = WithFirstOperand(Current, size, true, IsObserved, default, true, (destination, _) => _e.Unary(3, size, destination));
        FlagsAre(FlagKind.Negate, size, x);
    }

    private void NotOperand()
    {
        ref readonly Instruction i = ref Current;
        int size = SizeOf(i, 0);
        if (i.Op0Kind == OpKind.Memory)
        {
            Simple(Access.Update, size, () => _e.Unary(2, size, Target));
            return;
        }
        int guest = GuestOf(i.Op0Register);
        BeforeWrite(guest);
        if (IsHighByte(i.Op0Register) || (!IsMapped(guest) && size == 4))
        {
            _e.LoadZeroExtended(size, HostRegister.Value, RegisterOperand(i.Op0Register));
            _e.Unary(2, size, Operand.Of(HostRegister.Value));
            WriteRegister(i.Op0Register, size, HostRegister.Value);
        }
        else _e.Unary(2, size, OperandOf(guest));
    }

    // ---- Shifts

    private static int ShiftDigit(Mnemonic mnemonic) => mnemonic switch { Mnemonic.Rol => 0, Mnemonic.Ror => 1, Mnemonic.Shr => 5, Mnemonic.Sar => 7, _ => 4 };

    private static FlagKind ShiftKind(int digit) => digit switch { 4 => FlagKind.ShiftLeft, 5 => FlagKind.ShiftRight, _ => FlagKind.ShiftRightArithmetic };

    private void ShiftByConstant() => OnOperand(0, Access.Update, ShiftCore);

    private static int CountOf(in Instruction i, int size) => (int)i.GetImmediate(1) & (size == 8 ? 63 : 31);

    private void ShiftCore()
    {
        ref readonly Instruction i = ref Current;
        int size = SizeOf(i, 0), digit = ShiftDigit(i.Mnemonic), count = CountOf(i, size);
        FlagSource x = WithFirstOperand(i, size, true, IsObserved, default, true, (destination, _) => _e.Shift(digit, size, destination, count));
        if (IsObserved) _e.SetIf(Condition.Below, EngineRoom.CarryInField);
        FlagsAre(ShiftKind(digit), size, x, default, count == 1 ? HostFlag.All & ~HostFlag.Adjust : HostFlag.OfResult | HostFlag.Carry);
    }

    private void ShiftByCl()
    {
        ref readonly Instruction i = ref Current;
        int size = SizeOf(i, 0), digit = ShiftDigit(i.Mnemonic);
        ShiftRegister(size, byCl: true, isDouble: false, ShiftKind(digit), register => _e.ShiftByCl(digit, size, register));
    }

    /// <summary>SHLD and SHRD of registers.</summary>
    private void DoubleShift()
    {
        ref readonly Instruction i = ref Current;
        bool byCl = i.Op2Kind == OpKind.Register;
        int size = SizeOf(i, 0), fill = GuestOf(i.Op1Register), opcode = (i.Mnemonic == Mnemonic.Shld ? 0x0FA4 : 0x0FAC) + (byCl ? 1 : 0), count = byCl ? 0 : (int)i.GetImmediate(2);
        ShiftRegister(size, byCl, isDouble: true, FlagKind.ShiftLeft, register =>
        {
            _e.Instruction(size, opcode, InRegister(fill, HostRegister.Address), register);
            if (!byCl) _e.Byte(count);
        });
    }

    /// <summary>Shifts the first operand, a register. A count of 0 in CL leaves the flags, so that the room has to tell.</summary>
    /// <param name="size">Of the operand, 4 or 8.</param>
    /// <param name="byCl">Else by a constant that is not 0.</param>
    /// <param name="isDouble">Whatever the count, OF is then whether the sign changed, as the handler has it.</param>
    /// <param name="kind">What the flags come from otherwise.</param>
    /// <param name="shift">Emits the shift of a host register; may use the address register.</param>
    private void ShiftRegister(int size, bool byCl, bool isDouble, FlagKind kind, Action<Operand> shift)
    {
        int guest = GuestOf(Current.Op0Register);
        bool mapped = IsMapped(guest);
        if (IsObserved) Settle();
        int register = InRegister(guest, HostRegister.Value);
        var unchanged = _e.NewLabel();
        // Zero-extended whatever the count, which a single shift sees to by itself where nothing leads around it.
        if (size == 4 && (IsObserved || isDouble)) _e.Load(4, register, Operand.Of(register));
        if (IsObserved && isDouble) _e.Load(8, HostRegister.Other, Operand.Of(register));
        if (IsObserved && byCl)
        {
            if (size == 4 && !mapped) _e.Store(8, StateField.General(guest), register);
            _e.TestImmediate(1, Operand.Of(HostRegister.Rcx), size == 8 ? 63 : 31);
            _e.JumpIf(Condition.Equal, unchanged);
        }
        shift(Operand.Of(register));
        if (!mapped) _e.Store(8, StateField.General(guest), register);
        if (!IsObserved)
        {
            _flags = FlagTrack.AtEntry with { Place = FlagPlace.Unneeded };
            return;
        }
        _e.SetIf(Condition.Below, EngineRoom.CarryInField);
        if (isDouble)
        {
            _e.Alu(AluOperation.Xor, size, HostRegister.Other, Operand.Of(register));
            _e.Shift(5, size, Operand.Of(HostRegister.Other), size * 8 - 1);
            _e.Store(1, EngineRoom.OtherOverflowField, HostRegister.Other);
        }
        _e.Store(8, EngineRoom.FlagXField, register);
        _e.StoreImmediate(4, EngineRoom.FlagKindField, DeferredFlags.Encode(kind, size) | (isDouble ? DeferredFlags.OtherOverflow : 0));
        _e.Bind(unchanged);
        _flags = FlagTrack.AtEntry;
    }

    private void RotateByConstant() => OnOperand(0, Access.Update, RotateCore);

    private void RotateCore()
    {
        ref readonly Instruction i = ref Current;
        int size = SizeOf(i, 0), digit = ShiftDigit(i.Mnemonic), count = CountOf(i, size);
        BeginPartialFlags(DeferredFlags.OtherCarry | DeferredFlags.OtherOverflow);
        int kept = IsObserved ? 0 : _flags.Host & ~(HostFlag.Carry | HostFlag.Overflow);
        Operand result = Operand.Of(HostRegister.Value);
        // The room's X belongs to the flags that stay.
        WithFirstOperand(i, size, true, false, default, true, (destination, _) =>
        {
            _e.Shift(digit, size, destination, count);
            result = destination;
        });
        int host = HostFlag.Carry | (count == 1 ? HostFlag.Overflow : 0);
        if (!IsObserved)
        {
            // The slow path of a rotation in memory works out OF, which costs CF.
            bool isLost = i.Op0Kind == OpKind.Memory && count != 1;
            _flags = FlagTrack.AtEntry with { Place = FlagPlace.Unneeded, Host = isLost ? 0 : kept | host };
            return;
        }
        _e.SetIf(Condition.Below, EngineRoom.OtherCarryField);
        if (count == 1) _e.SetIf(Condition.Overflow, EngineRoom.OtherOverflowField);
        else
        {
            StoreOverflowOfRotation(size, digit, result);
            host = 0;
        }
        _flags = _flags with { Host = host };
    }

    /// <summary>Beyond a count of 1 OF is what the result gives by the same formula: its top bit and the bit shifted out, or its two top bits.</summary>
    private void StoreOverflowOfRotation(int size, int digit, in Operand result)
    {
        Operand other = Operand.Of(HostRegister.Other);
        _e.Load(size, HostRegister.Other, result);
        if (digit == 1)
        {
            _e.Shift(4, size, other, 1);
            _e.Alu(AluOperation.Xor, size, HostRegister.Other, result);
        }
        _e.Shift(5, size, other, size * 8 - 1);
        if (digit == 0) _e.Alu(AluOperation.Xor, 1, HostRegister.Other, EngineRoom.OtherCarryField);
        _e.Store(1, EngineRoom.OtherOverflowField, HostRegister.Other);
    }

    /// <summary>ROL and ROR of a register of 4 or 8 bytes. A count of 0 in CL leaves the flags.</summary>
    private void RotateByCl()
    {
        ref readonly Instruction i = ref Current;
        int size = SizeOf(i, 0), digit = ShiftDigit(i.Mnemonic), guest = GuestOf(i.Op0Register);
        bool mapped = IsMapped(guest);
        if (IsObserved) SettleBelowPartialFlags(DeferredFlags.OtherCarry | DeferredFlags.OtherOverflow);
        int register = InRegister(guest, HostRegister.Value);
        var unchanged = _e.NewLabel();
        if (IsObserved)
        {
            // Zero-extended whatever the count.
            if (size == 4)
            {
                _e.Load(4, register, Operand.Of(register));
                if (!mapped) _e.Store(8, StateField.General(guest), register);
            }
            _e.TestImmediate(1, Operand.Of(HostRegister.Rcx), size == 8 ? 63 : 31);
            _e.JumpIf(Condition.Equal, unchanged);
            _e.AluImmediate(AluOperation.Or, 4, EngineRoom.FlagKindField, DeferredFlags.OtherCarry | DeferredFlags.OtherOverflow);
        }
        _e.ShiftByCl(digit, size, Operand.Of(register));
        if (!mapped) _e.Store(8, StateField.General(guest), register);
        if (!IsObserved)
        {
            _flags = FlagTrack.AtEntry with { Place = FlagPlace.Unneeded };
            return;
        }
        _e.SetIf(Condition.Below, EngineRoom.OtherCarryField);
        StoreOverflowOfRotation(size, digit, Operand.Of(register));
        _e.Bind(unchanged);
        _flags = FlagTrack.AtEntry with { HasNoIncrement = true };
    }

    // ---- Multiplication and division

    private void MultiplyTruncating() => OnOperand(1, Access.Read, MultiplyTruncatingCore);

    private void MultiplyTruncatingCore()
    {
        ref readonly Instruction i = ref Current;
        int size = SizeOf(i, 0), guest = GuestOf(i.Op0Register);
        int register = IsMapped(guest) ? HostRegister.OfGuest(guest) : HostRegister.Value;
        Operand source = i.Op1Kind == OpKind.Memory ? Target : OperandOf(GuestOf(i.Op1Register));
        if (i.OpCount == 3)
        {
            int value = ImmediateOf(i, 2);
            _e.Instruction(size, 0x69, register, source);
            _e.Int32(value);
        }
        else
        {
            if (!IsMapped(guest)) _e.Load(size, register, StateField.General(guest));
            _e.Instruction(size, 0x0FAF, register, source);
        }
        if (!IsMapped(guest)) _e.Store(8, StateField.General(guest), register);
        AfterProduct(size, guest);
    }

    private void AfterProduct(int size, int guestOfLow)
    {
        if (IsObserved) _e.SetIf(Condition.Below, EngineRoom.CarryInField);
        FlagsAre(FlagKind.Multiply, size, FlagSource.OfGuest(guestOfLow), default, HostFlag.Carry | HostFlag.Overflow);
    }

    private void Multiply() => OnOperand(0, Access.Read, MultiplyCore);

    private void MultiplyCore()
    {
        ref readonly Instruction i = ref Current;
        int size = SizeOf(i, 0);
        _e.Unary(i.Mnemonic == Mnemonic.Mul ? 4 : 5, size, i.Op0Kind == OpKind.Memory ? Target : OperandOf(GuestOf(i.Op0Register)));
        AfterProduct(size, Rax);
    }

    private void Divide()
    {
        int size = SizeOf(Current, 0);
        if (Current.Op0Kind == OpKind.Memory) Simple(Access.Read, size, DivideCore);
        else
        {
            DivideCore();
            HostFlagsLost();
        }
    }

    /// <summary>Divisions that are certain to succeed are done by the host; the others, which may fault, by the handler.</summary>
    private void DivideCore()
    {
        ref readonly Instruction i = ref Current;
        int size = SizeOf(i, 0);
        bool signed = i.Mnemonic == Mnemonic.Idiv;
        BeforeWrite(Rax);
        BeforeWrite(Rdx);
        _e.Load(size, HostRegister.Value, i.Op0Kind == OpKind.Memory ? Target : OperandOf(GuestOf(i.Op0Register)));
        Operand divisor = Operand.Of(HostRegister.Value), other = Operand.Of(HostRegister.Other);
        var uncertain = _e.NewLabel();
        var done = _e.NewLabel();
        HostFlagsLost();
        Later(() =>
        {
            _e.Bind(uncertain);
            ExecuteByHandler();
            _e.Jump(done);
        });
        if (signed)
        {
            // The dividend is a sign-extended single word, and the divisor neither 0 nor -1.
            _e.Load(size, HostRegister.Other, Operand.Of(HostRegister.Rax));
            _e.Shift(7, size, other, size * 8 - 1);
            _e.Alu(AluOperation.Cmp, size, HostRegister.Other, Operand.Of(HostRegister.Rdx));
            _e.JumpIf(Condition.NotEqual, uncertain);
            _e.Lea(size, HostRegister.Other, Operand.At(HostRegister.Value, 1));
            _e.AluImmediate(AluOperation.Cmp, size, other, 1);
            _e.JumpIf(Condition.BelowOrEqual, uncertain);
        }
        else
        {
            _e.Alu(AluOperation.Cmp, size, HostRegister.Rdx, divisor);
            _e.JumpIf(Condition.AboveOrEqual, uncertain);
        }
        _e.Unary(signed ? 7 : 6, size, divisor);
        _e.Bind(done);
    }

    // ---- Compare and exchange, exchange and add

    private void ExchangeAdd() => Buffered(Access.Update, SizeOf(Current, 0), () =>
    {
        ref readonly Instruction i = ref Current;
        int size = SizeOf(i, 0), guest = GuestOf(i.Op1Register);
        _e.LoadZeroExtended(size, HostRegister.Value, Target);
        _e.Load(8, HostRegister.Other, OperandOf(guest));
        if (IsObserved) _e.Store(8, EngineRoom.FlagYField, HostRegister.Other);
        _e.Alu(AluOperation.Add, size, HostRegister.Other, Operand.Of(HostRegister.Value));
        _e.Store(size, Target, HostRegister.Other);
        if (IsObserved) _e.Store(8, EngineRoom.FlagXField, HostRegister.Other);
        WriteRegister(i.Op1Register, size, HostRegister.Value);
        FlagsAre(FlagKind.Add, size, FlagSource.Stored, FlagSource.Stored);
    });

    private void CompareExchange() => Buffered(Access.Update, SizeOf(Current, 0), () =>
    {
        ref readonly Instruction i = ref Current;
        int size = SizeOf(i, 0);
        var different = _e.NewLabel();
        var done = _e.NewLabel();
        int desired = InRegister(GuestOf(i.Op1Register), HostRegister.Other);
        _e.LoadZeroExtended(size, HostRegister.Value, Target);
        if (IsObserved)
        {
            _e.Store(8, EngineRoom.FlagXField, HostRegister.Rax);
            _e.Store(8, EngineRoom.FlagYField, HostRegister.Value);
        }
        _e.Alu(AluOperation.Cmp, size, HostRegister.Rax, Operand.Of(HostRegister.Value));
        _e.JumpIf(Condition.NotEqual, different);
        _e.Store(size, Target, desired);
        _e.Jump(done);
        _e.Bind(different);
        _e.Load(size, HostRegister.Rax, Operand.Of(HostRegister.Value));
        _e.Bind(done);
        FlagsAre(FlagKind.Compare, size, FlagSource.Stored, FlagSource.Stored);
    });

    // ---- Bits

    private void BitTest() => OnOperand(0, Current.Mnemonic == Mnemonic.Bt ? Access.Read : Access.Update, BitTestCore);

    private void BitTestCore()
    {
        ref readonly Instruction i = ref Current;
        int size = SizeOf(i, 0), number = i.Mnemonic switch { Mnemonic.Bt => 0, Mnemonic.Bts => 1, Mnemonic.Btr => 2, _ => 3 };
        bool writes = number != 0, memory = i.Op0Kind == OpKind.Memory;
        BeginPartialFlags(DeferredFlags.OtherCarry);
        int index = IsImmediate(i, 1) ? -1 : InRegister(GuestOf(i.Op1Register), HostRegister.Other);
        int register = HostRegister.Value;
        if (memory) _e.Load(size, register, Target);
        else register = InRegister(GuestOf(i.Op0Register), HostRegister.Value);
        if (index >= 0) _e.Instruction(size, 0x0FA3 | number << 3, index, Operand.Of(register));
        else
        {
            _e.Instruction(size, 0x0FBA, 4 + number, Operand.Of(register));
            _e.Byte((int)i.GetImmediate(1));
        }
        if (IsObserved) _e.SetIf(Condition.Below, EngineRoom.OtherCarryField);
        if (writes && memory) _e.Store(size, Target, register);
        else if (writes && register == HostRegister.Value) _e.Store(8, StateField.General(GuestOf(i.Op0Register)), register);
        EndPartialFlags(HostFlag.Carry);
    }

    private void BitScan() => OnOperand(1, Access.Read, BitScanCore);

    /// <summary>A source of zero leaves the destination.</summary>
    private void BitScanCore()
    {
        ref readonly Instruction i = ref Current;
        int size = SizeOf(i, 0);
        var zero = _e.NewLabel();
        BeginPartialFlags(DeferredFlags.OtherZero);
        _e.Instruction(size, i.Mnemonic == Mnemonic.Bsf ? 0x0FBC : 0x0FBD, HostRegister.Value, i.Op1Kind == OpKind.Memory ? Target : OperandOf(GuestOf(i.Op1Register)));
        if (IsObserved) _e.SetIf(Condition.Equal, EngineRoom.OtherZeroField);
        _e.JumpIf(Condition.Equal, zero);
        WriteRegister(i.Op0Register, size, HostRegister.Value);
        _e.Bind(zero);
        EndPartialFlags(HostFlag.Zero);
    }

    private void PopulationCount() => OnOperand(1, Access.Read, PopulationCountCore);

    private void PopulationCountCore()
    {
        ref readonly Instruction i = ref Current;
        int size = SizeOf(i, 0), guest = GuestOf(i.Op0Register);
        int register = IsMapped(guest) ? HostRegister.OfGuest(guest) : HostRegister.Value;
        _e.Instruction(size, 0x0FB8, register, i.Op1Kind == OpKind.Memory ? Target : OperandOf(GuestOf(i.Op1Register)), prefix: 0xF3);
        if (!IsMapped(guest)) _e.Store(8, StateField.General(guest), register);
        FlagsAre(FlagKind.Zero, size, FlagSource.OfGuest(guest));
    }
}
