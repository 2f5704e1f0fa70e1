using System;
using System.Collections.Generic;
using Vmm.Cpu;
using static Vmm.Tests.Privileged.SystemBuilder;

namespace Vmm.Tests.Privileged;

/// <summary>Control and model-specific registers, flags with privilege, paging (SDM 3A 2.5, 4.6, 4.7, 4.8).</summary>
internal static class ControlScenarios
{
    public static IReadOnlyList<Scenario> ControlRegisters()
    {
        ScenarioList list = new();
        foreach (ProcessorMode mode in ScenarioList.ProtectedModes)
        {
            uint cr0 = (uint)Build(mode, 0, []).Cpu.Cr0;
            foreach (uint changed in (ReadOnlySpan<uint>)[0, 1, 2, 4, 8, 0x20, 0x10, 0x1_0000, 0x4_0000, 0x2000_0000, 0x4000_0000, 0x6000_0000, 0x8000_0000, 0x8000_0001])
            {
                if (mode == ProcessorMode.Protected && (changed & 0x8000_0000) != 0) continue; // there are no tables to turn on
                list.Add($"mov cr0, {cr0 ^ changed:X}", mode, 0, [0x0F, 0x22, 0xC0], s => s.Cpu.Rax = cr0 ^ changed);
            }
            foreach (uint value in (ReadOnlySpan<uint>)[0, 0x20, 0x10, 0x30, 0x80, 0xA0, 0x600, 0x620, 0x2000_0000, 0x8000_0000])
                list.Add($"mov cr4, {value:X}", mode, 0, [0x0F, 0x22, 0xE0], s => s.Cpu.Rax = value);
            list.Add("mov cr2, rax", mode, 0, [0x0F, 0x22, 0xD0]);
            list.Add("mov rax, cr3", mode, 0, [0x0F, 0x20, 0xD8]);
            list.Add("mov cr3, same", mode, 0, [0x0F, 0x20, 0xD8, 0x0F, 0x22, 0xD8]);
            list.Add("mov cr1, rax", mode, 0, [0x0F, 0x22, 0xC8]);
            list.Add("mov cr0, rax", mode, 3, [0x0F, 0x22, 0xC0]);
            list.Add("mov rax, cr0", mode, 3, [0x0F, 0x20, 0xC0]);
            list.Add("mov dr0, rax; mov rbx, dr0", mode, 0, [0x0F, 0x23, 0xC0, 0x0F, 0x21, 0xC3]);
            list.Add("clts", mode, 0, [0x0F, 0x06], s => s.Cpu.Cr0 |= 8);
            list.Add("clts", mode, 3, [0x0F, 0x06]);
            list.Add("smsw eax", mode, 0, [0x0F, 0x01, 0xE0]);
            foreach (uint value in (ReadOnlySpan<uint>)[0, 1, 8, 0xF, 0xFFFF])
                list.Add($"lmsw {value:X}", mode, 0, [0x0F, 0x01, 0xF0], s => s.Cpu.Rax = value);
            list.Add("lmsw", mode, 3, [0x0F, 0x01, 0xF0]);
            list.Add("invlpg", mode, 0, ScenarioList.Absolute(mode, [0x0F, 0x01], 7, Data));
            list.Add("invlpg", mode, 3, ScenarioList.Absolute(mode, [0x0F, 0x01], 7, Data));
        }
        list.Add("lmsw 1", ProcessorMode.Real, 0, [0x0F, 0x01, 0xF0], s => s.Cpu.Rax = 1);
        list.Add("mov eax, cr0; or al, 1; mov cr0, eax", ProcessorMode.Real, 0, [0x0F, 0x20, 0xC0, 0x0C, 0x01, 0x0F, 0x22, 0xC0]);
        list.Add("mov cr0, PG without PE", ProcessorMode.Real, 0, [0x0F, 0x22, 0xC0], s => s.Cpu.Rax = 0x8000_0010);
        return list.All;
    }

    public static IReadOnlyList<Scenario> ModelSpecificRegisters()
    {
        ScenarioList list = new();
        foreach (ProcessorMode mode in (ReadOnlySpan<ProcessorMode>)[ProcessorMode.Protected, ProcessorMode.Long])
        {
            foreach (uint msr in (ReadOnlySpan<uint>)[0xC000_0080, 0xC000_0081, 0xC000_0082, 0xC000_0084, 0xC000_0100, 0xC000_0101, 0xC000_0102, 0x174, 0x175, 0x176, 0x277, 0x7777])
            {
                list.Add($"rdmsr {msr:X}", mode, 0, [0x0F, 0x32], s => s.Cpu.Rcx = msr);
                list.Add($"rdmsr {msr:X}", mode, 3, [0x0F, 0x32], s => s.Cpu.Rcx = msr);
                foreach ((uint high, uint low) in (ReadOnlySpan<(uint, uint)>)[(0, 0), (0, 0x0000_0401), (0x1234, 0x5678_9ABC), (0x8000_0000, 1)])
                {
                    // The upper half of SFMASK, SYSENTER_ESP and SYSENTER_EIP is treated differently by every maker.
                    if (high != 0 && msr is 0xC000_0084 or 0x175 or 0x176) continue;
                    bool badMemoryType = msr == 0x277 && high != 0; // kvm_pvm lets the guest write any
                    list.Add($"wrmsr {msr:X} = {high:X}:{low:X}", mode, 0, [0x0F, 0x30], s =>
                    {
                        s.Cpu.Rcx = msr;
                        s.Cpu.Rax = low;
                        s.Cpu.Rdx = high;
                    }, badMemoryType);
                }
            }
        }
        return list.All;
    }

    /// <summary>STI, CLI, POPF, PUSHF and port instructions at every IOPL.</summary>
    public static IReadOnlyList<Scenario> FlagsAndPrivilege()
    {
        ScenarioList list = new();
        foreach (ProcessorMode mode in ScenarioList.ProtectedModes)
        {
            for (int privilege = 0; privilege <= 3; privilege += 3)
            {
                for (uint iopl = 0; iopl <= 3; iopl++)
                {
                    void Level(SystemState s) => s.Cpu.WriteRFlags(2 | (iopl << 12));
                    list.Add($"cli, IOPL {iopl}", mode, privilege, [0xFA], s => s.Cpu.WriteRFlags(0x202 | (iopl << 12)));
                    list.Add($"sti; nop, IOPL {iopl}", mode, privilege, [0xFB, 0x90], Level);
                    list.Add($"pushf, IOPL {iopl}", mode, privilege, [0x9C], Level);
                    foreach (uint value in (ReadOnlySpan<uint>)[0, 0x0020_7ED7, 0x0025_3246, 0x0000_7002, 0xFFF8_0002])
                    {
                        list.Add($"popf {value:X}, IOPL {iopl}", mode, privilege, [0x9D], s =>
                        {
                            Level(s);
                            s.Write64((int)s.Cpu.Rsp, value & ~0x100u);
                        });
                        list.Add($"popfw {value:X}, IOPL {iopl}", mode, privilege, [0x66, 0x9D], s =>
                        {
                            Level(s);
                            s.Write64((int)s.Cpu.Rsp, value & ~0x100u);
                        });
                    }
                    if (privilege == 3 && iopl < 3) list.Add($"in al, 60, IOPL {iopl}", mode, privilege, [0xE4, 0x60], Level);
                }
                foreach (byte opcode in (ReadOnlySpan<byte>)[0x08, 0x09])
                    if (privilege == 3) list.Add($"invd/wbinvd {opcode:X}", mode, privilege, [0x0F, opcode]);
            }
        }
        return list.All;
    }

    /// <summary>Accesses to a page with every combination of rights on both levels (error codes, accessed and dirty bits).</summary>
    public static IReadOnlyList<Scenario> Paging()
    {
        ScenarioList list = new();
        foreach (ProcessorMode mode in (ReadOnlySpan<ProcessorMode>)[ProcessorMode.Paged, ProcessorMode.Compatibility, ProcessorMode.Long])
        {
            foreach (int privilege in (ReadOnlySpan<int>)[0, 3])
            {
                foreach (bool writeProtect in (ReadOnlySpan<bool>)[false, true])
                {
                    foreach (ulong rights in (ReadOnlySpan<ulong>)[0, 1, 3, 5, 7, 0x8000_0000_0000_0007])
                    {
                        bool noExecute = rights >> 63 != 0;
                        if (noExecute && mode == ProcessorMode.Paged) continue;
                        void Map(SystemState s)
                        {
                            if (writeProtect) s.Cpu.Cr0 |= 0x1_0000;
                            if (noExecute) s.Cpu.Efer |= 0x800;
                            if (mode == ProcessorMode.Paged) s.Write32(Table32 + (4 * (PagingTarget >> 12)), PagingTarget | (uint)rights);
                            else s.Write64(PageTable + (8 * (PagingTarget >> 12)), PagingTarget | rights);
                            s.Memory[PagingTarget] = 0xF4;
                            s.Cpu.Rbx = PagingTarget;
                        }
                        string page = $"page {rights:X}{(writeProtect ? ", WP" : "")}";
                        list.Add($"read, {page}", mode, privilege, [0x8B, 0x03], Map);
                        list.Add($"write, {page}", mode, privilege, [0x89, 0x03], Map);
                        // An emulator reads before it writes, and marks the page accessed.
                        list.Add($"add, {page}", mode, privilege, [0x01, 0x03], Map, needsHardware: (rights & 3) == 1 && writeProtect);
                        list.Add($"jmp, {page}", mode, privilege, [0xFF, 0xE3], Map);
                        list.Add($"push there, {page}", mode, privilege, [0x50], s =>
                        {
                            Map(s);
                            s.Cpu.Rsp = PagingTarget + 0x80;
                        });
                    }
                }
            }
            list.Add("reserved bit", mode, 0, [0x8B, 0x03], s =>
            {
                if (mode == ProcessorMode.Paged) return;
                s.Write64(PageTable + (8 * (PagingTarget >> 12)), PagingTarget | 7 | (1UL << 51));
                s.Cpu.Rbx = PagingTarget;
            });
            list.Add("NX without EFER.NXE", mode, 0, [0x8B, 0x03], s =>
            {
                if (mode == ProcessorMode.Paged) return;
                s.Write64(PageTable + (8 * (PagingTarget >> 12)), PagingTarget | 7 | (1UL << 63));
                s.Cpu.Rbx = PagingTarget;
            });
        }
        list.Add("not canonical", ProcessorMode.Long, 0, [0x8B, 0x03], s => s.Cpu.Rbx = 0x8000_0000_0000);
        list.Add("not canonical stack", ProcessorMode.Long, 0, [0x50], s => s.Cpu.Rsp = 0x8000_0000_0000);
        list.Add("not canonical jump", ProcessorMode.Long, 0, [0xFF, 0xE3], s => s.Cpu.Rbx = 0x8000_0000_0000);
        return list.All;
    }
}
