using System.Runtime.CompilerServices;
using Iced.Intel;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation;

/// <summary>An operation of two operands that sets the arithmetic flags.</summary>
internal interface IBinaryOperation
{
    /// <summary>False for CMP and TEST, which only set flags.</summary>
    static abstract bool Writes { get; }

    static abstract ulong Compute<T>(ref VcpuState s, ulong a, ulong b) where T : unmanaged;
}

/// <summary>An operation of one operand.</summary>
internal interface IUnaryOperation
{
    static abstract ulong Compute<T>(ref VcpuState s, ulong a) where T : unmanaged;
}

/// <summary>ADD, ADC, SUB, SBB, CMP, AND, OR, XOR, TEST, INC, DEC, NEG, NOT.</summary>
internal static class Arithmetic
{
    public static unsafe Handler Bind(in Instruction i, in DecodedInstruction d) => i.Mnemonic switch
    {
        Mnemonic.Add => OperandForms.Binary<Add>(i, d),
        Mnemonic.Adc => OperandForms.Binary<Adc>(i, d),
        Mnemonic.Sub => OperandForms.Binary<Sub>(i, d),
        Mnemonic.Sbb => OperandForms.Binary<Sbb>(i, d),
        Mnemonic.Cmp => OperandForms.Binary<Cmp>(i, d),
        Mnemonic.And => OperandForms.Binary<And>(i, d),
        Mnemonic.Or => OperandForms.Binary<Or>(i, d),
        Mnemonic.Xor => OperandForms.Binary<Xor>(i, d),
        Mnemonic.Test => OperandForms.Binary<Test>(i, d),
        Mnemonic.Inc => OperandForms.Unary<Inc>(i, d),
        Mnemonic.Dec => OperandForms.Unary<Dec>(i, d),
        Mnemonic.Neg => OperandForms.Unary<Neg>(i, d),
        Mnemonic.Not => OperandForms.Unary<Not>(i, d),
        _ => default,
    };

    /// <summary>The flags of a + b (+ carry) = result: the carry vector has in each bit the carry out of that bit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetAddFlags<T>(ref VcpuState s, ulong a, ulong b, ulong result) where T : unmanaged
    {
        long extended = Width<T>.SignExtend(result);
        s.FlagsZero = (ulong)extended;
        s.FlagsSignParity = (ulong)extended;
        s.FlagsCarries = ((a & b) | ((a | b) & ~result)) << (64 - Width<T>.Bits);
        s.FlagsAdjust = a ^ b ^ result;
    }

    /// <summary>The flags of a - b (- borrow) = result.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetSubFlags<T>(ref VcpuState s, ulong a, ulong b, ulong result) where T : unmanaged
    {
        long extended = Width<T>.SignExtend(result);
        s.FlagsZero = (ulong)extended;
        s.FlagsSignParity = (ulong)extended;
        s.FlagsCarries = ((~a & b) | (~(a ^ b) & result)) << (64 - Width<T>.Bits);
        s.FlagsAdjust = a ^ b ^ result;
    }

    internal readonly struct Add : IBinaryOperation
    {
        public static bool Writes => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ulong Compute<T>(ref VcpuState s, ulong a, ulong b) where T : unmanaged
        {
            ulong r = a + b;
            SetAddFlags<T>(ref s, a, b, r);
            return r;
        }
    }

    internal readonly struct Adc : IBinaryOperation
    {
        public static bool Writes => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ulong Compute<T>(ref VcpuState s, ulong a, ulong b) where T : unmanaged
        {
            ulong r = a + b + (s.FlagsCarries >> 63);
            SetAddFlags<T>(ref s, a, b, r);
            return r;
        }
    }

    internal readonly struct Sub : IBinaryOperation
    {
        public static bool Writes => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ulong Compute<T>(ref VcpuState s, ulong a, ulong b) where T : unmanaged
        {
            ulong r = a - b;
            SetSubFlags<T>(ref s, a, b, r);
            return r;
        }
    }

    internal readonly struct Cmp : IBinaryOperation
    {
        public static bool Writes => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ulong Compute<T>(ref VcpuState s, ulong a, ulong b) where T : unmanaged => Sub.Compute<T>(ref s, a, b);
    }

    internal readonly struct Sbb : IBinaryOperation
    {
        public static bool Writes => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ulong Compute<T>(ref VcpuState s, ulong a, ulong b) where T : unmanaged
        {
            ulong r = a - b - (s.FlagsCarries >> 63);
            SetSubFlags<T>(ref s, a, b, r);
            return r;
        }
    }

    internal readonly struct And : IBinaryOperation
    {
        public static bool Writes => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ulong Compute<T>(ref VcpuState s, ulong a, ulong b) where T : unmanaged
        {
            ulong r = a & b;
            s.SetLogic(Width<T>.SignExtend(r));
            return r;
        }
    }

    internal readonly struct Test : IBinaryOperation
    {
        public static bool Writes => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ulong Compute<T>(ref VcpuState s, ulong a, ulong b) where T : unmanaged => And.Compute<T>(ref s, a, b);
    }

    internal readonly struct Or : IBinaryOperation
    {
        public static bool Writes => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ulong Compute<T>(ref VcpuState s, ulong a, ulong b) where T : unmanaged
        {
            ulong r = a | b;
            s.SetLogic(Width<T>.SignExtend(r));
            return r;
        }
    }

    internal readonly struct Xor : IBinaryOperation
    {
        public static bool Writes => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ulong Compute<T>(ref VcpuState s, ulong a, ulong b) where T : unmanaged
        {
            ulong r = a ^ b;
            s.SetLogic(Width<T>.SignExtend(r));
            return r;
        }
    }

    internal readonly struct Inc : IUnaryOperation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ulong Compute<T>(ref VcpuState s, ulong a) where T : unmanaged
        {
            ulong r = (a + 1) & Width<T>.Mask;
            SetKeepingCarry<T>(ref s, a, r, overflow: r == Width<T>.SignBit);
            return r;
        }
    }

    internal readonly struct Dec : IUnaryOperation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ulong Compute<T>(ref VcpuState s, ulong a) where T : unmanaged
        {
            ulong r = (a - 1) & Width<T>.Mask;
            SetKeepingCarry<T>(ref s, a, r, overflow: a == Width<T>.SignBit);
            return r;
        }
    }

    internal readonly struct Neg : IUnaryOperation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ulong Compute<T>(ref VcpuState s, ulong a) where T : unmanaged
        {
            ulong r = 0 - a;
            SetSubFlags<T>(ref s, 0, a, r);
            return r;
        }
    }

    internal readonly struct Not : IUnaryOperation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ulong Compute<T>(ref VcpuState s, ulong a) where T : unmanaged => ~a;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SetKeepingCarry<T>(ref VcpuState s, ulong a, ulong r, bool overflow) where T : unmanaged
    {
        ulong carry = s.FlagsCarries >> 63, of = overflow ? 1UL : 0;
        long extended = Width<T>.SignExtend(r);
        s.FlagsZero = (ulong)extended;
        s.FlagsSignParity = (ulong)extended;
        s.FlagsCarries = carry << 63 | (carry ^ of) << 62;
        s.FlagsAdjust = a ^ r;
    }
}
