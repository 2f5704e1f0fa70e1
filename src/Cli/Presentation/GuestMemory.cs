using System;
using Vmm.Cpu;
using Vmm.Memory;
using Vmm.Paging;
using Vmm.Platform;

namespace Cli.Presentation;

/// <summary>Reads guest memory for showing, without any effect on the machine: no accessed bits, no chips, no faults.</summary>
internal static class GuestMemory
{
    /// <summary>Where a linear address is in a vCPU's current address space; null when nothing is mapped there.</summary>
    public static ulong? Translate(Machine machine, Vcpu vcpu, ulong linear)
    {
        PageWalk walk = GuestPageWalker.Walk(machine.Memory, PagingControls.Of(vcpu.State), Mask(vcpu, linear));
        return walk.IsMapped ? walk.Physical : null;
    }

    /// <summary>Reads linear memory; returns how many bytes could be read up to the first unmapped page.</summary>
    public static int Read(Machine machine, Vcpu vcpu, ulong linear, Span<byte> destination)
    {
        int done = 0;
        while (done < destination.Length)
        {
            ulong at = linear + (ulong)done;
            int count = Math.Min(destination.Length - done, PagedMemory.PageSizeBytes - (int)(at & (PagedMemory.PageSizeBytes - 1)));
            if (Translate(machine, vcpu, at) is not { } physical || machine.Memory.RamOffset(physical) < 0) break;
            machine.Memory.Read(new GuestPhysicalAddress(physical), destination.Slice(done, count));
            done += count;
        }
        return done;
    }

    public static ulong? ReadUInt64(Machine machine, Vcpu vcpu, ulong linear)
    {
        Span<byte> bytes = stackalloc byte[8];
        return Read(machine, vcpu, linear, bytes) == 8 ? BitConverter.ToUInt64(bytes) : null;
    }

    /// <summary>Linear address of an offset in the code segment.</summary>
    public static ulong CodeAddress(Vcpu vcpu, ulong rip) =>
        CodeSize(vcpu) == 64 ? rip : (uint)(vcpu.State.Segment(SegmentIndex.Cs).Base + rip);

    /// <summary>16, 32 or 64: how the vCPU decodes its code.</summary>
    public static int CodeSize(Vcpu vcpu)
    {
        ref SegmentRegister cs = ref vcpu.State.Segment(SegmentIndex.Cs);
        return vcpu.State.IsLongMode && cs.IsLong ? 64 : cs.IsDefault32 ? 32 : 16;
    }

    private static ulong Mask(Vcpu vcpu, ulong linear) => vcpu.State.IsLongMode ? linear : (uint)linear;
}
