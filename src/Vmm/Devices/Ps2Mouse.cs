using System.Collections.Generic;
using Vmm.Snapshots;

namespace Vmm.Devices;

/// <summary>
/// A standard PS/2 mouse (IBM PS/2 Hardware Interface Technical Reference, "Mouse"), ID 0, seen from its connector. It
/// answers every command and never moves: the machine has no input for it.
/// </summary>
internal sealed class Ps2Mouse
{
    private const byte Acknowledge = 0xFA, Resend = 0xFE, ResetWrap = 0xEC, Reset = 0xFF;

    private readonly Queue<byte> _replies = new();
    private byte _commandAwaitingData; // 0: none
    private byte _sampleRate = 100, _resolution = 2, _lastSent;
    private bool _isReporting, _isRemote, _isWrapping, _isScaled;

    public bool TryTake(out byte value)
    {
        if (!_replies.TryDequeue(out value)) return false;
        _lastSent = value;
        return true;
    }

    public void WriteCommand(byte value)
    {
        byte command = _commandAwaitingData;
        _commandAwaitingData = 0;
        if (_isWrapping && value is not (ResetWrap or Reset)) Reply(value);
        else if (command == 0xE8)
        {
            _resolution = (byte)(value & 3);
            Reply(Acknowledge);
        }
        else if (command == 0xF3)
        {
            _sampleRate = value;
            Reply(Acknowledge);
        }
        else Execute(value);
    }

    private void Execute(byte command)
    {
        Reply(Acknowledge);
        switch (command)
        {
            case 0xE6: _isScaled = false; break;
            case 0xE7: _isScaled = true; break;
            case 0xE8 or 0xF3: _commandAwaitingData = command; break;
            case 0xE9: // status
                Reply((byte)((_isRemote ? 0x40 : 0) | (_isReporting ? 0x20 : 0) | (_isScaled ? 0x10 : 0)));
                Reply(_resolution);
                Reply(_sampleRate);
                break;
            case 0xEA: _isRemote = false; break;
            case 0xEB: // read data: no button, no motion
                Reply(0x08);
                Reply(0);
                Reply(0);
                break;
            case ResetWrap: _isWrapping = false; break;
            case 0xEE: _isWrapping = true; break;
            case 0xF0: _isRemote = true; break;
            case 0xF2: Reply(0); break; // ID
            case 0xF4: _isReporting = true; break;
            case 0xF5: _isReporting = false; break;
            case 0xF6: SetDefaults(); break;
            case 0xFE:
                _replies.Clear();
                Reply(_lastSent);
                break;
            case Reset:
                SetDefaults();
                Reply(0xAA);
                Reply(0);
                break;
            default:
                _replies.Clear();
                Reply(Resend);
                break;
        }
    }

    private void SetDefaults()
    {
        _sampleRate = 100;
        _resolution = 2;
        _isReporting = _isRemote = _isWrapping = _isScaled = false;
    }

    private void Reply(byte value) => _replies.Enqueue(value);

    public void Save(StateWriter writer)
    {
        writer.Write("mouseReplies", _replies.ToArray());
        writer.Write("mouseCommandAwaitingData", (uint)_commandAwaitingData);
        writer.Write("mouseSampleRate", (uint)_sampleRate);
        writer.Write("mouseResolution", (uint)_resolution);
        writer.Write("mouseLastSent", (uint)_lastSent);
        writer.Write("mouseIsReporting", _isReporting);
        writer.Write("mouseIsRemote", _isRemote);
        writer.Write("mouseIsWrapping", _isWrapping);
        writer.Write("mouseIsScaled", _isScaled);
    }

    public void Restore(StateReader reader)
    {
        _replies.Clear();
        foreach (byte b in reader.ReadBytes("mouseReplies")) _replies.Enqueue(b);
        _commandAwaitingData = reader.ReadByte("mouseCommandAwaitingData");
        _sampleRate = reader.ReadByte("mouseSampleRate");
        _resolution = reader.ReadByte("mouseResolution");
        _lastSent = reader.ReadByte("mouseLastSent");
        _isReporting = reader.ReadBoolean("mouseIsReporting");
        _isRemote = reader.ReadBoolean("mouseIsRemote");
        _isWrapping = reader.ReadBoolean("mouseIsWrapping");
        _isScaled = reader.ReadBoolean("mouseIsScaled");
    }
}
