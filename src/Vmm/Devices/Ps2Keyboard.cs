using System;
using System.Collections.Generic;
using Vmm.Snapshots;

namespace Vmm.Devices;

/// <summary>
/// A PS/2 keyboard (IBM PS/2 Hardware Interface Technical Reference, "Keyboards (101- and 102-key)"), seen from its
/// connector: commands in, replies and scan codes out. Its host types in scan code set 2. Not modelled: typematic repeat
/// (the host repeats), key types of set 3; the codes stay those of set 2 when set 3 is selected.
/// </summary>
internal sealed class Ps2Keyboard
{
    private const byte Acknowledge = 0xFA, Resend = 0xFE, SelfTestPassed = 0xAA;

    private readonly Queue<byte> _replies = new();
    private readonly Queue<byte> _scanCodes = new();
    private byte _commandAwaitingData; // 0: none
    private byte _scanCodeSet = 2;
    private byte _leds;
    private bool _isScanning = true;
    private bool _breakPrefix; // set 1: an 0xF0 was taken from the queue
    private byte _lastSent;

    /// <summary>Bit 0 scroll lock, bit 1 num lock, bit 2 caps lock.</summary>
    public byte Leds => _leds;

    /// <summary>Keys. A keyboard that was told not to scan loses them.</summary>
    public void Type(ReadOnlySpan<byte> set2)
    {
        if (!_isScanning) return;
        foreach (byte code in set2) _scanCodes.Enqueue(code);
    }

    /// <summary>The next byte for the host; replies come first.</summary>
    public bool TryTake(out byte value)
    {
        if (_replies.TryDequeue(out value))
        {
            _lastSent = value;
            return true;
        }
        while (_scanCodes.TryDequeue(out value))
        {
            if (_scanCodeSet == 1)
            {
                if (value == 0xF0)
                {
                    _breakPrefix = true;
                    continue;
                }
                value = (byte)(ScanCodes.Translate(value) | (_breakPrefix ? 0x80 : 0));
                _breakPrefix = false;
            }
            _lastSent = value;
            return true;
        }
        return false;
    }

    public void WriteCommand(byte value)
    {
        byte command = _commandAwaitingData;
        _commandAwaitingData = 0;
        switch (command)
        {
            case 0xED when value < 0x80:
                _leds = (byte)(value & 7);
                Reply(Acknowledge);
                return;
            case 0xF0 when value <= 3:
                Reply(Acknowledge);
                if (value == 0) Reply(_scanCodeSet);
                else _scanCodeSet = value;
                return;
            case 0xF3 when value < 0x80: // typematic rate and delay
            case 0xFB or 0xFC or 0xFD when value < 0x80: // a key's type
                Reply(Acknowledge);
                return;
            default:
                Execute(value); // a command where data was expected aborts the first
                return;
        }
    }

    private void Execute(byte command)
    {
        switch (command)
        {
            case 0xED or 0xF0 or 0xF3 or 0xFB or 0xFC or 0xFD:
                _commandAwaitingData = command;
                Reply(Acknowledge);
                break;
            case 0xEE: // echo
                Reply(0xEE);
                break;
            case 0xF2: // identify
                Reply(Acknowledge);
                Reply(0xAB);
                Reply(0x83);
                break;
            case 0xF4: // enable
                Clear();
                _isScanning = true;
                Reply(Acknowledge);
                break;
            case 0xF5: // default and disable
                SetDefaults();
                _isScanning = false;
                Reply(Acknowledge);
                break;
            case 0xF6: // default
                SetDefaults();
                Reply(Acknowledge);
                break;
            case >= 0xF7 and <= 0xFA: // all keys' types
                Reply(Acknowledge);
                break;
            case 0xFE: // resend
                Reply(_lastSent);
                break;
            case 0xFF: // reset
                SetDefaults();
                _isScanning = true;
                _leds = 0;
                Reply(Acknowledge);
                Reply(SelfTestPassed);
                break;
            default:
                Reply(Resend);
                break;
        }
    }

    private void SetDefaults()
    {
        Clear();
        _scanCodeSet = 2;
    }

    private void Clear()
    {
        _scanCodes.Clear();
        _breakPrefix = false;
    }

    private void Reply(byte value) => _replies.Enqueue(value);

    public void Save(StateWriter writer)
    {
        writer.Write("keyboardReplies", _replies.ToArray());
        writer.Write("keyboardScanCodes", _scanCodes.ToArray());
        writer.Write("keyboardCommandAwaitingData", (uint)_commandAwaitingData);
        writer.Write("keyboardScanCodeSet", (uint)_scanCodeSet);
        writer.Write("keyboardLeds", (uint)_leds);
        writer.Write("keyboardIsScanning", _isScanning);
        writer.Write("keyboardBreakPrefix", _breakPrefix);
        writer.Write("keyboardLastSent", (uint)_lastSent);
    }

    public void Restore(StateReader reader)
    {
        _replies.Clear();
        foreach (byte b in reader.ReadBytes("keyboardReplies")) _replies.Enqueue(b);
        _scanCodes.Clear();
        foreach (byte b in reader.ReadBytes("keyboardScanCodes")) _scanCodes.Enqueue(b);
        _commandAwaitingData = reader.ReadByte("keyboardCommandAwaitingData");
        _scanCodeSet = reader.ReadByte("keyboardScanCodeSet");
        _leds = reader.ReadByte("keyboardLeds");
        _isScanning = reader.ReadBoolean("keyboardIsScanning");
        _breakPrefix = reader.ReadBoolean("keyboardBreakPrefix");
        _lastSent = reader.ReadByte("keyboardLastSent");
    }
}
