using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Vmm.Cpu;

namespace Vmm.Decoding;

[Flags]
public enum InstructionTraits : byte
{
    None = 0,
    /// <summary>One operand is in memory: Base, Index, Scale, Displacement and Segment say where.</summary>
    Memory = 1,
    Lock = 2,
    Rep = 4,
    Repne = 8,
    /// <summary>Decoded in 64-bit mode.</summary>
    Long = 16,
    /// <summary>The memory operand is in SS (RSP or RBP is its base and no prefix says otherwise), which in 64-bit mode matters only for faults.</summary>
    StackSegment = 32,
    /// <summary>It pushes or pops.</summary>
    UsesStack = 64,
}

/// <summary>The code that executes one decoded instruction.</summary>
public readonly unsafe struct Handler(delegate*<Vcpu, in DecodedInstruction, Completion> code)
{
    private readonly delegate*<Vcpu, in DecodedInstruction, Completion> _code = code;

    public bool IsNull => _code == null;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Completion Invoke(Vcpu vcpu, in DecodedInstruction instruction) => _code(vcpu, in instruction);
}

/// <summary>
/// An instruction, decoded by Iced and reduced to what its handler needs. Register fields: for general registers the byte offset that
/// <see cref="VcpuState.Register{T}"/> takes, for all others (XMM, MMX, ST, segment, control, debug) the register's number.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct DecodedInstruction
{
    public Handler Handler;
    /// <summary>RIP of the instruction.</summary>
    public ulong Rip;
    /// <summary>Immediate, sign-extended to 64 bits; for near branches the target RIP.</summary>
    public ulong Immediate;
    /// <summary>Displacement, sign-extended; for RIP-relative operands the absolute address (and no base).</summary>
    public ulong Displacement;
    /// <summary>Register of operand 0 and 1 and 2 where that operand is a register.</summary>
    public byte Destination, Source, Third;
    /// <summary>Byte offsets of base and index registers; <see cref="VcpuState.ZeroRegister"/> for none.</summary>
    public byte Base, Index;
    /// <summary>Left shift of the index: 0..3.</summary>
    public byte Scale;
    /// <summary>Segment of the memory operand (see <see cref="SegmentIndex"/>), overrides applied.</summary>
    public byte Segment;
    public InstructionTraits Traits;
    /// <summary>1..15 bytes.</summary>
    public byte Length;
    /// <summary>Operand size in bytes where the handler needs it: 1, 2, 4, 8.</summary>
    public byte OperandSize;
    /// <summary>Address size in bytes: 2, 4, 8.</summary>
    public byte AddressSize;
    /// <summary>Second immediate (ENTER's level, a far pointer's high half goes to <see cref="FarSelector"/>).</summary>
    public byte Immediate2;
    /// <summary>Selector of a direct far branch.</summary>
    public ushort FarSelector;
    /// <summary>Iced.Intel.Code.</summary>
    public ushort Code;

    public readonly ulong NextRip => Rip + Length;
    public readonly bool HasMemory => (Traits & InstructionTraits.Memory) != 0;
}
