using System;
using System.Collections.Generic;
using Vmm.Cpu;

namespace Introspection.State;

/// <summary>A vCPU's registers by name.</summary>
public static class RegisterFile
{
    /// <summary>In the order of their numbers.</summary>
    public static IReadOnlyList<string> General { get; } =
        ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];

    private static readonly string[] s_lowBytes = ["al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"];
    private static readonly string[] s_highBytes = ["ah", "ch", "dh", "bh"];
    private static readonly string[] s_segments = ["es", "cs", "ss", "ds", "fs", "gs", "", "ldtr", "tr"];

    /// <summary>Registers that <see cref="TrySet"/> changes.</summary>
    public static bool CanSet(string name) => IndexOf(name) >= 0 || name is "rip" or "rflags";

    /// <summary>Names that an expression may use, for completion.</summary>
    public static IEnumerable<string> Names
    {
        get
        {
            foreach (string name in General) yield return name;
            foreach (string name in (string[])["rip", "rflags", "cr0", "cr2", "cr3", "cr4", "cr8", "efer", "gdtr", "idtr", "cpl"]) yield return name;
            foreach (string name in s_segments)
                if (name.Length > 0) yield return name;
            yield return "fs_base";
            yield return "gs_base";
            yield return "kernel_gs_base";
            for (int i = 0; i < 8; i++)
                if (i is not (4 or 5)) yield return $"dr{i}";
        }
    }

    public static ulong? Get(ref VcpuState s, string name)
    {
        if (TryGeneral(ref s, name, out ulong general)) return general;
        int segment = name.Length == 0 ? -1 : Array.IndexOf(s_segments, name);
        if (segment >= 0) return s.Segment(segment).Selector;
        if (name.Length == 3 && name.StartsWith("dr", StringComparison.Ordinal) && name[2] is >= '0' and <= '7' and not '4' and not '5') return s.Debug[name[2] - '0'];
        return name switch
        {
            "rip" => s.Rip, "eip" => (uint)s.Rip, "rflags" or "eflags" => s.ReadRFlags(),
            "cr0" => s.Cr0, "cr2" => s.Cr2, "cr3" => s.Cr3, "cr4" => s.Cr4, "cr8" => s.Cr8, "efer" => s.Efer, "xcr0" => s.Xcr0,
            "gdtr" => s.GdtrBase, "idtr" => s.IdtrBase, "cpl" => s.Cpl,
            "fs_base" => s.Segment(SegmentIndex.Fs).Base, "gs_base" => s.Segment(SegmentIndex.Gs).Base, "kernel_gs_base" => s.KernelGsBase,
            _ => null,
        };
    }

    /// <summary>How many bytes a register of <see cref="Get"/> has: 1, 2, 4 or 8.</summary>
    public static int SizeOf(string name)
    {
        if (Array.IndexOf(s_lowBytes, name) >= 0 || Array.IndexOf(s_highBytes, name) >= 0) return 1;
        if (name.Length == 2 && IndexOf("r" + name) is >= 0 and < 8) return 2;
        if (name.Length == 3 && name[0] == 'e' && (IndexOf("r" + name[1..]) is >= 0 and < 8 || name == "eip")) return 4;
        if (name.Length > 0 && Array.IndexOf(s_segments, name) >= 0) return 2;
        if (name == "eflags") return 4;
        bool isPart = name.Length >= 3 && name[0] == 'r' && IndexOf(name[..^1]) >= 8;
        return isPart ? name[^1] switch { 'd' => 4, 'w' => 2, _ => 1 } : 8;
    }

    /// <summary>Changes a general register, RIP or RFLAGS; false for any other.</summary>
    public static bool TrySet(ref VcpuState s, string name, ulong value)
    {
        int index = IndexOf(name);
        if (index >= 0) s.General[index] = value;
        else if (name == "rip") s.Rip = value;
        else if (name == "rflags") s.WriteRFlags(ChangedFlags(s.ReadRFlags(), value));
        else return false;
        return true;
    }

    // Bits that change how code runs beyond the next branch stay: the trap flag, IOPL, virtual-8086 mode and the like.
    private static ulong ChangedFlags(ulong old, ulong value)
    {
        const ulong free = RFlags.Arithmetic | RFlags.Direction | RFlags.Interrupt;
        return (old & ~free) | (value & free);
    }

    private static int IndexOf(string name)
    {
        for (int i = 0; i < General.Count; i++)
            if (General[i] == name) return i;
        return -1;
    }

    private static bool TryGeneral(ref VcpuState s, string name, out ulong value)
    {
        int index = IndexOf(name);
        value = 0;
        if (index >= 0) value = s.General[index];
        else if ((index = IndexOf("r" + (name.Length > 1 && name[0] == 'e' ? name[1..] : "-"))) is >= 0 and < 8) value = (uint)s.General[index];
        else if ((index = name.Length == 2 ? IndexOf("r" + name) : -1) is >= 0 and < 8) value = (ushort)s.General[index];
        else if ((index = Array.IndexOf(s_lowBytes, name)) >= 0) value = (byte)s.General[index];
        else if ((index = Array.IndexOf(s_highBytes, name)) >= 0) value = (byte)(s.General[index] >> 8);
        else if (name.Length >= 3 && name[0] == 'r' && (index = IndexOf(name[..^1])) >= 8 && name[^1] is 'd' or 'w' or 'b')
            value = name[^1] switch { 'd' => (uint)s.General[index], 'w' => (ushort)s.General[index], _ => (byte)s.General[index] };
        return index >= 0;
    }
}
