using System.Numerics;
using System.Runtime.CompilerServices;

namespace Vmm.Cpu;

/// <summary>Bits of RFLAGS (SDM 1 3.4.3).</summary>
public static class RFlags
{
    public const ulong Carry = 1 << 0, Reserved1 = 1 << 1, Parity = 1 << 2, Adjust = 1 << 4, Zero = 1 << 6, Sign = 1 << 7, Trap = 1 << 8,
        Interrupt = 1 << 9, Direction = 1 << 10, Overflow = 1 << 11, Iopl = 3 << 12, NestedTask = 1 << 14, Resume = 1 << 16, Virtual8086 = 1 << 17,
        AlignmentCheck = 1 << 18, VirtualInterrupt = 1 << 19, VirtualInterruptPending = 1 << 20, Identification = 1 << 21;

    public const ulong Arithmetic = Carry | Parity | Adjust | Zero | Sign | Overflow;
}

/// <summary>
/// The lazily computed arithmetic flags. An ALU handler stores its result and carry vector, which costs a few moves; the bits are worked
/// out when something asks, which is rare.
/// </summary>
public static class Flags
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Carry(this in VcpuState s) => (long)s.FlagsCarries < 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Zero(this in VcpuState s) => s.FlagsZero == 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Sign(this in VcpuState s) => (long)s.FlagsSignParity < 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Overflow(this in VcpuState s) => (long)(s.FlagsCarries ^ (s.FlagsCarries << 1)) < 0;

    public static bool Parity(this in VcpuState s) => (BitOperations.PopCount((uint)s.FlagsSignParity & 0xFF) & 1) == 0;

    public static bool Adjust(this in VcpuState s) => (s.FlagsAdjust & 0x10) != 0;

    /// <summary>RFLAGS as PUSHF shows it (RF and VM included).</summary>
    public static ulong ReadRFlags(this in VcpuState s)
    {
        ulong flags = s.SystemFlags;
        if (s.Carry()) flags |= RFlags.Carry;
        if (s.Parity()) flags |= RFlags.Parity;
        if (s.Adjust()) flags |= RFlags.Adjust;
        if (s.Zero()) flags |= RFlags.Zero;
        if (s.Sign()) flags |= RFlags.Sign;
        if (s.Overflow()) flags |= RFlags.Overflow;
        return flags;
    }

    /// <summary>Sets all of RFLAGS; bits that do not exist are the caller's business, bit 1 is forced.</summary>
    public static void WriteRFlags(this ref VcpuState s, ulong flags)
    {
        s.SystemFlags = (flags & ~RFlags.Arithmetic) | RFlags.Reserved1;
        s.WriteArithmeticFlags(flags);
    }

    /// <summary>Sets the six arithmetic flags from their bits in <paramref name="flags"/>.</summary>
    public static void WriteArithmeticFlags(this ref VcpuState s, ulong flags) =>
        s.SetArithmeticFlags((flags & RFlags.Carry) != 0, (flags & RFlags.Parity) != 0, (flags & RFlags.Adjust) != 0, (flags & RFlags.Zero) != 0,
            (flags & RFlags.Sign) != 0, (flags & RFlags.Overflow) != 0);

    public static void SetArithmeticFlags(this ref VcpuState s, bool cf, bool pf, bool af, bool zf, bool sf, bool of)
    {
        s.FlagsZero = zf ? 0UL : 1;
        // Low byte 0 has even parity, low byte 1 odd.
        s.FlagsSignParity = (sf ? 1UL << 63 : 0) | (pf ? 0UL : 1);
        s.SetCarryOverflow(cf, of);
        s.FlagsAdjust = af ? 0x10UL : 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetCarryOverflow(this ref VcpuState s, bool cf, bool of) =>
        s.FlagsCarries = (cf ? 1UL << 63 : 0) | (cf != of ? 1UL << 62 : 0);

    /// <summary>Sets CF and leaves the others, OF included.</summary>
    public static void SetCarry(this ref VcpuState s, bool cf) => s.SetCarryOverflow(cf, s.Overflow());

    public static void SetZero(this ref VcpuState s, bool zf)
    {
        // SF and PF live elsewhere, so that ZF can be set alone.
        s.FlagsZero = zf ? 0UL : 1;
    }

    /// <summary>Result flags of a logic operation: CF, OF and (undefined, documented as 0) AF clear.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetLogic(this ref VcpuState s, long signExtendedResult)
    {
        s.FlagsZero = (ulong)signExtendedResult;
        s.FlagsSignParity = (ulong)signExtendedResult;
        s.FlagsCarries = 0;
        s.FlagsAdjust = 0;
    }

    /// <summary>The flags of a + b (+ carry) = result on operands of so many bits: the carry vector has in each bit the carry out of that bit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetAddition(this ref VcpuState s, ulong a, ulong b, ulong result, int bits)
    {
        s.SetResult(result, bits);
        s.FlagsCarries = ((a & b) | ((a | b) & ~result)) << (64 - bits);
        s.FlagsAdjust = a ^ b ^ result;
    }

    /// <summary>The flags of a - b (- borrow) = result.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetSubtraction(this ref VcpuState s, ulong a, ulong b, ulong result, int bits)
    {
        s.SetResult(result, bits);
        s.FlagsCarries = ((~a & b) | (~(a ^ b) & result)) << (64 - bits);
        s.FlagsAdjust = a ^ b ^ result;
    }

    /// <summary>The flags of INC and DEC, which leave CF.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetIncrement(this ref VcpuState s, ulong a, ulong result, bool overflow, int bits)
    {
        ulong carry = s.FlagsCarries >> 63, of = overflow ? 1UL : 0;
        s.SetResult(result, bits);
        s.FlagsCarries = carry << 63 | (carry ^ of) << 62;
        s.FlagsAdjust = a ^ result;
    }

    /// <summary>ZF, SF and PF of a result of so many bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetResult(this ref VcpuState s, ulong result, int bits)
    {
        ulong extended = SignExtend(result, bits);
        s.FlagsZero = extended;
        s.FlagsSignParity = extended;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong SignExtend(ulong value, int bits) =>
        bits switch { 8 => (ulong)(sbyte)value, 16 => (ulong)(short)value, 32 => (ulong)(int)value, _ => value };

    /// <summary>A condition code of Jcc, SETcc, CMOVcc (SDM 1 appendix B): 0 O, 1 NO, 2 B, 3 AE, 4 E, 5 NE, 6 BE, 7 A, 8 S, 9 NS, 10 P, 11 NP, 12 L, 13 GE, 14 LE, 15 G.</summary>
    public static bool Condition(this in VcpuState s, int code)
    {
        bool value = (code >> 1) switch
        {
            0 => s.Overflow(),
            1 => s.Carry(),
            2 => s.Zero(),
            3 => s.Carry() || s.Zero(),
            4 => s.Sign(),
            5 => s.Parity(),
            6 => s.Sign() != s.Overflow(),
            _ => s.Zero() || s.Sign() != s.Overflow(),
        };
        return value != ((code & 1) != 0);
    }
}
