using System;
using System.Collections.Generic;
using Vmm.Buses;
using Vmm.Snapshots;
using Vmm.Time;

namespace Vmm.Devices;

/// <summary>
/// A 16550A UART (National Semiconductor PC16550D datasheet, TL/C/8652). Transmission takes no time: the holding register
/// is empty again at once. What the host sends waits without bound and comes in at the programmed speed, a FIFO at a
/// time, so nothing is overrun. The other end is always there: CTS, DSR and DCD are on. OUT2 does not gate the interrupt,
/// unlike on a real PC: several teaching kernels never set it and expect interrupts, as emulators give them. Not
/// modelled: parity, framing and break errors, DMA mode.
/// </summary>
internal sealed class Uart16550 : IBytePortDevice, ISnapshotted, ITimerTarget
{
    public const int PortCount = 8;
    private const int FifoCapacity = 16;
    private const int Data = 0, InterruptEnable = 1, InterruptId = 2, LineControl = 3, ModemControl = 4;
    private const int LineStatus = 5, ModemStatus = 6, Scratch = 7;
    private const int IerReceived = 0x01, IerTransmitterEmpty = 0x02, IerLineStatus = 0x04, IerModemStatus = 0x08;
    private const int IirNone = 0x01, IirModemStatus = 0x00, IirTransmitterEmpty = 0x02, IirReceived = 0x04;
    private const int IirTimeout = 0x0C, IirFifos = 0xC0;
    private const int LcrDivisorAccess = 0x80;
    private const int McrLoop = 0x10;
    private const int LsrDataReady = 0x01, LsrOverrun = 0x02, LsrTransmitterEmpty = 0x60;
    private const int MsrLinesOn = 0xB0; // DCD, DSR, CTS

    // The crystal of the PC's serial ports, 1.8432 MHz, divided by 16 for each bit.
    private const ulong BitClockHertz = 115_200;

    private readonly IClock _clock;
    private readonly IrqLine _irq;
    private readonly IByteSink _output;
    private readonly int _firstPort;
    private readonly GuestTimer _timeoutTimer;
    private readonly GuestTimer _arrivalTimer;
    private readonly Queue<byte> _host = new();
    private readonly byte[] _fifo = new byte[FifoCapacity];

    private int _fifoHead, _fifoCount;
    private bool _fifosEnabled;
    private int _triggerCount = 1;
    private byte _interruptEnable, _lineControl, _modemControl, _scratch;
    private byte _modemStatus = MsrLinesOn;
    private ushort _divisor = 12; // 9,600
    private bool _transmitterEmptyPending, _timeoutPending, _overrun;

    /// <param name="number">0 for COM1, 1 for COM2.</param>
    /// <param name="clock">Guest time.</param>
    /// <param name="timers">Where its character times are queued.</param>
    /// <param name="irq">INTR.</param>
    /// <param name="output">Gets what the guest sends.</param>
    /// <param name="firstPort">0x3F8 for COM1, 0x2F8 for COM2.</param>
    public Uart16550(int number, IClock clock, TimerQueue timers, IrqLine irq, IByteSink output, int firstPort)
    {
        SnapshotName = $"uart{number}";
        _clock = clock;
        _irq = irq;
        _output = output;
        _firstPort = firstPort;
        _timeoutTimer = timers.Create(this, $"uart{number}-timeout");
        _arrivalTimer = timers.Create(this, $"uart{number}-arrival");
    }

    public string SnapshotName { get; }

    // ---- From the host.

    /// <summary>Bytes from the other end of the line.</summary>
    public void Receive(ReadOnlySpan<byte> bytes)
    {
        foreach (byte b in bytes) _host.Enqueue(b);
        // A line that was idle delivers at once; one that is busy goes on at its speed.
        if (!_arrivalTimer.IsArmed && _fifoCount == 0) TakeFromHost(_clock.NowNanoseconds);
    }

    private int Capacity => _fifosEnabled ? FifoCapacity : 1;

    private bool IsLooped => (_modemControl & McrLoop) != 0;

    /// <summary>Start bit, data bits, parity and stop bits at the programmed speed.</summary>
    private ulong CharacterNanoseconds
    {
        get
        {
            ulong bits = 1 + 5 + (ulong)(_lineControl & 3) + ((_lineControl & 8) != 0 ? 1UL : 0) + ((_lineControl & 4) != 0 ? 2UL : 1);
            ulong divisor = _divisor == 0 ? 1u : _divisor;
            return bits * divisor * 1_000_000_000 / BitClockHertz;
        }
    }

    private void TakeFromHost(ulong now)
    {
        if (IsLooped || _host.Count == 0) return;
        while (_fifoCount < Capacity && _host.TryDequeue(out byte value)) Push(value);
        RestartTimeout(now);
        Update();
    }

    private void Push(byte value)
    {
        _fifo[(_fifoHead + _fifoCount) % FifoCapacity] = value;
        _fifoCount++;
    }

    /// <summary>
    /// The timeout is four character times after the last character came in or was read (datasheet, "FIFO interrupt mode
    /// operation").
    /// </summary>
    private void RestartTimeout(ulong now)
    {
        _timeoutPending = false;
        if (_fifosEnabled && _fifoCount != 0) _timeoutTimer.Arm(now + 4 * CharacterNanoseconds);
        else _timeoutTimer.Disarm();
    }

    public void OnTimer(GuestTimer timer, ulong deadlineNanoseconds)
    {
        timer.Disarm();
        if (timer == _arrivalTimer)
        {
            TakeFromHost(deadlineNanoseconds);
            return;
        }
        _timeoutPending = _fifoCount != 0;
        Update();
    }

    /// <summary>
    /// What the current instruction has passed comes before what it does. The clock is read only when it matters.
    /// </summary>
    private void CatchUp()
    {
        if (!_arrivalTimer.IsArmed && !_timeoutTimer.IsArmed) return;
        ulong now = _clock.NowNanoseconds;
        if (_arrivalTimer.DeadlineNanoseconds <= now) OnTimer(_arrivalTimer, _arrivalTimer.DeadlineNanoseconds);
        if (_timeoutTimer.DeadlineNanoseconds <= now) OnTimer(_timeoutTimer, _timeoutTimer.DeadlineNanoseconds);
    }

    // ---- Interrupts.

    /// <summary>The identification of the most urgent enabled interrupt (datasheet, table IV).</summary>
    private int Identify()
    {
        if ((_interruptEnable & IerLineStatus) != 0 && _overrun) return 0x06;
        if ((_interruptEnable & IerReceived) != 0)
        {
            if (_fifoCount >= (_fifosEnabled ? _triggerCount : 1)) return IirReceived;
            if (_timeoutPending) return IirTimeout;
        }
        if ((_interruptEnable & IerTransmitterEmpty) != 0 && _transmitterEmptyPending) return IirTransmitterEmpty;
        if ((_interruptEnable & IerModemStatus) != 0 && (_modemStatus & 0x0F) != 0) return IirModemStatus;
        return IirNone;
    }

    private void Update() => _irq.Set(Identify() != IirNone);

    // ---- Registers.

    public byte ReadByte(int port)
    {
        int register = port - _firstPort;
        if (register is < 0 or >= PortCount) return 0xFF;
        CatchUp();
        switch (register)
        {
            case Data:
                return (_lineControl & LcrDivisorAccess) != 0 ? (byte)_divisor : ReadReceiver();
            case InterruptEnable:
                return (_lineControl & LcrDivisorAccess) != 0 ? (byte)(_divisor >> 8) : _interruptEnable;
            case InterruptId:
                int id = Identify();
                // Reading the identification clears the transmitter's interrupt, if that is what it shows.
                if (id == IirTransmitterEmpty)
                {
                    _transmitterEmptyPending = false;
                    Update();
                }
                return (byte)(id | (_fifosEnabled ? IirFifos : 0));
            case LineControl: return _lineControl;
            case ModemControl: return _modemControl;
            case LineStatus:
                int status = LsrTransmitterEmpty | (_fifoCount != 0 ? LsrDataReady : 0) | (_overrun ? LsrOverrun : 0);
                _overrun = false;
                Update();
                return (byte)status;
            case ModemStatus:
                byte modem = _modemStatus;
                _modemStatus &= 0xF0;
                Update();
                return modem;
            default: return _scratch;
        }
    }

    private byte ReadReceiver()
    {
        byte value = _fifo[_fifoHead]; // an empty receiver shows what it had last
        if (_fifoCount == 0) return value;
        if (_fifoCount > 1 || _fifosEnabled) _fifoHead = (_fifoHead + 1) % FifoCapacity;
        _fifoCount--;
        if (_fifosEnabled) RestartTimeout(_clock.NowNanoseconds);
        if (_fifoCount == 0) AwaitArrival();
        Update();
        return value;
    }

    /// <summary>The next characters take their time on the line; as many as fit come together.</summary>
    private void AwaitArrival()
    {
        if (_host.Count == 0 || IsLooped || _arrivalTimer.IsArmed) return;
        _arrivalTimer.Arm(_clock.NowNanoseconds + (ulong)Math.Min(_host.Count, Capacity) * CharacterNanoseconds);
    }

    public void WriteByte(int port, byte value)
    {
        int register = port - _firstPort;
        if (register is < 0 or >= PortCount) return;
        CatchUp();
        switch (register)
        {
            case Data when (_lineControl & LcrDivisorAccess) != 0:
                _divisor = (ushort)(_divisor & 0xFF00 | value);
                break;
            case InterruptEnable when (_lineControl & LcrDivisorAccess) != 0:
                _divisor = (ushort)(_divisor & 0x00FF | value << 8);
                break;
            case Data: Transmit(value); break;
            case InterruptEnable:
                // Enabling the transmitter's interrupt while it is empty raises it: drivers start sending so.
                if ((value & ~_interruptEnable & IerTransmitterEmpty) != 0) _transmitterEmptyPending = true;
                _interruptEnable = (byte)(value & 0x0F);
                break;
            case InterruptId: WriteFifoControl(value); break;
            case LineControl: _lineControl = value; break;
            case ModemControl: WriteModemControl(value); break;
            case Scratch: _scratch = value; break;
            default: return; // line and modem status are for reading
        }
        Update();
    }

    private void Transmit(byte value)
    {
        // The holding register is full for no time at all, but it is full: the interrupt falls and rises.
        _transmitterEmptyPending = false;
        Update();
        if (!IsLooped) _output.WriteByte(value);
        else if (_fifoCount < Capacity)
        {
            Push(value);
            RestartTimeout(_clock.NowNanoseconds);
        }
        else
        {
            _overrun = true;
            if (!_fifosEnabled) _fifo[_fifoHead] = value; // without FIFOs the new character replaces the old one
        }
        _transmitterEmptyPending = true;
    }

    private void WriteFifoControl(byte value)
    {
        bool enable = (value & 0x01) != 0;
        if (enable != _fifosEnabled || (enable && (value & 0x02) != 0)) ClearReceiver();
        _fifosEnabled = enable;
        if (!enable) return; // the other bits are taken only with bit 0
        if ((value & 0x04) != 0) _transmitterEmptyPending = true;
        _triggerCount = (value >> 6) switch { 0 => 1, 1 => 4, 2 => 8, _ => 14 };
    }

    private void ClearReceiver()
    {
        _fifoHead = _fifoCount = 0;
        Array.Clear(_fifo);
        _timeoutPending = false;
        _timeoutTimer.Disarm();
        AwaitArrival();
    }

    private void WriteModemControl(byte value)
    {
        bool wasLooped = IsLooped;
        _modemControl = (byte)(value & 0x1F);
        int lines = MsrLinesOn;
        if (IsLooped)
        {
            // DTR, RTS, OUT1 and OUT2 come back as DSR, CTS, RI and DCD.
            lines = (value & 0x01) << 5 | (value & 0x02) << 3 | (value & 0x04) << 4 | (value & 0x08) << 4;
            _arrivalTimer.Disarm();
        }
        int changed = (lines ^ _modemStatus) & 0xF0;
        int deltas = changed >> 4 & 0x0B; // CTS, DSR and DCD: any change
        if ((changed & 0x40) != 0 && (lines & 0x40) == 0) deltas |= 0x04; // RI: its trailing edge
        _modemStatus = (byte)(lines | _modemStatus & 0x0F | deltas);
        if (wasLooped && !IsLooped && _fifoCount == 0) AwaitArrival();
    }

    // ---- Snapshots.

    public void Save(StateWriter writer)
    {
        writer.Write("host", _host.ToArray());
        writer.Write("fifo", _fifo);
        writer.Write("fifoHead", _fifoHead);
        writer.Write("fifoCount", _fifoCount);
        writer.Write("fifosEnabled", _fifosEnabled);
        writer.Write("triggerCount", _triggerCount);
        writer.Write("interruptEnable", (uint)_interruptEnable);
        writer.Write("lineControl", (uint)_lineControl);
        writer.Write("modemControl", (uint)_modemControl);
        writer.Write("modemStatus", (uint)_modemStatus);
        writer.Write("scratch", (uint)_scratch);
        writer.Write("divisor", (uint)_divisor);
        writer.Write("transmitterEmptyPending", _transmitterEmptyPending);
        writer.Write("timeoutPending", _timeoutPending);
        writer.Write("overrun", _overrun);
        writer.Write("timeoutDeadline", _timeoutTimer.DeadlineNanoseconds);
        writer.Write("arrivalDeadline", _arrivalTimer.DeadlineNanoseconds);
        writer.Write("irq", _irq.IsHigh);
    }

    public void Restore(StateReader reader)
    {
        _host.Clear();
        foreach (byte b in reader.ReadBytes("host")) _host.Enqueue(b);
        reader.Read("fifo", _fifo);
        _fifoHead = reader.ReadInt32("fifoHead");
        _fifoCount = reader.ReadInt32("fifoCount");
        if (_fifoHead is < 0 or >= FifoCapacity || _fifoCount is < 0 or > FifoCapacity)
            throw new StateFormatException($"the snapshot's {SnapshotName} has a FIFO that a 16550A cannot have");
        _fifosEnabled = reader.ReadBoolean("fifosEnabled");
        _triggerCount = reader.ReadInt32("triggerCount");
        _interruptEnable = reader.ReadByte("interruptEnable");
        _lineControl = reader.ReadByte("lineControl");
        _modemControl = reader.ReadByte("modemControl");
        _modemStatus = reader.ReadByte("modemStatus");
        _scratch = reader.ReadByte("scratch");
        _divisor = (ushort)reader.ReadUInt32("divisor");
        _transmitterEmptyPending = reader.ReadBoolean("transmitterEmptyPending");
        _timeoutPending = reader.ReadBoolean("timeoutPending");
        _overrun = reader.ReadBoolean("overrun");
        _timeoutTimer.Arm(reader.ReadUInt64("timeoutDeadline"));
        _arrivalTimer.Arm(reader.ReadUInt64("arrivalDeadline"));
        _irq.Restore(reader.ReadBoolean("irq"));
    }
}
