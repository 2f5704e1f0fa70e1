namespace Vmm.Cpu;

/// <summary>An entry of the GDT, LDT or IDT (SDM 3A 3.4.5, 3.5, 6.11, 6.14).</summary>
/// <param name="Low">First 8 bytes.</param>
/// <param name="High">Second 8 bytes of a 16-byte descriptor of long mode, else 0.</param>
internal readonly record struct Descriptor(ulong Low, ulong High)
{
    public ulong Base => ((Low >> 16) & 0xFF_FFFF) | ((Low >> 32) & 0xFF00_0000) | High << 32;

    public uint Limit
    {
        get
        {
            uint limit = (uint)((Low & 0xFFFF) | ((Low >> 32) & 0xF_0000));
            return (Low & (1UL << 55)) != 0 ? limit << 12 | 0xFFF : limit;
        }
    }

    /// <summary>In the layout of <see cref="SegmentRegister.AccessRights"/>.</summary>
    public ushort AccessRights => (ushort)((Low >> 40) & 0xF0FF);

    public int Type => (int)(Low >> 40) & 0xF;
    public bool IsCodeOrData => (Low & (1UL << 44)) != 0;
    public int Dpl => (int)(Low >> 45) & 3;
    public bool IsPresent => (Low & (1UL << 47)) != 0;
    public bool IsLong => (Low & (1UL << 53)) != 0;
    public bool IsDefault32 => (Low & (1UL << 54)) != 0;
    public bool IsCode => IsCodeOrData && (Type & 8) != 0;
    public bool IsConforming => IsCode && (Type & 4) != 0;
    public bool IsReadable => IsCodeOrData && ((Type & 8) == 0 || (Type & 2) != 0);
    public bool IsWritable => IsCodeOrData && (Type & 0xA) == 2;

    // Gates
    public ushort GateSelector => (ushort)(Low >> 16);
    public ulong GateOffset => (Low & 0xFFFF) | ((Low >> 32) & 0xFFFF_0000) | High << 32;
    public int GateParameterCount => (int)(Low >> 32) & 0x1F;
    public int GateInterruptStack => (int)(Low >> 32) & 7;

    public SegmentRegister ToRegister(ushort selector) => new() { Base = Base, Limit = Limit, Selector = selector, AccessRights = AccessRights };
}

/// <summary>Types of system descriptors (SDM 3A table 3-2).</summary>
internal static class SystemDescriptorType
{
    public const int Tss16Available = 1, Ldt = 2, Tss16Busy = 3, CallGate16 = 4, TaskGate = 5, InterruptGate16 = 6, TrapGate16 = 7,
        Tss32Available = 9, Tss32Busy = 11, CallGate32 = 12, InterruptGate32 = 14, TrapGate32 = 15;
}
