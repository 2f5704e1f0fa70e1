using System;
using Vmm.Cpu;
using Vmm.Memory;
using Vmm.Paging;
using Vmm.Platform;

namespace Introspection.State;

/// <summary>Memory as one vCPU sees it, read without any effect on the machine: no accessed bits, no chips, no faults.</summary>
public readonly record struct GuestView(Machine Machine, Vcpu Vcpu)
{
    public PagingControls Paging => PagingControls.Of(Vcpu.State);

    /// <summary>16, 32 or 64: how the vCPU decodes its code.</summary>
    public int CodeSize
    {
        get
        {
            ref SegmentRegister cs = ref Vcpu.State.Segment(SegmentIndex.Cs);
            return Vcpu.State.IsLongMode && cs.IsLong ? 64 : cs.IsDefault32 ? 32 : 16;
        }
    }

    /// <summary>Linear address of the instruction that comes next.</summary>
    public ulong CodeAddress => CodeAddressOf(Vcpu.State.Rip);

    /// <summary>Linear address of the top of the stack.</summary>
    public ulong StackAddress => StackAddressOf(Vcpu.State.Rsp);

    public ulong CodeAddressOf(ulong rip) => CodeSize == 64 ? rip : (uint)(Vcpu.State.Segment(SegmentIndex.Cs).Base + rip);

    public ulong StackAddressOf(ulong offset)
    {
        if (CodeSize == 64) return offset;
        ref SegmentRegister ss = ref Vcpu.State.Segment(SegmentIndex.Ss);
        return (uint)(ss.Base + (ss.IsDefault32 ? (uint)offset : (ushort)offset));
    }

    public PageWalk Walk(ulong linear) => GuestPageWalker.Walk(Machine.Memory, Paging, Vcpu.State.IsLongMode ? linear : (uint)linear);

    /// <summary>Where a linear address is; null when nothing is mapped there, or it is not canonical.</summary>
    public ulong? Translate(ulong linear)
    {
        if (Paging.Mode == PagingMode.FourLevel && (ulong)((long)(linear << 16) >> 16) != linear) return null;
        PageWalk walk = Walk(linear);
        return walk.IsMapped ? walk.Physical : null;
    }

    /// <summary>Guest-physical address of a byte, when it is RAM or ROM.</summary>
    public ulong? MemoryAt(in MemoryPlace place, ulong offset)
    {
        ulong at = place.Address + offset;
        ulong? physical = place.IsPhysical ? at : Translate(at);
        return physical is { } known && Machine.Memory.RamOffset(known) >= 0 ? known : null;
    }

    /// <summary>Returns how many bytes could be read up to the first that is not memory.</summary>
    public int Read(in MemoryPlace place, Span<byte> destination)
    {
        int done = 0;
        while (done < destination.Length)
        {
            int count = Math.Min(destination.Length - done, LeftInPage(place.Address + (ulong)done));
            if (MemoryAt(place, (ulong)done) is not { } physical) break;
            Machine.Memory.Read(new GuestPhysicalAddress(physical), destination.Slice(done, count));
            done += count;
        }
        return done;
    }

    public int Read(ulong linear, Span<byte> destination) => Read(new MemoryPlace(linear), destination);

    /// <summary>Writes as a debugger does: whatever the page tables forbid. Returns how many bytes were memory.</summary>
    public int Write(in MemoryPlace place, ReadOnlySpan<byte> source)
    {
        int done = 0;
        while (done < source.Length)
        {
            int count = Math.Min(source.Length - done, LeftInPage(place.Address + (ulong)done));
            if (MemoryAt(place, (ulong)done) is not { } physical) break;
            Machine.Memory.Write(new GuestPhysicalAddress(physical), source.Slice(done, count));
            done += count;
        }
        return done;
    }

    /// <summary>A little-endian number of 1 to 8 bytes; null when not all of it is memory.</summary>
    public ulong? ReadNumber(in MemoryPlace place, int sizeBytes)
    {
        Span<byte> bytes = stackalloc byte[8];
        bytes.Clear();
        return Read(place, bytes[..sizeBytes]) == sizeBytes ? BitConverter.ToUInt64(bytes) : null;
    }

    public ulong? ReadNumber(ulong linear, int sizeBytes) => ReadNumber(new MemoryPlace(linear), sizeBytes);

    private static int LeftInPage(ulong address) => PagedMemory.PageSizeBytes - (int)(address & (PagedMemory.PageSizeBytes - 1));
}
