using Vmm.Buses;
using Vmm.Snapshots;
using Vmm.Time;

namespace Vmm.Devices;

/// <summary>
/// ACPI fixed hardware (ACPI Specification 6.5, 4.8.3): PM1a event and control registers, the power management timer and
/// the power button, in the PIIX4's layout from a base port on: +0 PM1_STS, +2 PM1_EN, +4 PM1_CNT, +8 PM_TMR. SCI is
/// level-triggered and active while an enabled status bit is set. The machine is always in ACPI mode (SCI_EN is 1; the
/// FADT has SMI_CMD = 0). Not modelled: sleep states other than S5, bus master and global lock requests.
/// </summary>
internal sealed class AcpiPowerManagement : IBytePortDevice, ISnapshotted, ITimerTarget
{
    public const int PortCount = 12;
    public const ulong TimerHertz = 3_579_545;
    private const int TimerStatus = 1 << 0, PowerButtonStatus = 1 << 8;
    private const int StatusBits = TimerStatus | 1 << 5 | PowerButtonStatus | 1 << 10 | 1 << 15;
    private const int EnableBits = TimerStatus | 1 << 5 | PowerButtonStatus | 1 << 10;
    private const int SciEnable = 1, SleepTypeMask = 7 << 10, SleepEnable = 1 << 13;

    private readonly IClock _clock;
    private readonly IrqLine _sci;
    private readonly IPowerControl _power;
    private readonly int _firstPort;
    private readonly int _sleepTypeS5;
    private readonly int _carryShift;
    private readonly GuestTimer _timer;
    private readonly Oscillator _oscillator = new(TimerHertz);

    private int _status, _enable, _control = SciEnable;
    private ulong _carriesSeen; // TMR_STS has been set for this many changes of the timer's highest bit

    /// <param name="clock">Guest time.</param>
    /// <param name="timers">Where the timer's carry interrupt is queued.</param>
    /// <param name="sci">The system control interrupt.</param>
    /// <param name="power">Told about S5.</param>
    /// <param name="firstPort">PM1a event block, as in the FADT.</param>
    /// <param name="sleepTypeS5">SLP_TYP for S5, as in the DSDT's \_S5.</param>
    /// <param name="is32Bit">The timer has 32 bits (TMR_VAL_EXT in the FADT), not 24.</param>
    public AcpiPowerManagement(IClock clock, TimerQueue timers, IrqLine sci, IPowerControl power, int firstPort,
        int sleepTypeS5, bool is32Bit)
    {
        _clock = clock;
        _sci = sci;
        _power = power;
        _firstPort = firstPort;
        _sleepTypeS5 = sleepTypeS5;
        _carryShift = is32Bit ? 31 : 23;
        _timer = timers.Create(this, "acpi-pm");
    }

    public string SnapshotName => "acpi-pm";

    /// <summary>The power button was pressed: the guest is asked to shut down.</summary>
    public void PressPowerButton()
    {
        _status |= PowerButtonStatus;
        Update();
    }

    public byte ReadByte(int port)
    {
        int offset = port - _firstPort;
        if (offset is < 0 or >= PortCount) return 0xFF;
        ulong tick = Settle();
        uint value = (offset & ~3) switch
        {
            0 => (uint)(_status | _enable << 16),
            4 => (uint)_control,
            _ => TimerValue(tick),
        };
        return (byte)(value >> (8 * (offset & 3)));
    }

    // The timer is read whole: two byte reads could see two counts.
    uint IPortDevice.ReadPort(PortNumber port, int sizeBytes)
    {
        if (port.Value == _firstPort + 8 && sizeBytes == 4) return TimerValue(Settle());
        uint value = 0;
        for (int i = 0; i < sizeBytes; i++) value |= (uint)ReadByte(port.Value + i) << (8 * i);
        return value;
    }

    private uint TimerValue(ulong tick) => (uint)(tick & ((2UL << _carryShift) - 1));

    public void WriteByte(int port, byte value)
    {
        int offset = port - _firstPort;
        Settle();
        int shift = 8 * (offset & 1), bits = value << shift, mask = 0xFF << shift;
        switch (offset)
        {
            case 0 or 1:
                _status &= ~bits; // write 1 to clear
                break;
            case 2 or 3:
                _enable = (_enable & ~mask | bits) & EnableBits;
                break;
            case 4 or 5:
                _control = _control & ~mask | bits & (SleepTypeMask | 6) | SciEnable;
                if ((bits & SleepEnable) != 0 && (_control & SleepTypeMask) >> 10 == _sleepTypeS5) _power.PowerOff();
                break;
            default:
                return;
        }
        Update();
    }

    /// <summary>
    /// Sets TMR_STS if the timer's highest bit has changed since it was last looked at. Returns the current tick.
    /// </summary>
    private ulong Settle()
    {
        ulong tick = _oscillator.TicksAt(_clock.NowNanoseconds);
        SettleAt(tick);
        return tick;
    }

    private void SettleAt(ulong tick)
    {
        ulong carries = tick >> _carryShift;
        if (carries <= _carriesSeen) return;
        _carriesSeen = carries;
        _status |= TimerStatus;
        Update();
    }

    private void Update()
    {
        _sci.Set((_status & _enable) != 0);
        // The next carry matters only when it would change something.
        if ((_enable & ~_status & TimerStatus) != 0) _timer.Arm(_oscillator.NanosecondsAt((_carriesSeen + 1) << _carryShift));
        else _timer.Disarm();
    }

    public void OnTimer(GuestTimer timer, ulong deadlineNanoseconds) => SettleAt(_oscillator.TicksAt(deadlineNanoseconds));

    public void Save(StateWriter writer)
    {
        writer.Write("status", _status);
        writer.Write("enable", _enable);
        writer.Write("control", _control);
        writer.Write("carriesSeen", _carriesSeen);
        writer.Write("deadline", _timer.DeadlineNanoseconds);
        writer.Write("sci", _sci.IsHigh);
    }

    public void Restore(StateReader reader)
    {
        _status = reader.ReadInt32("status") & StatusBits;
        _enable = reader.ReadInt32("enable") & EnableBits;
        _control = reader.ReadInt32("control");
        _carriesSeen = reader.ReadUInt64("carriesSeen");
        _timer.Arm(reader.ReadUInt64("deadline"));
        _sci.Restore(reader.ReadBoolean("sci"));
    }
}
