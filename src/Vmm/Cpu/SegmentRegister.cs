using System.Runtime.InteropServices;

namespace Vmm.Cpu;

/// <summary>A segment register with its hidden part (SDM 3A 3.4.3).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SegmentRegister
{
    public ulong Base;
    /// <summary>Last valid offset in bytes, granularity applied.</summary>
    public uint Limit;
    public ushort Selector;
    /// <summary>Descriptor bits 40..55 as in VMX access rights: type 0..3, S 4, DPL 5..6, P 7, AVL 12, L 13, D/B 14, G 15; bit 16 of VMX's "unusable" is P clear here.</summary>
    public ushort AccessRights;

    public readonly int Type => AccessRights & 0xF;
    public readonly bool IsCodeOrData => (AccessRights & 0x10) != 0;
    public readonly int Dpl => (AccessRights >> 5) & 3;
    public readonly bool IsPresent => (AccessRights & 0x80) != 0;
    public readonly bool IsLong => (AccessRights & 0x2000) != 0;
    public readonly bool IsDefault32 => (AccessRights & 0x4000) != 0;
    public readonly bool IsCode => (AccessRights & 0x18) == 0x18;
    public readonly bool IsConforming => (AccessRights & 0x1C) == 0x1C;
    /// <summary>A readable segment: data, or code with R set.</summary>
    public readonly bool IsReadable => (AccessRights & 0x18) == 0x10 || (AccessRights & 0x1A) == 0x1A;
    public readonly bool IsWritable => (AccessRights & 0x1A) == 0x12;
    public readonly bool IsExpandDown => (AccessRights & 0x1C) == 0x14;
}

/// <summary>Numbers of the segment registers, in instruction encoding order, then those of our own.</summary>
public static class SegmentIndex
{
    public const int Es = 0, Cs = 1, Ss = 2, Ds = 3, Fs = 4, Gs = 5;
    /// <summary>Base 0, no limit: what ES, CS, SS and DS are in 64-bit mode.</summary>
    public const int Flat = 6;
    public const int Ldtr = 7, Tr = 8;
    public const int Count = 9;
}
