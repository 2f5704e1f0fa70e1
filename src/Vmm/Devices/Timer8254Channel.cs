using Vmm.Snapshots;

namespace Vmm.Devices;

/// <summary>
/// One counter of the 8254 (Intel 8254 datasheet, 231164, "Mode definitions"). Nothing here ticks: the counting element
/// and OUT are computed from the tick that asks, the tick at which the current count was loaded, and the tick at which
/// the next one will be. Not modelled: a count of 1 in modes 2 and 3, which the datasheet forbids, counts as 2.
/// </summary>
internal sealed class Timer8254Channel(int number, bool gate)
{
    private const ulong Never = ulong.MaxValue;

    private byte _mode = 3;
    private bool _isBcd;
    private byte _access = 3; // 1: low byte, 2: high byte, 3: low then high
    private bool _gate = gate;

    private bool _isLoaded; // the counting element has taken a count since the control word (in modes 1 and 5: since a trigger)
    private uint _count; // what it has taken, 1..65536
    private ulong _startTick; // when
    private bool _startsHigh = true; // mode 3: which half of the square wave began at _startTick
    private bool _isPaused; // the gate is low
    private ulong _pausedElapsed; // ticks counted when it went low

    private uint _countRegister; // the last count written, 1..65536
    private bool _isNull = true; // the count register has not reached the counting element
    private ulong _loadTick = Never; // when it will

    private byte _lowByteWritten;
    private bool _highByteWriteNext, _highByteReadNext;
    private bool _isCountLatched, _isStatusLatched;
    private ushort _countLatch;
    private byte _statusLatch;

    private uint Modulus => _isBcd ? 10_000u : 65_536u;

    /// <summary>Lets a load that is due by <paramref name="tick"/> happen.</summary>
    public void Settle(ulong tick)
    {
        if (_loadTick > tick) return;
        // In mode 3 a new count is taken at the end of a half cycle and begins the other half.
        _startsHigh = !_isLoaded || _mode != 3 || !SquareIsHigh(_loadTick - 1);
        _count = EffectiveCount(_countRegister);
        _startTick = _loadTick;
        _loadTick = Never;
        _isLoaded = true;
        _isNull = false;
        _isPaused = !_gate && _mode is 0 or 4;
        _pausedElapsed = 0;
    }

    private uint EffectiveCount(uint count) => _mode is 2 or 3 && count == 1 ? 2 : count;

    private ulong Elapsed(ulong tick) => _isPaused ? _pausedElapsed : tick < _startTick ? 0 : tick - _startTick;

    private bool SquareIsHigh(ulong tick)
    {
        ulong position = Elapsed(tick) % _count;
        return _startsHigh ? position < (_count + 1) / 2 : position >= _count / 2;
    }

    /// <summary>The OUT pin. The channel is settled at <paramref name="tick"/>.</summary>
    public bool IsOutHigh(ulong tick)
    {
        if (!_isLoaded) return _mode != 0;
        return _mode switch
        {
            0 => Elapsed(tick) >= _count,
            1 => Elapsed(tick) >= _count,
            2 => !_gate || Elapsed(tick) % _count != _count - 1,
            3 => !_gate || SquareIsHigh(tick),
            _ => Elapsed(tick) != _count,
        };
    }

    /// <summary>The counting element as the data port shows it.</summary>
    private ushort CurrentCount(ulong tick)
    {
        ulong elapsed = Elapsed(tick);
        uint value;
        switch (_mode)
        {
            case 2:
                value = _count == 0 ? 0 : (uint)(_count - elapsed % _count);
                break;
            case 3:
                value = _count == 0 ? 0 : SquareCount(elapsed);
                break;
            default:
                value = (uint)((_count + Modulus - elapsed % Modulus) % Modulus);
                break;
        }
        value %= Modulus;
        if (!_isBcd) return (ushort)value;
        return (ushort)(value % 10 | value / 10 % 10 << 4 | value / 100 % 10 << 8 | value / 1000 << 12);
    }

    /// <summary>Mode 3 counts by two, each half cycle from the count, or from the count minus 1 when that is odd.</summary>
    private uint SquareCount(ulong elapsed)
    {
        uint position = (uint)(elapsed % _count);
        uint firstHalf = _startsHigh ? (_count + 1) / 2 : _count / 2;
        if (position >= firstHalf) position -= firstHalf;
        return (_count & ~1u) - 2 * position;
    }

    /// <summary>
    /// The first tick after <paramref name="tick"/> at which OUT rises while the gate stays high, or
    /// <see cref="ulong.MaxValue"/>.
    /// The channel is settled at <paramref name="tick"/>.
    /// </summary>
    public ulong NextRise(ulong tick)
    {
        uint next = EffectiveCount(_countRegister);
        switch (_mode)
        {
            case 0: return _loadTick != Never ? _loadTick + next : RiseAfter(tick, _startTick + _count);
            case 4: return _loadTick != Never ? _loadTick + next + 1 : RiseAfter(tick, _startTick + _count + 1);
            case 2:
                if (_loadTick != Never) return _isLoaded ? _loadTick : _loadTick + next;
                return !_isLoaded ? Never : _startTick + ((tick - _startTick) / _count + 1) * _count;
            case 3:
                if (_loadTick != Never)
                    return !_isLoaded ? _loadTick + next : SquareIsHigh(_loadTick - 1) ? _loadTick + next / 2 : _loadTick;
                if (!_isLoaded) return Never;
                // The wave that begins low rises after its low half.
                ulong first = _startsHigh ? _startTick + _count : _startTick + _count / 2;
                return tick < first ? first : first + ((tick - first) / _count + 1) * _count;
            default:
                return Never; // modes 1 and 5 wait for an edge of the gate
        }
    }

    private ulong RiseAfter(ulong tick, ulong rise) => _isLoaded && !_isPaused && rise > tick ? rise : Never;

    public void WriteControl(byte value)
    {
        int mode = (value >> 1) & 7;
        _mode = (byte)(mode > 5 ? mode & 3 : mode); // 6 and 7 are 2 and 3
        _isBcd = (value & 1) != 0;
        _access = (byte)((value >> 4) & 3);
        _highByteWriteNext = _highByteReadNext = false;
        _isCountLatched = _isStatusLatched = false;
        _isNull = true;
        _isLoaded = false;
        _isPaused = false;
        _loadTick = Never;
    }

    public void WriteCount(byte value, ulong tick)
    {
        switch (_access)
        {
            case 1: TakeCount(value, tick); break;
            case 2: TakeCount((uint)value << 8, tick); break;
            default:
                _highByteWriteNext = !_highByteWriteNext;
                if (_highByteWriteNext)
                {
                    _lowByteWritten = value;
                    // Mode 0: the first byte stops the counting and sets OUT low at once.
                    if (_mode == 0) StopCounting(tick);
                }
                else TakeCount((uint)value << 8 | _lowByteWritten, tick);
                break;
        }
    }

    private void StopCounting(ulong tick)
    {
        _count = CurrentCount(tick);
        _startTick = tick;
        _isLoaded = false;
        _isPaused = true;
        _pausedElapsed = 0;
        _loadTick = Never;
    }

    private void TakeCount(uint raw, ulong tick)
    {
        if (_isBcd) raw = (raw >> 12) * 1000 + (raw >> 8 & 15) * 100 + (raw >> 4 & 15) * 10 + (raw & 15);
        _countRegister = raw == 0 || raw > Modulus ? Modulus : raw;
        _isNull = true;
        switch (_mode)
        {
            case 0:
                _isLoaded = false; // OUT is low from the write on
                _loadTick = tick + 1;
                break;
            case 4:
                _loadTick = tick + 1;
                break;
            case 2 or 3:
                if (!_isLoaded) _loadTick = tick + 1;
                else if (!_isPaused) _loadTick = EndOfCycle(tick);
                break;
            default:
                break; // modes 1 and 5 load at the next trigger
        }
    }

    /// <summary>Modes 2 and 3: when the current cycle or half cycle ends.</summary>
    private ulong EndOfCycle(ulong tick)
    {
        ulong cycles = (tick - _startTick) / _count;
        ulong start = _startTick + cycles * _count;
        if (_mode == 2) return start + _count;
        uint firstHalf = _startsHigh ? (_count + 1) / 2 : _count / 2;
        return tick - start < firstHalf ? start + firstHalf : start + _count;
    }

    /// <summary>Drives the GATE pin. The channel is settled at <paramref name="tick"/>.</summary>
    public void SetGate(bool high, ulong tick)
    {
        if (_gate == high) return;
        ulong elapsed = Elapsed(tick);
        _gate = high;
        if (!high)
        {
            if (_mode is 1 or 5 || !_isLoaded) return;
            _isPaused = true;
            _pausedElapsed = elapsed;
            if (_mode is 2 or 3) _loadTick = Never;
            return;
        }
        switch (_mode)
        {
            case 0 or 4:
                if (!_isPaused || !_isLoaded) return;
                _startTick = tick - _pausedElapsed;
                _isPaused = false;
                break;
            default:
                // A trigger: the count register is loaded at the next clock. In modes 2 and 3 the cycle begins anew.
                if (_countRegister == 0) return;
                _loadTick = tick + 1;
                if (_mode is 2 or 3) _isLoaded = false;
                _isPaused = false;
                break;
        }
    }

    public bool IsGateHigh => _gate;

    public void LatchCount(ulong tick)
    {
        if (_isCountLatched) return; // a second latch command before the read is ignored
        _countLatch = CurrentCount(tick);
        _isCountLatched = true;
    }

    public void LatchStatus(ulong tick)
    {
        if (_isStatusLatched) return;
        int value = (IsOutHigh(tick) ? 0x80 : 0) | (_isNull ? 0x40 : 0) | _access << 4 | _mode << 1 | (_isBcd ? 1 : 0);
        _statusLatch = (byte)value;
        _isStatusLatched = true;
    }

    public byte ReadCount(ulong tick)
    {
        if (_isStatusLatched)
        {
            _isStatusLatched = false;
            return _statusLatch;
        }
        ushort value = _isCountLatched ? _countLatch : CurrentCount(tick);
        bool high = _access == 2;
        if (_access == 3)
        {
            high = _highByteReadNext;
            _highByteReadNext = !_highByteReadNext;
        }
        // A latched two-byte count stays latched until both bytes are read.
        if (_access != 3 || high) _isCountLatched = false;
        return (byte)(high ? value >> 8 : value);
    }

    public void Save(StateWriter writer)
    {
        writer.Write("channel", number);
        writer.Write("mode", (uint)_mode);
        writer.Write("isBcd", _isBcd);
        writer.Write("access", (uint)_access);
        writer.Write("gate", _gate);
        writer.Write("isLoaded", _isLoaded);
        writer.Write("count", _count);
        writer.Write("startTick", _startTick);
        writer.Write("startsHigh", _startsHigh);
        writer.Write("isPaused", _isPaused);
        writer.Write("pausedElapsed", _pausedElapsed);
        writer.Write("countRegister", _countRegister);
        writer.Write("isNull", _isNull);
        writer.Write("loadTick", _loadTick);
        writer.Write("lowByteWritten", (uint)_lowByteWritten);
        writer.Write("highByteWriteNext", _highByteWriteNext);
        writer.Write("highByteReadNext", _highByteReadNext);
        writer.Write("isCountLatched", _isCountLatched);
        writer.Write("countLatch", (uint)_countLatch);
        writer.Write("isStatusLatched", _isStatusLatched);
        writer.Write("statusLatch", (uint)_statusLatch);
    }

    public void Restore(StateReader reader)
    {
        if (reader.ReadInt32("channel") != number) throw new StateFormatException($"the snapshot's timer channel is not number {number}");
        _mode = reader.ReadByte("mode");
        _isBcd = reader.ReadBoolean("isBcd");
        _access = reader.ReadByte("access");
        _gate = reader.ReadBoolean("gate");
        _isLoaded = reader.ReadBoolean("isLoaded");
        _count = reader.ReadUInt32("count");
        _startTick = reader.ReadUInt64("startTick");
        _startsHigh = reader.ReadBoolean("startsHigh");
        _isPaused = reader.ReadBoolean("isPaused");
        _pausedElapsed = reader.ReadUInt64("pausedElapsed");
        _countRegister = reader.ReadUInt32("countRegister");
        _isNull = reader.ReadBoolean("isNull");
        _loadTick = reader.ReadUInt64("loadTick");
        _lowByteWritten = reader.ReadByte("lowByteWritten");
        _highByteWriteNext = reader.ReadBoolean("highByteWriteNext");
        _highByteReadNext = reader.ReadBoolean("highByteReadNext");
        _isCountLatched = reader.ReadBoolean("isCountLatched");
        _countLatch = (ushort)reader.ReadUInt32("countLatch");
        _isStatusLatched = reader.ReadBoolean("isStatusLatched");
        _statusLatch = reader.ReadByte("statusLatch");
        bool isCountPossible = !_isLoaded || (_count is > 0 and <= 65_536 && (_mode is not (2 or 3) || _count >= 2));
        if (_mode > 5 || _access is 0 or > 3 || !isCountPossible || _countRegister > 65_536)
            throw new StateFormatException($"the snapshot's timer channel {number} is in a state that an 8254 cannot have");
    }
}
