using System;
using Vmm.Cpu;
using Vmm.Memory;
using Vmm.Paging;
using Vmm.Platform;

namespace Gdb.Memory;

/// <summary>A vCPU's linear memory for looking and, in a diversion, for changing: no accessed bits, no chips, no faults.</summary>
internal static class LinearMemory
{
    /// <summary>How many bytes could be read up to the first that is not RAM.</summary>
    public static int Read(Machine machine, Vcpu vcpu, ulong linear, Span<byte> destination)
    {
        int done = 0;
        while (done < destination.Length && TryPiece(machine, vcpu, linear, done, destination.Length, out ulong physical, out int count))
        {
            machine.Memory.Read(new GuestPhysicalAddress(physical), destination.Slice(done, count));
            done += count;
        }
        return done;
    }

    /// <summary>Whether all of it is RAM.</summary>
    public static bool IsRam(Machine machine, Vcpu vcpu, ulong linear, int sizeBytes)
    {
        int done = 0;
        while (done < sizeBytes && TryPiece(machine, vcpu, linear, done, sizeBytes, out _, out int count)) done += count;
        return done == sizeBytes;
    }

    /// <summary>Writes to memory that <see cref="IsRam"/>, whatever the pages' permissions.</summary>
    public static void Write(Machine machine, Vcpu vcpu, ulong linear, ReadOnlySpan<byte> source)
    {
        int done = 0;
        while (done < source.Length && TryPiece(machine, vcpu, linear, done, source.Length, out ulong physical, out int count))
        {
            machine.Memory.Write(new GuestPhysicalAddress(physical), source.Slice(done, count));
            done += count;
        }
        machine.InvalidateCaches();
    }

    public static PageWalk Walk(Machine machine, Vcpu vcpu, ulong linear) =>
        GuestPageWalker.Walk(machine.Memory, PagingControls.Of(vcpu.State), vcpu.State.IsLongMode ? linear : (uint)linear);

    /// <summary>Linear address of the instruction that a vCPU is about to execute.</summary>
    public static ulong CodeAddress(Vcpu vcpu) =>
        CodeSize(vcpu) == 64 ? vcpu.State.Rip : (uint)(vcpu.State.Segment(SegmentIndex.Cs).Base + vcpu.State.Rip);

    /// <summary>16, 32 or 64: how the vCPU decodes its code.</summary>
    public static int CodeSize(Vcpu vcpu)
    {
        ref SegmentRegister cs = ref vcpu.State.Segment(SegmentIndex.Cs);
        return vcpu.State.IsLongMode && cs.IsLong ? 64 : cs.IsDefault32 ? 32 : 16;
    }

    // The next bytes that lie in one page, if that is RAM.
    private static bool TryPiece(Machine machine, Vcpu vcpu, ulong linear, int done, int sizeBytes, out ulong physical, out int count)
    {
        ulong at = linear + (ulong)done;
        count = Math.Min(sizeBytes - done, PagedMemory.PageSizeBytes - (int)(at & (PagedMemory.PageSizeBytes - 1)));
        PageWalk walk = Walk(machine, vcpu, at);
        physical = walk.Physical;
        return walk.IsMapped && machine.Memory.RamOffset(physical) >= 0;
    }
}
