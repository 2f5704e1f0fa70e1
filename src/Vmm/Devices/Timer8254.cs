using Vmm.Buses;
using Vmm.Snapshots;
using Vmm.Time;

namespace Vmm.Devices;

/// <summary>
/// The 8254 programmable interval timer (Intel 8254 datasheet, 231164) at 0x40..0x43, clocked with 1,193,182 Hz. OUT of
/// channel 0 is IRQ0; channel 2 belongs to <see cref="SystemControlPortB"/>. Every rising edge of OUT 0 is a timer of the
/// guest; the falling edge before it has no listener and is delivered with it.
/// </summary>
internal sealed class Timer8254 : IBytePortDevice, ISnapshotted, ITimerTarget
{
    public const int FirstPort = 0x40;
    public const int PortCount = 4;
    public const ulong Hertz = 1_193_182;
    private const int ControlPort = 0x43;

    private readonly IClock _clock;
    private readonly IrqLine _irq;
    private readonly GuestTimer _timer;
    private readonly Oscillator _oscillator = new(Hertz);
    private readonly Timer8254Channel[] _channels = [new(0, gate: true), new(1, gate: true), new(2, gate: false)];

    public Timer8254(IClock clock, TimerQueue timers, IrqLine irq)
    {
        _clock = clock;
        _irq = irq;
        _timer = timers.Create(this, "pit");
    }

    public string SnapshotName => "pit";

    public byte ReadByte(int port)
    {
        if (port is < FirstPort or >= ControlPort) return 0xFF; // the control port cannot be read
        ulong tick = _oscillator.TicksAt(_clock.NowNanoseconds);
        Timer8254Channel channel = _channels[port - FirstPort];
        channel.Settle(tick);
        return channel.ReadCount(tick);
    }

    public void WriteByte(int port, byte value)
    {
        if (port is < FirstPort or > ControlPort) return;
        ulong now = _clock.NowNanoseconds;
        // An edge that this very instruction has passed comes before what it writes.
        while (_timer.DeadlineNanoseconds <= now) OnTimer(_timer, _timer.DeadlineNanoseconds);
        ulong tick = _oscillator.TicksAt(now);
        foreach (Timer8254Channel c in _channels) c.Settle(tick);
        if (port != ControlPort)
        {
            _channels[port - FirstPort].WriteCount(value, tick);
            if (port == FirstPort) UpdateOutput(tick);
        }
        else WriteControl(value, tick);
    }

    private void WriteControl(byte value, ulong tick)
    {
        int select = value >> 6;
        if (select == 3)
        {
            ReadBack(value, tick);
            return;
        }
        if ((value & 0x30) == 0)
        {
            _channels[select].LatchCount(tick);
            return;
        }
        _channels[select].WriteControl(value);
        if (select == 0) UpdateOutput(tick);
    }

    /// <summary>The read-back command: bits 5 and 4 are active low.</summary>
    private void ReadBack(byte value, ulong tick)
    {
        for (int i = 0; i < 3; i++)
        {
            if ((value & (2 << i)) == 0) continue;
            if ((value & 0x20) == 0) _channels[i].LatchCount(tick);
            if ((value & 0x10) == 0) _channels[i].LatchStatus(tick);
        }
    }

    private void UpdateOutput(ulong tick)
    {
        _irq.Set(_channels[0].IsOutHigh(tick));
        ArmNextRise(tick);
    }

    private void ArmNextRise(ulong tick)
    {
        ulong rise = _channels[0].NextRise(tick);
        if (rise == ulong.MaxValue) _timer.Disarm();
        else _timer.Arm(_oscillator.NanosecondsAt(rise));
    }

    public void OnTimer(GuestTimer timer, ulong deadlineNanoseconds)
    {
        ulong tick = _oscillator.TicksAt(deadlineNanoseconds);
        _channels[0].Settle(tick);
        _irq.Set(false);
        _irq.Set(true);
        ArmNextRise(tick);
    }

    /// <summary>Drives the gate of channel 2.</summary>
    public void SetSpeakerGate(bool high)
    {
        ulong tick = _oscillator.TicksAt(_clock.NowNanoseconds);
        _channels[2].Settle(tick);
        _channels[2].SetGate(high, tick);
    }

    public bool IsSpeakerGateHigh => _channels[2].IsGateHigh;

    /// <summary>OUT of channel 2.</summary>
    public bool IsSpeakerOutHigh(ulong nowNanoseconds)
    {
        ulong tick = _oscillator.TicksAt(nowNanoseconds);
        _channels[2].Settle(tick);
        return _channels[2].IsOutHigh(tick);
    }

    public void Save(StateWriter writer)
    {
        foreach (Timer8254Channel channel in _channels) channel.Save(writer);
        writer.Write("deadline", _timer.DeadlineNanoseconds);
        writer.Write("irq", _irq.IsHigh);
    }

    public void Restore(StateReader reader)
    {
        foreach (Timer8254Channel channel in _channels) channel.Restore(reader);
        _timer.Arm(reader.ReadUInt64("deadline"));
        _irq.Restore(reader.ReadBoolean("irq"));
    }
}
