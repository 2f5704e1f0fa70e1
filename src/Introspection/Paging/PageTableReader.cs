using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Globalization;
using Introspection.Text;
using Vmm.Memory;
using Vmm.Paging;
using Vmm.Platform;

namespace Introspection.Paging;

/// <summary>
/// Reads guest page tables one at a time, so that a tree of any size opens at once. Entries are as <see cref="GuestPageWalker"/> takes them: what it finds mapped is a
/// page here, with the same rights. Only looks: no accessed bits, no shadow entries.
/// </summary>
public sealed class PageTableReader(Machine machine, PagingControls controls)
{
    private const int TableSizeBytes = 4096;
    private static readonly string[] s_names = ["", "PT", "PD", "PDPT", "PML4"];

    private readonly byte[] _table = new byte[TableSizeBytes];

    public PagingControls Controls { get; } = controls;

    private bool IsNarrow => Controls.Mode == PagingMode.TwoLevel;

    /// <summary>"PML4", "PDPT", "PD", "PT".</summary>
    public static string NameOf(int level) => s_names[level];

    /// <summary>"4-level paging"</summary>
    public static string NameOf(PagingMode mode) => mode switch
    {
        PagingMode.FourLevel => "4-level paging",
        PagingMode.Pae => "PAE paging",
        PagingMode.TwoLevel => "32-bit paging",
        _ => "no paging",
    };

    /// <summary>The top table; null without paging.</summary>
    public GuestTable? Root => Controls.Mode == PagingMode.None ? null : new GuestTable((int)Controls.Mode, Controls.Root, 0, PageRights.All);

    /// <summary>The table that an entry refers to.</summary>
    public static GuestTable TableBelow(in GuestEntry entry) => new(entry.Level - 1, entry.Target, entry.Linear, entry.Allowed);

    /// <summary>The present entries of a table, in ascending order. Where there is no memory all bits are set, as the processor would read it.</summary>
    public List<GuestEntry> Entries(in GuestTable table)
    {
        var entries = new List<GuestEntry>();
        Read(table, entries);
        return entries;
    }

    /// <summary>The same, into a list that is used again.</summary>
    public void Read(in GuestTable table, List<GuestEntry> entries)
    {
        entries.Clear();
        if (Controls.Mode == PagingMode.Pae && table.Level == 3)
        {
            // The processor keeps the four PDPTEs that CR3's load read (SDM 3A 4.4.1).
            (ulong, ulong, ulong, ulong) pointers = Controls.Pointers;
            Add(table, 0, pointers.Item1, entries);
            Add(table, 1, pointers.Item2, entries);
            Add(table, 2, pointers.Item3, entries);
            Add(table, 3, pointers.Item4, entries);
            return;
        }
        machine.Memory.Read(new GuestPhysicalAddress(table.Address), _table);
        for (int i = 0; i < TableSizeBytes / EntrySizeBytes; i++)
            Add(table, i, IsNarrow ? BinaryPrimitives.ReadUInt32LittleEndian(_table.AsSpan(i * 4)) : BinaryPrimitives.ReadUInt64LittleEndian(_table.AsSpan(i * 8)), entries);
    }

    /// <summary>The entries of a table that are not present and hold something all the same, such as where a page was swapped to.</summary>
    public List<GuestEntry> AbsentEntries(in GuestTable table)
    {
        var entries = new List<GuestEntry>();
        for (int i = 0; i < EntryCount(table.Level); i++)
        {
            ulong value = ValueAt(table, i);
            if (value != 0 && (value & PageTableEntry.Present) == 0) entries.Add(Decode(table, i, value));
        }
        return entries;
    }

    /// <summary>One entry, present or not.</summary>
    public ulong ValueAt(in GuestTable table, int index)
    {
        if (Controls.Mode == PagingMode.Pae && table.Level == 3)
            return index switch { 0 => Controls.Pointers.Item1, 1 => Controls.Pointers.Item2, 2 => Controls.Pointers.Item3, _ => Controls.Pointers.Item4 };
        var at = new GuestPhysicalAddress(table.Address + (ulong)(index * EntrySizeBytes));
        return IsNarrow ? machine.Memory.Read<uint>(at) : machine.Memory.Read<ulong>(at);
    }

    /// <summary>The entry of a table, if it is present.</summary>
    public GuestEntry? EntryAt(in GuestTable table, int index)
    {
        if ((uint)index >= (uint)EntryCount(table.Level)) return null;
        ulong value = ValueAt(table, index);
        return (value & PageTableEntry.Present) == 0 ? null : Decode(table, index, value);
    }

    /// <summary>The table at the end of a path, "1ff.1fe": indices in hexadecimal from the root on. Null: the path does not lead to a table.</summary>
    public GuestTable? Find(string? path)
    {
        if (Root is not { } table) return null;
        if (string.IsNullOrEmpty(path)) return table;
        foreach (string part in path.Split('.'))
        {
            if (!int.TryParse(part, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int index) || EntryAt(table, index) is not { IsLeaf: false } entry
                || table.Level == 1) return null;
            table = TableBelow(entry);
        }
        return table;
    }

    public static string PathOf(string? path, int index) => string.IsNullOrEmpty(path) ? $"{index:x}" : $"{path}.{index:x}";

    /// <summary>How many entries a table has.</summary>
    public int EntryCount(int level) => Controls.Mode == PagingMode.Pae && level == 3 ? 4 : TableSizeBytes / EntrySizeBytes;

    /// <summary>An entry's meaning, as this table's entry of that number.</summary>
    public GuestEntry Decode(in GuestTable table, int index, ulong value)
    {
        int shift = ShiftOf(table.Level);
        ulong linear = table.LinearBase | (ulong)index << shift;
        if (Controls.Mode == PagingMode.FourLevel) linear = (ulong)((long)(linear << 16) >> 16);
        bool isLeaf = table.Level == 1 || ((value & PageTableEntry.PageSize) != 0 && IsLargePageLevel(table.Level));
        // A PDPTE of PAE has no rights: it grants everything.
        PageRights allowed = Controls.Mode == PagingMode.Pae && table.Level == 3 ? table.Allowed
            : new PageRights(table.Allowed.IsWritable && (value & PageTableEntry.Writable) != 0, table.Allowed.IsUser && (value & PageTableEntry.User) != 0,
                table.Allowed.IsExecutable && (IsNarrow || (value & PageTableEntry.NoExecute) == 0));
        ulong address = table.Address + (ulong)(index * EntrySizeBytes);
        return new GuestEntry(table.Level, index, address, value, linear, 1UL << shift, isLeaf, TargetOf(value, isLeaf, shift), HasReservedBit(table.Level, value, isLeaf), allowed);
    }

    /// <summary>Its bits by name: "P W U A D".</summary>
    public static string Bits(in GuestEntry entry) => BitNames.PageTableEntry(entry.Value, entry.Level, entry.IsLeaf);

    private int EntrySizeBytes => IsNarrow ? 4 : 8;

    private int ShiftOf(int level) => IsNarrow ? (level == 2 ? 22 : 12) : 12 + 9 * (level - 1);

    private void Add(in GuestTable table, int index, ulong value, List<GuestEntry> entries)
    {
        if ((value & PageTableEntry.Present) != 0) entries.Add(Decode(table, index, value));
    }

    private ulong TargetOf(ulong value, bool isLeaf, int shift)
    {
        if (!IsNarrow) return value & PageTableEntry.AddressMask & (isLeaf ? ~((1UL << shift) - 1) : ulong.MaxValue);
        // A 4 MiB page may lie above 4 GiB: bits 13..20 hold address bits 32..39 (PSE-36).
        return isLeaf && shift == 22 ? (value & 0xFFC0_0000) | (value >> 13 & 0xFF) << 32 : value & 0xFFFF_F000;
    }

    // SDM 3A 4.3 to 4.5, tables "Format of ...".
    private bool HasReservedBit(int level, ulong value, bool isLeaf)
    {
        if (IsNarrow) return isLeaf && level == 2 && (value & 1 << 21) != 0;
        if (Controls.Mode == PagingMode.Pae && level == 3) return false;
        ulong reserved = ~((1UL << PagingControls.PhysicalAddressBits) - 1) & PageTableEntry.AddressMask;
        if (!Controls.NoExecuteEnabled) reserved |= PageTableEntry.NoExecute;
        if (Controls.Mode == PagingMode.Pae) reserved |= 0x7FF0_0000_0000_0000;
        if (level == 4) reserved |= PageTableEntry.PageSize;
        if (isLeaf && level > 1) reserved |= ((1UL << ShiftOf(level)) - 1) & ~0x1FFFUL;
        return (value & reserved) != 0;
    }

    private bool IsLargePageLevel(int level) => Controls.Mode switch
    {
        PagingMode.TwoLevel => level == 2 && Controls.PageSizeExtensions,
        PagingMode.Pae => level == 2,
        _ => level is 2 or 3,
    };
}
