using System.Collections.Generic;
using Vmm.Memory;
using Vmm.Paging;
using Vmm.Platform;

namespace Dap.Inspection;

/// <summary>One guest page table.</summary>
/// <param name="Level">4 PML4, 3 PDPT, 2 page directory, 1 page table.</param>
/// <param name="Address">Guest-physical.</param>
/// <param name="LinearBase">First linear address that it maps.</param>
internal readonly record struct GuestTable(int Level, ulong Address, ulong LinearBase);

/// <summary>A present entry of a guest page table.</summary>
/// <param name="Index">Its number in the table.</param>
/// <param name="Address">Guest-physical address of the entry itself.</param>
/// <param name="Value">Its bits.</param>
/// <param name="Linear">First linear address that it maps.</param>
/// <param name="SizeBytes">How much it maps.</param>
/// <param name="IsLeaf">It maps a page; else it refers to a table.</param>
/// <param name="Target">Guest-physical address of the page or table.</param>
internal readonly record struct GuestEntry(int Index, ulong Address, ulong Value, ulong Linear, ulong SizeBytes, bool IsLeaf, ulong Target);

/// <summary>Reads guest page tables one at a time, so that a tree of any size opens at once.</summary>
internal sealed class PageTableReader(Machine machine, PagingControls controls)
{
    private static readonly string[] s_names = ["", "PT", "PD", "PDPT", "PML4"];

    private bool IsNarrow => controls.Mode == PagingMode.TwoLevel;

    public static string NameOf(int level) => s_names[level];

    /// <summary>The top table; null without paging.</summary>
    public GuestTable? Root => controls.Mode == PagingMode.None ? null : new GuestTable((int)controls.Mode, controls.Root, 0);

    public GuestTable TableBelow(in GuestTable table, in GuestEntry entry) => new(table.Level - 1, entry.Target, entry.Linear);

    /// <summary>The present entries of a table that lies in memory, in ascending order.</summary>
    public List<GuestEntry> Entries(in GuestTable table)
    {
        var entries = new List<GuestEntry>();
        int sizeBytes = IsNarrow ? 4 : 8, shift = IsNarrow ? (table.Level == 2 ? 22 : 12) : 12 + 9 * (table.Level - 1);
        int count = controls.Mode == PagingMode.Pae && table.Level == 3 ? 4 : 4096 / sizeBytes;
        for (int i = 0; i < count; i++)
        {
            ulong address = table.Address + (ulong)(i * sizeBytes);
            if (machine.Memory.RamOffset(address) < 0) continue;
            var at = new GuestPhysicalAddress(address);
            ulong value = IsNarrow ? machine.Memory.Read<uint>(at) : machine.Memory.Read<ulong>(at);
            if ((value & PageTableEntry.Present) == 0) continue;
            ulong linear = table.LinearBase | (ulong)i << shift;
            if (controls.Mode == PagingMode.FourLevel) linear = (ulong)((long)(linear << 16) >> 16);
            bool isLeaf = table.Level == 1 || ((value & PageTableEntry.PageSize) != 0 && IsLargePageLevel(table.Level));
            entries.Add(new GuestEntry(i, address, value, linear, 1UL << shift, isLeaf, TargetOf(value, isLeaf, shift)));
        }
        return entries;
    }

    private ulong TargetOf(ulong value, bool isLeaf, int shift)
    {
        if (!IsNarrow) return value & PageTableEntry.AddressMask & (isLeaf ? ~((1UL << shift) - 1) : ulong.MaxValue);
        // A 4 MiB page may lie above 4 GiB: bits 13..20 hold address bits 32..39 (PSE-36).
        return isLeaf && shift == 22 ? (value & 0xFFC0_0000) | (value >> 13 & 0xFF) << 32 : value & 0xFFFF_F000;
    }

    private bool IsLargePageLevel(int level) => controls.Mode switch
    {
        PagingMode.TwoLevel => level == 2 && controls.PageSizeExtensions,
        PagingMode.Pae => level == 2,
        _ => level is 2 or 3,
    };
}
