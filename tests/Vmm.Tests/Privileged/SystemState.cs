using System;
using System.Globalization;
using System.Text;
using Vmm.Cpu;

namespace Vmm.Tests.Privileged;

/// <summary>How a privileged scenario ended.</summary>
internal enum SystemOutcome
{
    /// <summary>HLT at CPL 0: the end of the code, or the handler of an exception.</summary>
    Halted = 0,
    /// <summary>A triple fault.</summary>
    ShutDown = 1,
    /// <summary>The oracle cannot tell: KVM does not emulate the instruction on this host.</summary>
    NoAnswer = 2,
    TimedOut = 3,
    /// <summary>The oracle did not accept the initial state.</summary>
    BadState = 4,
}

/// <summary>A vCPU and all of its memory, before or after a scenario.</summary>
internal sealed class SystemState
{
    public const int MemorySizeBytes = 0x2_0000;

    public VcpuState Cpu;
    public byte[] Memory { get; init; } = new byte[MemorySizeBytes];
    public SystemOutcome Outcome { get; set; }
    /// <summary>For messages: why there is no answer.</summary>
    public uint Detail { get; set; }

    public static uint[] MsrNumbers { get; } = [0xC000_0081, 0xC000_0082, 0xC000_0083, 0xC000_0084, 0xC000_0102, 0x174, 0x175, 0x176];

    public SystemState Clone()
    {
        SystemState copy = new() { Outcome = Outcome, Detail = Detail };
        copy.Cpu = Cpu;
        Memory.CopyTo(copy.Memory, 0);
        return copy;
    }

    public void Write(int address, ReadOnlySpan<byte> bytes) => bytes.CopyTo(Memory.AsSpan(address));

    public void Write64(int address, ulong value) => BitConverter.TryWriteBytes(Memory.AsSpan(address), value);

    public void Write32(int address, uint value) => BitConverter.TryWriteBytes(Memory.AsSpan(address), value);

    public void Write16(int address, ushort value) => BitConverter.TryWriteBytes(Memory.AsSpan(address), value);

    /// <summary>The MSRs of <see cref="MsrNumbers"/>.</summary>
    public ulong Msr(int index) => index switch
    {
        0 => Cpu.Star, 1 => Cpu.Lstar, 2 => Cpu.Cstar, 3 => Cpu.SfMask, 4 => Cpu.KernelGsBase, 5 => Cpu.SysenterCs, 6 => Cpu.SysenterEsp,
        _ => Cpu.SysenterEip,
    };

    public void SetMsr(int index, ulong value)
    {
        switch (index)
        {
            case 0: Cpu.Star = value; break;
            case 1: Cpu.Lstar = value; break;
            case 2: Cpu.Cstar = value; break;
            case 3: Cpu.SfMask = value; break;
            case 4: Cpu.KernelGsBase = value; break;
            case 5: Cpu.SysenterCs = value; break;
            case 6: Cpu.SysenterEsp = value; break;
            default: Cpu.SysenterEip = value; break;
        }
    }

    /// <summary>The differences of <paramref name="found"/> from this, the expected state; empty when there are none.</summary>
    public string Compare(SystemState found, ulong undefinedFlags)
    {
        Report report = new();
        report.Add("outcome", (ulong)Outcome, (ulong)found.Outcome);
        if (Outcome == SystemOutcome.ShutDown && found.Outcome == SystemOutcome.ShutDown) return report.ToString();
        for (int register = 0; register < 16; register++)
            report.Add(RegisterNames[register], Cpu.General[register], found.Cpu.General[register]);
        report.Add("rip", Cpu.Rip, found.Cpu.Rip);
        report.Add("rflags", Cpu.ReadRFlags() & ~undefinedFlags, found.Cpu.ReadRFlags() & ~undefinedFlags);
        for (int index = 0; index < SegmentNumbers.Length; index++)
            CompareSegment(report, SegmentNames[index], Cpu.Segments[SegmentNumbers[index]], found.Cpu.Segments[SegmentNumbers[index]]);
        report.Add("gdtr.base", Cpu.GdtrBase, found.Cpu.GdtrBase);
        report.Add("gdtr.limit", Cpu.GdtrLimit, found.Cpu.GdtrLimit);
        report.Add("idtr.base", Cpu.IdtrBase, found.Cpu.IdtrBase);
        report.Add("idtr.limit", Cpu.IdtrLimit, found.Cpu.IdtrLimit);
        report.Add("cr0", Cpu.Cr0, found.Cpu.Cr0);
        report.Add("cr2", Cpu.Cr2, found.Cpu.Cr2);
        report.Add("cr3", Cpu.Cr3, found.Cpu.Cr3);
        report.Add("cr4", Cpu.Cr4, found.Cpu.Cr4);
        report.Add("efer", Cpu.Efer, found.Cpu.Efer);
        for (int index = 0; index < MsrNumbers.Length; index++)
            report.Add(string.Create(CultureInfo.InvariantCulture, $"msr {MsrNumbers[index]:X}"), Msr(index), found.Msr(index));
        for (int address = 0; address < MemorySizeBytes; address += 4)
        {
            report.Add(string.Create(CultureInfo.InvariantCulture, $"[{address:X}]"), BitConverter.ToUInt32(Memory, address),
                BitConverter.ToUInt32(found.Memory, address));
        }
        return report.ToString();
    }

    private static void CompareSegment(Report report, string name, in SegmentRegister expected, in SegmentRegister found)
    {
        report.Add(name, expected.Selector, found.Selector);
        if ((expected.Selector & ~3) == 0 && (found.Selector & ~3) == 0 && !(expected.IsPresent && found.IsPresent)) return;
        report.Add(name + ".present", expected.IsPresent ? 1u : 0, found.IsPresent ? 1u : 0);
        if (!expected.IsPresent || !found.IsPresent) return; // what a null selector leaves in the hidden part cannot be seen
        report.Add(name + ".base", expected.Base, found.Base);
        report.Add(name + ".limit", expected.Limit, found.Limit);
        report.Add(name + ".access", expected.AccessRights, found.AccessRights);
    }

    private static readonly string[] RegisterNames =
        ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];

    /// <summary>ES, CS, SS, DS, FS, GS, LDTR, TR: the order of the oracle's protocol.</summary>
    public static int[] SegmentNumbers { get; } =
        [SegmentIndex.Es, SegmentIndex.Cs, SegmentIndex.Ss, SegmentIndex.Ds, SegmentIndex.Fs, SegmentIndex.Gs, SegmentIndex.Ldtr, SegmentIndex.Tr];

    private static readonly string[] SegmentNames = ["es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr"];

    private sealed class Report
    {
        private readonly StringBuilder _text = new();
        private int _count;

        public void Add(string what, ulong expected, ulong found)
        {
            if (expected == found || ++_count > 12) return;
            _text.Append(CultureInfo.InvariantCulture, $"    {what}: KVM has {expected:X}, found {found:X}\n");
        }

        public override string ToString() => _text.ToString();
    }
}
