using System;
using System.Runtime.CompilerServices;
using Iced.Intel;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation;

/// <summary>MUL, IMUL, DIV, IDIV. SF, ZF, AF and PF, undefined after multiplication, are those of the low half of the product (AF clear); division leaves all flags.</summary>
internal static unsafe class MultiplyDivide
{
    public static Handler Bind(in Instruction i, in DecodedInstruction d)
    {
        switch (i.Mnemonic)
        {
            case Mnemonic.Mul: return Sized<Mul>(i, d);
            case Mnemonic.Imul when i.OpCount == 1: return Sized<Imul>(i, d);
            case Mnemonic.Div: return Sized<Div>(i, d);
            case Mnemonic.Idiv: return Sized<Idiv>(i, d);
            case Mnemonic.Imul:
                return OperandForms.SizeOf(i) switch { 2 => Truncating<ushort>(i, d), 4 => Truncating<uint>(i, d), _ => Truncating<ulong>(i, d) };
            default: return default;
        }
    }

    /// <summary>An operation on the accumulator pair.</summary>
    private interface IAccumulatorOperation
    {
        static abstract Completion Execute<T>(Vcpu c, ulong operand) where T : unmanaged;
    }

    private static Handler Sized<TOp>(in Instruction i, in DecodedInstruction d) where TOp : IAccumulatorOperation => OperandForms.SizeOf(i) switch
    {
        1 => Pick<TOp, byte>(i, d),
        2 => Pick<TOp, ushort>(i, d),
        4 => Pick<TOp, uint>(i, d),
        _ => Pick<TOp, ulong>(i, d),
    };

    private static Handler Pick<TOp, T>(in Instruction i, in DecodedInstruction d) where TOp : IAccumulatorOperation where T : unmanaged
    {
        if (i.Op0Kind == OpKind.Register) return new(&Accumulate<TOp, T, DestinationRegister<T>>);
        return OperandForms.IsFlat(d) ? new(&Accumulate<TOp, T, FlatMemory<T>>) : new(&Accumulate<TOp, T, SegmentedMemory<T>>);
    }

    private static Completion Accumulate<TOp, T, TSource>(Vcpu c, in DecodedInstruction d)
        where TOp : IAccumulatorOperation where T : unmanaged where TSource : IOperand<T> =>
        TSource.TryRead(c, d, out ulong operand) ? TOp.Execute<T>(c, operand) : Completion.Fault;

    /// <summary>Stores a double-width result in AX or DX:AX, EDX:EAX, RDX:RAX.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WritePair<T>(ref VcpuState s, ulong low, ulong high) where T : unmanaged
    {
        if (Unsafe.SizeOf<T>() == 1)
        {
            s.Register<ushort>(0) = (ushort)((low & 0xFF) | high << 8);
            return;
        }
        Width<T>.WriteRegister(ref s, 0, low);
        Width<T>.WriteRegister(ref s, 16, high);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SetProductFlags<T>(ref VcpuState s, ulong low, bool overflow) where T : unmanaged
    {
        s.SetLogic(Width<T>.SignExtend(low));
        s.SetCarryOverflow(overflow, overflow);
    }

    private readonly struct Mul : IAccumulatorOperation
    {
        public static Completion Execute<T>(Vcpu c, ulong operand) where T : unmanaged
        {
            ulong a = Width<T>.ReadRegister(ref c.State, 0), low, high;
            if (Unsafe.SizeOf<T>() == 8) high = Math.BigMul(a, operand, out low);
            else
            {
                low = a * operand;
                high = low >> Width<T>.Bits;
            }
            high &= Width<T>.Mask;
            WritePair<T>(ref c.State, low, high);
            SetProductFlags<T>(ref c.State, low, high != 0);
            return Completion.Next;
        }
    }

    private readonly struct Imul : IAccumulatorOperation
    {
        public static Completion Execute<T>(Vcpu c, ulong operand) where T : unmanaged
        {
            long a = Width<T>.SignExtend(Width<T>.ReadRegister(ref c.State, 0)), b = Width<T>.SignExtend(operand), low, high;
            if (Unsafe.SizeOf<T>() == 8) high = Math.BigMul(a, b, out low);
            else
            {
                low = a * b;
                high = low >> Width<T>.Bits;
            }
            WritePair<T>(ref c.State, (ulong)low, (ulong)high);
            SetProductFlags<T>(ref c.State, (ulong)low, high != Width<T>.SignExtend((ulong)low) >> 63);
            return Completion.Next;
        }
    }

    private readonly struct Div : IAccumulatorOperation
    {
        public static Completion Execute<T>(Vcpu c, ulong divisor) where T : unmanaged
        {
            ref VcpuState s = ref c.State;
            if (divisor == 0) return c.Fault(Vector.DivideError);
            if (Unsafe.SizeOf<T>() == 8)
            {
                if (s.Rdx >= divisor) return c.Fault(Vector.DivideError);
                (ulong q, ulong r) = s.Rdx == 0 ? Math.DivRem(s.Rax, divisor) : Divide(s.Rdx, s.Rax, divisor);
                s.Rax = q;
                s.Rdx = r;
                return Completion.Next;
            }
            ulong dividend = Unsafe.SizeOf<T>() == 1 ? (ushort)s.Rax : (Width<T>.ReadRegister(ref s, 16) << Width<T>.Bits) | Width<T>.ReadRegister(ref s, 0);
            (ulong quotient, ulong remainder) = Math.DivRem(dividend, divisor);
            if (quotient > Width<T>.Mask) return c.Fault(Vector.DivideError);
            WritePair<T>(ref s, quotient, remainder);
            return Completion.Next;
        }
    }

    private readonly struct Idiv : IAccumulatorOperation
    {
        public static Completion Execute<T>(Vcpu c, ulong operand) where T : unmanaged
        {
            ref VcpuState s = ref c.State;
            long divisor = Width<T>.SignExtend(operand);
            if (divisor == 0) return c.Fault(Vector.DivideError);
            if (Unsafe.SizeOf<T>() == 8) return DivideSigned128(c, divisor);
            long dividend = Unsafe.SizeOf<T>() switch
            {
                1 => (short)s.Rax,
                2 => (int)((uint)(ushort)s.Rdx << 16 | (ushort)s.Rax),
                _ => (long)(s.Rdx << 32 | (uint)s.Rax),
            };
            // The one overflow of 64-bit division; it overflows the narrower quotient as well.
            if (dividend == long.MinValue && divisor == -1) return c.Fault(Vector.DivideError);
            (long quotient, long remainder) = Math.DivRem(dividend, divisor);
            if (quotient != Width<T>.SignExtend((ulong)quotient)) return c.Fault(Vector.DivideError);
            WritePair<T>(ref s, (ulong)quotient, (ulong)remainder);
            return Completion.Next;
        }
    }

    private static Completion DivideSigned128(Vcpu c, long divisor)
    {
        ref VcpuState s = ref c.State;
        var dividend = new Int128(s.Rdx, s.Rax);
        bool negativeDividend = (long)s.Rdx < 0;
        UInt128 magnitude = negativeDividend ? (UInt128)(-dividend) : (UInt128)dividend;
        ulong divisorMagnitude = divisor < 0 ? 0 - (ulong)divisor : (ulong)divisor;
        ulong high = (ulong)(magnitude >> 64);
        if (high >= divisorMagnitude) return c.Fault(Vector.DivideError);
        (ulong quotient, ulong remainder) = Divide(high, (ulong)magnitude, divisorMagnitude);
        bool negativeQuotient = negativeDividend != divisor < 0;
        ulong limit = negativeQuotient ? 1UL << 63 : long.MaxValue;
        if (quotient > limit) return c.Fault(Vector.DivideError);
        s.Rax = negativeQuotient ? 0 - quotient : quotient;
        s.Rdx = negativeDividend ? 0 - remainder : remainder;
        return Completion.Next;
    }

    /// <summary>(high:low) / divisor with high below divisor, so that the quotient fits.</summary>
    private static (ulong Quotient, ulong Remainder) Divide(ulong high, ulong low, ulong divisor)
    {
        var dividend = new UInt128(high, low);
        UInt128 quotient = dividend / divisor;
        return ((ulong)quotient, (ulong)(dividend - quotient * divisor));
    }

    // ---- IMUL r, r/m and IMUL r, r/m, imm

    private static Handler Truncating<T>(in Instruction i, in DecodedInstruction d) where T : unmanaged
    {
        if (i.OpCount == 3)
        {
            if (i.Op1Kind == OpKind.Register) return new(&ImulByImmediate<T, SourceRegister<T>>);
            return OperandForms.IsFlat(d) ? new(&ImulByImmediate<T, FlatMemory<T>>) : new(&ImulByImmediate<T, SegmentedMemory<T>>);
        }
        if (i.Op1Kind == OpKind.Register) return new(&ImulRegister<T, SourceRegister<T>>);
        return OperandForms.IsFlat(d) ? new(&ImulRegister<T, FlatMemory<T>>) : new(&ImulRegister<T, SegmentedMemory<T>>);
    }

    private static Completion ImulByImmediate<T, TSource>(Vcpu c, in DecodedInstruction d) where T : unmanaged where TSource : IOperand<T>
    {
        if (!TSource.TryRead(c, d, out ulong a)) return Completion.Fault;
        Multiply<T>(c, d, a, d.Immediate);
        return Completion.Next;
    }

    private static Completion ImulRegister<T, TSource>(Vcpu c, in DecodedInstruction d) where T : unmanaged where TSource : IOperand<T>
    {
        if (!TSource.TryRead(c, d, out ulong b)) return Completion.Fault;
        Multiply<T>(c, d, Width<T>.ReadRegister(ref c.State, d.Destination), b);
        return Completion.Next;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Multiply<T>(Vcpu c, in DecodedInstruction d, ulong a, ulong b) where T : unmanaged
    {
        long high, low, x = Width<T>.SignExtend(a), y = Width<T>.SignExtend(b);
        if (Unsafe.SizeOf<T>() == 8) high = Math.BigMul(x, y, out low);
        else
        {
            low = x * y;
            high = low >> Width<T>.Bits;
        }
        SetProductFlags<T>(ref c.State, (ulong)low, high != Width<T>.SignExtend((ulong)low) >> 63);
        Width<T>.WriteRegister(ref c.State, d.Destination, (ulong)low);
    }
}
