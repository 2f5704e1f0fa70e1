using System;
using System.Buffers.Binary;
using Vmm.Cpu;
using Vmm.Decoding;
using Vmm.Interpretation.FloatingPoint;

namespace Vmm.Interpretation;

/// <summary>
/// The control instructions (SDM 1 8.3.11): control and status word, environment and state images in their four formats (SDM 1 figures 8-9 to
/// 8-12), stack management, FWAIT.
/// </summary>
internal static class X87Control
{
    // Bit 6 always reads as 1; bits 7 and 13..15 as 0.
    private const int ControlWritable = 0x1F3F, ControlFixed = 0x0040;

    private const int RegistersSizeBytes = 80;

    public static Completion Wait(Vcpu vcpu, in DecodedInstruction d)
    {
        const ulong both = Cr0.MonitorCoprocessor | Cr0.TaskSwitched;
        if ((vcpu.State.Cr0 & both) == both) return vcpu.DeviceNotAvailable();
        return X87Unit.HasPendingException(vcpu, out Completion fault) ? fault : Completion.Next;
    }

    public static Completion Fninit(Vcpu vcpu, in DecodedInstruction d)
    {
        if (X87Unit.IsUnavailable(vcpu, out Completion fault)) return fault;
        Initialize(ref vcpu.State);
        return Completion.Next;
    }

    /// <summary>FNINIT's state: the data registers keep their contents, tagged empty.</summary>
    internal static void Initialize(ref VcpuState state)
    {
        state.X87Control = X87Unit.InitialControl;
        state.X87Status = 0;
        state.X87Tags = 0;
        state.X87Opcode = 0;
        state.X87InstructionPointer = state.X87DataPointer = 0;
        state.X87InstructionSelector = state.X87DataSelector = 0;
    }

    public static Completion Fnclex(Vcpu vcpu, in DecodedInstruction d)
    {
        if (X87Unit.IsUnavailable(vcpu, out Completion fault)) return fault;
        vcpu.State.X87Status &= 0x7F00;
        return Completion.Next;
    }

    public static Completion Fnop(Vcpu vcpu, in DecodedInstruction d)
    {
        if (X87Unit.IsBlocked(vcpu, out Completion fault)) return fault;
        X87Unit.RecordInstruction(ref vcpu.State, in d);
        return Completion.Next;
    }

    /// <summary>The 8087's FENI and FDISI and the 287's FSETPM: no operation since the 387, and not waiting (SDM 3B 23.18).</summary>
    public static Completion Obsolete(Vcpu vcpu, in DecodedInstruction d) =>
        X87Unit.IsUnavailable(vcpu, out Completion fault) ? fault : Completion.Next;

    public static Completion Fincstp(Vcpu vcpu, in DecodedInstruction d) => MoveTop(vcpu, in d, 1);

    public static Completion Fdecstp(Vcpu vcpu, in DecodedInstruction d) => MoveTop(vcpu, in d, -1);

    private static Completion MoveTop(Vcpu vcpu, in DecodedInstruction d, int by)
    {
        if (X87Unit.IsBlocked(vcpu, out Completion fault)) return fault;
        ref VcpuState state = ref vcpu.State;
        X87Unit.RecordInstruction(ref state, in d);
        X87Unit.ClearC1(ref state);
        X87Unit.SetTop(ref state, X87Unit.Top(in state) + by);
        return Completion.Next;
    }

    public static Completion Ffree(Vcpu vcpu, in DecodedInstruction d)
    {
        if (X87Unit.IsBlocked(vcpu, out Completion fault)) return fault;
        X87Unit.RecordInstruction(ref vcpu.State, in d);
        X87Unit.ClearC1(ref vcpu.State);
        X87Unit.Free(ref vcpu.State, d.Destination);
        return Completion.Next;
    }

    /// <summary>Undocumented: FFREE, then pop.</summary>
    public static Completion Ffreep(Vcpu vcpu, in DecodedInstruction d)
    {
        if (X87Unit.IsBlocked(vcpu, out Completion fault)) return fault;
        X87Unit.RecordInstruction(ref vcpu.State, in d);
        X87Unit.ClearC1(ref vcpu.State);
        X87Unit.Free(ref vcpu.State, d.Destination);
        X87Unit.Pop(ref vcpu.State);
        return Completion.Next;
    }

    // ---- Control and status word.

    internal static void SetControl(ref VcpuState state, int control) => state.X87Control = (ushort)((control & ControlWritable) | ControlFixed);

    public static Completion Fldcw(Vcpu vcpu, in DecodedInstruction d)
    {
        if (X87Unit.IsBlocked(vcpu, out Completion fault)) return fault;
        if (!vcpu.TryAddress(in d, 2, false, out ulong linear) || !vcpu.TryRead(linear, out ushort control)) return Completion.Fault;
        SetControl(ref vcpu.State, control);
        X87Unit.UpdateErrorSummary(ref vcpu.State);
        return Completion.Next;
    }

    public static Completion Fnstcw(Vcpu vcpu, in DecodedInstruction d) => StoreWord(vcpu, in d, vcpu.State.X87Control);

    public static Completion Fnstsw_m2byte(Vcpu vcpu, in DecodedInstruction d) => StoreWord(vcpu, in d, vcpu.State.X87Status);

    private static Completion StoreWord(Vcpu vcpu, in DecodedInstruction d, ushort word)
    {
        if (X87Unit.IsUnavailable(vcpu, out Completion fault)) return fault;
        if (!vcpu.TryAddress(in d, 2, true, out ulong linear) || !vcpu.TryWrite(linear, word)) return Completion.Fault;
        return Completion.Next;
    }

    public static Completion Fnstsw_AX(Vcpu vcpu, in DecodedInstruction d)
    {
        if (X87Unit.IsUnavailable(vcpu, out Completion fault)) return fault;
        vcpu.State.Register<ushort>(0) = vcpu.State.X87Status;
        return Completion.Next;
    }

    // ---- Environment. OperandSize is 14 or 28, the size of the image.

    public static Completion Fnstenv(Vcpu vcpu, in DecodedInstruction d)
    {
        if (X87Unit.IsUnavailable(vcpu, out Completion fault)) return fault;
        int size = d.OperandSize;
        Span<byte> image = stackalloc byte[28];
        image = image[..size];
        ref VcpuState state = ref vcpu.State;
        WriteEnvironment(ref state, image);
        if (!vcpu.TryAddress(in d, size, true, out ulong linear) || !GuestBlock.TryWrite(vcpu, linear, image)) return Completion.Fault;
        SetControl(ref state, state.X87Control | (int)X87Exceptions.Maskable);
        X87Unit.UpdateErrorSummary(ref state);
        return Completion.Next;
    }

    public static Completion Fldenv(Vcpu vcpu, in DecodedInstruction d)
    {
        if (X87Unit.IsBlocked(vcpu, out Completion fault)) return fault;
        int size = d.OperandSize;
        Span<byte> image = stackalloc byte[28];
        image = image[..size];
        if (!vcpu.TryAddress(in d, size, false, out ulong linear) || !GuestBlock.TryRead(vcpu, linear, image)) return Completion.Fault;
        ReadEnvironment(ref vcpu.State, image);
        return Completion.Next;
    }

    /// <summary>The environment, then ST(0)..ST(7) in ten bytes each; then FNINIT. OperandSize is 94 or 108.</summary>
    public static Completion Fnsave(Vcpu vcpu, in DecodedInstruction d)
    {
        if (X87Unit.IsUnavailable(vcpu, out Completion fault)) return fault;
        int size = d.OperandSize;
        Span<byte> image = stackalloc byte[108];
        image = image[..size];
        ref VcpuState state = ref vcpu.State;
        WriteEnvironment(ref state, image[..(size - RegistersSizeBytes)]);
        for (int i = 0; i < 8; i++)
        {
            Float80 value = X87Unit.Read(ref state, i);
            Span<byte> slot = image[(size - RegistersSizeBytes + (10 * i))..];
            BinaryPrimitives.WriteUInt64LittleEndian(slot, value.Significand);
            BinaryPrimitives.WriteUInt16LittleEndian(slot[8..], value.SignExponent);
        }

        if (!vcpu.TryAddress(in d, size, true, out ulong linear) || !GuestBlock.TryWrite(vcpu, linear, image)) return Completion.Fault;
        Initialize(ref state);
        return Completion.Next;
    }

    public static Completion Frstor(Vcpu vcpu, in DecodedInstruction d)
    {
        if (X87Unit.IsBlocked(vcpu, out Completion fault)) return fault;
        int size = d.OperandSize;
        Span<byte> image = stackalloc byte[108];
        image = image[..size];
        if (!vcpu.TryAddress(in d, size, false, out ulong linear) || !GuestBlock.TryRead(vcpu, linear, image)) return Completion.Fault;
        ref VcpuState state = ref vcpu.State;
        ReadEnvironment(ref state, image[..(size - RegistersSizeBytes)]);
        for (int i = 0; i < 8; i++)
        {
            ReadOnlySpan<byte> slot = image[(size - RegistersSizeBytes + (10 * i))..];
            ref X87Register register = ref X87Unit.Physical(ref state, X87Unit.Top(in state) + i);
            register.Significand = BinaryPrimitives.ReadUInt64LittleEndian(slot);
            register.SignExponent = BinaryPrimitives.ReadUInt16LittleEndian(slot[8..]);
        }

        return Completion.Next;
    }

    private static bool HasSelectors(in VcpuState state) => state.IsProtected && !state.IsVirtual8086;

    private static void WriteEnvironment(ref VcpuState state, Span<byte> image)
    {
        int step = image.Length / 7;
        // The unused upper halves of the 32-bit image are ones.
        image.Fill(0xFF);
        BinaryPrimitives.WriteUInt16LittleEndian(image, state.X87Control);
        BinaryPrimitives.WriteUInt16LittleEndian(image[step..], state.X87Status);
        BinaryPrimitives.WriteUInt16LittleEndian(image[(2 * step)..], FullTagWord(ref state));
        if (HasSelectors(in state))
        {
            WritePointer(image[(3 * step)..], step, (uint)state.X87InstructionPointer);
            BinaryPrimitives.WriteUInt16LittleEndian(image[(4 * step)..], state.X87InstructionSelector);
            if (step == 4) BinaryPrimitives.WriteUInt16LittleEndian(image[((4 * step) + 2)..], (ushort)(state.X87Opcode & 0x7FF));
            WritePointer(image[(5 * step)..], step, (uint)state.X87DataPointer);
            BinaryPrimitives.WriteUInt16LittleEndian(image[(6 * step)..], state.X87DataSelector);
            return;
        }

        // Real-address and virtual-8086 mode: linear addresses instead, their upper part from bit 12 of the next field.
        uint instruction = (uint)state.X87InstructionPointer + ((uint)state.X87InstructionSelector << 4);
        uint data = (uint)state.X87DataPointer + ((uint)state.X87DataSelector << 4);
        WritePointer(image[(3 * step)..], 2, instruction);
        WritePointer(image[(4 * step)..], step, ((instruction >> 16) << 12) | (state.X87Opcode & 0x7FFu));
        WritePointer(image[(5 * step)..], 2, data);
        WritePointer(image[(6 * step)..], step, (data >> 16) << 12);
    }

    private static void WritePointer(Span<byte> field, int size, uint value)
    {
        if (size == 4) BinaryPrimitives.WriteUInt32LittleEndian(field, value);
        else BinaryPrimitives.WriteUInt16LittleEndian(field, (ushort)value);
    }

    private static uint ReadPointer(ReadOnlySpan<byte> field, int size) =>
        size == 4 ? BinaryPrimitives.ReadUInt32LittleEndian(field) : BinaryPrimitives.ReadUInt16LittleEndian(field);

    private static void ReadEnvironment(ref VcpuState state, ReadOnlySpan<byte> image)
    {
        int step = image.Length / 7;
        SetControl(ref state, BinaryPrimitives.ReadUInt16LittleEndian(image));
        state.X87Status = BinaryPrimitives.ReadUInt16LittleEndian(image[step..]);
        int tags = BinaryPrimitives.ReadUInt16LittleEndian(image[(2 * step)..]);
        state.X87Tags = 0;
        for (int i = 0; i < 8; i++)
        {
            if (((tags >> (2 * i)) & 3) != 3) state.X87Tags |= (byte)(1 << i);
        }

        X87Unit.UpdateErrorSummary(ref state);
        uint second = ReadPointer(image[(4 * step)..], step), fourth = ReadPointer(image[(6 * step)..], step);
        if (HasSelectors(in state))
        {
            state.X87InstructionPointer = ReadPointer(image[(3 * step)..], step);
            state.X87InstructionSelector = (ushort)second;
            // The 16-bit protected-mode image has no opcode.
            state.X87Opcode = step == 4 ? (ushort)((second >> 16) & 0x7FF) : (ushort)0;
            state.X87DataPointer = ReadPointer(image[(5 * step)..], step);
            state.X87DataSelector = (ushort)fourth;
            return;
        }

        state.X87InstructionPointer = ReadPointer(image[(3 * step)..], 2) | ((second >> 12) << 16);
        state.X87Opcode = (ushort)(second & 0x7FF);
        state.X87DataPointer = ReadPointer(image[(5 * step)..], 2) | ((fourth >> 12) << 16);
        state.X87InstructionSelector = state.X87DataSelector = 0;
    }

    /// <summary>Two bits a register: 0 valid, 1 zero, 2 special, 3 empty (SDM 1 8.1.7).</summary>
    private static ushort FullTagWord(ref VcpuState state)
    {
        int tags = 0;
        for (int i = 0; i < 8; i++)
        {
            int tag = 3;
            if ((state.X87Tags & (1 << i)) != 0)
            {
                ref X87Register register = ref X87Unit.Physical(ref state, i);
                Float80 value = new((ushort)register.SignExponent, register.Significand);
                bool normal = value.Exponent is not 0 and not Float80.MaximumExponent && !value.IsUnsupported;
                tag = value.IsZero ? 1 : normal ? 0 : 2;
            }

            tags |= tag << (2 * i);
        }

        return (ushort)tags;
    }
}
