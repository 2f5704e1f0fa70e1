using Vmm.Snapshots;
using Vmm.Time;

namespace Vmm.Devices;

/// <summary>
/// The local APIC's timer (SDM 3A 11.5.4): one-shot and periodic with a divider on a bus clock of 1 GHz, one tick a
/// nanosecond, and TSC-deadline. A masked count needs no guest timer: the current count follows from the clock.
/// </summary>
internal sealed class LocalApicTimer : ITimerTarget
{
    private const int OneShot = 0, Periodic = 1, TscDeadlineMode = 2;

    private readonly IClock _clock;
    private readonly LocalApic _apic;
    private readonly GuestTimer _timer;

    private int _mode;
    private bool _isMasked = true;
    private uint _divideRegister;
    private uint _initialCount;
    private bool _isRunning;
    private ulong _startNanoseconds; // of the current period
    private ulong _tscDeadline;
    private ulong _tscOffset;

    public LocalApicTimer(IClock clock, TimerQueue timers, LocalApic apic, string name)
    {
        _clock = clock;
        _apic = apic;
        _timer = timers.Create(this, name);
    }

    public uint InitialCount => _initialCount;
    public uint DivideRegister => _divideRegister;
    public ulong TscDeadline => _mode == TscDeadlineMode ? _tscDeadline : 0;

    /// <summary>Bits 0, 1 and 3: 000 divides by 2, 001 by 4, ... 110 by 128, 111 by 1.</summary>
    private int DivideShift => ((int)(_divideRegister & 3 | _divideRegister >> 1 & 4) + 1) & 7;

    private ulong PeriodNanoseconds => (ulong)_initialCount << DivideShift;

    public void Reset()
    {
        _timer.Disarm();
        _mode = OneShot;
        _isMasked = true;
        _divideRegister = 0;
        _initialCount = 0;
        _isRunning = false;
        _startNanoseconds = 0;
        _tscDeadline = 0;
    }

    /// <summary>An expiry that the current instruction has passed comes before what it does to the timer.</summary>
    private ulong CatchUp()
    {
        ulong now = _clock.NowNanoseconds;
        while (_timer.DeadlineNanoseconds <= now) OnTimer(_timer, _timer.DeadlineNanoseconds);
        return now;
    }

    /// <param name="mode">Bits 17 and 18 of LVT timer; the reserved 3 counts as one-shot.</param>
    /// <param name="masked">Bit 16.</param>
    public void SetModeAndMask(int mode, bool masked)
    {
        if (mode > TscDeadlineMode) mode = OneShot;
        ulong now = CatchUp();
        // Changing to or from TSC-deadline disarms the timer (SDM 3A 11.5.4.1).
        if ((mode == TscDeadlineMode) != (_mode == TscDeadlineMode))
        {
            _isRunning = false;
            _initialCount = 0;
            _tscDeadline = 0;
        }
        else if (_isRunning && mode != _mode) RestartAt(now, CurrentCount(now));
        _mode = mode;
        _isMasked = masked;
        Rearm(now);
    }

    public void SetInitialCount(uint count)
    {
        if (_mode == TscDeadlineMode) return; // ignored in this mode
        ulong now = CatchUp();
        _initialCount = count;
        _startNanoseconds = now;
        _isRunning = count != 0;
        Rearm(now);
    }

    public void SetDivideRegister(uint value)
    {
        ulong now = CatchUp();
        uint current = CurrentCount(now);
        _divideRegister = value & 0xB;
        if (_isRunning) RestartAt(now, current);
        Rearm(now);
    }

    /// <summary>Makes the count at <paramref name="now"/> be <paramref name="count"/> under the divider as it is.</summary>
    private void RestartAt(ulong now, uint count)
    {
        if (count == 0) _isRunning = false;
        else _startNanoseconds = now - ((ulong)(_initialCount - count) << DivideShift);
    }

    public uint ReadCurrentCount() => CurrentCount(_clock.NowNanoseconds);

    private uint CurrentCount(ulong now)
    {
        if (!_isRunning) return 0;
        // Wrapping subtraction: after a divider was made larger the start can lie before reset.
        ulong elapsed = unchecked(now - _startNanoseconds) >> DivideShift;
        if (_mode == Periodic) return _initialCount - (uint)(elapsed % _initialCount);
        return elapsed >= _initialCount ? 0 : _initialCount - (uint)elapsed;
    }

    public void SetTscDeadline(ulong tsc)
    {
        if (_mode != TscDeadlineMode) return;
        ulong now = CatchUp();
        _tscDeadline = tsc;
        Rearm(now);
    }

    /// <summary>The time stamp counter is guest nanoseconds plus this; WRMSR to IA32_TSC or IA32_TSC_ADJUST moves it.</summary>
    public ulong TscOffset
    {
        get => _tscOffset;
        set
        {
            if (_tscOffset == value) return;
            ulong now = CatchUp();
            _tscOffset = value;
            Rearm(now);
        }
    }

    private void Rearm(ulong now)
    {
        if (_mode == TscDeadlineMode) ArmTscDeadline(now);
        else if (!_isRunning || _isMasked) _timer.Disarm();
        else
        {
            ulong elapsed = unchecked(now - _startNanoseconds);
            ulong period = PeriodNanoseconds;
            if (_mode == Periodic) _timer.Arm(now - elapsed % period + period);
            else if (elapsed < period) _timer.Arm(now + (period - elapsed));
            else
            {
                _isRunning = false; // it ran out while it was masked
                _timer.Disarm();
            }
        }
    }

    private void ArmTscDeadline(ulong now)
    {
        ulong tsc = unchecked(now + _tscOffset);
        if (_tscDeadline == 0) _timer.Disarm();
        else if (_tscDeadline <= tsc) _timer.Arm(now);
        else if (_tscDeadline - tsc >= ulong.MaxValue - now) _timer.Disarm(); // beyond the end of time
        else _timer.Arm(now + (_tscDeadline - tsc));
    }

    public void OnTimer(GuestTimer timer, ulong deadlineNanoseconds)
    {
        timer.Disarm();
        switch (_mode)
        {
            case Periodic:
                _startNanoseconds = deadlineNanoseconds;
                timer.Arm(deadlineNanoseconds + PeriodNanoseconds);
                break;
            case OneShot:
                _isRunning = false;
                break;
            default:
                _tscDeadline = 0;
                break;
        }
        _apic.DeliverTimer();
    }

    public void Save(StateWriter writer)
    {
        writer.Write("timerMode", _mode);
        writer.Write("timerMasked", _isMasked);
        writer.Write("divide", _divideRegister);
        writer.Write("initialCount", _initialCount);
        writer.Write("timerRunning", _isRunning);
        writer.Write("timerStart", _startNanoseconds);
        writer.Write("tscDeadline", _tscDeadline);
        writer.Write("tscOffset", _tscOffset);
        writer.Write("deadline", _timer.DeadlineNanoseconds);
    }

    public void Restore(StateReader reader)
    {
        _mode = reader.ReadInt32("timerMode");
        _isMasked = reader.ReadBoolean("timerMasked");
        _divideRegister = reader.ReadUInt32("divide");
        _initialCount = reader.ReadUInt32("initialCount");
        _isRunning = reader.ReadBoolean("timerRunning");
        _startNanoseconds = reader.ReadUInt64("timerStart");
        _tscDeadline = reader.ReadUInt64("tscDeadline");
        _tscOffset = reader.ReadUInt64("tscOffset");
        _timer.Arm(reader.ReadUInt64("deadline"));
        if (_mode is < OneShot or > TscDeadlineMode || (_isRunning && _initialCount == 0))
            throw new StateFormatException("the snapshot's local APIC timer is in a state that none can have");
    }
}
