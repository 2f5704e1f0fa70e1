using System.Runtime.CompilerServices;

namespace Vmm.Cpu;

/// <summary>Register values after power-up, reset and INIT (SDM 3A table 9-1).</summary>
internal static class VcpuReset
{
    public static void PowerUp(ref VcpuState s)
    {
        s = default;
        s.X87Control = 0x40;
        s.X87Tags = 0xFF; // tag word 5555H: all zero, none empty
        s.Mxcsr = 0x1F80;
        s.Pat = 0x0007_0406_0007_0406;
        s.Xcr0 = 1;
        Initialize(ref s);
    }

    /// <summary>INIT: as power-up, but x87, SSE, MTRRs, most MSRs and CR0.CD and NW stay.</summary>
    public static void Initialize(ref VcpuState s)
    {
        ulong cacheBits = s.Cr0 & (Cr0.CacheDisable | Cr0.NotWriteThrough);
        s.General = default;
        s.Rdx = 0x0006_0FB1;
        s.Rip = 0xFFF0;
        s.WriteRFlags(0);
        for (int i = 0; i < SegmentIndex.Count; i++) s.Segment(i) = new SegmentRegister { Limit = 0xFFFF, AccessRights = 0x93 };
        s.Segment(SegmentIndex.Flat) = new SegmentRegister { Limit = uint.MaxValue, AccessRights = 0xC093 };
        s.Segment(SegmentIndex.Cs) = new SegmentRegister { Selector = 0xF000, Base = 0xFFFF_0000, Limit = 0xFFFF, AccessRights = 0x9B };
        s.Segment(SegmentIndex.Ldtr) = new SegmentRegister { Limit = 0xFFFF, AccessRights = 0x82 };
        s.Segment(SegmentIndex.Tr) = new SegmentRegister { Limit = 0xFFFF, AccessRights = 0x8B };
        s.GdtrBase = s.IdtrBase = 0;
        s.GdtrLimit = s.IdtrLimit = 0xFFFF;
        s.Cr0 = cacheBits | Cr0.ExtensionType;
        s.Cr2 = s.Cr3 = s.Cr4 = s.Efer = 0;
        s.Debug = default;
        s.Debug[6] = 0xFFFF_0FF0;
        s.Debug[7] = 0x400;
        s.Activity = VcpuActivity.Running;
        s.InterruptShadow = s.NmiPending = s.NmiBlocked = s.Cpl = 0;
        s.PendingDebug = 0;
    }

    /// <summary>SIPI: real mode at vector times 4 KiB (SDM 3A 8.4.4.1).</summary>
    public static void Startup(ref VcpuState s, byte vector)
    {
        s.Segment(SegmentIndex.Cs) = new SegmentRegister { Selector = (ushort)(vector << 8), Base = (ulong)vector << 12, Limit = 0xFFFF, AccessRights = 0x9B };
        s.Rip = 0;
        s.Activity = VcpuActivity.Running;
    }
}
