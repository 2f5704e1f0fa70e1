using System;
using System.Collections.Generic;
using Vmm.Cpu;
using Vmm.Memory;
using Vmm.Paging;
using Xunit;

namespace Vmm.Tests.Engines;

/// <summary>Windows for loads: generated code reads through them what large pages map, and nothing else, and not for longer than it is true.</summary>
public sealed class WindowTests
{
    private const ulong Code = 0x1000, Directory = 0x12000, LargePage = 1 << 21, MemorySize = 16 << 20, Data = 0x400010;

    // Loads through RBX 200 times, stores RSI to RDI, loads once more into RDX.
    private static readonly byte[] s_code =
    [
        0x48, 0x8B, 0x03, 0xFF, 0xC9, 0x75, 0xF9, // again: mov rax, [rbx]; dec ecx; jnz again
        0x48, 0x89, 0x37, // mov [rdi], rsi
        0xB9, 0xC8, 0, 0, 0, // mov ecx, 200
        0x48, 0x8B, 0x13, 0xFF, 0xC9, 0x75, 0xF9, // again: mov rdx, [rbx]; dec ecx; jnz again
        0xF4,
    ];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_store_to_the_page_directory_moves_what_is_read(bool translates)
    {
        using TestMachine machine = Machine(translates);
        Write(machine, Data, 11);
        Write(machine, Data + LargePage, 22);
        ref VcpuState s = ref machine.Vcpu.State;
        // The entry of the page that is read, or the neighbour's, which is part of the same window.
        (s.Rbx, s.Rdi, s.Rsi) = (Data, Directory + 2 * 8, 0x60_00E3);
        Assert.True(machine.RunToFault(10_000) || s.Activity != VcpuActivity.Running);
        Assert.Equal((11UL, 22UL), (s.Rax, s.Rdx));
    }

    [Fact]
    public void The_window_is_open_and_a_change_of_any_page_of_it_closes_it()
    {
        foreach (int changed in (int[])[1, 2, 3])
        {
            using TestMachine machine = Machine(translates: true);
            ref VcpuState s = ref machine.Vcpu.State;
            // Neighbours belong to it once they were accessed.
            for (ulong page = 1; page < 5; page++) Assert.True(machine.Vcpu.TryRead(page * LargePage, out byte _));
            (s.Rbx, s.Rdi, s.Rsi) = (Data, 0x800000, 0);
            Assert.True(machine.Run(300) == 300);
            TlbWindow open = machine.Vcpu.Frame.Windows[TlbWindow.OfLowHalf];
            Assert.Equal((0UL, 5 * LargePage - TlbWindow.WidestAccess + 1), (open.Start, open.Size));
            Write(machine, Directory + (ulong)changed * 8, 0);
            Assert.Equal(0UL, machine.Vcpu.Frame.Windows[TlbWindow.OfLowHalf].Size);
        }
    }

    [Fact]
    public void A_watched_page_is_not_in_the_window()
    {
        using TestMachine machine = Machine(translates: true);
        ref VcpuState s = ref machine.Vcpu.State;
        (s.Rbx, s.Rdi, s.Rsi) = (Data, 0x800000, 0);
        machine.Memory.Ram.AddTraits((int)(Data >> 12), PageTraits.WatchRead);
        machine.Vcpu.Mmu.Flush();
        machine.RunToFault(10_000);
        Assert.Equal(400, machine.Bus.WatchedReads.Count);
    }

    [Fact]
    public void A_run_is_what_a_walk_of_each_page_says()
    {
        var random = new Random(5);
        for (int round = 0; round < 200; round++)
        {
            using TestMachine machine = Machine(translates: false);
            Mmu mmu = machine.Vcpu.Mmu;
            // Some large pages lead elsewhere, some are not there, some may not be read by users, some were not accessed; some small ones are absent or watched.
            for (ulong page = 1; page < 8; page++)
            {
                if (random.Next(3) == 0) Write(machine, Directory + page * 8, random.Next(4) == 0 ? 0 : (ulong)random.Next(8) * LargePage | 0x83);
                if (random.Next(4) != 0) machine.Vcpu.TryRead(page * LargePage + 0x3000, out byte _);
            }
            for (int i = random.Next(30); i > 0; i--)
                machine.Memory.Ram.AddTraits(random.Next(0x100, (int)(MemorySize >> 12)), random.Next(2) == 0 ? PageTraits.Absent : PageTraits.WatchRead);
            ulong at = (ulong)random.Next(1 << 21, (int)MemorySize);
            if (!machine.Vcpu.TryRead(at, out byte _)) continue;
            var before = new List<ulong>();
            for (ulong entry = 0; entry < 8; entry++) before.Add(machine.Memory.Read<ulong>(new GuestPhysicalAddress(Directory + entry * 8)));
            if (LargePageRun.Around(machine.Memory, mmu.Space, at, static _ => true) is not { } run)
            {
                Assert.NotEqual(PageTraits.None, machine.Memory.Ram.TraitsOf((int)(Walk(machine, at).Physical >> 12)) & (PageTraits.Absent | PageTraits.WatchRead));
                continue;
            }
            Assert.InRange(at, run.Linear, run.Linear + run.SizeBytes - 1);
            for (ulong page = 0; page < run.SizeBytes; page += 4096)
            {
                PageWalk walk = Walk(machine, run.Linear + page);
                Assert.True(walk.IsMapped);
                Assert.Equal((long)walk.Physical, run.RamOffset + (long)page);
                Assert.Equal(PageTraits.None, machine.Memory.Ram.TraitsOf((int)(walk.Physical >> 12)) & (PageTraits.Absent | PageTraits.WatchRead));
                // It was accessed before: opening a window sets no bits.
                Assert.NotEqual(0UL, before[(int)((run.Linear + page) / LargePage)] & PageTableEntry.Accessed);
            }
        }
    }

    private static PageWalk Walk(TestMachine machine, ulong linear) => GuestPageWalker.Walk(machine.Memory, machine.Vcpu.Mmu.Space.Controls, linear);

    private static void Write(TestMachine machine, ulong physical, ulong value) => machine.Memory.Write(new GuestPhysicalAddress(physical), value);

    // Eight large pages that map themselves, in long mode at CPL 0.
    private static TestMachine Machine(bool translates)
    {
        var machine = new TestMachine(MemorySize, translates ? 1 : 0);
        machine.Memory.Write(new GuestPhysicalAddress(Code), s_code);
        Write(machine, 0x10000, 0x11003);
        Write(machine, 0x11000, Directory | 3);
        for (ulong page = 0; page < 8; page++) Write(machine, Directory + page * 8, page * LargePage | 0x83);
        ref VcpuState s = ref machine.Vcpu.State;
        s = default;
        s.Cr0 = 0x8000_0011; // PG, ET, PE
        s.Cr3 = 0x10000;
        s.Cr4 = 0x20; // PAE
        s.Efer = 0x500; // LMA, LME
        for (int segment = 0; segment <= SegmentIndex.Gs; segment++)
            s.Segment(segment) = new SegmentRegister { Limit = uint.MaxValue, Selector = 0x10, AccessRights = 0xC093 };
        s.Segment(SegmentIndex.Cs) = new SegmentRegister { Limit = uint.MaxValue, Selector = 8, AccessRights = 0xA09B };
        s.Segment(SegmentIndex.Flat).Limit = uint.MaxValue;
        s.Rip = Code;
        s.Rcx = 200;
        s.WriteRFlags(2);
        machine.Reload();
        return machine;
    }
}
