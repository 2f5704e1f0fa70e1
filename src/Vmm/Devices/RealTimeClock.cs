using System;
using Vmm.Buses;
using Vmm.Snapshots;
using Vmm.Time;

namespace Vmm.Devices;

/// <summary>
/// The MC146818A real-time clock (Motorola datasheet, ADI850) with a PC's 128 bytes of CMOS memory, index at 0x70 (bit 7
/// masks NMI), data at 0x71, interrupt on IRQ8. The time is computed from the guest's clock and the divider's phase;
/// interrupt flags are brought up to date when someone looks, and a guest timer runs only while an enabled interrupt has
/// yet to come. Time registers change and UF is set at the end of the update cycle, 2228 us after UIP rises. Not
/// modelled: daylight saving, the square-wave output, other time bases than 32,768 Hz.
/// </summary>
internal sealed class RealTimeClock : IBytePortDevice, ISnapshotted, ITimerTarget
{
    public const int IndexPort = 0x70;
    public const int DataPort = 0x71;
    private const int Seconds = 0, SecondsAlarm = 1, Minutes = 2, MinutesAlarm = 3, Hours = 4, HoursAlarm = 5;
    private const int DayOfWeek = 6, Day = 7, Month = 8, Year = 9;
    private const int RegisterA = 0x0A, RegisterB = 0x0B, RegisterC = 0x0C, RegisterD = 0x0D, Century = 0x32;
    private const int Set = 0x80, PeriodicEnable = 0x40, AlarmEnable = 0x20, UpdateEnable = 0x10, Binary = 0x04, Is24Hour = 0x02;
    private const int PeriodicFlag = 0x40, AlarmFlag = 0x20, UpdateFlag = 0x10, InterruptEnables = 0x70;
    private const long NanosecondsPerSecond = 1_000_000_000;
    // 244 us from UIP to the update cycle, which takes 1984 us with a 32,768 Hz time base.
    private const long UpdateInProgressNanoseconds = 2_228_000;
    private static readonly Oscillator s_divider = new(32_768);

    private readonly IClock _clock;
    private readonly IrqLine _irq;
    private readonly GuestTimer _timer;
    private readonly byte[] _cmos = new byte[128];

    private byte _index;
    private bool _nmiMasked;
    private long _baseSeconds; // seconds since 1970 at update number _baseUpdate of the divider
    private long _baseUpdate;
    private long _dividerStart; // guest nanoseconds at which the divider chain was zero; negative when it was set ahead
    private byte _weekdayOffset; // what the guest set against what its date is, 0..6
    private byte _flags; // PF, AF and UF
    private ulong _settled; // guest nanoseconds up to which _flags is true

    /// <param name="clock">Guest time.</param>
    /// <param name="timers">Where its interrupts are queued.</param>
    /// <param name="irq">IRQ8.</param>
    /// <param name="startSeconds">Seconds since 1970-01-01T00:00Z at reset.</param>
    public RealTimeClock(IClock clock, TimerQueue timers, IrqLine irq, long startSeconds)
    {
        _clock = clock;
        _irq = irq;
        _timer = timers.Create(this, "rtc");
        _baseSeconds = startSeconds;
        _cmos[RegisterA] = 0x26; // 32,768 Hz, 1024 Hz periodic rate: what every firmware sets
        _cmos[RegisterB] = Is24Hour;
        _cmos[0x14] = 0x06; // equipment: FPU, mouse, no floppy drives
        SetBootOrder(2, 3, 1);
        UpdateChecksum();
    }

    public string SnapshotName => "rtc";

    /// <summary>NMI is masked by bit 7 of the index port. Nothing in the machine raises NMI through it.</summary>
    public bool IsNmiMasked => _nmiMasked;

    // ---- What firmware would have stored.

    /// <summary>
    /// Stores the sizes of memory where firmware looks for them (Ralf Brown's CMOS memory map; SeaBIOS
    /// src/fw/paravirt.c).
    /// </summary>
    /// <param name="belowFourGiBytes">RAM from address 0 on, below the PCI hole.</param>
    /// <param name="aboveFourGiBytes">RAM from 4 GiB on.</param>
    public void SetMemorySize(ulong belowFourGiBytes, ulong aboveFourGiBytes)
    {
        PutWord(0x15, Math.Min(belowFourGiBytes >> 10, 640));
        ulong extendedKibi = belowFourGiBytes > 1UL << 20 ? (belowFourGiBytes >> 10) - 1024 : 0;
        PutWord(0x17, Math.Min(extendedKibi, 0xFFFF));
        PutWord(0x30, Math.Min(extendedKibi, 0xFFFF));
        ulong above16MebiUnits = belowFourGiBytes > 16UL << 20 ? (belowFourGiBytes - (16UL << 20)) >> 16 : 0;
        PutWord(0x34, Math.Min(above16MebiUnits, 0xFFFF));
        ulong highUnits = aboveFourGiBytes >> 16;
        PutWord(0x5B, highUnits & 0xFFFF);
        _cmos[0x5D] = (byte)(highUnits >> 16);
        UpdateChecksum();
    }

    /// <summary>Boot devices in order, as SeaBIOS reads them: 1 floppy, 2 hard disk, 3 CD-ROM, 4 network, 0 none.</summary>
    public void SetBootOrder(int first, int second, int third)
    {
        _cmos[0x3D] = (byte)(second << 4 | first);
        _cmos[0x38] = (byte)(third << 4 | _cmos[0x38] & 0x0F);
    }

    /// <summary>Stores a byte of CMOS memory that has no function of its own (0x0E and up).</summary>
    public void SetCmos(int index, byte value)
    {
        Invariant.Check(index is > RegisterD and < 128 and not Century);
        _cmos[index] = value;
        UpdateChecksum();
    }

    private void PutWord(int index, ulong value)
    {
        _cmos[index] = (byte)value;
        _cmos[index + 1] = (byte)(value >> 8);
    }

    /// <summary>The PC/AT's checksum of bytes 0x10..0x2D.</summary>
    private void UpdateChecksum()
    {
        int sum = 0;
        for (int i = 0x10; i <= 0x2D; i++) sum += _cmos[i];
        _cmos[0x2E] = (byte)(sum >> 8);
        _cmos[0x2F] = (byte)sum;
    }

    // ---- Ports.

    public byte ReadByte(int port)
    {
        if (port != DataPort) return 0xFF; // the index port is write-only
        ulong now = _clock.NowNanoseconds;
        SettleAt(now);
        switch (_index)
        {
            case RegisterA:
                return (byte)(_cmos[RegisterA] | (IsUpdateInProgress(now) ? 0x80 : 0));
            case RegisterC:
                int flags = _flags | (_irq.IsHigh ? 0x80 : 0);
                _flags = 0;
                Update();
                return (byte)flags;
            case RegisterD:
                return 0x80; // the battery is good
            case Seconds or Minutes or Hours or DayOfWeek or Day or Month or Year or Century:
                if (IsFollowingClock) LoadTimeRegisters(SecondsAt(now));
                return _cmos[_index];
            default:
                return _cmos[_index];
        }
    }

    public void WriteByte(int port, byte value)
    {
        if (port == IndexPort)
        {
            _index = (byte)(value & 0x7F);
            _nmiMasked = (value & 0x80) != 0;
            return;
        }
        if (port != DataPort) return;
        ulong now = _clock.NowNanoseconds;
        SettleAt(now);
        switch (_index)
        {
            case RegisterA: WriteRegisterA(value, now); break;
            case RegisterB: WriteRegisterB(value, now); break;
            case RegisterC or RegisterD: return;
            case Seconds or Minutes or Hours or DayOfWeek or Day or Month or Year or Century:
                if (IsFollowingClock) LoadTimeRegisters(SecondsAt(now));
                _cmos[_index] = value;
                if (IsFollowingClock) StoreTimeRegisters(now);
                break;
            default:
                _cmos[_index] = value;
                break;
        }
        Update();
    }

    private void WriteRegisterA(byte value, ulong now)
    {
        bool wasHeld = IsDividerHeld;
        // A running clock stops at the time it shows, and goes on from there.
        if (IsFollowingClock) _baseSeconds = SecondsAt(now);
        _cmos[RegisterA] = (byte)(value & 0x7F);
        // The first update comes half a second after the divider's reset is released.
        if (wasHeld && !IsDividerHeld) _dividerStart = (long)now - NanosecondsPerSecond / 2;
        if (!IsDividerHeld) _baseUpdate = UpdatesAt(now);
    }

    private void WriteRegisterB(byte value, ulong now)
    {
        byte old = _cmos[RegisterB];
        if ((value & Set) != 0)
        {
            if ((old & Set) == 0) LoadTimeRegisters(SecondsAt(now));
            value &= unchecked((byte)~UpdateEnable); // SET clears UIE
        }
        // The registers keep what they hold when the format changes under SET; a running clock shows itself in the new one.
        _cmos[RegisterB] = value;
        if ((old & Set) != 0 && (value & Set) == 0) StoreTimeRegisters(now);
    }

    // ---- Time.

    private bool IsDividerHeld => (_cmos[RegisterA] & 0x60) == 0x60;

    private bool IsFollowingClock => (_cmos[RegisterB] & Set) == 0;

    private bool IsRunning => IsFollowingClock && !IsDividerHeld;

    /// <summary>Updates (once a second) since the divider started.</summary>
    private long UpdatesAt(ulong now) => ((long)now - _dividerStart) / NanosecondsPerSecond;

    private long SecondsAt(ulong now) => IsDividerHeld ? _baseSeconds : _baseSeconds + (UpdatesAt(now) - _baseUpdate);

    private bool IsUpdateInProgress(ulong now) =>
        IsRunning && ((long)now - _dividerStart) % NanosecondsPerSecond >= NanosecondsPerSecond - UpdateInProgressNanoseconds;

    private byte Encode(int value) => (byte)((_cmos[RegisterB] & Binary) != 0 ? value : value / 10 << 4 | value % 10);

    private int Decode(byte value) => (_cmos[RegisterB] & Binary) != 0 ? value : (value >> 4) * 10 + (value & 15);

    private byte EncodeHour(int hour)
    {
        if ((_cmos[RegisterB] & Is24Hour) != 0) return Encode(hour);
        return (byte)(Encode((hour + 11) % 12 + 1) | (hour >= 12 ? 0x80 : 0));
    }

    private int DecodeHour(byte value)
    {
        if ((_cmos[RegisterB] & Is24Hour) != 0) return Decode(value);
        return Decode((byte)(value & 0x7F)) % 12 + ((value & 0x80) != 0 ? 12 : 0);
    }

    private void LoadTimeRegisters(long seconds)
    {
        long days = Math.DivRem(seconds, 86_400, out long inDay);
        if (inDay < 0)
        {
            inDay += 86_400;
            days--;
        }
        (long year, int month, int day) = CivilCalendar.FromDays(days);
        _cmos[Seconds] = Encode((int)(inDay % 60));
        _cmos[Minutes] = Encode((int)(inDay / 60 % 60));
        _cmos[Hours] = EncodeHour((int)(inDay / 3600));
        _cmos[DayOfWeek] = Encode((CivilCalendar.DayOfWeek(days) + _weekdayOffset) % 7 + 1);
        _cmos[Day] = Encode(day);
        _cmos[Month] = Encode(month);
        _cmos[Year] = Encode((int)(year % 100));
        _cmos[Century] = Encode((int)(year / 100 % 100));
    }

    /// <summary>
    /// Takes the registers over as the time, with the divider's phase as it is. Nonsense is brought into range.
    /// </summary>
    private void StoreTimeRegisters(ulong now)
    {
        int year = Math.Clamp(Decode(_cmos[Century]), 0, 99) * 100 + Math.Clamp(Decode(_cmos[Year]), 0, 99);
        long days = CivilCalendar.ToDays(year, Math.Clamp(Decode(_cmos[Month]), 1, 12), Math.Clamp(Decode(_cmos[Day]), 1, 31));
        long inDay = Math.Clamp(DecodeHour(_cmos[Hours]), 0, 23) * 3600 + Math.Clamp(Decode(_cmos[Minutes]), 0, 59) * 60
            + Math.Clamp(Decode(_cmos[Seconds]), 0, 59);
        _baseSeconds = days * 86_400 + inDay;
        _baseUpdate = IsDividerHeld ? 0 : UpdatesAt(now);
        int weekday = Math.Clamp(Decode(_cmos[DayOfWeek]), 1, 7) - 1;
        _weekdayOffset = (byte)((weekday - CivilCalendar.DayOfWeek(days) + 7) % 7);
    }

    // ---- Interrupts.

    /// <summary>Ticks of the 32,768 Hz divider between periodic interrupts; 0 when they are off.</summary>
    private ulong PeriodicTicks
    {
        get
        {
            int rate = _cmos[RegisterA] & 15;
            if (rate == 0 || IsDividerHeld) return 0;
            return 1UL << (rate <= 2 ? rate + 6 : rate - 1); // rates 1 and 2 are as 8 and 9
        }
    }

    /// <summary>Sets the flags of what happened after the last time and up to <paramref name="now"/>.</summary>
    private void SettleAt(ulong now)
    {
        if (now <= _settled) return;
        ulong before = _settled;
        _settled = now;
        byte old = _flags;
        ulong period = PeriodicTicks;
        if (period != 0 && PeriodsAt(now, period) != PeriodsAt(before, period)) _flags |= PeriodicFlag;
        if (IsRunning)
        {
            long first = SecondsAt(before), last = SecondsAt(now);
            if (last != first)
            {
                _flags |= UpdateFlag;
                if (NextAlarm(first) <= last) _flags |= AlarmFlag;
            }
        }
        if (_flags != old) Update();
    }

    // The times before the divider's start belong to an earlier setting and have been accounted for.
    private ulong PeriodsAt(ulong time, ulong period) =>
        (long)time < _dividerStart ? 0 : s_divider.TicksAt((ulong)((long)time - _dividerStart)) / period;

    private void Update()
    {
        bool interrupts = (_flags & _cmos[RegisterB] & InterruptEnables) != 0;
        _irq.Set(interrupts);
        // While IRQF is set nothing more can happen on the wire until register C is read.
        ulong next = interrupts ? ulong.MaxValue : NextInterrupt();
        if (next != _timer.DeadlineNanoseconds) _timer.Arm(next);
    }

    private ulong NextInterrupt()
    {
        int enables = _cmos[RegisterB];
        ulong next = ulong.MaxValue, period = PeriodicTicks;
        if ((enables & PeriodicEnable) != 0 && period != 0)
            next = (ulong)((long)s_divider.NanosecondsAt((PeriodsAt(_settled, period) + 1) * period) + _dividerStart);
        if (!IsRunning) return next;
        if ((enables & UpdateEnable) != 0) next = Math.Min(next, TimeOfUpdate(UpdatesAt(_settled) + 1));
        if ((enables & AlarmEnable) != 0)
        {
            long alarm = NextAlarm(SecondsAt(_settled));
            if (alarm != long.MaxValue) next = Math.Min(next, TimeOfUpdate(alarm - _baseSeconds + _baseUpdate));
        }
        return next;
    }

    private ulong TimeOfUpdate(long update) => (ulong)(update * NanosecondsPerSecond + _dividerStart);

    private bool AlarmMatches(int register, byte encoded) => (_cmos[register] & 0xC0) == 0xC0 || _cmos[register] == encoded;

    /// <summary>
    /// The first second after <paramref name="second"/> that matches the alarm; <see cref="long.MaxValue"/> when none
    /// ever does.
    /// </summary>
    private long NextAlarm(long second)
    {
        long time = second + 1, end = time + 86_400;
        while (time < end)
        {
            int inDay = (int)((time % 86_400 + 86_400) % 86_400);
            if (!AlarmMatches(HoursAlarm, EncodeHour(inDay / 3600))) time += 3600 - inDay % 3600;
            else if (!AlarmMatches(MinutesAlarm, Encode(inDay / 60 % 60))) time += 60 - inDay % 60;
            else if (!AlarmMatches(SecondsAlarm, Encode(inDay % 60))) time++;
            else return time;
        }
        return long.MaxValue;
    }

    public void OnTimer(GuestTimer timer, ulong deadlineNanoseconds)
    {
        SettleAt(deadlineNanoseconds);
        Update();
    }

    // ---- Snapshots.

    public void Save(StateWriter writer)
    {
        writer.Write("cmos", _cmos);
        writer.Write("index", (uint)_index);
        writer.Write("nmiMasked", _nmiMasked);
        writer.Write("baseSeconds", _baseSeconds);
        writer.Write("baseUpdate", _baseUpdate);
        writer.Write("dividerStart", _dividerStart);
        writer.Write("weekdayOffset", (uint)_weekdayOffset);
        writer.Write("flags", (uint)_flags);
        writer.Write("settled", _settled);
        writer.Write("deadline", _timer.DeadlineNanoseconds);
        writer.Write("irq", _irq.IsHigh);
    }

    public void Restore(StateReader reader)
    {
        reader.Read("cmos", _cmos);
        _index = (byte)(reader.ReadByte("index") & 0x7F);
        _nmiMasked = reader.ReadBoolean("nmiMasked");
        _baseSeconds = reader.ReadInt64("baseSeconds");
        _baseUpdate = reader.ReadInt64("baseUpdate");
        _dividerStart = reader.ReadInt64("dividerStart");
        _weekdayOffset = reader.ReadByte("weekdayOffset");
        _flags = reader.ReadByte("flags");
        _settled = reader.ReadUInt64("settled");
        _timer.Arm(reader.ReadUInt64("deadline"));
        _irq.Restore(reader.ReadBoolean("irq"));
    }
}
