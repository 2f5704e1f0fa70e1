using Vmm.Paging;

namespace Introspection.Paging;

/// <summary>One guest page table.</summary>
/// <param name="Level">4 PML4, 3 PDPT, 2 page directory, 1 page table.</param>
/// <param name="Address">Guest-physical.</param>
/// <param name="LinearBase">First linear address that it maps.</param>
/// <param name="Allowed">What the entries on the way to it allow.</param>
public readonly record struct GuestTable(int Level, ulong Address, ulong LinearBase, PageRights Allowed);

/// <summary>A present entry of a guest page table.</summary>
/// <param name="Level">That of the table it is in.</param>
/// <param name="Index">Its number in the table.</param>
/// <param name="Address">Guest-physical address of the entry itself.</param>
/// <param name="Value">Its bits.</param>
/// <param name="Linear">First linear address that it maps.</param>
/// <param name="SizeBytes">How much it maps.</param>
/// <param name="IsLeaf">It maps a page; else it refers to a table.</param>
/// <param name="Target">Guest-physical address of the page or table.</param>
/// <param name="IsReserved">A bit is set that must not be: every access through it faults.</param>
/// <param name="Allowed">What it and the entries on the way to it allow together.</param>
public readonly record struct GuestEntry(int Level, int Index, ulong Address, ulong Value, ulong Linear, ulong SizeBytes, bool IsLeaf, ulong Target, bool IsReserved,
    PageRights Allowed)
{
    /// <summary>Last linear address that it maps.</summary>
    public ulong LinearEnd => Linear + (SizeBytes - 1);

    /// <summary>Everything that a filter can ask of a page.</summary>
    public PageFilter Traits => (Allowed.IsWritable ? PageFilter.Writable : 0) | (Allowed.IsUser ? PageFilter.User : 0) | (Allowed.IsExecutable ? PageFilter.Executable : 0)
        | ((Value & PageTableEntry.Global) != 0 ? PageFilter.Global : 0) | ((Value & PageTableEntry.Dirty) != 0 ? PageFilter.Dirty : 0)
        | ((Value & PageTableEntry.Accessed) != 0 ? PageFilter.Accessed : 0);
}

/// <summary>What a walk allows so far: every level has to allow it (SDM 3A 4.6).</summary>
public readonly record struct PageRights(bool IsWritable, bool IsUser, bool IsExecutable)
{
    public static PageRights All => new(true, true, true);
}

/// <summary>What pages can be asked for.</summary>
[System.Flags]
public enum PageFilter
{
    None = 0,
    /// <summary>All levels allow writing.</summary>
    Writable = 1,
    /// <summary>All levels allow user mode.</summary>
    User = 2,
    /// <summary>No level forbids execution.</summary>
    Executable = 4,
    Global = 8,
    Dirty = 16,
    Accessed = 32,
}
