using System;
using Vmm.Cpu;

namespace Vmm.Tests.Privileged;

/// <summary>
/// Builds the state that a scenario starts from: descriptor tables with a descriptor of every kind, an IDT whose handlers halt, task state
/// segments, stacks, page tables. Everything lies in the first 128 KiB, mapped one to one.
/// </summary>
internal static class SystemBuilder
{
    public const int Code = 0x1000, Handlers = 0x2000, Gdt = 0x3000, Idt = 0x4000, Data = 0x5000, Ldt = 0x6000, Tss = 0x7000, OtherTss = 0x7800,
        KernelStack = 0x9000, UserStack = 0xB000, HandlerStack = 0xE000, RealIvt = 0;
    public const int Pml4 = 0x1_0000, Pdpt = 0x1_1000, PageDirectory = 0x1_2000, PageTable = 0x1_3000, Directory32 = 0x1_4000, Table32 = 0x1_5000;
    /// <summary>A page that paging scenarios play with.</summary>
    public const int PagingTarget = 0x1_F000;

    // Selectors with RPL 0.
    public const ushort Null = 0, Code64 = 0x08, Data0 = 0x10, Code32 = 0x18, UserData = 0x20, UserCode64 = 0x28, UserCode32 = 0x30, TssSelector = 0x38 /* 16 bytes */,
        Code16 = 0x48, Data16 = 0x50, ConformingCode = 0x58, ExecuteOnlyCode = 0x60, ReadOnlyData = 0x68, ExpandDownData = 0x70, NotPresentData = 0x78,
        NotPresentCode = 0x80, LdtSelector = 0x88 /* 16 bytes */, OtherTssSelector = 0x98 /* 16 bytes */, CallGate = 0xA8 /* 16 bytes */, CallGate3 = 0xB8 /* 16 bytes */,
        NotPresentLdt = 0xC8, SmallData = 0xD8, BusyTss = 0xE0, LongAndBigCode = 0xF0, NotPresentGate = 0xF8 /* 16 bytes */, DataDpl1 = 0x108,
        BeyondGdt = 0x118, LdtData = 0x04, LdtCode = 0x0C, BeyondLdt = 0x24;

    public static ushort[] AllSelectors { get; } =
    [
        Null, Code64, Data0, Code32, UserData, UserCode64, UserCode32, TssSelector, Code16, Data16, ConformingCode, ExecuteOnlyCode, ReadOnlyData,
        ExpandDownData, NotPresentData, NotPresentCode, LdtSelector, OtherTssSelector, CallGate, CallGate3, NotPresentLdt, SmallData, BusyTss,
        LongAndBigCode, NotPresentGate, DataDpl1, BeyondGdt, LdtData, LdtCode, BeyondLdt,
    ];

    private const ushort GdtLimit = 0x10F;

    public static SystemState Build(ProcessorMode mode, int privilege, ReadOnlySpan<byte> code)
    {
        SystemState state = new();
        bool longMode = mode is ProcessorMode.Long or ProcessorMode.Compatibility;
        // HLT everywhere: the end of the code, a handler, or a wrong turn (RIP tells them apart).
        state.Memory.AsSpan(Code, 0x2000).Fill(0xF4);
        state.Write(Code, code);
        for (int register = 0; register < (mode == ProcessorMode.Long ? 16 : 8); register++) state.Cpu.General[register] = 0x1100UL + (uint)register;
        state.Cpu.WriteRFlags(RFlags.Reserved1);
        state.Cpu.Rip = Code;
        state.Cpu.Mxcsr = 0x1F80;
        state.Cpu.Pat = 0x0007_0406_0007_0406;
        if (mode == ProcessorMode.Real)
        {
            BuildReal(state);
            return state;
        }
        BuildTables(state, longMode);
        state.Cpu.Cr0 = 0x31;
        if (longMode) MapLong(state);
        else if (mode == ProcessorMode.Paged) Map32(state);
        ushort codeSelector = mode == ProcessorMode.Long ? (privilege == 0 ? Code64 : UserCode64) : privilege == 0 ? Code32 : UserCode32;
        ushort dataSelector = privilege == 0 ? Data0 : UserData;
        ushort rpl = (ushort)privilege;
        SetSegment(state, SegmentIndex.Cs, (ushort)(codeSelector | rpl));
        foreach (int segment in (ReadOnlySpan<int>)[SegmentIndex.Es, SegmentIndex.Ss, SegmentIndex.Ds, SegmentIndex.Fs, SegmentIndex.Gs])
            SetSegment(state, segment, (ushort)(dataSelector | rpl));
        SetSegment(state, SegmentIndex.Ldtr, LdtSelector);
        SetSegment(state, SegmentIndex.Tr, TssSelector);
        if (longMode) state.Cpu.Segments[SegmentIndex.Flat].Limit = uint.MaxValue;
        state.Cpu.Cpl = (byte)privilege;
        state.Cpu.General[4] = privilege == 0 ? KernelStack - 0x100U : UserStack - 0x100U;
        return state;
    }

    private static void BuildReal(SystemState state)
    {
        for (int vector = 0; vector < 256; vector++) state.Write32(RealIvt + (4 * vector), (uint)HandlerOf(vector));
        state.Cpu.Cr0 = 0x10;
        state.Cpu.IdtrLimit = 0x3FF;
        state.Cpu.GdtrBase = Gdt;
        state.Cpu.GdtrLimit = GdtLimit;
        for (int segment = 0; segment < 6; segment++)
            state.Cpu.Segments[segment] = new SegmentRegister { Limit = 0xFFFF, AccessRights = 0x93 };
        state.Cpu.Segments[SegmentIndex.Ldtr] = new SegmentRegister { Limit = 0xFFFF, AccessRights = 0x82 };
        state.Cpu.Segments[SegmentIndex.Tr] = new SegmentRegister { Limit = 0xFFFF, AccessRights = 0x8B };
        state.Cpu.General[4] = KernelStack - 0x100U;
    }

    /// <summary>Where the handler of a vector starts: each is a HLT of its own, so that RIP names the vector.</summary>
    public static int HandlerOf(int vector) => Handlers + (vector * 8);

    private static void BuildTables(SystemState state, bool longMode)
    {
        void Put(ushort selector, ulong descriptor) => state.Write64(Gdt + selector, descriptor);
        Put(Code64, Segment(0, 0xFFFFF, 0xA09B));
        Put(Data0, Segment(0, 0xFFFFF, 0xC093));
        Put(Code32, Segment(0, 0xFFFFF, 0xC09B));
        Put(UserData, Segment(0, 0xFFFFF, 0xC0F3));
        Put(UserCode64, Segment(0, 0xFFFFF, 0xA0FB));
        Put(UserCode32, Segment(0, 0xFFFFF, 0xC0FB));
        Put(TssSelector, Segment(Tss, 0x67, (ushort)(longMode ? 0x008B : 0x008B)));
        Put(Code16, Segment(0, 0xFFFF, 0x009A));
        Put(Data16, Segment(0x100, 0xFFFF, 0x0092));
        Put(ConformingCode, Segment(0, 0xFFFFF, (ushort)(longMode ? 0xA09E : 0xC09E)));
        Put(ExecuteOnlyCode, Segment(0, 0xFFFFF, (ushort)(longMode ? 0xA098 : 0xC098)));
        Put(ReadOnlyData, Segment(0, 0xFFFFF, 0xC090));
        Put(ExpandDownData, Segment(0, 0x00000, 0xC096));
        Put(NotPresentData, Segment(0, 0xFFFFF, 0xC012));
        Put(NotPresentCode, Segment(0, 0xFFFFF, 0xC01A));
        Put(LdtSelector, Segment(Ldt, 0x1F, 0x0082));
        Put(OtherTssSelector, Segment(OtherTss, 0x67, 0x0089));
        PutGate(state, Gdt + CallGate, 0x8C, longMode ? Code64 : Code32, Code + 0x400, longMode);
        PutGate(state, Gdt + CallGate3, 0xEC, longMode ? Code64 : Code32, Code + 0x400, longMode);
        Put(NotPresentLdt, Segment(Ldt, 0x1F, 0x0002));
        Put(SmallData, Segment(0x5000, 0x0F, 0x4092));
        Put(BusyTss, Segment(OtherTss, 0x67, 0x008B));
        Put(LongAndBigCode, Segment(0, 0xFFFFF, 0xE09A));
        PutGate(state, Gdt + NotPresentGate, 0x0C, longMode ? Code64 : Code32, Code + 0x400, longMode);
        Put(DataDpl1, Segment(0, 0xFFFFF, 0xC0B2));
        state.Write64(Ldt + (LdtData & ~7), Segment(0, 0xFFFFF, 0xC092));
        state.Write64(Ldt + (LdtCode & ~7), Segment(0, 0xFFFFF, (ushort)(longMode ? 0xA09A : 0xC09A)));
        state.Cpu.GdtrBase = Gdt;
        state.Cpu.GdtrLimit = GdtLimit;
        BuildIdt(state, longMode);
        BuildTaskState(state, Tss, longMode);
        BuildTaskState(state, OtherTss, longMode);
    }

    private static void BuildIdt(SystemState state, bool longMode)
    {
        int entrySize = longMode ? 16 : 8;
        for (int vector = 0; vector < 64; vector++)
        {
            // 3, 4 and 32..39 may be called from CPL 3; 40..47 are trap gates; 48 and up are not present, or lead nowhere good.
            byte type = vector is 3 or 4 or (>= 32 and < 40) ? (byte)0xEE : vector is >= 40 and < 48 ? (byte)0x8F : (byte)0x8E;
            ushort selector = longMode ? Code64 : Code32;
            if (vector == 48) type = 0x0E;
            if (vector == 49) selector = Data0;
            if (vector == 50) selector = NotPresentCode;
            if (vector == 51) selector = Null;
            if (vector == 52) selector = BeyondGdt;
            if (vector == 53) selector = UserCode32 | 3;
            if (vector == 54) type = 0xEF;
            if (vector == 55) type = 0x82;
            PutGate(state, Idt + (vector * entrySize), type, selector, HandlerOf(vector), longMode);
        }
        state.Cpu.IdtrBase = Idt;
        state.Cpu.IdtrLimit = (uint)((64 * entrySize) - 1);
    }

    private static void BuildTaskState(SystemState state, int address, bool longMode)
    {
        if (longMode)
        {
            for (int level = 0; level < 3; level++) state.Write64(address + 4 + (8 * level), HandlerStack - (0x400UL * (uint)level));
            for (int ist = 0; ist < 7; ist++) state.Write64(address + 0x24 + (8 * ist), HandlerStack - 0x1000);
            state.Write16(address + 0x66, 0x68);
            return;
        }
        state.Write32(address + 4, HandlerStack);
        state.Write32(address + 8, Data0);
        // A task that continues at Code + 0x600 at CPL 0 on a stack of its own.
        state.Write32(address + 0x1C, 0);
        state.Write32(address + 0x20, Code + 0x600);
        state.Write32(address + 0x24, 2);
        for (int register = 0; register < 8; register++) state.Write32(address + 0x28 + (4 * register), 0x2200U + (uint)register);
        state.Write32(address + 0x38, HandlerStack - 0x800);
        for (int segment = 0; segment < 6; segment++) state.Write32(address + 0x48 + (4 * segment), segment == 1 ? Code32 : Data0);
        state.Write32(address + 0x60, LdtSelector);
        state.Write32(address + 0x64, 0x0068_0000);
    }

    private static void MapLong(SystemState state)
    {
        state.Write64(Pml4, Pdpt | 7);
        state.Write64(Pdpt, PageDirectory | 7);
        state.Write64(PageDirectory, PageTable | 7);
        for (int page = 0; page < SystemState.MemorySizeBytes >> 12; page++) state.Write64(PageTable + (8 * page), ((ulong)page << 12) | 7);
        state.Cpu.Cr0 |= 0x8000_0000;
        state.Cpu.Cr3 = Pml4;
        state.Cpu.Cr4 = 0x20;
        state.Cpu.Efer = 0x500;
    }

    private static void Map32(SystemState state)
    {
        state.Write32(Directory32, Table32 | 7);
        for (int page = 0; page < SystemState.MemorySizeBytes >> 12; page++) state.Write32(Table32 + (4 * page), ((uint)page << 12) | 7);
        state.Cpu.Cr0 |= 0x8000_0000;
        state.Cpu.Cr3 = Directory32;
    }

    /// <summary>Loads the hidden part from the GDT as the CPU would have.</summary>
    public static void SetSegment(SystemState state, int index, ushort selector)
    {
        ulong descriptor = BitConverter.ToUInt64(state.Memory, Gdt + (selector & ~7));
        uint limit = (uint)((descriptor & 0xFFFF) | ((descriptor >> 32) & 0xF0000));
        ushort access = (ushort)((descriptor >> 40) & 0xF0FF);
        if ((access & 0x8000) != 0) limit = (limit << 12) | 0xFFF;
        state.Cpu.Segments[index] = new SegmentRegister
        {
            Base = ((descriptor >> 16) & 0xFF_FFFF) | ((descriptor >> 32) & 0xFF00_0000),
            Limit = limit,
            Selector = selector,
            AccessRights = access,
        };
    }

    /// <summary>A descriptor: limit as encoded, access as in <see cref="SegmentRegister.AccessRights"/>.</summary>
    public static ulong Segment(uint address, uint limit, ushort access) =>
        (limit & 0xFFFF) | ((ulong)(address & 0xFF_FFFF) << 16) | ((ulong)access << 40) | ((ulong)(limit & 0xF0000) << 32) | ((ulong)(address >> 24) << 56);

    public static void PutGate(SystemState state, int address, byte access, ushort selector, int offset, bool longMode)
    {
        state.Write64(address, (uint)(offset & 0xFFFF) | ((ulong)selector << 16) | ((ulong)access << 40) | ((ulong)((uint)offset >> 16) << 48));
        if (longMode) state.Write64(address + 8, 0);
    }
}
