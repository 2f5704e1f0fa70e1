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

    internal readonly struct Add : IBinaryOperation
    {
        public static bool Writes => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ulong Compute<T>(ref VcpuState s, ulong a, ulong b) where T : unmanaged
        {
            ulong r = a + b;
            s.SetAddition(a, b, r, Width<T>.Bits);
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
            s.SetAddition(a, b, r, Width<T>.Bits);
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
            s.SetSubtraction(a, b, r, Width<T>.Bits);
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
            s.SetSubtraction(a, b, r, Width<T>.Bits);
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
            s.SetIncrement(a, r, r == Width<T>.SignBit, Width<T>.Bits);
            return r;
        }
    }

    internal readonly struct Dec : IUnaryOperation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ulong Compute<T>(ref VcpuState s, ulong a) where T : unmanaged
        {
            ulong r = (a - 1) & Width<T>.Mask;
            s.SetIncrement(a, r, a == Width<T>.SignBit, Width<T>.Bits);
            return r;
        }
    }

    internal readonly struct Neg : IUnaryOperation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ulong Compute<T>(ref VcpuState s, ulong a) where T : unmanaged
        {
            ulong r = 0 - a;
            s.SetSubtraction(0, a, r, Width<T>.Bits);
            return r;
        }
    }

    internal readonly struct Not : IUnaryOperation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ulong Compute<T>(ref VcpuState s, ulong a) where T : unmanaged => ~a;
    }
}
