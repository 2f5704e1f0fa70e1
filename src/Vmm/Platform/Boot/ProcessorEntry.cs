using System;
using System.Buffers.Binary;
using Vmm.Cpu;
using Vmm.Memory;

namespace Vmm.Platform.Boot;

/// <summary>
/// Puts the bootstrap processor, which comes from reset, into the state that a boot protocol demands. Whatever a protocol leaves open gets
/// the value that GRUB's or a PC's firmware leaves, or zero.
/// </summary>
internal static class ProcessorEntry
{
    /// <summary>Selectors of the GDT that <see cref="BuildGdt"/> makes; the Linux boot protocol fixes both.</summary>
    public const ushort CodeSelector = 0x10, DataSelector = 0x18;
    private const int GdtEntryCount = 5;
    private const ushort TaskSelector = 0x20;

    // Access rights as SegmentRegister keeps them: present, DPL 0, accessed; see SDM 3A 3.4.5.
    private const ushort Code32 = 0xC09B, Code64 = 0xA09B, Data32 = 0xC093, Code16 = 0x009B, Data16 = 0x0093;
    private const ushort BusyTask32 = 0x008B, Ldt = 0x0082;

    private const ulong Cr0ProtectionEnable = 1, Cr0ExtensionType = 1 << 4, Cr0Paging = 1UL << 31;
    private const ulong Cr4PhysicalAddressExtension = 1 << 5;
    private const ulong EferLongModeEnable = 1 << 8, EferLongModeActive = 1 << 10;

    private const ulong PagePresentWritable = 3, PageLarge = 1 << 7;
    private const int TableEntryCount = 512, IdentityGibibytes = 4;

    /// <summary>Flat 32-bit protected mode, paging off, interrupts off, at <paramref name="entry"/>.</summary>
    public static void EnterProtectedMode(ref VcpuState state, BootArena arena, BootImage image, uint entry)
    {
        Reset(ref state, entry);
        LoadFlatSegments(ref state, arena, image, Code32);
        state.Cr0 = Cr0ProtectionEnable | Cr0ExtensionType;
    }

    /// <summary>64-bit mode with the first 4 GiB mapped to themselves, interrupts off, at <paramref name="entry"/>.</summary>
    public static void EnterLongMode(ref VcpuState state, BootArena arena, BootImage image, ulong entry)
    {
        Reset(ref state, entry);
        LoadFlatSegments(ref state, arena, image, Code64);
        state.Cr3 = BuildIdentityMap(arena, image);
        state.Cr4 = Cr4PhysicalAddressExtension;
        state.Efer = EferLongModeEnable | EferLongModeActive;
        state.Cr0 = Cr0ProtectionEnable | Cr0ExtensionType | Cr0Paging;
    }

    /// <summary>
    /// Real mode at <paramref name="segment"/>:<paramref name="offset"/>, as after reset but in the copy of the ROM below 1 MiB.
    /// </summary>
    public static void EnterRealMode(ref VcpuState state, ushort segment, ushort offset)
    {
        Reset(ref state, offset);
        SetRealSegment(ref state.Segment(SegmentIndex.Cs), segment, (ulong)segment << 4, Code16);
    }

    /// <summary>The reset vector: F000:FFF0 with the code segment's base at the top of 4 GiB (SDM 3A 9.1.4).</summary>
    public static void EnterResetVector(ref VcpuState state)
    {
        Reset(ref state, 0xFFF0);
        SetRealSegment(ref state.Segment(SegmentIndex.Cs), 0xF000, 0xFFFF_0000, Code16);
        state.Cr0 = 0x6000_0010;
    }

    /// <summary>Registers cleared, RFLAGS 2, real-mode segments and empty descriptor tables (SDM 3A table 9-1).</summary>
    private static void Reset(ref VcpuState state, ulong rip)
    {
        state.General = default;
        state.Rip = rip;
        // CF, PF, AF, ZF, SF and OF clear, in the form that VcpuState keeps them.
        state.FlagsZero = 1;
        state.FlagsSignParity = 1;
        state.FlagsCarries = 0;
        state.FlagsAdjust = 0;
        state.SystemFlags = 2;
        for (int i = SegmentIndex.Es; i <= SegmentIndex.Gs; i++) SetRealSegment(ref state.Segment(i), 0, 0, Data16);
        SetRealSegment(ref state.Segment(SegmentIndex.Ldtr), 0, 0, Ldt);
        SetRealSegment(ref state.Segment(SegmentIndex.Tr), 0, 0, BusyTask32);
        state.GdtrBase = state.IdtrBase = 0;
        state.GdtrLimit = state.IdtrLimit = 0xFFFF;
        state.Cr0 = Cr0ExtensionType;
        state.Cr2 = state.Cr3 = state.Cr4 = state.Cr8 = state.Efer = 0;
        state.Activity = VcpuActivity.Running;
        state.Cpl = 0;
    }

    private static void SetRealSegment(ref SegmentRegister register, ushort selector, ulong @base, ushort accessRights) =>
        register = new SegmentRegister { Selector = selector, Base = @base, Limit = 0xFFFF, AccessRights = accessRights };

    private static void LoadFlatSegments(ref VcpuState state, BootArena arena, BootImage image, ushort codeRights)
    {
        state.GdtrBase = BuildGdt(arena, image, codeRights);
        state.GdtrLimit = GdtEntryCount * 8 - 1;
        // No interrupt can be taken until the kernel has made a table of its own.
        state.IdtrLimit = 0;
        var data = new SegmentRegister { Selector = DataSelector, Limit = uint.MaxValue, AccessRights = Data32 };
        for (int i = SegmentIndex.Es; i <= SegmentIndex.Gs; i++) state.Segment(i) = data;
        state.Segment(SegmentIndex.Cs) = new SegmentRegister { Selector = CodeSelector, Limit = uint.MaxValue, AccessRights = codeRights };
        state.Segment(SegmentIndex.Tr) = new SegmentRegister { Selector = TaskSelector, Limit = 0x67, AccessRights = BusyTask32 };
    }

    private static ulong BuildGdt(BootArena arena, BootImage image, ushort codeRights)
    {
        Span<byte> gdt = stackalloc byte[GdtEntryCount * 8];
        gdt.Clear();
        PutDescriptor(gdt, CodeSelector, 0xF_FFFF, codeRights);
        PutDescriptor(gdt, DataSelector, 0xF_FFFF, Data32);
        PutDescriptor(gdt, TaskSelector, 0x67, BusyTask32);
        return arena.Place(image, gdt, PagedMemory.PageSizeBytes, "the boot GDT");
    }

    /// <summary>A descriptor with base 0 (SDM 3A 3.4.5).</summary>
    private static void PutDescriptor(Span<byte> gdt, int offset, uint limit, ushort accessRights)
    {
        ulong descriptor = (limit & 0xFFFF) | (ulong)(limit >> 16 & 0xF) << 48 | (ulong)(accessRights & 0xF0FF) << 40;
        BinaryPrimitives.WriteUInt64LittleEndian(gdt[offset..], descriptor);
    }

    /// <summary>4-level tables with 2 MiB pages (SDM 3A 4.5).</summary>
    /// <returns>What CR3 is to hold.</returns>
    private static ulong BuildIdentityMap(BootArena arena, BootImage image)
    {
        const ulong pageSize = PagedMemory.PageSizeBytes;
        byte[] tables = new byte[(2 + IdentityGibibytes) * (int)pageSize];
        ulong root = arena.AllocateLow(image, (ulong)tables.Length, pageSize, "the boot page tables");
        Put(0, 0, (root + pageSize) | PagePresentWritable);
        for (int gibibyte = 0; gibibyte < IdentityGibibytes; gibibyte++)
        {
            Put(1, gibibyte, (root + (ulong)(2 + gibibyte) * pageSize) | PagePresentWritable);
            for (int i = 0; i < TableEntryCount; i++)
                Put(2 + gibibyte, i, ((ulong)gibibyte << 30 | (ulong)i << 21) | PagePresentWritable | PageLarge);
        }
        arena.Write(root, tables);
        return root;

        void Put(int table, int index, ulong entry) =>
            BinaryPrimitives.WriteUInt64LittleEndian(tables.AsSpan(table * (int)pageSize + index * 8), entry);
    }
}
