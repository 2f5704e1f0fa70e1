using System;
using System.Buffers.Binary;
using System.Runtime.Intrinsics;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation;

/// <summary>
/// FXSAVE, FXRSTOR, XSAVE, XSAVEOPT, XRSTOR (standard format, x87 and SSE components: SDM 1 10.5, 13.4-13.9), LDMXCSR, STMXCSR.
/// </summary>
/// <remarks>
/// FXSAVE and FXRSTOR leave MXCSR and the XMM registers alone while CR4.OSFXSR is 0, which the SDM permits. XINUSE is exact: a component is
/// in use when it differs from its initial configuration (SDM 1 13.6). XSAVEOPT has the init optimization and no modified optimization.
/// </remarks>
internal static class ExtendedState
{
    public const uint MxcsrMask = 0xFFFF, InitialMxcsr = 0x1F80;

    private const int FxsaveSizeBytes = 512, HeaderOffset = 512, HeaderSizeBytes = 64;
    private const int MxcsrOffset = 24, RegistersOffset = 32, XmmOffset = 160;
    private const ulong X87Component = 1, SseComponent = 2, AvxComponent = 4;

    // ---- FXSAVE and FXRSTOR.

    public static Completion Fxsave(Vcpu vcpu, in DecodedInstruction d) => Save(vcpu, in d, false);

    public static Completion Fxsave64(Vcpu vcpu, in DecodedInstruction d) => Save(vcpu, in d, true);

    public static Completion Fxrstor(Vcpu vcpu, in DecodedInstruction d) => Restore(vcpu, in d, false);

    public static Completion Fxrstor64(Vcpu vcpu, in DecodedInstruction d) => Restore(vcpu, in d, true);

    private static Completion Save(Vcpu vcpu, in DecodedInstruction d, bool wide)
    {
        if (X87Unit.IsUnavailable(vcpu, out Completion fault)) return fault;
        if (!vcpu.TryAddress(in d, FxsaveSizeBytes, true, out ulong linear)) return Completion.Fault;
        if ((linear & 15) != 0) return vcpu.GeneralProtection();
        ref VcpuState state = ref vcpu.State;
        Span<byte> image = stackalloc byte[XmmOffset + (16 * 16)];
        WriteX87(ref state, image, wide);
        int size = XmmOffset;
        if ((state.Cr4 & Cr4.OsFxsr) != 0)
        {
            WriteMxcsr(ref state, image);
            size = WriteXmm(ref state, in d, image);
        }

        return GuestBlock.TryWrite(vcpu, linear, image[..size]) ? Completion.Next : Completion.Fault;
    }

    private static Completion Restore(Vcpu vcpu, in DecodedInstruction d, bool wide)
    {
        if (X87Unit.IsUnavailable(vcpu, out Completion fault)) return fault;
        if (!vcpu.TryAddress(in d, FxsaveSizeBytes, false, out ulong linear)) return Completion.Fault;
        if ((linear & 15) != 0) return vcpu.GeneralProtection();
        Span<byte> image = stackalloc byte[XmmOffset + (16 * 16)];
        if (!GuestBlock.TryRead(vcpu, linear, image)) return Completion.Fault;
        ref VcpuState state = ref vcpu.State;
        bool sse = (state.Cr4 & Cr4.OsFxsr) != 0;
        uint mxcsr = BinaryPrimitives.ReadUInt32LittleEndian(image[MxcsrOffset..]);
        if (sse && (mxcsr & ~MxcsrMask) != 0) return vcpu.GeneralProtection();
        ReadX87(ref state, image, wide);
        if (!sse) return Completion.Next;
        state.Mxcsr = mxcsr;
        ReadXmm(ref state, in d, image);
        return Completion.Next;
    }

    private static int XmmCount(in DecodedInstruction d) => (d.Traits & InstructionTraits.Long) != 0 ? 16 : 8;

    private static void WriteX87(ref VcpuState state, Span<byte> image, bool wide)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(image, state.X87Control);
        BinaryPrimitives.WriteUInt16LittleEndian(image[2..], state.X87Status);
        image[4] = state.X87Tags;
        BinaryPrimitives.WriteUInt16LittleEndian(image[6..], (ushort)(state.X87Opcode & 0x7FF));
        WritePointer(image[8..], state.X87InstructionPointer, state.X87InstructionSelector, wide);
        WritePointer(image[16..], state.X87DataPointer, state.X87DataSelector, wide);
        for (int i = 0; i < 8; i++)
        {
            ref X87Register register = ref X87Unit.Physical(ref state, X87Unit.Top(in state) + i);
            BinaryPrimitives.WriteUInt64LittleEndian(image[(RegistersOffset + (16 * i))..], register.Significand);
            BinaryPrimitives.WriteUInt64LittleEndian(image[(RegistersOffset + 8 + (16 * i))..], (ushort)register.SignExponent);
        }
    }

    private static void WritePointer(Span<byte> field, ulong offset, ushort selector, bool wide)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(field, wide ? offset : (uint)offset | ((ulong)selector << 32));
    }

    private static void ReadX87(ref VcpuState state, ReadOnlySpan<byte> image, bool wide)
    {
        X87Control.SetControl(ref state, BinaryPrimitives.ReadUInt16LittleEndian(image));
        state.X87Status = BinaryPrimitives.ReadUInt16LittleEndian(image[2..]);
        state.X87Tags = image[4];
        state.X87Opcode = (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(image[6..]) & 0x7FF);
        ReadPointer(image[8..], wide, out state.X87InstructionPointer, out state.X87InstructionSelector);
        ReadPointer(image[16..], wide, out state.X87DataPointer, out state.X87DataSelector);
        X87Unit.UpdateErrorSummary(ref state);
        for (int i = 0; i < 8; i++)
        {
            ref X87Register register = ref X87Unit.Physical(ref state, X87Unit.Top(in state) + i);
            register.Significand = BinaryPrimitives.ReadUInt64LittleEndian(image[(RegistersOffset + (16 * i))..]);
            register.SignExponent = BinaryPrimitives.ReadUInt16LittleEndian(image[(RegistersOffset + 8 + (16 * i))..]);
        }
    }

    private static void ReadPointer(ReadOnlySpan<byte> field, bool wide, out ulong offset, out ushort selector)
    {
        ulong value = BinaryPrimitives.ReadUInt64LittleEndian(field);
        offset = wide ? value : (uint)value;
        selector = wide ? (ushort)0 : (ushort)(value >> 32);
    }

    private static void WriteMxcsr(ref VcpuState state, Span<byte> image)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(image[MxcsrOffset..], state.Mxcsr);
        BinaryPrimitives.WriteUInt32LittleEndian(image[(MxcsrOffset + 4)..], MxcsrMask);
    }

    private static int WriteXmm(ref VcpuState state, in DecodedInstruction d, Span<byte> image)
    {
        int count = XmmCount(in d);
        for (int i = 0; i < count; i++) state.XmmAs<byte>(i).CopyTo(image[(XmmOffset + (16 * i))..]);
        return XmmOffset + (16 * count);
    }

    private static void ReadXmm(ref VcpuState state, in DecodedInstruction d, ReadOnlySpan<byte> image)
    {
        int count = XmmCount(in d);
        for (int i = 0; i < count; i++) state.XmmAs<byte>(i) = Vector128.Create(image.Slice(XmmOffset + (16 * i), 16));
    }

    // ---- XSAVE and XRSTOR.

    public static Completion Xsave(Vcpu vcpu, in DecodedInstruction d) => SaveComponents(vcpu, in d, false, false);

    public static Completion Xsave64(Vcpu vcpu, in DecodedInstruction d) => SaveComponents(vcpu, in d, true, false);

    public static Completion Xsaveopt(Vcpu vcpu, in DecodedInstruction d) => SaveComponents(vcpu, in d, false, true);

    public static Completion Xsaveopt64(Vcpu vcpu, in DecodedInstruction d) => SaveComponents(vcpu, in d, true, true);

    public static Completion Xrstor(Vcpu vcpu, in DecodedInstruction d) => RestoreComponents(vcpu, in d, false);

    public static Completion Xrstor64(Vcpu vcpu, in DecodedInstruction d) => RestoreComponents(vcpu, in d, true);

    // The checks of both directions (SDM 1 13.3), and the requested-feature bitmap.
    private static bool TryBeginComponents(
        Vcpu vcpu, in DecodedInstruction d, bool write, out ulong linear, out ulong requested, out Completion fault)
    {
        ref VcpuState state = ref vcpu.State;
        linear = 0;
        requested = ((uint)state.Rax | (state.Rdx << 32)) & state.Xcr0;
        fault = Completion.Fault;
        if ((state.Cr4 & Cr4.OsXsave) == 0) fault = vcpu.InvalidOpcode();
        else if ((state.Cr0 & Cr0.TaskSwitched) != 0) fault = vcpu.DeviceNotAvailable();
        else if (!vcpu.TryAddress(in d, FxsaveSizeBytes + HeaderSizeBytes, write, out linear)) return false;
        else if ((linear & 63) != 0) fault = vcpu.GeneralProtection();
        else return true;
        return false;
    }

    private static Completion SaveComponents(Vcpu vcpu, in DecodedInstruction d, bool wide, bool optimized)
    {
        if (!TryBeginComponents(vcpu, in d, true, out ulong linear, out ulong requested, out Completion fault)) return fault;
        if (!vcpu.TryProbeWrite(linear, FxsaveSizeBytes + HeaderSizeBytes)
            || !vcpu.TryRead(linear + HeaderOffset, out ulong components)) return Completion.Fault;
        ref VcpuState state = ref vcpu.State;
        ulong inUse = ComponentsInUse(ref state);
        ulong saved = optimized ? requested & inUse : requested;
        Span<byte> image = stackalloc byte[XmmOffset + (16 * 16)];
        bool done = true;
        if ((saved & X87Component) != 0)
        {
            WriteX87(ref state, image, wide);
            done &= GuestBlock.TryWrite(vcpu, linear, image[..MxcsrOffset])
                && GuestBlock.TryWrite(vcpu, linear + RegistersOffset, image[RegistersOffset..XmmOffset]);
        }

        // MXCSR belongs to SSE and AVX together, and is stored whenever either is requested (SDM 1 13.7).
        if ((requested & (SseComponent | AvxComponent)) != 0)
        {
            WriteMxcsr(ref state, image);
            done &= GuestBlock.TryWrite(vcpu, linear + MxcsrOffset, image[MxcsrOffset..RegistersOffset]);
        }

        if ((saved & SseComponent) != 0)
        {
            int size = WriteXmm(ref state, in d, image);
            done &= GuestBlock.TryWrite(vcpu, linear + XmmOffset, image[XmmOffset..size]);
        }

        components = (components & ~requested) | (inUse & requested);
        return done && vcpu.TryWrite(linear + HeaderOffset, components) ? Completion.Next : Completion.Fault;
    }

    /// <summary>XINUSE: the components that are not in their initial configuration.</summary>
    internal static ulong ComponentsInUse(ref VcpuState state)
    {
        bool x87 = state.X87Control != X87Unit.InitialControl || state.X87Status != 0 || state.X87Tags != 0 || state.X87Opcode != 0
            || (state.X87InstructionPointer | state.X87DataPointer) != 0
            || (state.X87InstructionSelector | state.X87DataSelector) != 0;
        for (int i = 0; i < 8 && !x87; i++)
        {
            ref X87Register register = ref X87Unit.Physical(ref state, i);
            x87 = (register.Significand | register.SignExponent) != 0;
        }

        Vector128<ulong> any = Vector128<ulong>.Zero;
        for (int i = 0; i < 16; i++) any |= state.XmmAs<ulong>(i);
        return (x87 ? X87Component : 0) | (any != Vector128<ulong>.Zero ? SseComponent : 0);
    }

    private static Completion RestoreComponents(Vcpu vcpu, in DecodedInstruction d, bool wide)
    {
        if (!TryBeginComponents(vcpu, in d, false, out ulong linear, out ulong requested, out Completion fault)) return fault;
        ref VcpuState state = ref vcpu.State;
        if (!vcpu.TryRead(linear + HeaderOffset, out ulong components)
            || !vcpu.TryRead(linear + HeaderOffset + 8, out ulong compaction)
            || !vcpu.TryRead(linear + HeaderOffset + 16, out ulong reserved)) return Completion.Fault;
        // SDM 1 13.8: no bits outside XCR0, and bytes 23:8 of the header zero: the compacted format is not supported.
        if ((components & ~state.Xcr0) != 0 || (compaction | reserved) != 0) return vcpu.GeneralProtection();
        Span<byte> image = stackalloc byte[XmmOffset + (16 * 16)];
        if (!GuestBlock.TryRead(vcpu, linear, image)) return Completion.Fault;
        bool mxcsrToo = (requested & (SseComponent | AvxComponent)) != 0;
        uint mxcsr = BinaryPrimitives.ReadUInt32LittleEndian(image[MxcsrOffset..]);
        if (mxcsrToo && (mxcsr & ~MxcsrMask) != 0) return vcpu.GeneralProtection();
        if ((requested & X87Component) != 0)
        {
            if ((components & X87Component) != 0) ReadX87(ref state, image, wide);
            else InitializeX87(ref state);
        }

        if (mxcsrToo) state.Mxcsr = mxcsr;
        if ((requested & SseComponent) == 0) return Completion.Next;
        if ((components & SseComponent) == 0) image[XmmOffset..].Clear();
        ReadXmm(ref state, in d, image);
        return Completion.Next;
    }

    private static void InitializeX87(ref VcpuState state)
    {
        X87Control.Initialize(ref state);
        for (int i = 0; i < 8; i++) X87Unit.Physical(ref state, i) = default;
    }

    // ---- MXCSR.

    public static Completion Ldmxcsr(Vcpu vcpu, in DecodedInstruction d)
    {
        if (IsSseUnavailable(vcpu, out Completion fault)) return fault;
        if (!vcpu.TryAddress(in d, 4, false, out ulong linear) || !vcpu.TryRead(linear, out uint mxcsr)) return Completion.Fault;
        if ((mxcsr & ~MxcsrMask) != 0) return vcpu.GeneralProtection();
        vcpu.State.Mxcsr = mxcsr;
        return Completion.Next;
    }

    public static Completion Stmxcsr(Vcpu vcpu, in DecodedInstruction d)
    {
        if (IsSseUnavailable(vcpu, out Completion fault)) return fault;
        if (!vcpu.TryAddress(in d, 4, true, out ulong linear) || !vcpu.TryWrite(linear, vcpu.State.Mxcsr)) return Completion.Fault;
        return Completion.Next;
    }

    /// <summary>#UD and #NM of the SSE instructions (SDM 3A 13.1.4, table 22-18).</summary>
    internal static bool IsSseUnavailable(Vcpu vcpu, out Completion fault)
    {
        ref VcpuState state = ref vcpu.State;
        fault = Completion.Next;
        if ((state.Cr0 & Cr0.Emulation) != 0 || (state.Cr4 & Cr4.OsFxsr) == 0) fault = vcpu.InvalidOpcode();
        else if ((state.Cr0 & Cr0.TaskSwitched) != 0) fault = vcpu.DeviceNotAvailable();
        else return false;
        return true;
    }
}
