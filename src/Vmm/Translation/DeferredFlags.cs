using Vmm.Cpu;

namespace Vmm.Translation;

/// <summary>What the six arithmetic flags are computed from: X and Y are the room's FlagX and FlagY, cut to the operand size.</summary>
internal enum FlagKind
{
    /// <summary>They are in VcpuState.</summary>
    Settled = 0,
    /// <summary>X is the sum, Y what was added last.</summary>
    Add,
    /// <summary>The same with <see cref="EngineRoom.CarryIn"/>.</summary>
    AddWithCarry,
    /// <summary>X - Y (CMP).</summary>
    Compare,
    /// <summary>X is the difference, Y what was subtracted.</summary>
    Subtract,
    SubtractWithBorrow,
    /// <summary>X is the result.</summary>
    Logic,
    /// <summary>X and Y are the operands.</summary>
    Test,
    /// <summary>X is the result, CarryIn the CF that stays.</summary>
    Increment,
    Decrement,
    /// <summary>X is the result.</summary>
    Negate,
    /// <summary>X is the result, CarryIn the bit shifted out.</summary>
    ShiftLeft,
    ShiftRight,
    ShiftRightArithmetic,
    /// <summary>X is the low half of the product, CarryIn whether it is not all of it.</summary>
    Multiply,
    /// <summary>ZF is X == 0, the others are clear (POPCNT).</summary>
    Zero,
    /// <summary>X is RFLAGS with AF, SF and OF clear (COMISD).</summary>
    Image,
}

/// <summary>
/// The flags of translated code are worked out only when somebody asks, as in the interpreter; but what they come from stays where it is, in registers mostly, until code is
/// left. Bits 16..18 of a kind say that CF, OF, ZF are those of the room's other bytes (rotates and bit tests change only some); bits 19 and 20 that all but CF come from an
/// INC or DEC behind it.
/// </summary>
internal static class DeferredFlags
{
    public const int OtherCarry = 1 << 16, OtherOverflow = 1 << 17, OtherZero = 1 << 18, Incremented = 1 << 19, Decremented = 1 << 20;

    private const int IncrementSizeShift = 24;

    /// <summary>What is cleared and what is set in a kind when an INC or DEC of so many bytes keeps its CF.</summary>
    public static (int Clear, int Set) EncodeIncrement(bool decrements, int sizeBytes) =>
        (Incremented | Decremented | 0xF << IncrementSizeShift, (decrements ? Decremented : Incremented) | sizeBytes << IncrementSizeShift);

    public static int Encode(FlagKind kind, int sizeBytes) => (int)kind | sizeBytes << 8;

    /// <summary>Puts the flags into the state.</summary>
    public static void Settle(ref EngineRoom room, ref VcpuState s)
    {
        int all = room.FlagKind;
        if (all == 0) return;
        room.FlagKind = 0;
        int bits = (all >> 8 & 0xFF) * 8;
        if ((FlagKind)(all & 0xFF) != FlagKind.Settled) SettleWhole(ref s, (FlagKind)(all & 0xFF), bits, Cut(room.FlagX, bits), Cut(room.FlagY, bits), room.CarryIn);
        if ((all & (OtherCarry | OtherOverflow)) != 0)
        {
            bool cf = (all & OtherCarry) != 0 ? room.OtherCarry != 0 : s.Carry();
            s.SetCarryOverflow(cf, (all & OtherOverflow) != 0 ? room.OtherOverflow != 0 : s.Overflow());
        }
        if ((all & OtherZero) != 0) s.SetZero(room.OtherZero != 0);
        if ((all & (Incremented | Decremented)) != 0) SettleIncrement(ref s, room.FlagIncrement, (all >> IncrementSizeShift & 0xF) * 8, (all & Decremented) != 0);
    }

    private static ulong Cut(ulong value, int bits) => bits == 64 ? value : value & ((1UL << bits) - 1);

    private static void SettleWhole(ref VcpuState s, FlagKind kind, int bits, ulong x, ulong y, byte carryIn)
    {
        ulong sign = 1UL << (bits - 1);
        switch (kind)
        {
            case FlagKind.Add: s.SetAddition(Cut(x - y, bits), y, x, bits); break;
            case FlagKind.AddWithCarry: s.SetAddition(Cut(x - y - carryIn, bits), y, x, bits); break;
            case FlagKind.Compare: s.SetSubtraction(x, y, x - y, bits); break;
            case FlagKind.Subtract: s.SetSubtraction(Cut(x + y, bits), y, x, bits); break;
            case FlagKind.SubtractWithBorrow: s.SetSubtraction(Cut(x + y + carryIn, bits), y, x, bits); break;
            case FlagKind.Logic: s.SetLogic((long)Flags.SignExtend(x, bits)); break;
            case FlagKind.Test: s.SetLogic((long)Flags.SignExtend(x & y, bits)); break;
            case FlagKind.Increment or FlagKind.Decrement:
                s.FlagsCarries = (ulong)carryIn << 63;
                SettleIncrement(ref s, x, bits, kind == FlagKind.Decrement);
                break;
            case FlagKind.Negate: s.SetSubtraction(0, Cut(0 - x, bits), x, bits); break;
            case FlagKind.ShiftLeft: SetShift(ref s, x, bits, carryIn != 0, carryIn != 0 != ((x & sign) != 0)); break;
            case FlagKind.ShiftRight: SetShift(ref s, x, bits, carryIn != 0, ((x ^ (x << 1)) & sign) != 0); break;
            case FlagKind.ShiftRightArithmetic: SetShift(ref s, x, bits, carryIn != 0, false); break;
            case FlagKind.Multiply: SetShift(ref s, x, bits, carryIn != 0, carryIn != 0); break;
            case FlagKind.Image: s.SetArithmeticFlags((x & HostFlag.Carry) != 0, (x & HostFlag.Parity) != 0, false, (x & HostFlag.Zero) != 0, false, false); break;
            case FlagKind.Zero: s.SetArithmeticFlags(false, false, false, x == 0, false, false); break;
        }
    }

    /// <summary>CF stays as it is.</summary>
    private static void SettleIncrement(ref VcpuState s, ulong result, int bits, bool decrements)
    {
        ulong r = Cut(result, bits), sign = 1UL << (bits - 1);
        if (decrements) s.SetIncrement(Cut(r + 1, bits), r, r == sign - 1, bits);
        else s.SetIncrement(Cut(r - 1, bits), r, r == sign, bits);
    }

    private static void SetShift(ref VcpuState s, ulong result, int bits, bool cf, bool of)
    {
        s.SetLogic((long)Flags.SignExtend(result, bits));
        s.SetCarryOverflow(cf, of);
    }
}
