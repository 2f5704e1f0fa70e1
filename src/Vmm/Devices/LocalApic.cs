using Vmm.Snapshots;
using Vmm.Time;

namespace Vmm.Devices;

/// <summary>
/// One processor's local APIC (SDM 3A chapter 11), in xAPIC mode through its page and in x2APIC mode through MSRs
/// 0x800..0x83F. Version 0x14 with six LVT entries. Not modelled: moving the page with IA32_APIC_BASE, a writable xAPIC
/// ID, EOI suppression, CMCI, focus processors and arbitration (APR and RRR read 0), SMI, and fixed or NMI interrupts
/// through the LINT pins, which nothing drives but the 8259's ExtINT.
/// </summary>
internal sealed class LocalApic : ISnapshotted
{
    public const ulong PageAddress = 0xFEE0_0000;
    private const ulong BaseIsBsp = 1 << 8, BaseX2Apic = 1 << 10, BaseEnable = 1 << 11;
    private const uint Version = 0x0005_0014;
    private const uint LvtMasked = 1 << 16;
    private const uint LvtModeExtInt = 0x700, LvtModeNmi = 0x400;
    private const uint SvrSoftwareEnable = 0x100;
    private const uint EsrSendIllegalVector = 0x20, EsrReceiveIllegalVector = 0x40, EsrIllegalRegister = 0x80;

    /// <summary>Register numbers: offset in the page / 16, or MSR - 0x800.</summary>
    private static class Register
    {
        public const int Id = 0x02, Version = 0x03, Tpr = 0x08, Apr = 0x09, Ppr = 0x0A, Eoi = 0x0B;
        public const int Rrd = 0x0C, Ldr = 0x0D, Dfr = 0x0E, Svr = 0x0F;
        public const int Isr = 0x10, Tmr = 0x18, Irr = 0x20, Esr = 0x28, IcrLow = 0x30, IcrHigh = 0x31;
        public const int LvtTimer = 0x32, LvtThermal = 0x33, LvtPerformance = 0x34, LvtLint0 = 0x35, LvtLint1 = 0x36, LvtError = 0x37;
        public const int InitialCount = 0x38, CurrentCount = 0x39, Divide = 0x3E, SelfIpi = 0x3F;
    }

    private readonly IApicBus _bus;
    private readonly IInterruptSignal _signal;
    private readonly LocalApicTimer _timer;
    private readonly VectorSet _irr = new(), _isr = new(), _tmr = new();
    // By register number from LvtTimer on: which bits can be written.
    private static readonly uint[] s_lvtWritable = [0x0007_00FF, 0x0001_07FF, 0x0001_07FF, 0x0001_A7FF, 0x0001_A7FF, 0x0001_00FF];
    private readonly uint[] _lvt = new uint[6];

    private uint _tpr, _ldr, _dfr, _svr, _icrLow, _icrHigh;
    private uint _esr, _errors; // what is shown, and what has come up since ESR was last written

    public LocalApic(int cpuIndex, IClock clock, TimerQueue timers, IApicBus bus, IInterruptSignal signal)
    {
        CpuIndex = cpuIndex;
        _bus = bus;
        _signal = signal;
        SnapshotName = $"lapic{cpuIndex}";
        _timer = new LocalApicTimer(clock, timers, this, SnapshotName);
        Reset();
    }

    public string SnapshotName { get; }

    public int CpuIndex { get; }

    public uint ApicId => (uint)CpuIndex;

    /// <summary>IA32_APIC_BASE (MSR 0x1B).</summary>
    public ulong ApicBase { get; private set; }

    public bool IsEnabled => (ApicBase & BaseEnable) != 0;

    public bool IsX2Apic => (ApicBase & (BaseEnable | BaseX2Apic)) == (BaseEnable | BaseX2Apic);

    /// <summary>Enabled in IA32_APIC_BASE and in SVR: accepts fixed interrupts.</summary>
    public bool IsSoftwareEnabled => IsEnabled && (_svr & SvrSoftwareEnable) != 0;

    // ---- Reset, INIT, enabling.

    /// <summary>Power-up (SDM 3A 11.4.7.1).</summary>
    public void Reset()
    {
        ApicBase = PageAddress | BaseEnable | (CpuIndex == 0 ? BaseIsBsp : 0);
        Init();
    }

    /// <summary>INIT (SDM 3A 11.4.7.3): as power-up, but IA32_APIC_BASE and the ID stay.</summary>
    public void Init()
    {
        _irr.Clear();
        _isr.Clear();
        _tmr.Clear();
        _tpr = _ldr = _icrLow = _icrHigh = _esr = _errors = 0;
        _dfr = uint.MaxValue;
        _svr = 0xFF;
        for (int i = 0; i < _lvt.Length; i++) _lvt[i] = LvtMasked;
        _timer.Reset();
        _signal.Changed();
    }

    /// <summary>
    /// What a PC's firmware does on the bootstrap processor: enables the APIC with LINT0 as ExtINT and LINT1 as NMI
    /// ("virtual wire mode", MultiProcessor Specification 1.4, 3.6.2.2), so that the 8259 reaches the processor.
    /// </summary>
    public void EnableVirtualWire()
    {
        _svr |= SvrSoftwareEnable;
        _lvt[Register.LvtLint0 - Register.LvtTimer] = LvtModeExtInt;
        _lvt[Register.LvtLint1 - Register.LvtTimer] = LvtModeNmi;
        _signal.Changed();
    }

    /// <summary>
    /// WRMSR to IA32_APIC_BASE. False: #GP (reserved bits, or a transition that SDM 3A 11.12.5 forbids). The address is
    /// ignored.
    /// </summary>
    public bool TrySetApicBase(ulong value)
    {
        const ulong writable = BaseX2Apic | BaseEnable;
        // Bits 0..7 and 9 are reserved, and physical addresses have at most 52 bits.
        if ((value & 0xFFF0_0000_0000_02FF) != 0) return false;
        bool enable = (value & BaseEnable) != 0, x2Apic = (value & BaseX2Apic) != 0;
        if (x2Apic && !enable) return false;
        if (x2Apic && !IsEnabled) return false; // disabled to x2APIC
        if (!x2Apic && enable && IsX2Apic) return false; // x2APIC to xAPIC
        bool wasEnabled = IsEnabled;
        ApicBase = ApicBase & ~writable | value & writable;
        if (wasEnabled && !enable) Init(); // enabled again it comes up as after power-up
        _signal.Changed();
        return true;
    }

    // ---- Towards the processor.

    /// <summary>A fixed interrupt waits that is more urgent than the processor priority.</summary>
    public bool HasInterrupt
    {
        get
        {
            if (!IsSoftwareEnabled) return false;
            int vector = _irr.Highest;
            return vector >= 0 && vector >> 4 > (int)(ProcessorPriority >> 4);
        }
    }

    /// <summary>
    /// Takes the interrupt: from IRR to ISR. Returns its vector; the spurious vector when there is none (any more).
    /// </summary>
    public int AcknowledgeInterrupt()
    {
        if (!HasInterrupt) return (int)(_svr & 0xFF);
        int vector = _irr.Highest;
        _irr.Remove(vector);
        _isr.Add(vector);
        _signal.Changed();
        return vector;
    }

    /// <summary>
    /// The 8259's INTR reaches the processor: LINT0 is an unmasked ExtINT, or the APIC is disabled and its pin is INTR.
    /// </summary>
    public bool AcceptsExtInt
    {
        get
        {
            if (!IsEnabled) return true;
            uint lint0 = _lvt[Register.LvtLint0 - Register.LvtTimer];
            return (lint0 & (LvtMasked | 0x700)) == LvtModeExtInt;
        }
    }

    /// <summary>CR8: bits 4..7 of the task priority register (SDM 3A 11.8.6).</summary>
    public byte TaskPriority
    {
        get => (byte)(_tpr >> 4);
        set
        {
            _tpr = (uint)(value & 15) << 4;
            _signal.Changed();
        }
    }

    /// <summary>PPR (SDM 3A 11.8.3.1).</summary>
    private uint ProcessorPriority
    {
        get
        {
            int inService = _isr.Highest;
            uint serviceClass = inService < 0 ? 0 : (uint)inService & 0xF0;
            return (_tpr & 0xF0) >= serviceClass ? _tpr : serviceClass;
        }
    }

    // ---- From the bus.

    /// <summary>A fixed interrupt arrives.</summary>
    public void SetIrr(int vector, bool isLevelTriggered)
    {
        if (!IsSoftwareEnabled) return;
        if (vector < 16)
        {
            RaiseError(EsrReceiveIllegalVector);
            return;
        }
        _irr.Add(vector);
        if (isLevelTriggered) _tmr.Add(vector);
        else _tmr.Remove(vector);
        _signal.Changed();
    }

    /// <summary>Whether a message's destination means this processor (SDM 3A 11.6.2, 11.12.10).</summary>
    public bool Matches(uint destination, bool isLogical)
    {
        if (!IsEnabled) return false;
        if (destination == InterruptMessage.Broadcast) return true;
        if (!isLogical) return destination == ApicId;
        if (IsX2Apic) return destination >> 16 == X2ApicLdr >> 16 && (destination & X2ApicLdr & 0xFFFF) != 0;
        uint logicalId = _ldr >> 24;
        if (_dfr >> 28 == 0xF) return (destination & logicalId) != 0;
        uint cluster = destination >> 4;
        return (cluster == logicalId >> 4 || cluster == 0xF) && (destination & logicalId & 0xF) != 0;
    }

    private uint X2ApicLdr => ApicId >> 4 << 16 | 1u << (int)(ApicId & 15);

    private void RaiseError(uint bit)
    {
        bool isNew = (_errors & bit) == 0;
        _errors |= bit;
        if (isNew) DeliverLvt(Register.LvtError);
    }

    private void DeliverLvt(int register)
    {
        uint entry = _lvt[register - Register.LvtTimer];
        if ((entry & LvtMasked) != 0) return;
        int vector = (int)(entry & 0xFF);
        // An illegal vector in LVT error must not raise itself for ever.
        if (vector < 16 && register == Register.LvtError) _errors |= EsrReceiveIllegalVector;
        else SetIrr(vector, isLevelTriggered: false);
    }

    internal void DeliverTimer() => DeliverLvt(Register.LvtTimer);

    // ---- TSC deadline.

    /// <summary>IA32_TSC_DEADLINE (MSR 0x6E0); 0 when no deadline is set.</summary>
    public ulong GetTscDeadline() => _timer.TscDeadline;

    public void SetTscDeadline(ulong tsc) => _timer.SetTscDeadline(tsc);

    /// <summary>
    /// The processor's time stamp counter is guest nanoseconds plus this (modulo 2^64). Set it with IA32_TSC and
    /// IA32_TSC_ADJUST.
    /// </summary>
    public ulong TscOffset
    {
        get => _timer.TscOffset;
        set => _timer.TscOffset = value;
    }

    // ---- Registers.

    /// <summary>An aligned read in the page. <paramref name="offset"/> is that of the register.</summary>
    public uint ReadPage(int offset)
    {
        int register = offset >> 4;
        switch (register)
        {
            case Register.Id: return ApicId << 24;
            case Register.Ldr: return _ldr;
            case Register.Dfr: return _dfr;
            case Register.IcrHigh: return _icrHigh;
            case Register.SelfIpi or Register.Eoi: return 0;
            case Register.Apr or Register.Rrd: return 0;
            default:
                if (TryReadCommon(register, out uint value)) return value;
                RaiseError(EsrIllegalRegister);
                return 0;
        }
    }

    public void WritePage(int offset, uint value)
    {
        int register = offset >> 4;
        switch (register)
        {
            case Register.Ldr: _ldr = value & 0xFF00_0000; break;
            case Register.Dfr: _dfr = value | 0x0FFF_FFFF; break;
            case Register.IcrHigh: _icrHigh = value & 0xFF00_0000; break;
            case Register.IcrLow:
                _icrLow = value & 0x000C_CFFF;
                SendIpi(InterruptMessage.WidenDestination((byte)(_icrHigh >> 24)));
                break;
            case Register.Id or Register.Version or Register.Apr or Register.Ppr or Register.Rrd or Register.CurrentCount:
            case >= Register.Isr and < Register.Esr:
                break; // read-only
            default:
                if (!TryWriteCommon(register, value)) RaiseError(EsrIllegalRegister);
                break;
        }
    }

    /// <summary>RDMSR 0x800..0x83F. False: #GP.</summary>
    public bool ReadMsr(uint msr, out ulong value)
    {
        value = 0;
        if (!IsX2Apic) return false;
        int register = (int)(msr - 0x800);
        switch (register)
        {
            case Register.Id: value = ApicId; return true;
            case Register.Ldr: value = X2ApicLdr; return true;
            case Register.IcrLow: value = (ulong)_icrHigh << 32 | _icrLow; return true;
            default:
                bool known = TryReadCommon(register, out uint low);
                value = low;
                return known;
        }
    }

    /// <summary>WRMSR 0x800..0x83F. False: #GP.</summary>
    public bool WriteMsr(uint msr, ulong value)
    {
        if (!IsX2Apic) return false;
        int register = (int)(msr - 0x800);
        if (register == Register.IcrLow)
        {
            if ((value & 0xFFF3_2000) != 0) return false;
            _icrLow = (uint)value & 0x000C_CFFF;
            _icrHigh = (uint)(value >> 32);
            SendIpi(_icrHigh);
            return true;
        }
        if (value >> 32 != 0) return false;
        switch (register)
        {
            case Register.Eoi or Register.Esr:
                return value == 0 && TryWriteCommon(register, 0);
            case Register.SelfIpi:
                if (value > 0xFF) return false;
                if (value < 16) RaiseError(EsrSendIllegalVector);
                else SetIrr((int)value, isLevelTriggered: false);
                return true;
            case Register.Tpr:
                return value <= 0xFF && TryWriteCommon(register, (uint)value);
            default:
                return TryWriteCommon(register, (uint)value);
        }
    }

    /// <summary>Registers that read alike in both modes. False: there is no such register to read.</summary>
    private bool TryReadCommon(int register, out uint value)
    {
        switch (register)
        {
            case Register.Version: value = Version; return true;
            case Register.Tpr: value = _tpr; return true;
            case Register.Ppr: value = ProcessorPriority; return true;
            case Register.Svr: value = _svr; return true;
            case >= Register.Isr and < Register.Tmr: value = _isr.Register(register - Register.Isr); return true;
            case >= Register.Tmr and < Register.Irr: value = _tmr.Register(register - Register.Tmr); return true;
            case >= Register.Irr and < Register.Esr: value = _irr.Register(register - Register.Irr); return true;
            case Register.Esr: value = _esr; return true;
            case Register.IcrLow: value = _icrLow; return true;
            case >= Register.LvtTimer and <= Register.LvtError: value = _lvt[register - Register.LvtTimer]; return true;
            case Register.InitialCount: value = _timer.InitialCount; return true;
            case Register.CurrentCount: value = _timer.ReadCurrentCount(); return true;
            case Register.Divide: value = _timer.DivideRegister; return true;
            default: value = 0; return false;
        }
    }

    /// <summary>Registers that are written alike in both modes. False: there is no such register to write.</summary>
    private bool TryWriteCommon(int register, uint value)
    {
        switch (register)
        {
            case Register.Tpr:
                _tpr = value & 0xFF;
                _signal.Changed();
                return true;
            case Register.Eoi:
                EndOfInterrupt();
                return true;
            case Register.Svr:
                WriteSvr(value);
                return true;
            case Register.Esr:
                _esr = _errors;
                _errors = 0;
                return true;
            case >= Register.LvtTimer and <= Register.LvtError:
                WriteLvt(register, value);
                return true;
            case Register.InitialCount:
                _timer.SetInitialCount(value);
                return true;
            case Register.Divide:
                _timer.SetDivideRegister(value);
                return true;
            default:
                return false;
        }
    }

    private void EndOfInterrupt()
    {
        int vector = _isr.Highest;
        if (vector < 0) return;
        _isr.Remove(vector);
        if (_tmr.Contains(vector)) _bus.BroadcastEoi((byte)vector);
        _signal.Changed();
    }

    private void WriteSvr(uint value)
    {
        _svr = value & 0x1FF;
        if ((_svr & SvrSoftwareEnable) == 0)
        {
            // A disabled APIC has every LVT entry masked, and they stay so when it is enabled again (SDM 3A 11.4.7.2).
            for (int r = Register.LvtTimer; r <= Register.LvtError; r++) WriteLvt(r, _lvt[r - Register.LvtTimer]);
        }
        _signal.Changed();
    }

    private void WriteLvt(int register, uint value)
    {
        int index = register - Register.LvtTimer;
        value &= s_lvtWritable[index];
        if ((_svr & SvrSoftwareEnable) == 0) value |= LvtMasked;
        _lvt[index] = value;
        if (register == Register.LvtTimer) _timer.SetModeAndMask((int)(value >> 17) & 3, (value & LvtMasked) != 0);
        _signal.Changed();
    }

    private void SendIpi(uint destination)
    {
        var shorthand = (DestinationShorthand)(_icrLow >> 18 & 3);
        var mode = (DeliveryMode)(_icrLow >> 8 & 7);
        byte vector = (byte)_icrLow;
        if (mode is DeliveryMode.Fixed or DeliveryMode.LowestPriority && vector < 16)
        {
            RaiseError(EsrSendIllegalVector);
            return;
        }
        bool isLogical = (_icrLow & 0x800) != 0;
        bool isLevel = (_icrLow & 0x8000) != 0, isAsserted = (_icrLow & 0x4000) != 0;
        // Only INIT has a de-assert message: level-triggered with level 0. IPIs of other modes are edges, whatever the bits say.
        bool isDeassert = mode == DeliveryMode.Init && isLevel && !isAsserted;
        var message = new InterruptMessage(destination, isLogical, mode, vector, false, !isDeassert);
        _bus.SendIpi(CpuIndex, shorthand, message);
    }

    public void Save(StateWriter writer)
    {
        writer.Write("apicBase", ApicBase);
        _irr.Save(writer, "irr");
        _isr.Save(writer, "isr");
        _tmr.Save(writer, "tmr");
        writer.Write("tpr", _tpr);
        writer.Write("ldr", _ldr);
        writer.Write("dfr", _dfr);
        writer.Write("svr", _svr);
        writer.Write("icrLow", _icrLow);
        writer.Write("icrHigh", _icrHigh);
        writer.Write("esr", _esr);
        writer.Write("errors", _errors);
        foreach (uint entry in _lvt) writer.Write("lvt", entry);
        _timer.Save(writer);
    }

    public void Restore(StateReader reader)
    {
        ApicBase = reader.ReadUInt64("apicBase");
        _irr.Restore(reader, "irr");
        _isr.Restore(reader, "isr");
        _tmr.Restore(reader, "tmr");
        _tpr = reader.ReadUInt32("tpr");
        _ldr = reader.ReadUInt32("ldr");
        _dfr = reader.ReadUInt32("dfr");
        _svr = reader.ReadUInt32("svr");
        _icrLow = reader.ReadUInt32("icrLow");
        _icrHigh = reader.ReadUInt32("icrHigh");
        _esr = reader.ReadUInt32("esr");
        _errors = reader.ReadUInt32("errors");
        for (int i = 0; i < _lvt.Length; i++) _lvt[i] = reader.ReadUInt32("lvt");
        _timer.Restore(reader);
        _signal.Changed();
    }
}
