using System;
using Vmm.Memory;

namespace Vmm.Paging;

/// <summary>How linear addresses are translated (SDM 3A 4.1.1).</summary>
public enum PagingMode : byte
{
    /// <summary>CR0.PG = 0: linear is physical.</summary>
    None = 0,
    /// <summary>32-bit paging: page directory and page table of 4-byte entries, 4 MiB pages with CR4.PSE.</summary>
    TwoLevel = 2,
    /// <summary>PAE: PDPT of four entries, then 8-byte entries.</summary>
    Pae = 3,
    FourLevel = 4,
}

/// <summary>Bits of a page-table entry (SDM 3A 4.5).</summary>
public static class PageTableEntry
{
    public const ulong Present = 1, Writable = 2, User = 4, WriteThrough = 8, CacheDisable = 16, Accessed = 32, Dirty = 64, PageSize = 128, Global = 256,
        NoExecute = 1UL << 63;
    public const ulong AddressMask = 0x000F_FFFF_FFFF_F000;
}

/// <summary>Bits of a page fault's error code (SDM 3A 4.7).</summary>
public static class PageFaultError
{
    public const uint Present = 1, Write = 2, User = 4, Reserved = 8, Fetch = 16;
}

/// <summary>The control bits that decide how a linear address is translated.</summary>
/// <param name="Mode">The paging mode.</param>
/// <param name="Root">Guest-physical address of the top table.</param>
/// <param name="PageSizeExtensions">CR4.PSE.</param>
/// <param name="NoExecuteEnabled">EFER.NXE.</param>
/// <param name="Pointers">PAE: the PDPTEs that CR3's load read, low entry first; else zeros.</param>
public readonly record struct PagingControls(PagingMode Mode, ulong Root, bool PageSizeExtensions, bool NoExecuteEnabled,
    (ulong, ulong, ulong, ulong) Pointers = default)
{
    /// <summary>Physical-address width of the model, in bits (CPUID 80000008H).</summary>
    public const int PhysicalAddressBits = 40;

    public static PagingControls Of(in Cpu.VcpuState s)
    {
        const ulong paging = 1UL << 31, pse = 1 << 4, pae = 1 << 5, nxe = 1 << 11;
        PagingMode mode = (s.Cr0 & paging) == 0 ? PagingMode.None : (s.Cr4 & pae) == 0 ? PagingMode.TwoLevel
            : s.IsLongMode ? PagingMode.FourLevel : PagingMode.Pae;
        ulong root = mode switch
        {
            PagingMode.None => 0,
            PagingMode.TwoLevel => s.Cr3 & 0xFFFF_F000,
            PagingMode.Pae => s.Cr3 & 0xFFFF_FFE0,
            _ => s.Cr3 & PageTableEntry.AddressMask,
        };
        var pointers = mode == PagingMode.Pae ? (s.Pdptes[0], s.Pdptes[1], s.Pdptes[2], s.Pdptes[3]) : default;
        return new PagingControls(mode, root, (s.Cr4 & pse) != 0, (s.Efer & nxe) != 0, pointers);
    }

    internal ulong Pointer(int index) => index switch { 0 => Pointers.Item1, 1 => Pointers.Item2, 2 => Pointers.Item3, _ => Pointers.Item4 };
}

/// <summary>One step of a walk: an entry that was read.</summary>
/// <param name="Level">4 PML4, 3 PDPT, 2 page directory, 1 page table.</param>
/// <param name="EntryAddress">Guest-physical address of the entry.</param>
/// <param name="Entry">Its value.</param>
/// <param name="SizeBytes">4 or 8.</param>
public readonly record struct WalkStep(int Level, GuestPhysicalAddress EntryAddress, ulong Entry, int SizeBytes);

/// <summary>The steps of a walk, top level first.</summary>
[System.Runtime.CompilerServices.InlineArray(4)]
public struct WalkSteps
{
    private WalkStep _0;
}

/// <summary>What a walk found.</summary>
public struct PageWalk
{
    public WalkSteps Steps;
    /// <summary>Number of entries read, 0..4.</summary>
    public int StepCount;
    /// <summary>Every entry was present and none had a reserved bit set.</summary>
    public bool IsMapped;
    public bool ReservedBitSet;
    /// <summary>Guest-physical address of the byte, when mapped.</summary>
    public ulong Physical;
    /// <summary>Size of the page that maps it: 4 KiB, 2 MiB, 4 MiB or 1 GiB.</summary>
    public ulong PageSizeBytes;
    /// <summary>Permissions of all levels together.</summary>
    public bool Writable, User, NoExecute;
    public bool Global, Dirty;
}

/// <summary>
/// Walks the guest's page tables as the SDM says (3A 4.3 to 4.5): the architectural truth that shadow page tables are filled from and
/// that the debugger shows.
/// </summary>
public static class GuestPageWalker
{
    /// <summary>Walks without changing anything: accessed and dirty bits are set by <see cref="MarkAccessed"/>.</summary>
    public static PageWalk Walk(PhysicalMemory memory, in PagingControls controls, ulong linear)
    {
        PageWalk walk = default;
        walk.Writable = walk.User = true;
        switch (controls.Mode)
        {
            case PagingMode.None:
                walk.IsMapped = true;
                walk.Physical = linear & 0xFFFF_FFFF;
                walk.PageSizeBytes = PagedMemory.PageSizeBytes;
                walk.Dirty = true;
                return walk;
            case PagingMode.TwoLevel:
                WalkTwoLevel(memory, controls, linear, ref walk);
                return walk;
            default:
                WalkWide(memory, controls, linear, ref walk);
                return walk;
        }
    }

    /// <summary>
    /// Sets the accessed bit in each entry of a successful walk, and the dirty bit in the last if <paramref name="write"/>. Returns whether anything changed.
    /// These stores do not invalidate shadow entries: they only ever allow more.
    /// </summary>
    public static bool MarkAccessed(PhysicalMemory memory, ref PageWalk walk, bool write, PagingMode mode)
    {
        bool changed = false;
        for (int i = 0; i < walk.StepCount; i++)
        {
            ref WalkStep step = ref walk.Steps[i];
            // PAE's PDPTEs have no accessed bit: it is reserved there (SDM 3A 4.4.1).
            if (mode == PagingMode.Pae && step.Level == 3) continue;
            ulong wanted = step.Entry | PageTableEntry.Accessed;
            if (write && i == walk.StepCount - 1) wanted |= PageTableEntry.Dirty;
            if (wanted == step.Entry) continue;
            memory.StorePageTableBits(step.EntryAddress, wanted, step.SizeBytes);
            step = step with { Entry = wanted };
            changed = true;
        }
        if (write) walk.Dirty = true;
        return changed;
    }

    private static void WalkTwoLevel(PhysicalMemory memory, in PagingControls controls, ulong linear, ref PageWalk walk)
    {
        linear &= 0xFFFF_FFFF;
        ulong pde = ReadEntry(memory, ref walk, 2, controls.Root + (linear >> 22) * 4, 4);
        if ((pde & PageTableEntry.Present) == 0) return;
        if ((pde & PageTableEntry.PageSize) != 0 && controls.PageSizeExtensions)
        {
            // PSE-36 (bits 13..20 hold address bits 32..39), which the model offers; bit 21 is reserved.
            walk.ReservedBitSet = (pde & (1 << 21)) != 0;
            ulong frame = (pde & 0xFFC0_0000) | ((pde >> 13) & 0xFF) << 32;
            Finish(ref walk, pde, frame | (linear & 0x3F_FFFF), 1 << 22);
            return;
        }
        ulong pte = ReadEntry(memory, ref walk, 1, (pde & 0xFFFF_F000) + ((linear >> 12) & 0x3FF) * 4, 4);
        if ((pte & PageTableEntry.Present) == 0) return;
        Finish(ref walk, pte, (pte & 0xFFFF_F000) | (linear & 0xFFF), 1 << 12);
    }

    private static void WalkWide(PhysicalMemory memory, in PagingControls controls, ulong linear, ref PageWalk walk)
    {
        bool pae = controls.Mode == PagingMode.Pae;
        if (pae) linear &= 0xFFFF_FFFF;
        ulong reserved = ~((1UL << PagingControls.PhysicalAddressBits) - 1) & PageTableEntry.AddressMask;
        if (!controls.NoExecuteEnabled) reserved |= PageTableEntry.NoExecute;
        if (pae) reserved |= 0x7FF0_0000_0000_0000;
        ulong table = controls.Root;
        for (int level = pae ? 3 : 4; ; level--)
        {
            int shift = 12 + 9 * (level - 1);
            ulong index = (linear >> shift) & (pae && level == 3 ? 3UL : 0x1FF);
            ulong entry = pae && level == 3 ? AddPointer(ref walk, controls, (int)index) : ReadEntry(memory, ref walk, level, table + index * 8, 8);
            if ((entry & PageTableEntry.Present) == 0) return;
            ulong reservedHere = reserved;
            if (pae && level == 3)
            {
                // A PDPTE has only P, PWT, PCD and the address (SDM 3A table 4-8); it grants everything. Its reserved bits were checked
                // when CR3 was loaded.
                table = entry & PageTableEntry.AddressMask;
                continue;
            }
            if (level == 4) reservedHere |= PageTableEntry.PageSize;
            bool leaf = level == 1 || (level < 4 && (entry & PageTableEntry.PageSize) != 0);
            if (leaf && level > 1) reservedHere |= ((1UL << shift) - 1) & ~0x1FFFUL;
            if ((entry & reservedHere) != 0)
            {
                walk.ReservedBitSet = true;
                return;
            }
            if (leaf)
            {
                ulong offsetMask = (1UL << shift) - 1;
                Finish(ref walk, entry, (entry & PageTableEntry.AddressMask & ~offsetMask) | (linear & offsetMask), 1UL << shift);
                return;
            }
            Accumulate(ref walk, entry);
            table = entry & PageTableEntry.AddressMask;
        }
    }

    private static ulong AddPointer(ref PageWalk walk, in PagingControls controls, int index)
    {
        ulong entry = controls.Pointer(index);
        walk.Steps[walk.StepCount++] = new WalkStep(3, new GuestPhysicalAddress(controls.Root + (uint)index * 8), entry, 8);
        return entry;
    }

    private static ulong ReadEntry(PhysicalMemory memory, ref PageWalk walk, int level, ulong address, int sizeBytes)
    {
        var at = new GuestPhysicalAddress(address);
        ulong entry = sizeBytes == 4 ? memory.Read<uint>(at) : memory.Read<ulong>(at);
        walk.Steps[walk.StepCount++] = new WalkStep(level, at, entry, sizeBytes);
        // In two-level tables permissions of the directory count as well.
        if (sizeBytes == 4 && level == 2 && (entry & PageTableEntry.Present) != 0) Accumulate(ref walk, entry);
        return entry;
    }

    private static void Accumulate(ref PageWalk walk, ulong entry)
    {
        walk.Writable &= (entry & PageTableEntry.Writable) != 0;
        walk.User &= (entry & PageTableEntry.User) != 0;
        walk.NoExecute |= (entry & PageTableEntry.NoExecute) != 0;
    }

    private static void Finish(ref PageWalk walk, ulong entry, ulong physical, ulong pageSize)
    {
        Accumulate(ref walk, entry);
        walk.IsMapped = !walk.ReservedBitSet;
        walk.Physical = physical;
        walk.PageSizeBytes = pageSize;
        walk.Global = (entry & PageTableEntry.Global) != 0;
        walk.Dirty = (entry & PageTableEntry.Dirty) != 0;
    }
}
