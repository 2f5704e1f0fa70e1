using System.Collections.Generic;
using Introspection.Text;
using Vmm.Memory;
using Vmm.Paging;
using Vmm.Platform;

namespace Introspection.Paging;

/// <summary>What the shadow page table holds for an entry of the guest's.</summary>
public enum ShadowState
{
    /// <summary>Filled, and as the guest's tables say.</summary>
    InStep,
    /// <summary>Filled, and not as the guest's tables say. Coherence is eager, so that this would be a bug of the machine.</summary>
    Stale,
    /// <summary>The next access fills it.</summary>
    NotFilled,
    /// <summary>In step; stores to the page are traced, because it serves as a page table.</summary>
    WriteProtected,
    /// <summary>Some of the 4 KiB entries that it stands for are filled.</summary>
    PartlyFilled,
}

/// <summary>An entry's shadow.</summary>
/// <param name="State">What it is.</param>
/// <param name="MachineOffset">Of a page in the memory that the VMM gives the guest, in bytes; null: of a table, or not memory.</param>
/// <param name="Why">In a sentence.</param>
public readonly record struct ShadowStatus(ShadowState State, long? MachineOffset, string Why);

/// <summary>A guest page that is write-protected because it serves as a page table.</summary>
/// <param name="Physical">Its guest-physical address.</param>
/// <param name="MachinePage">Its number in the guest's memory.</param>
/// <param name="Writes">Stores that were traced since the machine's caches were last dropped.</param>
/// <param name="Uses">What it maps, in words.</param>
public sealed record TracedPage(ulong Physical, int MachinePage, long Writes, IReadOnlyList<string> Uses);

/// <summary>
/// Relates guest page tables to the shadow page tables that the machine translates through. Those are filled lazily since the checkpoint from which a position was rebuilt:
/// what is filled depends on the way there, and no guest can tell.
/// </summary>
public sealed class ShadowReader(Machine machine, ShadowPageTable space)
{
    private const int MaximumUses = 2;

    /// <summary>The shadow of one entry of the guest's.</summary>
    public ShadowStatus Of(in GuestEntry entry)
    {
        if (!entry.IsLeaf) return OfTable(entry);
        return entry.SizeBytes == PagedMemory.PageSizeBytes ? OfPage(entry.Linear, entry.Target) : OfLargePage(entry);
    }

    /// <summary>The shadow of one linear page.</summary>
    /// <param name="linear">Any address in it.</param>
    /// <param name="physical">What the guest maps it to; null: nothing.</param>
    public ShadowStatus OfPage(ulong linear, ulong? physical)
    {
        ShadowEntry entry = space.Find(linear);
        if (!entry.IsPresent)
            return new ShadowStatus(ShadowState.NotFilled, null, physical is null
                ? "The guest maps nothing here, and so does the shadow." : "Not touched since the last checkpoint: the next access fills it.");
        if (physical is null || (physical.Value & ~0xFFFUL) != entry.PhysicalPage)
            return new ShadowStatus(ShadowState.Stale, MachineOffset(entry.PhysicalPage), "The guest's tables say otherwise, which is a bug of the machine: they are kept in step eagerly.");
        return Filled(entry);
    }

    /// <summary>The state of a filled entry.</summary>
    public ShadowStatus Filled(ShadowEntry entry)
    {
        if (MachineOffset(entry.PhysicalPage) is not { } offset) return new ShadowStatus(ShadowState.InStep, null, "No memory: each access goes to a chip.");
        int page = (int)(offset >> PagedMemory.PageShift);
        PageTraits traits = machine.Memory.Ram.TraitsOf(page);
        if ((traits & PageTraits.PageTable) != 0)
            return new ShadowStatus(ShadowState.WriteProtected, offset, $"In step; stores are traced, because the page is {string.Join(", and ", UsesOf(page))}.");
        string dirty = entry.IsWritable && !entry.IsDirty ? " The first store walks the guest's tables, to set the dirty bit." : "";
        return new ShadowStatus(ShadowState.InStep, offset,
            $"Filled, and as the guest's tables say{((traits & PageTraits.Code) != 0 ? "; the page holds decoded code, and stores drop it" : "")}.{dirty}");
    }

    /// <summary>Guest pages that are write-protected, in ascending order of address.</summary>
    public List<TracedPage> TracedPages()
    {
        var pages = new List<TracedPage>();
        foreach (int page in machine.ShadowPageTables.TracedPages)
            pages.Add(new TracedPage(machine.Memory.AddressOfPage(page).Value, page, machine.ShadowPageTables.TracedWritesOf(page), UsesOf(page)));
        pages.Sort(static (a, b) => a.Physical.CompareTo(b.Physical));
        return pages;
    }

    private ShadowStatus OfTable(in GuestEntry entry)
    {
        int filled = space.CountFilled(entry.Linear, Log2(entry.SizeBytes));
        if (filled == 0) return new ShadowStatus(ShadowState.NotFilled, null, "Nothing below was touched since the last checkpoint.");
        string writes = "";
        if (MachineOffset(entry.Target) is { } offset && machine.ShadowPageTables.TracedWritesOf((int)(offset >> PagedMemory.PageShift)) is > 0 and var count)
            writes = $"; {Hexadecimal.Grouped((ulong)count)} were";
        string pages = filled == 1 ? "1 page below is" : $"{Hexadecimal.Grouped((ulong)filled)} pages below are";
        return new ShadowStatus(ShadowState.PartlyFilled, null,
            $"{pages} filled, so that the {PageTableReader.NameOf(entry.Level - 1)} is write-protected and stores to it are traced{writes}.");
    }

    private ShadowStatus OfLargePage(in GuestEntry entry)
    {
        ulong count = entry.SizeBytes >> PagedMemory.PageShift;
        int filled = space.CountFilled(entry.Linear, Log2(entry.SizeBytes));
        long? machineOffset = MachineOffset(entry.Target);
        string parts = $"{Hexadecimal.Grouped((ulong)filled)} of the {Hexadecimal.Grouped(count)} entries of 4 KiB that stand for the page are filled.";
        if (filled == 0) return new ShadowStatus(ShadowState.NotFilled, machineOffset, "Not touched since the last checkpoint: each access fills 4 KiB of it.");
        return new ShadowStatus((ulong)filled == count ? ShadowState.InStep : ShadowState.PartlyFilled, machineOffset, parts);
    }

    private List<string> UsesOf(int page)
    {
        var uses = new List<string>();
        foreach ((ShadowPageTable user, int level, ulong mapped) in machine.ShadowPageTables.UsesOf(page))
        {
            if (uses.Count == MaximumUses)
            {
                uses.Add("others");
                break;
            }
            ulong linear = (ulong)((long)(mapped << 16) >> 16);
            uses.Add($"the {PageTableReader.NameOf(level)} that maps 0x{linear:x} in the address space with root 0x{user.Controls.Root:x}");
        }
        return uses;
    }

    private long? MachineOffset(ulong physical) => machine.Memory.RamOffset(physical) is >= 0 and var offset ? offset & ~(long)(PagedMemory.PageSizeBytes - 1) : null;

    private static int Log2(ulong sizeBytes) => System.Numerics.BitOperations.Log2(sizeBytes);
}
