using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Vmm.Cpu;

/// <summary>What a vCPU does between instructions.</summary>
public enum VcpuActivity : byte
{
    Running = 0,
    /// <summary>After HLT: until an interrupt, NMI, INIT or SMI.</summary>
    Halted = 1,
    /// <summary>After INIT, or from reset on an application processor: until SIPI (SDM 3A 8.4).</summary>
    WaitingForSipi = 2,
    /// <summary>After a triple fault: until reset.</summary>
    Shutdown = 3,
}

[InlineArray(17)] public struct GeneralRegisters { private ulong _0; }
[InlineArray(SegmentIndex.Count)] public struct SegmentRegisters { private SegmentRegister _0; }
[InlineArray(16)] public struct XmmRegisters { private Vector128<ulong> _0; }
[InlineArray(4)] public struct PageDirectoryPointers { private ulong _0; }
[InlineArray(8)] public struct DebugRegisters { private ulong _0; }
[InlineArray(8)] public struct X87Registers { private X87Register _0; }
[InlineArray(11)] public struct FixedMtrrs { private ulong _0; }
[InlineArray(16)] public struct VariableMtrrs { private ulong _0; }

/// <summary>One 80-bit register of the x87 stack, by physical number (MMX register n is Significand of register n).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct X87Register
{
    public ulong Significand;
    /// <summary>Bit 15 sign, bits 0..14 biased exponent.</summary>
    public ulong SignExponent;
}

/// <summary>
/// The whole architectural state of one vCPU: an unmanaged struct, so that a snapshot is its bytes and generated code reaches its
/// fields by offset.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct VcpuState
{
    // ---- General registers. RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8..R15, then a slot that is always zero,
    // which stands for "no base" and "no index" in address computations.
    public GeneralRegisters General;
    public ulong Rip;

    // ---- Arithmetic flags, kept as what they are computed from; see Flags. All others are in SystemFlags.
    /// <summary>ZF is (FlagsZero == 0).</summary>
    public ulong FlagsZero;
    /// <summary>SF is bit 63; PF is the even parity of bits 0..7.</summary>
    public ulong FlagsSignParity;
    /// <summary>CF is bit 63; OF is bit 63 xor bit 62.</summary>
    public ulong FlagsCarries;
    /// <summary>AF is bit 4.</summary>
    public ulong FlagsAdjust;
    /// <summary>RFLAGS without CF, PF, AF, ZF, SF, OF; bit 1 is always set.</summary>
    public ulong SystemFlags;

    public SegmentRegisters Segments;
    public ulong GdtrBase, IdtrBase;
    public uint GdtrLimit, IdtrLimit;

    public ulong Cr0, Cr2, Cr3, Cr4, Cr8, Xcr0;
    public ulong Efer;
    /// <summary>PAE paging: the four PDPTEs as CR3's load read them (SDM 3A 4.4.1); else zero.</summary>
    public PageDirectoryPointers Pdptes;
    public DebugRegisters Debug;

    public ulong Star, Lstar, Cstar, SfMask, KernelGsBase;
    public ulong SysenterCs, SysenterEsp, SysenterEip;
    public ulong Pat, TscAux, TscAdjust, ApicBase, MiscEnable, MtrrDefaultType, SpecCtrl;
    public FixedMtrrs FixedMtrrs;
    public VariableMtrrs VariableMtrrs;

    // ---- x87: registers by physical number; the top of stack is bits 11..13 of the status word.
    public X87Registers X87;
    public ushort X87Control, X87Status;
    /// <summary>One bit a register, set when not empty (the abridged tag word of FXSAVE).</summary>
    public byte X87Tags;
    public ushort X87Opcode;
    public ulong X87InstructionPointer, X87DataPointer;
    public ushort X87InstructionSelector, X87DataSelector;

    public XmmRegisters Xmm;
    public uint Mxcsr;

    // ---- Between instructions.
    public VcpuActivity Activity;
    /// <summary>Interrupts are held off for one instruction: 1 after STI; 2 after MOV SS or POP SS, which hold debug traps off as well.</summary>
    public byte InterruptShadow;
    public byte NmiPending, NmiBlocked;
    /// <summary>0..3.</summary>
    public byte Cpl;
    /// <summary>Debug exceptions (DR6 bits) to deliver before the next instruction: single step, breakpoint on data, task switch.</summary>
    public uint PendingDebug;

    /// <summary>A general register or part of one, by byte offset in <see cref="General"/> (register number times 8; plus 1 for AH..BH).</summary>
    [UnscopedRef, MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref T Register<T>(int byteOffset) where T : unmanaged =>
        ref Unsafe.As<GeneralRegisters, T>(ref Unsafe.AddByteOffset(ref General, (nint)(uint)byteOffset));

    [UnscopedRef] public ref ulong Rax => ref Register<ulong>(0);
    [UnscopedRef] public ref ulong Rcx => ref Register<ulong>(8);
    [UnscopedRef] public ref ulong Rdx => ref Register<ulong>(16);
    [UnscopedRef] public ref ulong Rbx => ref Register<ulong>(24);
    [UnscopedRef] public ref ulong Rsp => ref Register<ulong>(32);
    [UnscopedRef] public ref ulong Rbp => ref Register<ulong>(40);
    [UnscopedRef] public ref ulong Rsi => ref Register<ulong>(48);
    [UnscopedRef] public ref ulong Rdi => ref Register<ulong>(56);

    /// <summary>Byte offset of the slot that always reads zero.</summary>
    public const int ZeroRegister = 16 * 8;

    [UnscopedRef, MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref SegmentRegister Segment(int index) => ref Unsafe.Add(ref Unsafe.As<SegmentRegisters, SegmentRegister>(ref Segments), index);

    /// <summary>XMM register <paramref name="index"/> (0..15).</summary>
    [UnscopedRef, MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref Vector128<T> XmmAs<T>(int index) where T : unmanaged =>
        ref Unsafe.As<Vector128<ulong>, Vector128<T>>(ref Unsafe.Add(ref Unsafe.As<XmmRegisters, Vector128<ulong>>(ref Xmm), index));

    public readonly bool IsProtected => (Cr0 & 1) != 0;
    public readonly bool IsVirtual8086 => (SystemFlags & (1u << 17)) != 0;
    /// <summary>EFER.LMA: 64-bit or compatibility mode.</summary>
    public readonly bool IsLongMode => (Efer & (1u << 10)) != 0;
}
