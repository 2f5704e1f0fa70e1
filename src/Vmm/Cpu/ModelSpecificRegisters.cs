namespace Vmm.Cpu;

/// <summary>RDMSR and WRMSR (SDM 4). An MSR that does not exist raises #GP, as on hardware: kernels probe for it.</summary>
internal static class ModelSpecificRegisters
{
    private const uint TimeStampCounter = 0x10, ApicBase = 0x1B, TscAdjust = 0x3B, BiosSignature = 0x8B, MtrrCapabilities = 0xFE, SysenterCs = 0x174,
        SysenterEsp = 0x175, SysenterEip = 0x176, MachineCheckCapabilities = 0x179, MachineCheckStatus = 0x17A, MiscEnable = 0x1A0, MtrrVariableFirst = 0x200,
        MtrrVariableLast = 0x20F, MtrrFixed64K = 0x250, MtrrFixed16KFirst = 0x258, MtrrFixed16KLast = 0x259, MtrrFixed4KFirst = 0x268, MtrrFixed4KLast = 0x26F,
        PageAttributeTable = 0x277, MtrrDefaultType = 0x2FF, MachineCheckBanks = 0x400, TscDeadline = 0x6E0, X2ApicFirst = 0x800, X2ApicLast = 0x83F,
        EferMsr = 0xC000_0080, Star = 0xC000_0081, Lstar = 0xC000_0082, Cstar = 0xC000_0083, SfMask = 0xC000_0084, FsBase = 0xC000_0100,
        GsBase = 0xC000_0101, KernelGsBase = 0xC000_0102, TscAux = 0xC000_0103, AmdSysCfg = 0xC001_0010, AmdHwcr = 0xC001_0015,
        AmdInterruptPending = 0xC001_0055;

    private static bool IsApicMsr(uint msr) => msr is ApicBase or TscDeadline or >= X2ApicFirst and <= X2ApicLast;

    public static bool TryRead(Vcpu c, uint msr, out ulong value)
    {
        ref VcpuState s = ref c.State;
        value = 0;
        if (IsApicMsr(msr)) return c.Bus.TryReadApicMsr(c, msr, out value);
        switch (msr)
        {
            case TimeStampCounter: value = c.Bus.ReadTimeStampCounter() + s.TscAdjust; return true;
            case TscAdjust: value = s.TscAdjust; return true;
            case BiosSignature: return true;
            case MtrrCapabilities: value = 8 | 1 << 8 | 1 << 10; return true;
            case SysenterCs: value = s.SysenterCs; return true;
            case SysenterEsp: value = s.SysenterEsp; return true;
            case SysenterEip: value = s.SysenterEip; return true;
            // No machine-check banks.
            case MachineCheckCapabilities or MachineCheckStatus: return true;
            case MiscEnable: value = s.MiscEnable; return true;
            case >= MtrrVariableFirst and <= MtrrVariableLast: value = s.VariableMtrrs[(int)(msr - MtrrVariableFirst)]; return true;
            case MtrrFixed64K: value = s.FixedMtrrs[0]; return true;
            case MtrrFixed16KFirst or MtrrFixed16KLast: value = s.FixedMtrrs[1 + (int)(msr - MtrrFixed16KFirst)]; return true;
            case >= MtrrFixed4KFirst and <= MtrrFixed4KLast: value = s.FixedMtrrs[3 + (int)(msr - MtrrFixed4KFirst)]; return true;
            case PageAttributeTable: value = s.Pat; return true;
            case MtrrDefaultType: value = s.MtrrDefaultType; return true;
            case EferMsr: value = s.Efer; return true;
            case Star: value = s.Star; return true;
            case Lstar: value = s.Lstar; return true;
            case Cstar: value = s.Cstar; return true;
            case SfMask: value = s.SfMask; return true;
            case FsBase: value = s.Segment(SegmentIndex.Fs).Base; return true;
            case GsBase: value = s.Segment(SegmentIndex.Gs).Base; return true;
            case KernelGsBase: value = s.KernelGsBase; return true;
            case TscAux: value = s.TscAux; return true;
            // The last one tells, by zero, that C1E is off (BKDG of family 0Fh, "Interrupt Pending and CMP-Halt Register").
            case AmdSysCfg or AmdHwcr or AmdInterruptPending: return true;
            default: return false;
        }
    }

    public static bool TryWrite(Vcpu c, uint msr, ulong value)
    {
        ref VcpuState s = ref c.State;
        if (IsApicMsr(msr)) return c.Bus.TryWriteApicMsr(c, msr, value);
        switch (msr)
        {
            case TimeStampCounter or TscAdjust:
                s.TscAdjust = msr == TscAdjust ? value : value - c.Bus.ReadTimeStampCounter();
                c.Bus.TimeStampAdjusted(c);
                return true;
            case SysenterCs: s.SysenterCs = value; return true;
            case SysenterEsp: return TrySetCanonical(ref s.SysenterEsp, value);
            case SysenterEip: return TrySetCanonical(ref s.SysenterEip, value);
            case BiosSignature: return true;
            case MachineCheckStatus: return value == 0;
            case MiscEnable: s.MiscEnable = value; return true;
            case >= MtrrVariableFirst and <= MtrrVariableLast: s.VariableMtrrs[(int)(msr - MtrrVariableFirst)] = value; return true;
            case MtrrFixed64K: s.FixedMtrrs[0] = value; return true;
            case MtrrFixed16KFirst or MtrrFixed16KLast: s.FixedMtrrs[1 + (int)(msr - MtrrFixed16KFirst)] = value; return true;
            case >= MtrrFixed4KFirst and <= MtrrFixed4KLast: s.FixedMtrrs[3 + (int)(msr - MtrrFixed4KFirst)] = value; return true;
            case PageAttributeTable:
                for (int i = 0; i < 64; i += 8)
                    if (((value >> i) & 0xFF) is 2 or 3 or > 7) return false;
                s.Pat = value;
                return true;
            case MtrrDefaultType: s.MtrrDefaultType = value; return true;
            case EferMsr: return ControlRegisters.WriteEfer(c, value) != Decoding.Completion.Fault;
            case Star: s.Star = value; return true;
            case Lstar: return TrySetCanonical(ref s.Lstar, value);
            case Cstar: return TrySetCanonical(ref s.Cstar, value);
            case SfMask: s.SfMask = value & 0xFFFF_FFFF; return true;
            case FsBase: return TrySetCanonical(ref s.Segment(SegmentIndex.Fs).Base, value);
            case GsBase: return TrySetCanonical(ref s.Segment(SegmentIndex.Gs).Base, value);
            case KernelGsBase: return TrySetCanonical(ref s.KernelGsBase, value);
            case TscAux:
                s.TscAux = value & 0xFFFF_FFFF;
                return value >> 32 == 0;
            case AmdSysCfg or AmdHwcr or AmdInterruptPending: return true;
            default: return false;
        }
    }

    private static bool TrySetCanonical(ref ulong register, ulong value)
    {
        if ((ulong)((long)(value << 16) >> 16) != value) return false;
        register = value;
        return true;
    }
}
