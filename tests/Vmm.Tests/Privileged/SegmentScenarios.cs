using System;
using System.Collections.Generic;
using static Vmm.Tests.Privileged.SystemBuilder;

namespace Vmm.Tests.Privileged;

/// <summary>Loads of segment registers, LDTR and TR, and the instructions that look at descriptors (SDM 3A 5.5 - 5.7; 2A, MOV, LLDT, LTR, LAR).</summary>
internal static class SegmentScenarios
{
    public static IReadOnlyList<Scenario> Loads()
    {
        ScenarioList list = new();
        string[] names = ["es", "cs", "ss", "ds", "fs", "gs"];
        foreach (ProcessorMode mode in ScenarioList.ProtectedModes)
        {
            foreach (ushort selector in AllSelectors)
            {
                for (int privilege = 0; privilege <= 3; privilege += 3)
                {
                    for (int rpl = 0; rpl <= 3; rpl += 3)
                    {
                        foreach (int segment in (ReadOnlySpan<int>)[0, 2, 3, 5])
                        {
                            ulong value = (ulong)(selector | rpl);
                            list.Add($"mov {names[segment]}, {value:X}", mode, privilege, [0x8E, (byte)(0xC0 | (segment << 3))], s => s.Cpu.Rax = value);
                        }
                    }
                }
            }
            list.Add("mov cs, ax", mode, 0, [0x8E, 0xC8], s => s.Cpu.Rax = Code32);
        }
        return list.All;
    }

    public static IReadOnlyList<Scenario> PopsAndFarPointers()
    {
        ScenarioList list = new();
        foreach (ProcessorMode mode in ScenarioList.ProtectedModes)
        {
            foreach (ushort selector in (ReadOnlySpan<ushort>)[Null, Data0, UserData, Code32, NotPresentData, BeyondGdt, SmallData, ReadOnlyData])
            {
                void OnStack(SystemState s) => s.Write64((int)s.Cpu.Rsp, selector);
                list.Add($"pop fs = {selector:X}", mode, 0, [0x0F, 0xA1], OnStack);
                list.Add($"pop gs = {selector:X}", mode, 0, [0x0F, 0xA9], OnStack);
                if (mode != ProcessorMode.Long)
                {
                    list.Add($"pop es = {selector:X}", mode, 0, [0x07], OnStack);
                    list.Add($"pop ds = {selector:X}", mode, 0, [0x1F], OnStack);
                    list.Add($"pop ss = {selector:X}", mode, 0, [0x17], OnStack);
                }
                void InMemory(SystemState s)
                {
                    s.Write32(Data, 0x1234_5678);
                    s.Write16(Data + 4, selector);
                }
                list.Add($"lss {selector:X}", mode, 0, ScenarioList.Absolute(mode, [0x0F, 0xB2], 3, Data), InMemory);
                list.Add($"lgs {selector:X}", mode, 0, ScenarioList.Absolute(mode, [0x0F, 0xB5], 3, Data), InMemory);
            }
            foreach (byte opcode in (ReadOnlySpan<byte>)[0x06, 0x0E, 0x16, 0x1E])
                list.Add($"push sreg {opcode:X}", mode, 0, [opcode]);
            list.Add("push fs", mode, 0, [0x0F, 0xA0]);
            for (int segment = 0; segment < 8; segment++)
                list.Add($"mov eax, sreg {segment}", mode, 0, [0x8C, (byte)(0xC0 | (segment << 3))]);
        }
        return list.All;
    }

    public static IReadOnlyList<Scenario> SystemSegments()
    {
        ScenarioList list = new();
        foreach (ProcessorMode mode in ScenarioList.ProtectedModes)
        {
            foreach (ushort selector in AllSelectors)
            {
                void Selector(SystemState s) => s.Cpu.Rcx = selector;
                // KVM's emulator reads a descriptor from the LDT before it refuses it, and gives the wrong error code.
                bool isLocal = (selector & 4) != 0;
                list.Add($"lldt {selector:X}", mode, 0, [0x0F, 0x00, 0xD1], Selector, needsHardware: isLocal);
                list.Add($"ltr {selector:X}", mode, 0, [0x0F, 0x00, 0xD9], Selector, needsHardware: isLocal);
                for (int privilege = 0; privilege <= 3; privilege += 3)
                {
                    list.Add($"lar {selector:X}", mode, privilege, [0x0F, 0x02, 0xC1], Selector);
                    list.Add($"lsl {selector:X}", mode, privilege, [0x0F, 0x03, 0xC1], Selector);
                    list.Add($"verr {selector:X}", mode, privilege, [0x0F, 0x00, 0xE1], Selector);
                    list.Add($"verw {selector:X}", mode, privilege, [0x0F, 0x00, 0xE9], Selector);
                }
            }
            list.Add("lldt", mode, 3, [0x0F, 0x00, 0xD1], s => s.Cpu.Rcx = LdtSelector);
            list.Add("ltr", mode, 3, [0x0F, 0x00, 0xD9], s => s.Cpu.Rcx = OtherTssSelector);
            list.Add("sldt", mode, 0, [0x0F, 0x00, 0xC0]);
            list.Add("str", mode, 0, [0x0F, 0x00, 0xC8]);
            foreach (int operation in (ReadOnlySpan<int>)[0, 1, 2, 3])
            {
                byte[] code = ScenarioList.Absolute(mode, [0x0F, 0x01], operation, Data);
                foreach (int privilege in (ReadOnlySpan<int>)[0, 3])
                {
                    list.Add(((string[])["sgdt", "sidt", "lgdt", "lidt"])[operation], mode, privilege, code, s =>
                    {
                        s.Write16(Data, 0x01FF);
                        s.Write64(Data + 2, operation == 3 ? (ulong)Idt : Gdt);
                    });
                }
            }
        }
        foreach (byte operation in (ReadOnlySpan<byte>)[0xC0, 0xC8, 0xD1, 0xD9, 0xE1, 0xE9])
            list.Add($"0F 00 {operation:X}", ProcessorMode.Real, 0, [0x0F, 0x00, operation]);
        list.Add("lar", ProcessorMode.Real, 0, [0x0F, 0x02, 0xC1]);
        list.Add("arpl", ProcessorMode.Real, 0, [0x63, 0xC8]);
        return list.All;
    }

    /// <summary>Accesses through segments that do not allow them.</summary>
    public static IReadOnlyList<Scenario> Accesses()
    {
        ScenarioList list = new();
        foreach (ProcessorMode mode in ScenarioList.ProtectedModes)
        {
            foreach (ushort selector in (ReadOnlySpan<ushort>)[Data0, Null, SmallData, ExpandDownData, ReadOnlyData, Code32, ExecuteOnlyCode])
            {
                foreach (uint offset in (ReadOnlySpan<uint>)[0, 0x0C, 0x0D, 0x0F, 0x10, 0xFFE, 0xFFF, 0x1000, 0x5000])
                {
                    void Place(SystemState s)
                    {
                        s.Cpu.Rcx = selector;
                        s.Cpu.Rbx = offset;
                    }
                    list.Add($"mov gs, {selector:X}; mov eax, gs:[{offset:X}]", mode, 0, [0x8E, 0xE9, 0x65, 0x8B, 0x03], Place);
                    list.Add($"mov gs, {selector:X}; mov gs:[{offset:X}], ax", mode, 0, [0x8E, 0xE9, 0x66, 0x65, 0x89, 0x03], s =>
                    {
                        Place(s);
                        if (offset is > 0x1000 and < 0x4FFF or 0) s.Cpu.Rbx = Data; // not over the code
                    });
                }
            }
        }
        return list.All;
    }
}
