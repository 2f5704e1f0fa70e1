namespace Vmm.Translation;

/// <summary>Where the guest's flags are.</summary>
internal sealed partial class BlockTranslator
{
    /// <summary>
    /// Which instructions' flags can be asked for: there is a way out of the code, or an instruction that reads some of them, before all are written again. (Of those that write only
    /// some, the others can be asked for if what they leave can.)
    /// </summary>
    private void FindObserved()
    {
        bool observed = true;
        for (int i = _count - 1; i >= 0; i--)
        {
            _observed[i] = observed;
            if (CanLeave(i) || ReadsFlags(_shapes[i], _instructions[i])) observed = true;
            else if (WritesAllFlags(_shapes[i])) observed = false;
        }
    }

    /// <summary>The current instruction has written all flags.</summary>
    private void FlagsAre(FlagKind kind, int sizeBytes, FlagSource x, FlagSource y = default, int host = HostFlag.All) =>
        _flags = new FlagTrack(IsObserved ? FlagPlace.Sources : FlagPlace.Unneeded, kind, sizeBytes, x, y, host, true);

    /// <summary>The host's flags are lost.</summary>
    private void HostFlagsLost() => _flags = _flags with { Host = 0 };

    /// <summary>A guest register is about to be written: flags that are computed from it are put away. May use the value register.</summary>
    private void BeforeWrite(int guest)
    {
        if (_flags.DependsOn(guest)) Settle();
    }

    /// <summary>Brings the room up to date. Keeps the host's flags; may use the value register.</summary>
    private void Settle()
    {
        if (_flags.Place == FlagPlace.Room) return;
        Invariant.Check(_flags.Place == FlagPlace.Sources);
        StoreSource(EngineRoom.FlagXField, _flags.X);
        StoreSource(EngineRoom.FlagYField, _flags.Y);
        _e.StoreImmediate(4, EngineRoom.FlagKindField, DeferredFlags.Encode(_flags.Kind, _flags.SizeBytes));
        _flags = _flags with { Place = FlagPlace.Room, X = AfterStore(_flags.X), Y = AfterStore(_flags.Y) };
    }

    private static FlagSource AfterStore(FlagSource source) => source.Kind == FlagSourceKind.None ? source : FlagSource.Stored;

    private void StoreSource(in Operand field, in FlagSource source)
    {
        switch (source.Kind)
        {
            case FlagSourceKind.Guest:
                _e.Store(8, field, InRegister(source.Guest, HostRegister.Value));
                break;
            case FlagSourceKind.Constant when source.Constant == (int)source.Constant:
                _e.StoreImmediate(8, field, (int)source.Constant);
                break;
            case FlagSourceKind.Constant:
                _e.LoadConstant(HostRegister.Value, (ulong)source.Constant);
                _e.Store(8, field, HostRegister.Value);
                break;
        }
    }

    /// <summary>Makes sure that the host's flags hold these of the guest's. May use the value and the other register.</summary>
    private void NeedHostFlags(int mask)
    {
        if (TryNeedHostFlags(mask)) return;
        Settle();
        _e.CallTo(common.LoadFlags);
        _flags = FlagTrack.AtEntry with { Host = HostFlag.All, HasNoIncrement = true };
    }

    /// <summary>The same where it costs little. False: they have to be worked out.</summary>
    private bool TryNeedHostFlags(int mask) => (_flags.Host & mask) == mask || (_flags.Kind != FlagKind.Settled && TryRecompute(mask));

    /// <summary>Does the comparison or the sum again, where its operands are still there.</summary>
    private bool TryRecompute(int mask)
    {
        int size = _flags.SizeBytes;
        switch (_flags.Kind)
        {
            case FlagKind.Compare:
                WithY(AluOperation.Cmp, SourceInRegister(EngineRoom.FlagXField, _flags.X, HostRegister.Value));
                break;
            case FlagKind.Test:
            {
                int x = SourceInRegister(EngineRoom.FlagXField, _flags.X, HostRegister.Value);
                int y = SourceInRegister(EngineRoom.FlagYField, _flags.Y, HostRegister.Other);
                _e.Test(size, Operand.Of(x), y);
                break;
            }
            case FlagKind.Subtract:
                UndoAndRedo(AluOperation.Add, AluOperation.Cmp);
                break;
            case FlagKind.Add:
                UndoAndRedo(AluOperation.Sub, AluOperation.Add);
                break;
            case FlagKind.Logic:
                TestSource();
                break;
            case FlagKind.AddWithCarry:
                UndoAndRedo(AluOperation.Sbb, AluOperation.Adc);
                break;
            case FlagKind.SubtractWithBorrow:
                UndoAndRedo(AluOperation.Adc, AluOperation.Sbb);
                break;
            case FlagKind.Image:
                _e.Push(SourceInRegister(EngineRoom.FlagXField, _flags.X, HostRegister.Value));
                _e.PopFlags();
                break;
            case FlagKind.Zero:
                return false;
            case FlagKind.Multiply or FlagKind.Increment or FlagKind.Decrement or FlagKind.ShiftLeft or FlagKind.ShiftRight or FlagKind.ShiftRightArithmetic when mask == HostFlag.Carry:
                LoadCarryIn();
                _flags = _flags with { Host = HostFlag.Carry };
                return true;
            case FlagKind.Multiply:
                return false;
            default:
                // Of the others, what the result alone says.
                if ((mask & ~HostFlag.OfResult) != 0) return false;
                TestSource();
                _flags = _flags with { Host = HostFlag.OfResult };
                return true;
        }
        _flags = _flags with { Host = HostFlag.All };
        return true;
    }

    private void TestSource()
    {
        int x = SourceInRegister(EngineRoom.FlagXField, _flags.X, HostRegister.Value);
        _e.Test(_flags.SizeBytes, Operand.Of(x), x);
    }

    private void UndoAndRedo(AluOperation undo, AluOperation redo)
    {
        int x = SourceInRegister(EngineRoom.FlagXField, _flags.X, HostRegister.Value);
        if (x != HostRegister.Value) _e.Load(8, HostRegister.Value, Operand.Of(x));
        if (undo is AluOperation.Sbb or AluOperation.Adc) LoadCarryIn();
        WithY(undo, HostRegister.Value);
        if (redo is AluOperation.Sbb or AluOperation.Adc) LoadCarryIn();
        WithY(redo, HostRegister.Value);
    }

    /// <summary>CF is what the room's CarryIn says (BT).</summary>
    private void LoadCarryIn()
    {
        _e.Instruction(4, 0x0FBA, 4, EngineRoom.CarryInField);
        _e.Byte(0);
    }

    private void WithY(AluOperation operation, int register)
    {
        FlagSource y = _flags.Y;
        if (y.Kind == FlagSourceKind.Constant && y.Constant == (int)y.Constant) _e.AluImmediate(operation, _flags.SizeBytes, Operand.Of(register), (int)y.Constant);
        else _e.Alu(operation, _flags.SizeBytes, register, Operand.Of(SourceInRegister(EngineRoom.FlagYField, y, HostRegister.Other)));
    }

    /// <summary>A register that holds the source: its own, or the scratch.</summary>
    private int SourceInRegister(in Operand field, in FlagSource source, int scratch)
    {
        if (source.Kind == FlagSourceKind.Guest) return InRegister(source.Guest, scratch);
        if (source.Kind == FlagSourceKind.Stored) _e.Load(8, scratch, field);
        else _e.LoadConstant(scratch, (ulong)source.Constant);
        return scratch;
    }

    /// <summary>
    /// Before an instruction that writes only some flags: what the others come from is put away, and that those are to be found elsewhere.
    /// </summary>
    private void BeginPartialFlags(int others)
    {
        if (!IsObserved) return;
        SettleBelowPartialFlags(others);
        _e.AluImmediate(AluOperation.Or, 4, EngineRoom.FlagKindField, others);
        _flags = FlagTrack.AtEntry with { HasNoIncrement = _flags.HasNoIncrement || others != DeferredFlags.OtherCarry };
    }

    private void SettleBelowPartialFlags(int others)
    {
        Settle();
        // An INC's OF and ZF lie above the other bytes: the room may hold one from before the block.
        if (!_flags.HasNoIncrement && others != DeferredFlags.OtherCarry) SettleIncrement();
    }

    /// <summary>Behind it: the room tells, and the host's flags hold these.</summary>
    private void EndPartialFlags(int host) =>
        _flags = FlagTrack.AtEntry with { Place = IsObserved ? FlagPlace.Room : FlagPlace.Unneeded, Host = host, HasNoIncrement = _flags.HasNoIncrement };

    private void SettleIncrement()
    {
        var some = _e.NewLabel();
        var none = _e.NewLabel();
        _e.TestImmediate(4, EngineRoom.FlagKindField, DeferredFlags.Incremented | DeferredFlags.Decremented);
        _e.JumpIf(Condition.NotEqual, some);
        _e.Bind(none);
        Later(() =>
        {
            _e.Bind(some);
            _e.CallTo(common.SettleFlags);
            _e.Jump(none);
        });
    }
}
