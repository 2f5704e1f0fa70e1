using System;
using System.Collections.Generic;
using Introspection.Linux;
using Introspection.Paging;
using Introspection.State;
using Replay.Redaction;
using Vmm.Cpu;
using Vmm.Memory;
using Vmm.Paging;
using Vmm.Platform;

namespace Introspection.Redaction;

/// <summary>Linear ranges as guest-physical places, by the page tables of a moment.</summary>
public static class VirtualMemory
{
    /// <summary>A range in the address spaces that vCPUs have loaded; of each the part that is mapped. Without paging, linear is physical.</summary>
    /// <param name="machine">Stands at the moment.</param>
    /// <param name="linear">First address.</param>
    /// <param name="sizeBytes">At most 2 GiB.</param>
    public static IEnumerable<SelectedMemory> Select(Machine machine, ulong linear, int sizeBytes)
    {
        var known = new HashSet<ulong>();
        foreach (Vcpu vcpu in machine.Vcpus)
        {
            PagingControls controls = new GuestView(machine, vcpu).Paging;
            if (known.Add(controls.Root) && In(machine, controls, linear, sizeBytes) is { Pieces.Count: > 0 } found) yield return found;
            // User mode's half of isolated tables does not map the kernel.
            PagingControls kernel = controls with { Root = controls.Root & ~IsolatedTables.UserTable };
            if (controls.Mode == PagingMode.FourLevel && known.Add(kernel.Root) && In(machine, kernel, linear, sizeBytes) is { Pieces.Count: > 0 } hidden) yield return hidden;
        }
    }

    private static SelectedMemory In(Machine machine, in PagingControls controls, ulong linear, int sizeBytes)
    {
        var pieces = new List<(ulong Physical, int SizeBytes)>();
        for (int done = 0; done < sizeBytes;)
        {
            ulong at = linear + (ulong)done;
            int length = (int)Math.Min((ulong)(sizeBytes - done), PagedMemory.PageSizeBytes - (at & (PagedMemory.PageSizeBytes - 1)));
            ulong? physical = controls.Mode == PagingMode.None ? at : GuestPageWalker.Walk(machine.Memory, controls, at) is { IsMapped: true } walk ? walk.Physical : null;
            if (physical is { } place) pieces.Add((place, length));
            done += length;
        }
        return new SelectedMemory(pieces);
    }
}
