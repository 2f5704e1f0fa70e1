using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Iced.Intel;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation;

/// <summary>MOV between general registers, memory and immediates, MOVZX, MOVSX, MOVSXD, LEA, XCHG, XADD, CMPXCHG, CMPXCHG8B/16B, BSWAP,
/// CMOVcc, SETcc, sign extensions, XLAT, MOVBE's absence.</summary>
internal static unsafe class DataMovement
{
    public static Handler Bind(in Instruction i, ref DecodedInstruction d)
    {
        switch (i.Mnemonic)
        {
            case Mnemonic.Mov when IsGeneral(i): return Sized<MoveForms>(i, d);
            case Mnemonic.Movzx: return Extend<ZeroExtension>(i, d);
            case Mnemonic.Movsx:
            case Mnemonic.Movsxd: return Extend<SignExtension>(i, d);
            case Mnemonic.Lea:
                if (i.Op0Register.GetSize() == 8 && d.AddressSize == 8) return new(&LeaFlat);
                return i.Op0Register.GetSize() switch { 2 => new(&Lea<ushort>), 4 => new(&Lea<uint>), _ => new(&Lea<ulong>) };
            case Mnemonic.Xchg: return Sized<ExchangeForms>(i, d);
            case Mnemonic.Xadd: return Sized<ExchangeAddForms>(i, d);
            case Mnemonic.Cmpxchg: return Sized<CompareExchangeForms>(i, d);
            case Mnemonic.Cmpxchg8b: return new(&Cmpxchg8b);
            case Mnemonic.Cmpxchg16b: return new(&Cmpxchg16b);
            case Mnemonic.Bswap: return i.Op0Register.GetSize() switch { 8 => new(&Bswap64), 4 => new(&Bswap32), _ => new(&Bswap16) };
            case Mnemonic.Cbw: return new(&Cbw);
            case Mnemonic.Cwde: return new(&Cwde);
            case Mnemonic.Cdqe: return new(&Cdqe);
            case Mnemonic.Cwd: return new(&Cwd);
            case Mnemonic.Cdq: return new(&Cdq);
            case Mnemonic.Cqo: return new(&Cqo);
            case Mnemonic.Xlatb: return new(&Xlatb);
            case Mnemonic.Nop:
            case Mnemonic.Reservednop:
            case Mnemonic.Endbr32:
            case Mnemonic.Endbr64: return new(&Nop);
        }
        ConditionCode condition = i.ConditionCode;
        if (condition == ConditionCode.None) return default;
        d.Immediate2 = (byte)(condition - ConditionCode.o);
        if (i.Code >= Code.Cmovo_r16_rm16 && i.Code <= Code.Cmovg_r64_rm64) return Sized<ConditionalMoveForms>(i, d);
        if (i.Code >= Code.Seto_rm8 && i.Code <= Code.Setg_rm8) return ConditionalSet(i, d);
        return default;
    }

    private static bool IsGeneral(in Instruction i) =>
        (i.Op0Kind != OpKind.Register || i.Op0Register.IsGPR()) && (i.Op1Kind != OpKind.Register || i.Op1Register.IsGPR());

    /// <summary>A family whose handler depends on the size and kinds of its operands.</summary>
    private interface IForms
    {
        static abstract Handler Pick<T>(in Instruction i, in DecodedInstruction d) where T : unmanaged;
    }

    private static Handler Sized<TForms>(in Instruction i, in DecodedInstruction d) where TForms : IForms => OperandForms.SizeOf(i) switch
    {
        1 => TForms.Pick<byte>(i, d),
        2 => TForms.Pick<ushort>(i, d),
        4 => TForms.Pick<uint>(i, d),
        _ => TForms.Pick<ulong>(i, d),
    };

    private readonly struct MoveForms : IForms
    {
        public static Handler Pick<T>(in Instruction i, in DecodedInstruction d) where T : unmanaged
        {
            bool flat = OperandForms.IsFlat(d), immediate = i.Op1Kind is not (OpKind.Register or OpKind.Memory);
            if (i.Op0Kind == OpKind.Memory)
            {
                if (immediate) return flat ? new(&Mov<T, FlatMemory<T>, ImmediateOperand<T>>) : new(&Mov<T, SegmentedMemory<T>, ImmediateOperand<T>>);
                return flat ? new(&Mov<T, FlatMemory<T>, SourceRegister<T>>) : new(&Mov<T, SegmentedMemory<T>, SourceRegister<T>>);
            }
            if (immediate) return new(&Mov<T, DestinationRegister<T>, ImmediateOperand<T>>);
            if (i.Op1Kind == OpKind.Register) return new(&Mov<T, DestinationRegister<T>, SourceRegister<T>>);
            return flat ? new(&Mov<T, DestinationRegister<T>, FlatMemory<T>>) : new(&Mov<T, DestinationRegister<T>, SegmentedMemory<T>>);
        }
    }

    private static Completion Mov<T, TDestination, TSource>(Vcpu c, in DecodedInstruction d)
        where T : unmanaged where TDestination : IOperand<T> where TSource : IOperand<T> =>
        TSource.TryRead(c, d, out ulong value) && TDestination.TryWrite(c, d, value) ? Completion.Next : Completion.Fault;

    // ---- MOVZX, MOVSX

    private interface IExtension
    {
        static abstract ulong Extend<TSource>(ulong value) where TSource : unmanaged;
    }

    private readonly struct ZeroExtension : IExtension
    {
        public static ulong Extend<TSource>(ulong value) where TSource : unmanaged => value;
    }

    private readonly struct SignExtension : IExtension
    {
        public static ulong Extend<TSource>(ulong value) where TSource : unmanaged => (ulong)Width<TSource>.SignExtend(value);
    }

    private static Handler Extend<TExtension>(in Instruction i, in DecodedInstruction d) where TExtension : IExtension => i.Op0Register.GetSize() switch
    {
        2 => ExtendFrom<TExtension, ushort>(i, d),
        4 => ExtendFrom<TExtension, uint>(i, d),
        _ => ExtendFrom<TExtension, ulong>(i, d),
    };

    private static Handler ExtendFrom<TExtension, T>(in Instruction i, in DecodedInstruction d) where TExtension : IExtension where T : unmanaged =>
        OperandForms.SizeOf(i, 1) switch
        {
            1 => ExtendForm<TExtension, T, byte>(i, d),
            2 => ExtendForm<TExtension, T, ushort>(i, d),
            _ => ExtendForm<TExtension, T, uint>(i, d),
        };

    private static Handler ExtendForm<TExtension, T, TFrom>(in Instruction i, in DecodedInstruction d)
        where TExtension : IExtension where T : unmanaged where TFrom : unmanaged
    {
        if (i.Op1Kind == OpKind.Register) return new(&MoveExtended<TExtension, T, TFrom, SourceRegister<TFrom>>);
        return OperandForms.IsFlat(d) ? new(&MoveExtended<TExtension, T, TFrom, FlatMemory<TFrom>>)
            : new(&MoveExtended<TExtension, T, TFrom, SegmentedMemory<TFrom>>);
    }

    private static Completion MoveExtended<TExtension, T, TFrom, TSource>(Vcpu c, in DecodedInstruction d)
        where TExtension : IExtension where T : unmanaged where TFrom : unmanaged where TSource : IOperand<TFrom>
    {
        if (!TSource.TryRead(c, d, out ulong value)) return Completion.Fault;
        Width<T>.WriteRegister(ref c.State, d.Destination, TExtension.Extend<TFrom>(value));
        return Completion.Next;
    }

    // ---- LEA

    private static Completion LeaFlat(Vcpu c, in DecodedInstruction d)
    {
        c.State.Register<ulong>(d.Destination) = c.State.Register<ulong>(d.Base) + (c.State.Register<ulong>(d.Index) << d.Scale) + d.Displacement;
        return Completion.Next;
    }

    private static Completion Lea<T>(Vcpu c, in DecodedInstruction d) where T : unmanaged
    {
        Width<T>.WriteRegister(ref c.State, d.Destination, c.EffectiveOffset(d));
        return Completion.Next;
    }

    // ---- XCHG, XADD, CMPXCHG

    private readonly struct ExchangeForms : IForms
    {
        public static Handler Pick<T>(in Instruction i, in DecodedInstruction d) where T : unmanaged
        {
            if (i.Op0Kind == OpKind.Register) return new(&Xchg<T, DestinationRegister<T>>);
            return OperandForms.IsFlat(d) ? new(&Xchg<T, FlatMemory<T>>) : new(&Xchg<T, SegmentedMemory<T>>);
        }
    }

    private static Completion Xchg<T, TDestination>(Vcpu c, in DecodedInstruction d) where T : unmanaged where TDestination : IOperand<T>
    {
        if (!TDestination.TryBeginUpdate(c, d, out ulong old, out ulong linear, out nint host)) return Completion.Fault;
        ulong other = Width<T>.ReadRegister(ref c.State, d.Source);
        TDestination.EndUpdate(c, d, linear, host, other);
        Width<T>.WriteRegister(ref c.State, d.Source, old);
        return Completion.Next;
    }

    private readonly struct ExchangeAddForms : IForms
    {
        public static Handler Pick<T>(in Instruction i, in DecodedInstruction d) where T : unmanaged
        {
            if (i.Op0Kind == OpKind.Register) return new(&Xadd<T, DestinationRegister<T>>);
            return OperandForms.IsFlat(d) ? new(&Xadd<T, FlatMemory<T>>) : new(&Xadd<T, SegmentedMemory<T>>);
        }
    }

    private static Completion Xadd<T, TDestination>(Vcpu c, in DecodedInstruction d) where T : unmanaged where TDestination : IOperand<T>
    {
        if (!TDestination.TryBeginUpdate(c, d, out ulong old, out ulong linear, out nint host)) return Completion.Fault;
        ulong sum = Arithmetic.Add.Compute<T>(ref c.State, old, Width<T>.ReadRegister(ref c.State, d.Source));
        // The source first: XADD r, r with both the same register leaves the sum.
        Width<T>.WriteRegister(ref c.State, d.Source, old);
        TDestination.EndUpdate(c, d, linear, host, sum);
        return Completion.Next;
    }

    private readonly struct CompareExchangeForms : IForms
    {
        public static Handler Pick<T>(in Instruction i, in DecodedInstruction d) where T : unmanaged
        {
            if (i.Op0Kind == OpKind.Register) return new(&Cmpxchg<T, DestinationRegister<T>>);
            return OperandForms.IsFlat(d) ? new(&Cmpxchg<T, FlatMemory<T>>) : new(&Cmpxchg<T, SegmentedMemory<T>>);
        }
    }

    private static Completion Cmpxchg<T, TDestination>(Vcpu c, in DecodedInstruction d) where T : unmanaged where TDestination : IOperand<T>
    {
        if (!TDestination.TryBeginUpdate(c, d, out ulong old, out ulong linear, out nint host)) return Completion.Fault;
        ulong accumulator = Width<T>.ReadRegister(ref c.State, 0);
        Arithmetic.Sub.Compute<T>(ref c.State, accumulator, old);
        if (accumulator == old)
        {
            TDestination.EndUpdate(c, d, linear, host, Width<T>.ReadRegister(ref c.State, d.Source));
            return Completion.Next;
        }
        // The destination is written back in any case (SDM 2A CMPXCHG).
        TDestination.EndUpdate(c, d, linear, host, old);
        Width<T>.WriteRegister(ref c.State, 0, old);
        return Completion.Next;
    }

    private static Completion Cmpxchg8b(Vcpu c, in DecodedInstruction d)
    {
        if (!c.TryAddress(d, 8, true, out ulong linear) || !c.TryBeginUpdate(linear, out ulong old, out nint host)) return Completion.Fault;
        ref VcpuState s = ref c.State;
        ulong expected = (uint)s.Rax | s.Rdx << 32;
        bool equal = old == expected;
        c.EndUpdate(linear, host, equal ? (uint)s.Rbx | s.Rcx << 32 : old);
        if (!equal)
        {
            s.Rax = (uint)old;
            s.Rdx = old >> 32;
        }
        s.SetZero(equal);
        return Completion.Next;
    }

    private static Completion Cmpxchg16b(Vcpu c, in DecodedInstruction d)
    {
        if (!c.TryAddress(d, 16, true, out ulong linear)) return Completion.Fault;
        if ((linear & 15) != 0) return c.GeneralProtection();
        if (!c.TryBeginUpdate(linear, out System.UInt128 old, out nint host)) return Completion.Fault;
        ref VcpuState s = ref c.State;
        bool equal = old == new System.UInt128(s.Rdx, s.Rax);
        c.EndUpdate(linear, host, equal ? new System.UInt128(s.Rcx, s.Rbx) : old);
        if (!equal)
        {
            s.Rax = (ulong)old;
            s.Rdx = (ulong)(old >> 64);
        }
        s.SetZero(equal);
        return Completion.Next;
    }

    // ---- CMOVcc, SETcc

    private readonly struct ConditionalMoveForms : IForms
    {
        public static Handler Pick<T>(in Instruction i, in DecodedInstruction d) where T : unmanaged
        {
            if (i.Op1Kind == OpKind.Register) return new(&Cmov<T, SourceRegister<T>>);
            return OperandForms.IsFlat(d) ? new(&Cmov<T, FlatMemory<T>>) : new(&Cmov<T, SegmentedMemory<T>>);
        }
    }

    private static Completion Cmov<T, TSource>(Vcpu c, in DecodedInstruction d) where T : unmanaged where TSource : IOperand<T>
    {
        // Memory is read, and faults, whatever the condition; a 32-bit destination is zero-extended whatever the condition.
        if (!TSource.TryRead(c, d, out ulong value)) return Completion.Fault;
        if (!c.State.Condition(d.Immediate2)) value = Width<T>.ReadRegister(ref c.State, d.Destination);
        Width<T>.WriteRegister(ref c.State, d.Destination, value);
        return Completion.Next;
    }

    private static Handler ConditionalSet(in Instruction i, in DecodedInstruction d)
    {
        if (i.Op0Kind == OpKind.Register) return new(&Setcc<DestinationRegister<byte>>);
        return OperandForms.IsFlat(d) ? new(&Setcc<FlatMemory<byte>>) : new(&Setcc<SegmentedMemory<byte>>);
    }

    private static Completion Setcc<TDestination>(Vcpu c, in DecodedInstruction d) where TDestination : IOperand<byte> =>
        TDestination.TryWrite(c, d, c.State.Condition(d.Immediate2) ? 1UL : 0) ? Completion.Next : Completion.Fault;

    // ---- The rest

    private static Completion Bswap64(Vcpu c, in DecodedInstruction d)
    {
        ref ulong r = ref c.State.Register<ulong>(d.Destination);
        r = BinaryPrimitives.ReverseEndianness(r);
        return Completion.Next;
    }

    private static Completion Bswap32(Vcpu c, in DecodedInstruction d)
    {
        ref ulong r = ref c.State.Register<ulong>(d.Destination);
        r = BinaryPrimitives.ReverseEndianness((uint)r);
        return Completion.Next;
    }

    /// <summary>Undefined by the SDM; processors store zero.</summary>
    private static Completion Bswap16(Vcpu c, in DecodedInstruction d)
    {
        c.State.Register<ushort>(d.Destination) = 0;
        return Completion.Next;
    }

    private static Completion Cbw(Vcpu c, in DecodedInstruction d)
    {
        c.State.Register<ushort>(0) = (ushort)(sbyte)c.State.Rax;
        return Completion.Next;
    }

    private static Completion Cwde(Vcpu c, in DecodedInstruction d)
    {
        c.State.Rax = (uint)(short)c.State.Rax;
        return Completion.Next;
    }

    private static Completion Cdqe(Vcpu c, in DecodedInstruction d)
    {
        c.State.Rax = (ulong)(int)c.State.Rax;
        return Completion.Next;
    }

    private static Completion Cwd(Vcpu c, in DecodedInstruction d)
    {
        c.State.Register<ushort>(16) = (ushort)((short)c.State.Rax >> 15);
        return Completion.Next;
    }

    private static Completion Cdq(Vcpu c, in DecodedInstruction d)
    {
        c.State.Rdx = (uint)((int)c.State.Rax >> 31);
        return Completion.Next;
    }

    private static Completion Cqo(Vcpu c, in DecodedInstruction d)
    {
        c.State.Rdx = (ulong)((long)c.State.Rax >> 63);
        return Completion.Next;
    }

    private static Completion Xlatb(Vcpu c, in DecodedInstruction d)
    {
        ulong offset = c.State.Rbx + (byte)c.State.Rax;
        if (d.AddressSize != 8) offset = d.AddressSize == 4 ? (uint)offset : (ushort)offset;
        if (!c.TrySegment(d.Segment, offset, 1, false, (d.Traits & InstructionTraits.Long) != 0, out ulong linear)) return Completion.Fault;
        if (!c.TryRead(linear, out byte value)) return Completion.Fault;
        c.State.Register<byte>(0) = value;
        return Completion.Next;
    }

    internal static Completion Nop(Vcpu c, in DecodedInstruction d) => Completion.Next;
}
