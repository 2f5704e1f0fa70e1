using System;
using System.Runtime.CompilerServices;
using Iced.Intel;
using Vmm.Cpu;
using Vmm.Decoding;
using Vmm.Memory;

namespace Vmm.Interpretation;

/// <summary>
/// MOVS, STOS, LODS, SCAS, CMPS, INS, OUTS, with and without REP. Each iteration retires one instruction. A repeated one does as many iterations as the
/// budget allows, returns <see cref="Completion.Repeat"/> with RIP unmoved while some are left, and is the last of its block.
/// </summary>
internal static unsafe class StringInstructions
{
    /// <summary>One iteration; the pointers are moved by the caller.</summary>
    private interface IIteration
    {
        static abstract bool UsesSource { get; }
        static abstract bool UsesDestination { get; }
        /// <summary>SCAS and CMPS also end on ZF.</summary>
        static abstract bool Compares { get; }
        static abstract bool TryExecute<T>(Vcpu c, in DecodedInstruction d, ulong source, ulong destination) where T : unmanaged;
    }

    public static Handler Bind(in Instruction i, ref DecodedInstruction d)
    {
        Handler handler = i.Mnemonic switch
        {
            Mnemonic.Movsb or Mnemonic.Movsw or Mnemonic.Movsq => Sized<Movs>(ref d, i),
            Mnemonic.Movsd when i.Code == Code.Movsd_m32_m32 => Sized<Movs>(ref d, i),
            Mnemonic.Stosb or Mnemonic.Stosw or Mnemonic.Stosd or Mnemonic.Stosq => Sized<Stos>(ref d, i),
            Mnemonic.Lodsb or Mnemonic.Lodsw or Mnemonic.Lodsd or Mnemonic.Lodsq => Sized<Lods>(ref d, i),
            Mnemonic.Scasb or Mnemonic.Scasw or Mnemonic.Scasd or Mnemonic.Scasq => Sized<Scas>(ref d, i),
            Mnemonic.Cmpsb or Mnemonic.Cmpsw or Mnemonic.Cmpsq => Sized<Cmps>(ref d, i),
            Mnemonic.Cmpsd when i.Code == Code.Cmpsd_m32_m32 => Sized<Cmps>(ref d, i),
            Mnemonic.Insb or Mnemonic.Insw or Mnemonic.Insd => Sized<Ins>(ref d, i),
            Mnemonic.Outsb or Mnemonic.Outsw or Mnemonic.Outsd => Sized<Outs>(ref d, i),
            _ => default,
        };
        return handler;
    }

    private static Handler Sized<TIteration>(ref DecodedInstruction d, in Instruction i) where TIteration : IIteration
    {
        for (int operand = 0; operand < i.OpCount; operand++)
        {
            switch (i.GetOpKind(operand))
            {
                case OpKind.MemorySegSI or OpKind.MemorySegDI or OpKind.MemoryESDI: d.AddressSize = 2; break;
                case OpKind.MemorySegESI or OpKind.MemorySegEDI or OpKind.MemoryESEDI: d.AddressSize = 4; break;
                case OpKind.MemorySegRSI or OpKind.MemorySegRDI or OpKind.MemoryESRDI: d.AddressSize = 8; break;
            }
        }
        d.Segment = (byte)InstructionDecoder.SegmentOf(i.MemorySegment, (d.Traits & InstructionTraits.Long) != 0);
        bool repeated = (d.Traits & (InstructionTraits.Rep | InstructionTraits.Repne)) != 0;
        return i.MemorySize.GetSize() switch
        {
            1 => repeated ? new(&Repeated<TIteration, byte>) : new(&Single<TIteration, byte>),
            2 => repeated ? new(&Repeated<TIteration, ushort>) : new(&Single<TIteration, ushort>),
            4 => repeated ? new(&Repeated<TIteration, uint>) : new(&Single<TIteration, uint>),
            _ => repeated ? new(&Repeated<TIteration, ulong>) : new(&Single<TIteration, ulong>),
        };
    }

    private static Completion Single<TIteration, T>(Vcpu c, in DecodedInstruction d) where TIteration : IIteration where T : unmanaged =>
        TryIterate<TIteration, T>(c, d) ? Completion.Next : Completion.Fault;

    private static Completion Repeated<TIteration, T>(Vcpu c, in DecodedInstruction d) where TIteration : IIteration where T : unmanaged
    {
        ulong countMask = d.AddressSize == 8 ? ulong.MaxValue : d.AddressSize == 4 ? 0xFFFF_FFFF : 0xFFFFUL;
        ulong left = c.State.Rcx & countMask;
        if (left == 0) return Completion.Next;
        ulong budget = Math.Max(c.CountLimit - c.CurrentCount, 1), done = 0;
        bool ended = false;
        do
        {
            ulong bulk = TIteration.Compares ? 0 : TryBulk<TIteration, T>(c, d, Math.Min(left, budget - done));
            if (bulk == 0)
            {
                if (!TryIterate<TIteration, T>(c, d))
                {
                    if (done == 0) return Completion.Fault;
                    break; // what was done is retired; the next attempt faults with nothing done
                }
                bulk = 1;
                if (TIteration.Compares) ended = c.State.Zero() != ((d.Traits & InstructionTraits.Repne) == 0);
            }
            left -= bulk;
            done += bulk;
            c.CountBase += bulk;
            c.State.Rcx = d.AddressSize == 2 ? (c.State.Rcx & ~0xFFFFUL) | left : left;
        }
        while (left != 0 && !ended && done < budget && c.BlockLimit != 0);
        // The caller counts one of the iterations.
        c.CountBase--;
        return left == 0 || ended ? Completion.Next : Completion.Repeat;
    }

    private static bool TryIterate<TIteration, T>(Vcpu c, in DecodedInstruction d) where TIteration : IIteration where T : unmanaged
    {
        bool longMode = (d.Traits & InstructionTraits.Long) != 0;
        ulong mask = d.AddressSize == 8 ? ulong.MaxValue : d.AddressSize == 4 ? 0xFFFF_FFFF : 0xFFFFUL;
        ulong source = 0, destination = 0;
        int size = Unsafe.SizeOf<T>();
        if (TIteration.UsesSource && !c.TrySegment(d.Segment, c.State.Rsi & mask, size, false, longMode, out source)) return false;
        if (TIteration.UsesDestination && !c.TrySegment(SegmentIndex.Es, c.State.Rdi & mask, size, !TIteration.Compares, longMode, out destination)) return false;
        if (!TIteration.TryExecute<T>(c, d, source, destination)) return false;
        ulong step = (c.State.SystemFlags & RFlags.Direction) == 0 ? (ulong)size : (ulong)-size;
        if (TIteration.UsesSource) Advance(ref c.State.Rsi, step, d.AddressSize);
        if (TIteration.UsesDestination) Advance(ref c.State.Rdi, step, d.AddressSize);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Advance(ref ulong register, ulong step, int addressSize)
    {
        if (addressSize == 8) register += step;
        else if (addressSize == 4) register = (uint)(register + step);
        else register = (register & ~0xFFFFUL) | (ushort)(register + step);
    }

    /// <summary>
    /// MOVS and STOS forwards within pages that the TLB knows: as many iterations as fit, at once. 0 when the general way is needed.
    /// </summary>
    private static ulong TryBulk<TIteration, T>(Vcpu c, in DecodedInstruction d, ulong most) where TIteration : IIteration where T : unmanaged
    {
        bool moves = typeof(TIteration) == typeof(Movs);
        if (!moves && typeof(TIteration) != typeof(Stos)) return 0;
        if (most < 4 || d.AddressSize == 2 || (c.State.SystemFlags & RFlags.Direction) != 0) return 0;
        bool longMode = (d.Traits & InstructionTraits.Long) != 0;
        ulong mask = d.AddressSize == 8 ? ulong.MaxValue : 0xFFFF_FFFF, to = c.State.Rdi & mask;
        int size = Unsafe.SizeOf<T>();
        ulong inPage = (PagedMemory.PageSizeBytes - (to & 0xFFF)) / (ulong)size;
        ulong count = Math.Min(most, inPage), from = 0;
        if (moves)
        {
            from = c.State.Rsi & mask;
            count = Math.Min(count, (PagedMemory.PageSizeBytes - (from & 0xFFF)) / (ulong)size);
        }
        if (count == 0) return 0;
        int bytes = (int)count * size;
        if (!c.TrySegment(SegmentIndex.Es, to, bytes, true, longMode, out ulong destination)) return 0;
        nint host = c.DirectAddress(destination, write: true);
        if (host == 0) return 0;
        Span<byte> target = HostPointer.Span(host, bytes);
        if (moves)
        {
            if (!c.TrySegment(d.Segment, from, bytes, false, longMode, out ulong source)) return 0;
            // A forward copy onto itself repeats a pattern: element by element.
            nint sourceHost = c.DirectAddress(source, write: false);
            if (sourceHost == 0 || (host > sourceHost && host - sourceHost < bytes)) return 0;
            HostPointer.Span(sourceHost, bytes).CopyTo(target);
            Advance(ref c.State.Rsi, (ulong)bytes, d.AddressSize);
        }
        else
        {
            System.Runtime.InteropServices.MemoryMarshal.Cast<byte, T>(target).Fill(c.State.Register<T>(0));
        }
        Advance(ref c.State.Rdi, (ulong)bytes, d.AddressSize);
        return count;
    }

    private readonly struct Movs : IIteration
    {
        public static bool UsesSource => true;
        public static bool UsesDestination => true;
        public static bool Compares => false;

        public static bool TryExecute<T>(Vcpu c, in DecodedInstruction d, ulong source, ulong destination) where T : unmanaged =>
            c.TryRead(source, out T value) && c.TryWrite(destination, value);
    }

    private readonly struct Stos : IIteration
    {
        public static bool UsesSource => false;
        public static bool UsesDestination => true;
        public static bool Compares => false;

        public static bool TryExecute<T>(Vcpu c, in DecodedInstruction d, ulong source, ulong destination) where T : unmanaged =>
            c.TryWrite(destination, c.State.Register<T>(0));
    }

    private readonly struct Lods : IIteration
    {
        public static bool UsesSource => true;
        public static bool UsesDestination => false;
        public static bool Compares => false;

        public static bool TryExecute<T>(Vcpu c, in DecodedInstruction d, ulong source, ulong destination) where T : unmanaged
        {
            if (!c.TryRead(source, out T value)) return false;
            Width<T>.WriteRegister(ref c.State, 0, Width<T>.ToUlong(value));
            return true;
        }
    }

    private readonly struct Scas : IIteration
    {
        public static bool UsesSource => false;
        public static bool UsesDestination => true;
        public static bool Compares => true;

        public static bool TryExecute<T>(Vcpu c, in DecodedInstruction d, ulong source, ulong destination) where T : unmanaged
        {
            if (!c.TryRead(destination, out T value)) return false;
            Arithmetic.Cmp.Compute<T>(ref c.State, Width<T>.ReadRegister(ref c.State, 0), Width<T>.ToUlong(value));
            return true;
        }
    }

    private readonly struct Cmps : IIteration
    {
        public static bool UsesSource => true;
        public static bool UsesDestination => true;
        public static bool Compares => true;

        public static bool TryExecute<T>(Vcpu c, in DecodedInstruction d, ulong source, ulong destination) where T : unmanaged
        {
            if (!c.TryRead(source, out T first) || !c.TryRead(destination, out T second)) return false;
            Arithmetic.Cmp.Compute<T>(ref c.State, Width<T>.ToUlong(first), Width<T>.ToUlong(second));
            return true;
        }
    }

    private readonly struct Ins : IIteration
    {
        public static bool UsesSource => false;
        public static bool UsesDestination => true;
        public static bool Compares => false;

        public static bool TryExecute<T>(Vcpu c, in DecodedInstruction d, ulong source, ulong destination) where T : unmanaged
        {
            ushort port = (ushort)c.State.Rdx;
            // The port is read only when the store cannot fault.
            if (!PortIo.TryCheckPermission(c, port, Unsafe.SizeOf<T>()) || !c.TryProbeWrite(destination, Unsafe.SizeOf<T>())) return false;
            return c.TryWrite(destination, Width<T>.FromUlong(c.Bus.ReadPort(c, port, Unsafe.SizeOf<T>())));
        }
    }

    private readonly struct Outs : IIteration
    {
        public static bool UsesSource => true;
        public static bool UsesDestination => false;
        public static bool Compares => false;

        public static bool TryExecute<T>(Vcpu c, in DecodedInstruction d, ulong source, ulong destination) where T : unmanaged
        {
            ushort port = (ushort)c.State.Rdx;
            if (!PortIo.TryCheckPermission(c, port, Unsafe.SizeOf<T>()) || !c.TryRead(source, out T value)) return false;
            c.Bus.WritePort(c, port, Unsafe.SizeOf<T>(), (uint)Width<T>.ToUlong(value));
            return true;
        }
    }
}
