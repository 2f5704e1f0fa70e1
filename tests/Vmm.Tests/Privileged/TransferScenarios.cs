using System;
using System.Collections.Generic;
using Vmm.Cpu;
using static Vmm.Tests.Privileged.SystemBuilder;

namespace Vmm.Tests.Privileged;

/// <summary>Far transfers, interrupts and returns, to the same and to other privileges (SDM 3A 5.8, 6.12, 6.14).</summary>
internal static class TransferScenarios
{
    private const int Target = Code + 0x400;

    public static IReadOnlyList<Scenario> FarTransfers()
    {
        ScenarioList list = new();
        foreach (ProcessorMode mode in ScenarioList.ProtectedModes)
        {
            foreach (ushort selector in AllSelectors)
            {
                for (int privilege = 0; privilege <= 3; privilege += 3)
                {
                    ushort value = (ushort)(selector | (privilege == 3 ? 3 : 0));
                    void InMemory(SystemState s)
                    {
                        s.Write32(Data, Target);
                        s.Write16(Data + 4, value);
                    }
                    list.Add($"jmp far [{value:X}]", mode, privilege, ScenarioList.Absolute(mode, [0xFF], 5, Data), InMemory);
                    list.Add($"call far [{value:X}]", mode, privilege, ScenarioList.Absolute(mode, [0xFF], 3, Data), InMemory);
                    if (mode == ProcessorMode.Long) continue;
                    byte[] pointer = [.. BitConverter.GetBytes(Target), (byte)value, (byte)(value >> 8)];
                    list.Add($"jmp far {value:X}", mode, privilege, [0xEA, .. pointer]);
                    list.Add($"call far {value:X}", mode, privilege, [0x9A, .. pointer]);
                }
            }
        }
        list.Add("jmp 0:1400", ProcessorMode.Real, 0, [0xEA, 0x00, 0x14, 0x00, 0x00]);
        list.Add("jmp 100:400", ProcessorMode.Real, 0, [0xEA, 0x00, 0x04, 0x00, 0x01]);
        list.Add("call 100:400", ProcessorMode.Real, 0, [0x9A, 0x00, 0x04, 0x00, 0x01]);
        list.Add("call 100:400; (retf)", ProcessorMode.Real, 0, [0x9A, 0x00, 0x04, 0x00, 0x01], s => s.Memory[Target] = 0xCB);
        return list.All;
    }

    public static IReadOnlyList<Scenario> Returns()
    {
        ScenarioList list = new();
        foreach (ProcessorMode mode in ScenarioList.ProtectedModes)
        {
            foreach (ushort code in AllSelectors)
            {
                foreach (int rpl in (ReadOnlySpan<int>)[0, 3])
                {
                    foreach (ushort stack in (ReadOnlySpan<ushort>)[Data0, (ushort)(UserData | 3), Null])
                    {
                        if (stack == Null && code > UserCode32) continue;
                        AddReturns(list, mode, (ushort)(code | rpl), stack);
                    }
                }
            }
        }
        AddRealReturns(list);
        return list.All;
    }

    private static void AddReturns(ScenarioList list, ProcessorMode mode, ushort code, ushort stack)
    {
        int slot = mode == ProcessorMode.Long ? 8 : 4;
        byte[] prefix = mode == ProcessorMode.Long ? [0x48] : [];
        void Frame(SystemState s, bool withFlags)
        {
            Span<ulong> values = withFlags ? [Target, code, 0x3202, UserStack - 0x200, stack] : [Target, code, UserStack - 0x200, stack];
            for (int index = 0; index < values.Length; index++)
            {
                if (slot == 8) s.Write64((int)s.Cpu.Rsp + (8 * index), values[index]);
                else s.Write32((int)s.Cpu.Rsp + (4 * index), (uint)values[index]);
            }
        }
        list.Add($"retf to {code:X}, stack {stack:X}", mode, 0, [.. prefix, 0xCB], s => Frame(s, false));
        // KVM's emulator has IRET for real mode only.
        list.Add($"iret to {code:X}, stack {stack:X}", mode, 0, [.. prefix, 0xCF], s => Frame(s, true), needsHardware: true);
        if (stack == Data0) list.Add($"iret to {code:X} from CPL 3", mode, 3, [.. prefix, 0xCF], s => Frame(s, true));
    }

    private static void AddRealReturns(ScenarioList list)
    {
        foreach (uint flags in (ReadOnlySpan<uint>)[2, 0x7FD7, 0x3202, 0xFFFF])
        {
            list.Add($"iret flags {flags:X}", ProcessorMode.Real, 0, [0xCF], s =>
            {
                s.Write16((int)s.Cpu.Rsp, 0x0400);
                s.Write16((int)s.Cpu.Rsp + 2, 0x0100);
                s.Write16((int)s.Cpu.Rsp + 4, (ushort)(flags & ~0x100u));
            });
        }
    }

    public static IReadOnlyList<Scenario> Interrupts()
    {
        ScenarioList list = new();
        foreach (ProcessorMode mode in ScenarioList.ProtectedModes)
        {
            for (int privilege = 0; privilege <= 3; privilege += 3)
            {
                for (int vector = 0; vector < 68; vector++) list.Add($"int {vector}", mode, privilege, [0xCD, (byte)vector], needsHardware: true);
                list.Add("int3", mode, privilege, [0xCC]);
                list.Add("int1", mode, privilege, [0xF1]);
                list.Add("ud2", mode, privilege, [0x0F, 0x0B]);
                list.Add("div by zero", mode, privilege, [0x31, 0xC9, 0xF7, 0xF1]);
                list.Add("hlt", mode, privilege, [0xF4]);
                list.Add("into", mode, privilege, [0xCE], s => s.Cpu.WriteRFlags(0x802));
            }
            // A benign exception and then a contributory one are handled in turn (SDM 3A table 6-5); KVM's emulator makes a double fault of them.
            list.Add("#UD with a handler that is not present", mode, 0, [0x0F, 0x0B], s => s.Memory[Idt + (6 * GateSize(mode)) + 5] = 0x0E, needsHardware: true);
            list.Add("#UD with a small IDT", mode, 0, [0x0F, 0x0B], s => s.Cpu.IdtrLimit = 0x20);
            list.Add("#UD from CPL 3 with a bad stack", mode, 3, [0x0F, 0x0B], s => s.Write64(Tss + 4, mode == ProcessorMode.Long ? 0x7000_0000_0000_0000UL : Null));
            list.Add("handler on an IST stack", mode, 0, [0x0F, 0x0B], s => s.Memory[Idt + (6 * GateSize(mode)) + 4] = 1);
        }
        for (int vector = 0; vector < 32; vector++) list.Add($"int {vector}", ProcessorMode.Real, 0, [0xCD, (byte)vector]);
        list.Add("int with a small IVT", ProcessorMode.Real, 0, [0xCD, 0x40], s => s.Cpu.IdtrLimit = 0xFF, needsHardware: true); // KVM's emulator ignores the limit
        list.Add("div by zero", ProcessorMode.Real, 0, [0x31, 0xC9, 0xF7, 0xF1]);
        return list.All;
    }

    private static int GateSize(ProcessorMode mode) => mode is ProcessorMode.Long or ProcessorMode.Compatibility ? 16 : 8;

    public static IReadOnlyList<Scenario> SystemCalls()
    {
        ScenarioList list = new();
        foreach (ProcessorMode mode in ScenarioList.ProtectedModes)
        {
            for (int privilege = 0; privilege <= 3; privilege += 3)
            {
                foreach (ulong efer in (ReadOnlySpan<ulong>)[0, 1])
                {
                    void Prepare(SystemState s)
                    {
                        s.Cpu.Efer |= efer;
                        s.Cpu.Star = ((ulong)(Data0 | 3) << 48) | ((ulong)Code64 << 32) | Target;
                        s.Cpu.Lstar = Target;
                        s.Cpu.Cstar = Target + 0x10;
                        s.Cpu.SfMask = 0x47700;
                        s.Cpu.WriteRFlags(0x0AD7);
                        s.Cpu.Rcx = Target + 0x20;
                        s.Cpu.General[11] = 0x3202;
                    }
                    // Outside 64-bit mode the makers of CPUs differ.
                    if (mode != ProcessorMode.Long) continue;
                    list.Add($"syscall, efer {efer:X}", mode, privilege, [0x0F, 0x05], Prepare);
                    // KVM's emulator does not ask whether SYSRET is enabled, and where it leads is CPL 3.
                    list.Add($"sysret, efer {efer:X}", mode, privilege, [0x0F, 0x07], Prepare, needsHardware: true);
                    list.Add($"sysretq, efer {efer:X}", mode, privilege, [0x48, 0x0F, 0x07], Prepare, needsHardware: true);
                }
                foreach (ulong selector in (ReadOnlySpan<ulong>)[0, Code64, Code32, 0x18])
                {
                    void Prepare(SystemState s)
                    {
                        s.Cpu.SysenterCs = selector;
                        s.Cpu.SysenterEsp = KernelStack;
                        s.Cpu.SysenterEip = Target;
                        s.Cpu.Rcx = UserStack - 0x80;
                        s.Cpu.Rdx = Target + 0x20;
                        s.Cpu.WriteRFlags(0x202);
                    }
                    // In IA-32e mode AMD has no SYSENTER.
                    if (mode is ProcessorMode.Long or ProcessorMode.Compatibility) continue;
                    list.Add($"sysenter {selector:X}", mode, privilege, [0x0F, 0x34], Prepare);
                    list.Add($"sysexit {selector:X}", mode, privilege, [0x0F, 0x35], Prepare);
                }
            }
        }
        return list.All;
    }
}
