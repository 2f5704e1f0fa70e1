using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Vmm.Memory;
using Vmm.Paging;

namespace Vmm.Cpu;

/// <summary>
/// The block of pinned memory that holds what generated code touches of one vCPU: its architectural state, its soft TLBs, and a room for the engine that
/// generates the code. Code reaches all of it by offsets from its address, which it keeps in the stack pointer; so there is a stack below. The engine's room comes first:
/// what lies within 128 bytes is reached by shorter instructions.
/// </summary>
internal sealed class VcpuFrame
{
    /// <summary>Bytes below the frame: return addresses of generated code, and signal handlers of the host while it runs.</summary>
    private const int StackSizeBytes = 64 << 10;
    private const int TlbSizeBytes = Mmu.TlbSize * 32;

    /// <summary>One TLB for each set of permissions (see <see cref="Mmu"/>).</summary>
    public const int TlbCount = 4;

    public const int EngineSizeBytes = 512, StateOffset = EngineSizeBytes;

    private const int StateSizeBytes = 4096, WindowOffset = StateOffset + StateSizeBytes;
    private const int WindowSizeBytes = 32, WindowsSizeBytes = 512;
    private const int TlbOffset = WindowOffset + WindowsSizeBytes;

    private const int SizeBytes = StackSizeBytes + TlbOffset + TlbCount * TlbSizeBytes;

    // Pinned rather than native, so that the collector frees it and nobody sees freed memory.
    private readonly byte[] _bytes = GC.AllocateArray<byte>(SizeBytes + 64, pinned: true);

    public VcpuFrame()
    {
        Invariant.Check(Unsafe.SizeOf<VcpuState>() <= StateSizeBytes && Unsafe.SizeOf<TlbEntry>() == 32);
        Invariant.Check(Unsafe.SizeOf<TlbWindow>() == WindowSizeBytes && TlbCount * TlbWindow.Count * WindowSizeBytes <= WindowsSizeBytes);
        nint start = HostPointer.AddressOf(_bytes);
        Address = (start + StackSizeBytes + 63) & ~63;
    }

    /// <summary>Host address of the frame and of the engine's room in it, a multiple of 64.</summary>
    public nint Address { get; }

    /// <summary>Host address of the <see cref="VcpuState"/>.</summary>
    public nint StateAddress => Address + StateOffset;

    /// <summary>Host address of a TLB.</summary>
    public nint TlbAddress(int index) => Address + TlbOffsetOf(index);

    /// <summary>The same from the frame.</summary>
    public static int TlbOffsetOf(int index) => TlbOffset + index * TlbSizeBytes;

    /// <summary>The windows of all TLBs, one TLB's after the other's.</summary>
    public Span<TlbWindow> Windows => MemoryMarshal.Cast<byte, TlbWindow>(HostPointer.Span(Address + WindowOffset, TlbCount * TlbWindow.Count * WindowSizeBytes));

    /// <summary>Offset of a window (see <see cref="TlbWindow"/>) from the frame.</summary>
    public static int WindowOffsetOf(int tlb, int window) => WindowOffset + (tlb * TlbWindow.Count + window) * WindowSizeBytes;
}
