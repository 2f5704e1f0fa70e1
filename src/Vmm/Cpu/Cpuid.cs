using System;
using System.Text;

namespace Vmm.Cpu;

/// <summary>
/// The fixed CPU model, the same on every host: what it says is what is implemented. Vendor AuthenticAMD, family 15, as QEMU's qemu64: kernels then
/// use no microcode, no model-specific workarounds and no page-table isolation.
/// </summary>
internal static class Cpuid
{
    public const uint MaximumBasicLeaf = 0xD, MaximumExtendedLeaf = 0x8000_0008, MaximumHypervisorLeaf = 0x4000_0010;

    /// <summary>TSC and APIC bus frequency: one tick a nanosecond.</summary>
    public const uint FrequencyKilohertz = 1_000_000;

    private const string Brand = "ttvm virtual CPU";

    [Flags]
    private enum Leaf1Edx : uint
    {
        Fpu = 1, Vme = 0, De = 1 << 2, Pse = 1 << 3, Tsc = 1 << 4, Msr = 1 << 5, Pae = 1 << 6, Mce = 1 << 7, Cx8 = 1 << 8, Apic = 1 << 9, Sep = 1 << 11,
        Mtrr = 1 << 12, Pge = 1 << 13, Mca = 1 << 14, Cmov = 1 << 15, Pat = 1 << 16, Pse36 = 1 << 17, Clflush = 1 << 19, Mmx = 1 << 23, Fxsr = 1 << 24,
        Sse = 1 << 25, Sse2 = 1 << 26, Htt = 1 << 28,
    }

    [Flags]
    private enum Leaf1Ecx : uint
    {
        Sse3 = 1, Ssse3 = 1 << 9, Cx16 = 1 << 13, Pcid = 1 << 17, Sse41 = 1 << 19, Sse42 = 1 << 20, Popcnt = 1 << 23, TscDeadline = 1 << 24,
        Xsave = 1 << 26, OsXsave = 1 << 27, Hypervisor = 1U << 31,
    }

    private const uint CommonEdx = (uint)(Leaf1Edx.Fpu | Leaf1Edx.De | Leaf1Edx.Pse | Leaf1Edx.Tsc | Leaf1Edx.Msr | Leaf1Edx.Pae | Leaf1Edx.Mce | Leaf1Edx.Cx8
        | Leaf1Edx.Apic | Leaf1Edx.Mtrr | Leaf1Edx.Pge | Leaf1Edx.Mca | Leaf1Edx.Cmov | Leaf1Edx.Pat | Leaf1Edx.Pse36 | Leaf1Edx.Mmx | Leaf1Edx.Fxsr);

    public static (uint Eax, uint Ebx, uint Ecx, uint Edx) Query(in VcpuState s, int index, int cpuCount, uint leaf, uint subleaf)
    {
        if (leaf is >= 0x4000_0000 and <= MaximumHypervisorLeaf) return Hypervisor(leaf);
        // A leaf above the maximum answers as the highest basic leaf (SDM 2A CPUID); AMD processors answer zeros.
        switch (leaf)
        {
            case 0: return (MaximumBasicLeaf, Chars("Auth"), Chars("cAMD"), Chars("enti"));
            case 1: return Features(s, index, cpuCount);
            case 7 when subleaf == 0: return (0, 1 << 7 /* SMEP */ | 1 << 20 /* SMAP */ | 1 << 10 /* INVPCID */, 1 << 2 /* UMIP */, 0);
            case 0xB: return Topology(index, cpuCount, subleaf);
            case 0xD: return ExtendedState(subleaf);
            case 0x8000_0000: return (MaximumExtendedLeaf, Chars("Auth"), Chars("cAMD"), Chars("enti"));
            case 0x8000_0001:
                // LAHF in 64-bit mode, CMP_LEGACY; SYSCALL, NX, 1 GiB pages, RDTSCP, long mode.
                return (Signature, 0, 1U | (cpuCount > 1 ? 2U : 0), CommonEdx & 0x0183_F3FF | 1 << 11 | 1 << 20 | 1 << 26 | 1 << 27 | 1 << 29);
            case >= 0x8000_0002 and <= 0x8000_0004: return BrandString((int)(leaf - 0x8000_0002));
            case 0x8000_0005: return (0x01FF_01FF, 0x01FF_01FF, 0x4002_0140, 0x4002_0140);
            case 0x8000_0006: return (0, 0x4200_4200, 0x0200_8140, 0);
            case 0x8000_0007: return (0, 0, 0, 1 << 8 /* invariant TSC */);
            case 0x8000_0008: return (Paging.PagingControls.PhysicalAddressBits | 48 << 8, 0, (uint)(cpuCount - 1), 0);
            default: return default;
        }
    }

    /// <summary>Family 15, model 107, stepping 1.</summary>
    private const uint Signature = 0x0006_0FB1;

    private static (uint, uint, uint, uint) Features(in VcpuState s, int index, int cpuCount)
    {
        uint ebx = (uint)index << 24 | (uint)cpuCount << 16 | 8 << 8; // CLFLUSH line of 64 bytes
        var ecx = Leaf1Ecx.Sse3 | Leaf1Ecx.Ssse3 | Leaf1Ecx.Cx16 | Leaf1Ecx.Pcid | Leaf1Ecx.Sse41 | Leaf1Ecx.Sse42 | Leaf1Ecx.Popcnt | Leaf1Ecx.TscDeadline
            | Leaf1Ecx.Xsave | Leaf1Ecx.Hypervisor;
        if ((s.Cr4 & Cr4.OsXsave) != 0) ecx |= Leaf1Ecx.OsXsave;
        uint edx = CommonEdx | (uint)(Leaf1Edx.Sep | Leaf1Edx.Clflush | Leaf1Edx.Sse | Leaf1Edx.Sse2);
        if (cpuCount > 1) edx |= (uint)Leaf1Edx.Htt;
        return (Signature, ebx, (uint)ecx, edx);
    }

    /// <summary>x2APIC topology: one thread a core, all cores in one package.</summary>
    private static (uint, uint, uint, uint) Topology(int index, int cpuCount, uint subleaf)
    {
        uint shift = cpuCount > 1 ? (uint)System.Numerics.BitOperations.Log2((uint)cpuCount * 2 - 1) : 0;
        return subleaf switch
        {
            0 => (0, 1, 1 << 8, (uint)index),
            1 => (shift, (uint)cpuCount, 2 << 8 | 1, (uint)index),
            _ => (0, 0, subleaf, (uint)index),
        };
    }

    /// <summary>XSAVE: x87 and SSE state, standard format only, with XSAVEOPT.</summary>
    private static (uint, uint, uint, uint) ExtendedState(uint subleaf) => subleaf switch
    {
        0 => (3, 576, 576, 0),
        1 => (1, 0, 0, 0),
        _ => default,
    };

    private static (uint, uint, uint, uint) Hypervisor(uint leaf) => leaf switch
    {
        0x4000_0000 => (MaximumHypervisorLeaf, Chars("ttvm"), Chars("ttvm"), Chars("ttvm")),
        // Timing information as VMware defined it: TSC and bus frequency in kHz.
        0x4000_0010 => (FrequencyKilohertz, FrequencyKilohertz, 0, 0),
        _ => default,
    };

    private static (uint, uint, uint, uint) BrandString(int part)
    {
        Span<byte> text = stackalloc byte[48];
        text.Clear();
        Encoding.ASCII.GetBytes(Brand, text);
        ReadOnlySpan<uint> words = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, uint>(text);
        return (words[part * 4], words[part * 4 + 1], words[part * 4 + 2], words[part * 4 + 3]);
    }

    private static uint Chars(string four) => (uint)(four[0] | four[1] << 8 | four[2] << 16 | four[3] << 24);
}
