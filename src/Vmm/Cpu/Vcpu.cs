using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Vmm.Decoding;
using Vmm.Memory;
using Vmm.Paging;

namespace Vmm.Cpu;

/// <summary>One virtual CPU: its state, and the services that instruction handlers use.</summary>
public sealed class Vcpu
{
    private readonly VcpuFrame _frame = new();
    private readonly nint _state;

    public ref VcpuState State
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref HostPointer.Ref<VcpuState>(_state);
    }

    /// <summary>State, TLBs and more, where generated code finds them.</summary>
    internal VcpuFrame Frame => _frame;

    /// <summary>Host address of the soft TLB for the current privilege; set by <see cref="Mmu"/>.</summary>
    internal nint Tlb;

    // ---- Progress inside the block that is being executed. InstructionCount now is CountBase + OpIndex.

    /// <summary>InstructionCount at the first instruction of the block.</summary>
    internal ulong CountBase;
    /// <summary>The engine must stop before InstructionCount passes this.</summary>
    internal ulong CountLimit;
    /// <summary>Index in the block of the instruction being executed.</summary>
    internal int OpIndex;
    /// <summary>The block ends before the instruction with this index; 0 ends it after the current one.</summary>
    internal int BlockLimit;

    internal Vcpu(int index, IVcpuBus bus)
    {
        Index = index;
        Bus = bus;
        _state = _frame.StateAddress;
        Tlb = _frame.TlbAddress(0);
    }

    /// <summary>0 for the bootstrap processor; also the initial APIC ID.</summary>
    public int Index { get; }

    /// <summary>Why the last handler returned <see cref="Completion.Fault"/>.</summary>
    internal PendingException PendingException;

    internal IVcpuBus Bus { get; }
    internal Mmu Mmu { get; set; } = null!;
    internal Interpretation.Interpreter Interpreter { get; set; } = null!;

    /// <summary>RIP of the instruction being executed, or of the next one between blocks.</summary>
    internal ulong InstructionRip => CurrentBlock is { } block && OpIndex < block.Instructions.Length ? block.Instructions[OpIndex].Rip : State.Rip;

    /// <summary>The block being executed; null between blocks.</summary>
    internal Block? CurrentBlock;

    /// <summary>InstructionCount before the instruction being executed.</summary>
    internal ulong CurrentCount => CountBase + (uint)OpIndex;

    /// <summary>Executing 64-bit code: IA32_EFER.LMA and CS.L.</summary>
    internal bool Is64BitCode => State.IsLongMode && State.Segment(SegmentIndex.Cs).IsLong;

    /// <summary>16, 32 or 64: how instructions are decoded.</summary>
    internal int CodeSize { get; private set; } = 16;

    /// <summary>RIP is an offset in a code segment whose base and limit count: everywhere but in 64-bit code.</summary>
    internal bool FetchIsSegmented { get; private set; } = true;

    /// <summary>
    /// Everything that decides whether and how code at an address is fetched: the address space and its generation, code size, user mode, SMEP. While
    /// it is the same, a block that was found at a linear address is still the one.
    /// </summary>
    internal ulong FetchTag { get; private set; }

    /// <summary>RIP is a linear address: 64-bit code, or a code segment with base 0 and no limit.</summary>
    internal bool FetchIsFlat { get; private set; }

    /// <summary>Takes note of CS, CPL, CR4 and the address space; to be called whenever any of them may have changed.</summary>
    internal void UpdateFetchMode()
    {
        ref SegmentRegister cs = ref State.Segment(SegmentIndex.Cs);
        bool is64 = State.IsLongMode && cs.IsLong;
        CodeSize = is64 ? 64 : cs.IsDefault32 ? 32 : 16;
        FetchIsSegmented = !is64;
        FetchIsFlat = is64 || (cs.Base == 0 && cs.Limit == uint.MaxValue);
        uint mode = (uint)(CodeSize >> 5) | (State.Cpl == 3 ? 4U : 0) | ((State.Cr4 & Cr4.SupervisorExecutionPrevention) != 0 ? 8U : 0);
        bool supervisors = is64 && State.Cpl != 3;
        FetchTag = (supervisors ? Mmu.Space.SupervisorFetchGeneration : Mmu.Space.FetchGeneration) << 4 | mode;
    }

    /// <summary>Takes back everything since <paramref name="saved"/>, after an instruction of many steps faulted in the middle. The pending fault stays.</summary>
    internal void RollBack(in VcpuState saved)
    {
        bool otherSpace = saved.Cr3 != State.Cr3;
        State = saved;
        if (otherSpace) Mmu.Reload();
        else Mmu.UpdatePrivilege();
    }

    /// <summary>Ends the block after the current instruction, so that the machine looks at what changed.</summary>
    internal void EndBlockSoon() => BlockLimit = 0;

    /// <summary>A breakpoint was reported, and its instruction is not to be executed now.</summary>
    internal bool StopsBefore;

    /// <summary>The instruction entered a handler (INT n, SYSCALL, a task): no single-step trap follows it.</summary>
    internal bool SuppressTrap;

    // ---- Faults. A handler returns what these return and has changed nothing before.

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal Completion Fault(Vector vector, uint errorCode = 0)
    {
        PendingException = new PendingException(vector, errorCode);
        return Completion.Fault;
    }

    /// <summary>
    /// An address that is not canonical: #SS(0) when the instruction reaches it through the stack segment, else #GP(0) (SDM 1 3.3.7.1).
    /// </summary>
    internal void NonCanonical(ulong linear)
    {
        bool stack = false;
        if (CurrentBlock is { } block && OpIndex < block.Instructions.Length)
        {
            ref readonly DecodedInstruction d = ref block.Instructions[OpIndex];
            // Instructions that both push and have another operand in memory: the stack is what lies near RSP.
            const ulong near = 1 << 16;
            stack = (d.Traits & InstructionTraits.StackSegment) != 0
                || ((d.Traits & InstructionTraits.UsesStack) != 0 && linear - State.Rsp + near <= 2 * near);
        }
        Fault(stack ? Vector.StackFault : Vector.GeneralProtection);
    }

    internal Completion GeneralProtection(uint errorCode = 0) => Fault(Vector.GeneralProtection, errorCode);
    internal Completion InvalidOpcode() => Fault(Vector.InvalidOpcode);
    internal Completion DeviceNotAvailable() => Fault(Vector.DeviceNotAvailable);

    // ---- Memory operands.

    /// <summary>Offset of the memory operand in its segment, cut to the address size.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ulong EffectiveOffset(in DecodedInstruction d)
    {
        ulong offset = State.Register<ulong>(d.Base) + (State.Register<ulong>(d.Index) << d.Scale) + d.Displacement;
        if (d.AddressSize == 8) return offset;
        return d.AddressSize == 4 ? (uint)offset : (ushort)offset;
    }

    /// <summary>The linear address of a memory operand in 64-bit mode with 64-bit addresses: nothing to check before translation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ulong FlatAddress(in DecodedInstruction d) =>
        State.Register<ulong>(d.Base) + (State.Register<ulong>(d.Index) << d.Scale) + d.Displacement + State.Segment(d.Segment).Base;

    /// <summary>
    /// The linear address of the instruction's memory operand of <paramref name="sizeBytes"/> bytes, checked against its segment. False: a fault is pending.
    /// </summary>
    internal bool TryAddress(in DecodedInstruction d, int sizeBytes, bool write, out ulong linear) =>
        TrySegment(d.Segment, EffectiveOffset(d), sizeBytes, write, (d.Traits & InstructionTraits.Long) != 0, out linear);

    /// <summary>The linear address of an offset in a segment, checked (SDM 3A 5.3, 5.5). False: #GP or #SS is pending.</summary>
    internal bool TrySegment(int segmentIndex, ulong offset, int sizeBytes, bool write, bool longMode, out ulong linear)
    {
        ref SegmentRegister segment = ref State.Segment(segmentIndex);
        if (longMode)
        {
            linear = (segmentIndex is SegmentIndex.Fs or SegmentIndex.Gs ? segment.Base : 0) + offset;
            return true;
        }
        linear = (uint)(segment.Base + offset);
        // The common flat segment: present, whole, read/write data or readable code.
        if (segment.Limit == uint.MaxValue && (segment.AccessRights & 0x9E) == 0x92) return true;
        return IsInSegment(segment, offset, sizeBytes, write) || SegmentFault(segmentIndex);
    }

    private bool IsInSegment(in SegmentRegister segment, ulong offset, int sizeBytes, bool write)
    {
        if (!segment.IsPresent || !segment.IsCodeOrData) return false;
        // Real and virtual-8086 mode check only the limit.
        if (State.IsProtected && !State.IsVirtual8086 && (write ? !segment.IsWritable : !segment.IsReadable)) return false;
        ulong last = offset + (ulong)sizeBytes - 1;
        if (!segment.IsExpandDown) return last <= segment.Limit && last >= offset;
        ulong top = segment.IsDefault32 ? 0xFFFF_FFFF : 0xFFFFUL;
        return offset > segment.Limit && last <= top;
    }

    private bool SegmentFault(int segmentIndex)
    {
        Fault(segmentIndex == SegmentIndex.Ss ? Vector.StackFault : Vector.GeneralProtection);
        return false;
    }

    /// <summary>The one entry of the soft TLB that may hold the translation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ref TlbEntry TlbEntryOf(ulong linear) => ref HostPointer.Ref<TlbEntry>(Tlb + (nint)((linear >> 7) & ((Mmu.TlbSize - 1) << 5)));

    /// <summary>Reads guest memory at the current privilege. False: a fault is pending.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool TryRead<T>(ulong linear, out T value) where T : unmanaged
    {
        ref TlbEntry entry = ref TlbEntryOf(linear);
        if (entry.ReadTag == ((linear + (ulong)(Unsafe.SizeOf<T>() - 1)) & ~0xFFFUL))
        {
            value = HostPointer.Load<T>((nint)linear + entry.Addend);
            return true;
        }
        return ReadSlow(linear, out value);
    }

    /// <summary>Writes guest memory at the current privilege. False: a fault is pending and nothing was written.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool TryWrite<T>(ulong linear, T value) where T : unmanaged
    {
        ref TlbEntry entry = ref TlbEntryOf(linear);
        if (entry.WriteTag == ((linear + (ulong)(Unsafe.SizeOf<T>() - 1)) & ~0xFFFUL))
        {
            HostPointer.Store((nint)linear + entry.Addend, value);
            return true;
        }
        return WriteSlow(linear, value);
    }

    /// <summary>
    /// Begins a read-modify-write: the value, and where to store the result with <see cref="EndUpdate"/>, which cannot fault. False: a fault is pending.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool TryBeginUpdate<T>(ulong linear, out T value, out nint host) where T : unmanaged
    {
        ref TlbEntry entry = ref TlbEntryOf(linear);
        if (entry.WriteTag == ((linear + (ulong)(Unsafe.SizeOf<T>() - 1)) & ~0xFFFUL))
        {
            host = (nint)linear + entry.Addend;
            value = HostPointer.Load<T>(host);
            return true;
        }
        host = 0;
        return BeginUpdateSlow(linear, out value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void EndUpdate<T>(ulong linear, nint host, T value) where T : unmanaged
    {
        if (host != 0) HostPointer.Store(host, value);
        else WriteSlow(linear, value);
    }

    /// <summary>Host address of a byte whose page the TLB knows, for bulk accesses up to the end of the page; 0 when it does not.</summary>
    internal nint DirectAddress(ulong linear, bool write)
    {
        ref TlbEntry entry = ref TlbEntryOf(linear);
        ulong tag = write ? entry.WriteTag : entry.ReadTag;
        return tag == (linear & ~0xFFFUL) ? (nint)linear + entry.Addend : 0;
    }

    /// <summary>Makes sure that a later write of <paramref name="sizeBytes"/> bytes there cannot fault (for read-modify-write and multi-part stores). False: a fault is pending.</summary>
    internal bool TryProbeWrite(ulong linear, int sizeBytes) => Mmu.ProbeWrite(linear, sizeBytes);

    /// <summary>Reads as supervisor whatever the CPL: descriptor tables, task state segments (SDM 3A 4.6.1, implicit supervisor accesses).</summary>
    internal bool TryReadSystem<T>(ulong linear, out T value) where T : unmanaged
    {
        value = default;
        return Mmu.ReadSlow(linear, MemoryMarshal.AsBytes(new Span<T>(ref value)), supervisor: true);
    }

    internal bool TryWriteSystem<T>(ulong linear, T value) where T : unmanaged =>
        Mmu.WriteSlow(linear, MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)), supervisor: true);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool ReadSlow<T>(ulong linear, out T value) where T : unmanaged
    {
        value = default;
        return Mmu.ReadSlow(linear, MemoryMarshal.AsBytes(new Span<T>(ref value)));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool WriteSlow<T>(ulong linear, T value) where T : unmanaged =>
        Mmu.WriteSlow(linear, MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool BeginUpdateSlow<T>(ulong linear, out T value) where T : unmanaged
    {
        value = default;
        return Mmu.ProbeWrite(linear, Unsafe.SizeOf<T>()) && ReadSlow(linear, out value);
    }
}
