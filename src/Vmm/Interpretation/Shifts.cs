using System.Runtime.CompilerServices;
using Iced.Intel;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation;

/// <summary>
/// SHL, SHR, SAR, ROL, ROR, RCL, RCR, SHLD, SHRD. Where the SDM leaves OF undefined (counts other than 1) it gets the value that the formula for
/// a count of 1 gives on the final result; AF, undefined throughout, is cleared by shifts and kept by rotates.
/// </summary>
internal static unsafe class Shifts
{
    private interface IShift
    {
        /// <param name="s">Takes the flags.</param>
        /// <param name="a">Operand, zero-extended.</param>
        /// <param name="count">Masked to 5 or 6 bits, not 0.</param>
        static abstract ulong Compute<T>(ref VcpuState s, ulong a, int count) where T : unmanaged;
    }

    public static Handler Bind(in Instruction i, in DecodedInstruction d) => i.Mnemonic switch
    {
        Mnemonic.Shl or Mnemonic.Sal => Sized<Shl>(i, d),
        Mnemonic.Shr => Sized<Shr>(i, d),
        Mnemonic.Sar => Sized<Sar>(i, d),
        Mnemonic.Rol => Sized<Rol>(i, d),
        Mnemonic.Ror => Sized<Ror>(i, d),
        Mnemonic.Rcl => Sized<Rcl>(i, d),
        Mnemonic.Rcr => Sized<Rcr>(i, d),
        Mnemonic.Shld => DoubleSized<Left>(i, d),
        Mnemonic.Shrd => DoubleSized<Right>(i, d),
        _ => default,
    };

    private static Handler Sized<TShift>(in Instruction i, in DecodedInstruction d) where TShift : IShift => OperandForms.SizeOf(i) switch
    {
        1 => Pick<TShift, byte>(i, d),
        2 => Pick<TShift, ushort>(i, d),
        4 => Pick<TShift, uint>(i, d),
        _ => Pick<TShift, ulong>(i, d),
    };

    private static Handler Pick<TShift, T>(in Instruction i, in DecodedInstruction d) where TShift : IShift where T : unmanaged
    {
        bool byCl = i.Op1Kind == OpKind.Register;
        if (i.Op0Kind == OpKind.Register)
            return byCl ? new(&Shift<TShift, T, DestinationRegister<T>, SourceRegister<byte>>) : new(&Shift<TShift, T, DestinationRegister<T>, ImmediateOperand<byte>>);
        if (OperandForms.IsFlat(d))
            return byCl ? new(&Shift<TShift, T, FlatMemory<T>, SourceRegister<byte>>) : new(&Shift<TShift, T, FlatMemory<T>, ImmediateOperand<byte>>);
        return byCl ? new(&Shift<TShift, T, SegmentedMemory<T>, SourceRegister<byte>>) : new(&Shift<TShift, T, SegmentedMemory<T>, ImmediateOperand<byte>>);
    }

    private static Completion Shift<TShift, T, TDestination, TCount>(Vcpu c, in DecodedInstruction d)
        where TShift : IShift where T : unmanaged where TDestination : IOperand<T> where TCount : IOperand<byte>
    {
        TCount.TryRead(c, d, out ulong rawCount);
        int count = (int)rawCount & (Unsafe.SizeOf<T>() == 8 ? 63 : 31);
        if (!TDestination.TryBeginUpdate(c, d, out ulong old, out ulong linear, out nint host)) return Completion.Fault;
        // A count of 0 changes no flag, but a 32-bit register is still zero-extended and memory still written.
        TDestination.EndUpdate(c, d, linear, host, count == 0 ? old : TShift.Compute<T>(ref c.State, old, count));
        return Completion.Next;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SetResult<T>(ref VcpuState s, ulong result, bool cf, bool of) where T : unmanaged
    {
        s.SetLogic(Width<T>.SignExtend(result));
        s.SetCarryOverflow(cf, of);
    }

    private readonly struct Shl : IShift
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ulong Compute<T>(ref VcpuState s, ulong a, int count) where T : unmanaged
        {
            int bits = Width<T>.Bits;
            ulong r = (count >= 64 ? 0 : a << count) & Width<T>.Mask;
            bool cf = count <= bits && ((a >> (bits - count)) & 1) != 0;
            SetResult<T>(ref s, r, cf, cf != ((r & Width<T>.SignBit) != 0));
            return r;
        }
    }

    private readonly struct Shr : IShift
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ulong Compute<T>(ref VcpuState s, ulong a, int count) where T : unmanaged
        {
            ulong r = a >> count;
            bool cf = ((a >> (count - 1)) & 1) != 0;
            // For a count of 1 this is the operand's sign bit (SDM 2B SHR).
            SetResult<T>(ref s, r, cf, ((r ^ (r << 1)) & Width<T>.SignBit) != 0);
            return r;
        }
    }

    private readonly struct Sar : IShift
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ulong Compute<T>(ref VcpuState s, ulong a, int count) where T : unmanaged
        {
            long signed = Width<T>.SignExtend(a);
            ulong r = (ulong)(signed >> count) & Width<T>.Mask;
            SetResult<T>(ref s, r, ((signed >> (count - 1)) & 1) != 0, false);
            return r;
        }
    }

    private readonly struct Rol : IShift
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ulong Compute<T>(ref VcpuState s, ulong a, int count) where T : unmanaged
        {
            int bits = Width<T>.Bits, by = count & (bits - 1);
            ulong r = by == 0 ? a : ((a << by) | (a >> (bits - by))) & Width<T>.Mask;
            bool cf = (r & 1) != 0;
            s.SetCarryOverflow(cf, cf != ((r & Width<T>.SignBit) != 0));
            return r;
        }
    }

    private readonly struct Ror : IShift
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ulong Compute<T>(ref VcpuState s, ulong a, int count) where T : unmanaged
        {
            int bits = Width<T>.Bits, by = count & (bits - 1);
            ulong r = by == 0 ? a : ((a >> by) | (a << (bits - by))) & Width<T>.Mask;
            bool cf = (r & Width<T>.SignBit) != 0;
            s.SetCarryOverflow(cf, cf != ((r & (Width<T>.SignBit >> 1)) != 0));
            return r;
        }
    }

    private readonly struct Rcl : IShift
    {
        public static ulong Compute<T>(ref VcpuState s, ulong a, int count) where T : unmanaged
        {
            bool cf = s.Carry();
            ulong r = a;
            for (int by = count % (Width<T>.Bits + 1); by > 0; by--)
            {
                bool top = (r & Width<T>.SignBit) != 0;
                r = ((r << 1) | (cf ? 1UL : 0)) & Width<T>.Mask;
                cf = top;
            }
            s.SetCarryOverflow(cf, cf != ((r & Width<T>.SignBit) != 0));
            return r;
        }
    }

    private readonly struct Rcr : IShift
    {
        public static ulong Compute<T>(ref VcpuState s, ulong a, int count) where T : unmanaged
        {
            bool cf = s.Carry();
            ulong r = a;
            for (int by = count % (Width<T>.Bits + 1); by > 0; by--)
            {
                bool bottom = (r & 1) != 0;
                r = (r >> 1) | (cf ? Width<T>.SignBit : 0);
                cf = bottom;
            }
            // The two top bits of the result: for a count of 1 the sign before and after.
            s.SetCarryOverflow(cf, ((r ^ (r << 1)) & Width<T>.SignBit) != 0);
            return r;
        }
    }

    // ---- SHLD, SHRD

    private interface IDirection
    {
        static abstract bool IsLeft { get; }
    }

    private readonly struct Left : IDirection
    {
        public static bool IsLeft => true;
    }

    private readonly struct Right : IDirection
    {
        public static bool IsLeft => false;
    }

    private static Handler DoubleSized<TDirection>(in Instruction i, in DecodedInstruction d) where TDirection : IDirection => OperandForms.SizeOf(i) switch
    {
        2 => DoublePick<TDirection, ushort>(i, d),
        4 => DoublePick<TDirection, uint>(i, d),
        _ => DoublePick<TDirection, ulong>(i, d),
    };

    private static Handler DoublePick<TDirection, T>(in Instruction i, in DecodedInstruction d) where TDirection : IDirection where T : unmanaged
    {
        bool byCl = i.Op2Kind == OpKind.Register;
        if (i.Op0Kind == OpKind.Register)
            return byCl ? new(&DoubleByCl<TDirection, T, DestinationRegister<T>>) : new(&DoubleByImmediate<TDirection, T, DestinationRegister<T>>);
        if (OperandForms.IsFlat(d))
            return byCl ? new(&DoubleByCl<TDirection, T, FlatMemory<T>>) : new(&DoubleByImmediate<TDirection, T, FlatMemory<T>>);
        return byCl ? new(&DoubleByCl<TDirection, T, SegmentedMemory<T>>) : new(&DoubleByImmediate<TDirection, T, SegmentedMemory<T>>);
    }

    private static Completion DoubleByCl<TDirection, T, TDestination>(Vcpu c, in DecodedInstruction d)
        where TDirection : IDirection where T : unmanaged where TDestination : IOperand<T> =>
        Double<TDirection, T, TDestination>(c, d, (int)c.State.Rcx);

    private static Completion DoubleByImmediate<TDirection, T, TDestination>(Vcpu c, in DecodedInstruction d)
        where TDirection : IDirection where T : unmanaged where TDestination : IOperand<T> =>
        Double<TDirection, T, TDestination>(c, d, (int)d.Immediate);

    private static Completion Double<TDirection, T, TDestination>(Vcpu c, in DecodedInstruction d, int rawCount)
        where TDirection : IDirection where T : unmanaged where TDestination : IOperand<T>
    {
        int bits = Width<T>.Bits, count = rawCount & (bits == 64 ? 63 : 31);
        if (!TDestination.TryBeginUpdate(c, d, out ulong old, out ulong linear, out nint host)) return Completion.Fault;
        if (count == 0)
        {
            TDestination.EndUpdate(c, d, linear, host, old);
            return Completion.Next;
        }
        ulong fill = Width<T>.ReadRegister(ref c.State, d.Source), r;
        bool cf;
        if (bits == 16)
        {
            // Counts above 16 are undefined; processors rotate through destination, source, destination.
            ulong wide = TDirection.IsLeft ? old << 32 | fill << 16 | old : old << 32 | fill << 16 | old;
            r = TDirection.IsLeft ? (wide << count >> 32) & 0xFFFF : (wide >> count) & 0xFFFF;
            cf = TDirection.IsLeft ? (wide >> (48 - count) & 1) != 0 : (wide >> (count - 1) & 1) != 0;
        }
        else if (TDirection.IsLeft)
        {
            r = ((old << count) | (fill >> (bits - count))) & Width<T>.Mask;
            cf = ((old >> (bits - count)) & 1) != 0;
        }
        else
        {
            r = ((old >> count) | (fill << (bits - count))) & Width<T>.Mask;
            cf = ((old >> (count - 1)) & 1) != 0;
        }
        SetResult<T>(ref c.State, r, cf, ((r ^ old) & Width<T>.SignBit) != 0);
        TDestination.EndUpdate(c, d, linear, host, r);
        return Completion.Next;
    }
}
