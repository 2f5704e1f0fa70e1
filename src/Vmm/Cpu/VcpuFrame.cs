using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Vmm.Memory;
using Vmm.Paging;

namespace Vmm.Cpu;

/// <summary>
/// The block of pinned memory that holds what generated code touches of one vCPU: its architectural state, its soft TLBs, and a room for the engine that
/// generates the code. Code reaches all of it by offsets from the address of the state, which it keeps in the stack pointer; so there is a stack below.
/// </summary>
internal sealed class VcpuFrame
{
    /// <summary>Bytes below the state: return addresses of generated code, and signal handlers of the host while it runs.</summary>
    private const int StackSizeBytes = 64 << 10;
    private const int TlbSizeBytes = Mmu.TlbSize * 32;

    /// <summary>One TLB for each set of permissions (see <see cref="Mmu"/>).</summary>
    public const int TlbCount = 4;

    /// <summary>Offsets from the state.</summary>
    public const int EngineOffset = 4096, EngineSizeBytes = 4096;

    private const int WindowOffset = EngineOffset + EngineSizeBytes;
    private const int WindowSizeBytes = 24, WindowsSizeBytes = 4096;
    private const int TlbOffset = WindowOffset + WindowsSizeBytes;

    private const int SizeBytes = StackSizeBytes + TlbOffset + TlbCount * TlbSizeBytes;

    // Pinned rather than native, so that the collector frees it and nobody sees freed memory.
    private readonly byte[] _bytes = GC.AllocateArray<byte>(SizeBytes + 64, pinned: true);

    public VcpuFrame()
    {
        Invariant.Check(Unsafe.SizeOf<VcpuState>() <= EngineOffset && Unsafe.SizeOf<TlbEntry>() == 32);
        Invariant.Check(Unsafe.SizeOf<TlbWindow>() == WindowSizeBytes && TlbCount * TlbWindow.Count * WindowSizeBytes <= WindowsSizeBytes);
        nint start = HostPointer.AddressOf(_bytes);
        StateAddress = (start + StackSizeBytes + 63) & ~63;
    }

    /// <summary>Host address of the <see cref="VcpuState"/>, a multiple of 64.</summary>
    public nint StateAddress { get; }

    /// <summary>Host address of the engine's room.</summary>
    public nint EngineAddress => StateAddress + EngineOffset;

    /// <summary>Host address of a TLB.</summary>
    public nint TlbAddress(int index) => StateAddress + TlbOffsetOf(index);

    /// <summary>The same from the state.</summary>
    public static int TlbOffsetOf(int index) => TlbOffset + index * TlbSizeBytes;

    /// <summary>The windows of all TLBs, one TLB's after the other's.</summary>
    public Span<TlbWindow> Windows => MemoryMarshal.Cast<byte, TlbWindow>(HostPointer.Span(StateAddress + WindowOffset, TlbCount * TlbWindow.Count * WindowSizeBytes));

    /// <summary>Offset of a base register's window from the state.</summary>
    public static int WindowOffsetOf(int tlb, int register) => WindowOffset + (tlb * TlbWindow.Count + register) * WindowSizeBytes;
}
