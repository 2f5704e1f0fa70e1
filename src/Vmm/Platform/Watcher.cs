using System;
using System.Collections.Generic;
using Vmm.Cpu;
using Vmm.Memory;

namespace Vmm.Platform;

/// <summary>
/// Watched memory: the debugger's ranges, linear or physical, and the guest's own data breakpoints in DR0..DR3. Pages that hold a watched byte never
/// enter a TLB, so that accesses elsewhere cost nothing.
/// </summary>
internal sealed class Watcher(PhysicalMemory memory, Observation observation)
{
    private readonly List<Watch> _watches = [];
    private readonly HashSet<int> _watchedPages = [];

    /// <summary>Linear pages that must take the slow path; null for none.</summary>
    public HashSet<ulong>? LinearPages { get; private set; }

    public void Set(IReadOnlyCollection<Watch> watches, IReadOnlyList<Vcpu> vcpus)
    {
        foreach (int page in _watchedPages) memory.Ram.RemoveTraits(page, PageTraits.WatchRead | PageTraits.WatchWrite);
        _watchedPages.Clear();
        _watches.Clear();
        _watches.AddRange(watches);
        foreach (Watch watch in _watches)
        {
            if (!watch.IsPhysical) continue;
            for (ulong at = watch.Address & ~0xFFFUL; at < watch.Address + (ulong)watch.SizeBytes; at += PagedMemory.PageSizeBytes)
            {
                long offset = memory.RamOffset(at);
                if (offset < 0) continue;
                int page = (int)(offset >> PagedMemory.PageShift);
                memory.Ram.AddTraits(page, PageTraits.WatchRead | PageTraits.WatchWrite);
                _watchedPages.Add(page);
            }
        }
        UpdateLinearPages(vcpus);
    }

    /// <summary>Collects the linear pages of the debugger's watches and of the guest's debug registers, and empties the TLBs.</summary>
    public void UpdateLinearPages(IReadOnlyList<Vcpu> vcpus)
    {
        var pages = new HashSet<ulong>();
        foreach (Watch watch in _watches)
        {
            if (watch.IsPhysical) continue;
            for (ulong at = watch.Address & ~0xFFFUL; at < watch.Address + (ulong)watch.SizeBytes; at += PagedMemory.PageSizeBytes) pages.Add(at);
        }
        foreach (Vcpu vcpu in vcpus)
        {
            for (int i = 0; i < 4; i++)
                if (DebugBreakpoints.IsDataEnabled(vcpu.State, i)) pages.Add(vcpu.State.Debug[i] & ~0xFFFUL);
        }
        LinearPages = pages.Count > 0 ? pages : null;
        foreach (Vcpu vcpu in vcpus) vcpu.Mmu.Flush();
    }

    /// <summary>An access that took the slow path, before a write is done and after a read was.</summary>
    public void OnAccess(Vcpu vcpu, ulong linear, ulong physical, ReadOnlySpan<byte> value, bool write)
    {
        DebugBreakpoints.OnAccess(vcpu, linear, value.Length, write);
        MachineEventKind kind = write ? MachineEventKind.Write : MachineEventKind.Read;
        if (!observation.Wants(kind)) return;
        foreach (Watch watch in _watches)
        {
            if (write ? !watch.Writes : !watch.Reads) continue;
            ulong at = watch.IsPhysical ? physical : linear;
            if (at + (ulong)value.Length <= watch.Address || at >= watch.Address + (ulong)watch.SizeBytes) continue;
            observation.Publish(kind, vcpu, 0, LittleEndian(value), linear, physical, value.Length);
            return;
        }
    }

    /// <summary>A chip's DMA, or the MMU setting accessed and dirty bits.</summary>
    public void OnDeviceStore(int pageIndex, int offset, int sizeBytes)
    {
        if (!observation.Wants(MachineEventKind.Write)) return;
        ulong physical = memory.AddressOfPage(pageIndex).Value + (uint)offset;
        foreach (Watch watch in _watches)
        {
            if (!watch.IsPhysical || !watch.Writes || physical + (ulong)sizeBytes <= watch.Address || physical >= watch.Address + (ulong)watch.SizeBytes) continue;
            observation.Publish(MachineEventKind.Write, null, -1, 0, 0, physical, sizeBytes);
            return;
        }
    }

    private static ulong LittleEndian(ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        for (int i = Math.Min(bytes.Length, 8) - 1; i >= 0; i--) value = value << 8 | bytes[i];
        return value;
    }
}
