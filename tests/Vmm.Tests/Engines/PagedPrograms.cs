using System;
using System.Collections.Generic;
using System.IO;
using System.Security.Cryptography;
using Iced.Intel;
using Vmm.Cpu;
using Vmm.Memory;

namespace Vmm.Tests.Engines;

/// <summary>Programs with paging that <see cref="TestMachine"/>s run: how they are made, where things are, and what is compared.</summary>
internal static class PagedPrograms
{
    public const ulong CodeAddress = 0x1000, Moving = 0x5000, First = 0x20000, Second = 0x21000, Data = 0x30000, StackTop = 0x40000, OtherStack = 0x48000;
    public const ulong Directory = 0x10000, Table = 0x13000;
    private const int MemorySize = 1 << 20;

    public static Dictionary<ulong, byte[]> At(bool is64, Action<Assembler> emit) => At(is64, (a, _) => emit(a));

    public static Dictionary<ulong, byte[]> At(bool is64, Action<Assembler, Func<Label, int>> emit) => new() { [CodeAddress] = Assemble(is64, CodeAddress, emit) };

    public static byte[] Assemble(bool is64, ulong address, Action<Assembler> emit) => Assemble(is64, address, (a, _) => emit(a));

    /// <summary>In two passes: where labels are that were placed before they are asked for is known in the second one.</summary>
    public static byte[] Assemble(bool is64, ulong address, Action<Assembler, Func<Label, int>> emit)
    {
        var asked = new Dictionary<ulong, Label>();
        Pass(label =>
        {
            asked[label.Id] = label;
            return 0;
        }, out AssemblerResult first);
        var addresses = new Dictionary<ulong, int>();
        foreach ((ulong id, Label label) in asked) addresses.Add(id, (int)first.GetLabelRIP(label));
        return Pass(label => addresses[label.Id], out _);

        byte[] Pass(Func<Label, int> addressOf, out AssemblerResult result)
        {
            var assembler = new Assembler(is64 ? 64 : 32);
            emit(assembler, addressOf);
            using var stream = new MemoryStream();
            result = assembler.Assemble(new StreamCodeWriter(stream), address, BlockEncoderOptions.ReturnNewInstructionOffsets);
            return stream.ToArray();
        }
    }

    /// <summary>Registers, flags and what programs write.</summary>
    public static string Describe(TestMachine machine)
    {
        ref VcpuState s = ref machine.Vcpu.State;
        var registers = new List<string>();
        for (int i = 0; i < 16; i++) registers.Add($"{s.General[i]:x}");
        // What programs write: themselves, data and stacks.
        byte[] memory = new byte[0x1000 + OtherStack - Data];
        machine.Memory.Read(new GuestPhysicalAddress(CodeAddress), memory.AsSpan(0, 0x1000));
        machine.Memory.Read(new GuestPhysicalAddress(Data), memory.AsSpan(0x1000));
        return $"rip {s.Rip:x} flags {s.ReadRFlags():x} {string.Join(' ', registers)} {Convert.ToHexString(SHA256.HashData(memory))}";
    }

    /// <summary>A machine that is about to execute a program.</summary>
    /// <param name="bitness">32 or 64.</param>
    /// <param name="code">Bytes by physical address.</param>
    /// <param name="warmAt">How often a block is entered before it is translated; 0: it is interpreted.</param>
    // The first 2 MiB are mapped to themselves by small pages, but for one page that programs move; CPL 0.
    public static TestMachine Machine(int bitness, Dictionary<ulong, byte[]> code, int warmAt = 0)
    {
        var machine = new TestMachine(MemorySize, warmAt);
        bool is64 = bitness == 64;
        foreach ((ulong address, byte[] bytes) in code) machine.Memory.Write(new GuestPhysicalAddress(address), bytes);
        for (ulong page = 0; page < MemorySize >> 12; page++)
        {
            ulong entry = (page == Moving >> 12 && code.ContainsKey(First) ? First : page << 12) | 3;
            if (is64) machine.Memory.Write(new GuestPhysicalAddress(Table + page * 8), entry);
            else machine.Memory.Write(new GuestPhysicalAddress(Table + page * 4), (uint)entry);
        }
        if (is64)
        {
            machine.Memory.Write(new GuestPhysicalAddress(Directory), Directory + 0x1003);
            machine.Memory.Write(new GuestPhysicalAddress(Directory + 0x1000), Directory + 0x2003);
            machine.Memory.Write(new GuestPhysicalAddress(Directory + 0x2000), Table | 3);
        }
        else machine.Memory.Write(new GuestPhysicalAddress(Directory), (uint)Table | 3);
        ref VcpuState s = ref machine.Vcpu.State;
        s = default;
        s.Cr0 = 0x8000_0011; // PG, ET, PE
        s.Cr3 = Directory;
        s.Cr4 = is64 ? 0x20UL : 0; // PAE
        s.Efer = is64 ? 0x500UL : 0; // LMA, LME
        for (int segment = 0; segment <= SegmentIndex.Gs; segment++)
            s.Segment(segment) = new SegmentRegister { Limit = uint.MaxValue, Selector = 0x10, AccessRights = 0xC093 };
        s.Segment(SegmentIndex.Cs) = new SegmentRegister { Limit = uint.MaxValue, Selector = 8, AccessRights = (ushort)(is64 ? 0xA09B : 0xC09B) };
        s.Segment(SegmentIndex.Flat).Limit = uint.MaxValue;
        s.Rip = CodeAddress;
        s.Rsp = StackTop;
        s.WriteRFlags(2);
        machine.Reload();
        return machine;
    }
}
