using System.Runtime.CompilerServices;
using Iced.Intel;
using Vmm.Cpu;
using Vmm.Decoding;
using Bits = System.Numerics.BitOperations;

namespace Vmm.Interpretation;

/// <summary>BT, BTS, BTR, BTC, BSF, BSR, POPCNT. Flags that the SDM leaves undefined stay as they were.</summary>
internal static unsafe class BitInstructions
{
    private interface IBitChange
    {
        static abstract bool Writes { get; }
        static abstract ulong Change(ulong value, ulong bit);
    }

    private readonly struct Keep : IBitChange
    {
        public static bool Writes => false;
        public static ulong Change(ulong value, ulong bit) => value;
    }

    private readonly struct Set : IBitChange
    {
        public static bool Writes => true;
        public static ulong Change(ulong value, ulong bit) => value | bit;
    }

    private readonly struct Reset : IBitChange
    {
        public static bool Writes => true;
        public static ulong Change(ulong value, ulong bit) => value & ~bit;
    }

    private readonly struct Complement : IBitChange
    {
        public static bool Writes => true;
        public static ulong Change(ulong value, ulong bit) => value ^ bit;
    }

    public static Handler Bind(in Instruction i, in DecodedInstruction d) => i.Mnemonic switch
    {
        Mnemonic.Bt => Sized<Keep>(i),
        Mnemonic.Bts => Sized<Set>(i),
        Mnemonic.Btr => Sized<Reset>(i),
        Mnemonic.Btc => Sized<Complement>(i),
        Mnemonic.Bsf => Scan<Forward>(i, d),
        Mnemonic.Bsr => Scan<Reverse>(i, d),
        Mnemonic.Popcnt => Scan<Population>(i, d),
        _ => default,
    };

    private static Handler Sized<TChange>(in Instruction i) where TChange : IBitChange => OperandForms.SizeOf(i) switch
    {
        2 => Pick<TChange, ushort>(i),
        4 => Pick<TChange, uint>(i),
        _ => Pick<TChange, ulong>(i),
    };

    private static Handler Pick<TChange, T>(in Instruction i) where TChange : IBitChange where T : unmanaged
    {
        bool byRegister = i.Op1Kind == OpKind.Register;
        if (i.Op0Kind == OpKind.Register)
            return byRegister ? new(&InRegister<TChange, T, SourceRegister<T>>) : new(&InRegister<TChange, T, ImmediateOperand<T>>);
        return byRegister ? new(&InBitString<TChange, T>) : new(&InMemory<TChange, T>);
    }

    private static Completion InRegister<TChange, T, TIndex>(Vcpu c, in DecodedInstruction d)
        where TChange : IBitChange where T : unmanaged where TIndex : IOperand<T>
    {
        TIndex.TryRead(c, d, out ulong index);
        ulong bit = 1UL << ((int)index & (Width<T>.Bits - 1)), value = Width<T>.ReadRegister(ref c.State, d.Destination);
        if (TChange.Writes) Width<T>.WriteRegister(ref c.State, d.Destination, TChange.Change(value, bit));
        c.State.SetCarry((value & bit) != 0);
        return Completion.Next;
    }

    private static Completion InMemory<TChange, T>(Vcpu c, in DecodedInstruction d) where TChange : IBitChange where T : unmanaged =>
        c.TryAddress(d, Unsafe.SizeOf<T>(), TChange.Writes, out ulong linear)
            ? At<TChange, T>(c, linear, (int)d.Immediate & (Width<T>.Bits - 1)) : Completion.Fault;

    /// <summary>A register index reaches bits on either side of the operand (SDM 2A BT).</summary>
    private static Completion InBitString<TChange, T>(Vcpu c, in DecodedInstruction d) where TChange : IBitChange where T : unmanaged
    {
        long index = Width<T>.SignExtend(Width<T>.ReadRegister(ref c.State, d.Source));
        long displacement = (index >> Bits.Log2((uint)Width<T>.Bits)) * Unsafe.SizeOf<T>();
        ulong offset = c.EffectiveOffset(d) + (ulong)displacement;
        if (d.AddressSize != 8) offset = d.AddressSize == 4 ? (uint)offset : (ushort)offset;
        bool longMode = (d.Traits & InstructionTraits.Long) != 0;
        if (!c.TrySegment(d.Segment, offset, Unsafe.SizeOf<T>(), TChange.Writes, longMode, out ulong linear)) return Completion.Fault;
        return At<TChange, T>(c, linear, (int)index & (Width<T>.Bits - 1));
    }

    private static Completion At<TChange, T>(Vcpu c, ulong linear, int index) where TChange : IBitChange where T : unmanaged
    {
        ulong bit = 1UL << index, value;
        if (TChange.Writes)
        {
            if (!c.TryBeginUpdate(linear, out T raw, out nint host)) return Completion.Fault;
            value = Width<T>.ToUlong(raw);
            c.EndUpdate(linear, host, Width<T>.FromUlong(TChange.Change(value, bit)));
        }
        else
        {
            if (!c.TryRead(linear, out T raw)) return Completion.Fault;
            value = Width<T>.ToUlong(raw);
        }
        c.State.SetCarry((value & bit) != 0);
        return Completion.Next;
    }

    // ---- BSF, BSR, POPCNT

    private interface IScan
    {
        static abstract bool Execute<T>(ref VcpuState s, ulong value, out ulong result) where T : unmanaged;
    }

    private readonly struct Forward : IScan
    {
        public static bool Execute<T>(ref VcpuState s, ulong value, out ulong result) where T : unmanaged
        {
            s.SetZero(value == 0);
            result = (ulong)Bits.TrailingZeroCount(value);
            return value != 0;
        }
    }

    private readonly struct Reverse : IScan
    {
        public static bool Execute<T>(ref VcpuState s, ulong value, out ulong result) where T : unmanaged
        {
            s.SetZero(value == 0);
            result = (ulong)Bits.Log2(value | 1);
            return value != 0;
        }
    }

    private readonly struct Population : IScan
    {
        public static bool Execute<T>(ref VcpuState s, ulong value, out ulong result) where T : unmanaged
        {
            s.SetArithmeticFlags(false, false, false, value == 0, false, false);
            result = (ulong)Bits.PopCount(value);
            return true;
        }
    }

    private static Handler Scan<TScan>(in Instruction i, in DecodedInstruction d) where TScan : IScan => OperandForms.SizeOf(i) switch
    {
        2 => ScanPick<TScan, ushort>(i, d),
        4 => ScanPick<TScan, uint>(i, d),
        _ => ScanPick<TScan, ulong>(i, d),
    };

    private static Handler ScanPick<TScan, T>(in Instruction i, in DecodedInstruction d) where TScan : IScan where T : unmanaged
    {
        if (i.Op1Kind == OpKind.Register) return new(&ScanOperand<TScan, T, SourceRegister<T>>);
        return OperandForms.IsFlat(d) ? new(&ScanOperand<TScan, T, FlatMemory<T>>) : new(&ScanOperand<TScan, T, SegmentedMemory<T>>);
    }

    private static Completion ScanOperand<TScan, T, TSource>(Vcpu c, in DecodedInstruction d)
        where TScan : IScan where T : unmanaged where TSource : IOperand<T>
    {
        if (!TSource.TryRead(c, d, out ulong value)) return Completion.Fault;
        // A source of zero leaves the destination as it was (AMD's documented behaviour, and Linux relies on it), not even zero-extended.
        if (TScan.Execute<T>(ref c.State, value, out ulong result)) Width<T>.WriteRegister(ref c.State, d.Destination, result);
        return Completion.Next;
    }
}
