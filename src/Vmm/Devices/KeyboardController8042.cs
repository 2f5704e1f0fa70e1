using System;
using System.Collections.Generic;
using Vmm.Buses;
using Vmm.Snapshots;

namespace Vmm.Devices;

/// <summary>
/// The PC's 8042 keyboard and auxiliary device controller (IBM PS/2 Hardware Interface Technical Reference, "Keyboard and
/// auxiliary device controller") with a keyboard on IRQ1 and a mouse on IRQ12: data at 0x60, status and commands at 0x64.
/// It starts as firmware leaves it: keyboard on, with translation and interrupt, mouse off. A20 is always on; its bit of
/// the output port can be read back. Not modelled: serial link timing (a byte that is read is followed by the next at
/// once), timeouts and parity errors, password security.
/// </summary>
internal sealed class KeyboardController8042(IrqLine keyboardIrq, IrqLine mouseIrq, IPowerControl power) : IBytePortDevice, ISnapshotted
{
    public const int DataPort = 0x60;
    public const int CommandPort = 0x64;
    private const int StatusOutputFull = 0x01, StatusSystem = 0x04, StatusLastWasCommand = 0x08;
    private const int StatusUnlocked = 0x10, StatusMouseOutput = 0x20;
    private const int KeyboardInterrupt = 0x01, MouseInterrupt = 0x02, SystemFlag = 0x04;
    private const int KeyboardDisabled = 0x10, MouseDisabled = 0x20, Translates = 0x40;
    private const int OutputPortNotReset = 0x01, OutputPortA20 = 0x02;

    private readonly Ps2Keyboard _keyboard = new();
    private readonly Ps2Mouse _mouse = new();
    // What the controller itself has to say, ahead of both devices; bit 8 marks what pretends to come from the mouse.
    private readonly Queue<ushort> _replies = new();
    private readonly byte[] _ram = CreateRam();

    private byte _outputBuffer;
    private bool _isOutputFull, _isOutputFromMouse;
    private bool _lastWriteWasCommand;
    private byte _commandAwaitingData; // 0: the data port goes to the keyboard
    private byte _outputPort = OutputPortNotReset | OutputPortA20 | 0xCC;
    private bool _breakPrefix; // translation: 0xF0 was taken and marks the next code

    private static byte[] CreateRam()
    {
        byte[] ram = new byte[32];
        ram[0] = Translates | MouseDisabled | SystemFlag | KeyboardInterrupt;
        return ram;
    }

    public string SnapshotName => "i8042";

    /// <summary>Bit 0 scroll lock, bit 1 num lock, bit 2 caps lock.</summary>
    public byte Leds => _keyboard.Leds;

    private ref byte CommandByte => ref _ram[0];

    /// <summary>Keys, in scan code set 2.</summary>
    public void Receive(ReadOnlySpan<byte> scanCodes)
    {
        _keyboard.Type(scanCodes);
        FillOutput();
    }

    public byte ReadByte(int port)
    {
        switch (port)
        {
            case DataPort:
                byte value = _outputBuffer;
                if (_isOutputFull)
                {
                    // The wire falls with the buffer, so that the next byte is an edge again.
                    _isOutputFull = false;
                    UpdateLines();
                    FillOutput();
                }
                return value;
            case CommandPort:
                int status = StatusUnlocked | (_lastWriteWasCommand ? StatusLastWasCommand : 0);
                if ((CommandByte & SystemFlag) != 0) status |= StatusSystem;
                if (_isOutputFull) status |= StatusOutputFull | (_isOutputFromMouse ? StatusMouseOutput : 0);
                return (byte)status;
            default:
                return 0xFF;
        }
    }

    public void WriteByte(int port, byte value)
    {
        switch (port)
        {
            case DataPort:
                _lastWriteWasCommand = false;
                WriteData(value);
                break;
            case CommandPort:
                _lastWriteWasCommand = true;
                WriteCommand(value);
                break;
            default:
                return;
        }
        UpdateLines();
        FillOutput();
    }

    private void WriteData(byte value)
    {
        byte command = _commandAwaitingData;
        _commandAwaitingData = 0;
        switch (command)
        {
            case >= 0x60 and <= 0x7F: _ram[command & 0x1F] = value; break;
            case 0xD1: WriteOutputPort(value); break;
            case 0xD2: _replies.Enqueue(value); break;
            case 0xD3: _replies.Enqueue((ushort)(0x100 | value)); break;
            case 0xD4:
                CommandByte &= unchecked((byte)~MouseDisabled); // sending enables the link
                _mouse.WriteCommand(value);
                break;
            default:
                CommandByte &= unchecked((byte)~KeyboardDisabled);
                _keyboard.WriteCommand(value);
                break;
        }
    }

    private void WriteCommand(byte command)
    {
        _commandAwaitingData = 0;
        switch (command)
        {
            case >= 0x20 and <= 0x3F: _replies.Enqueue(_ram[command & 0x1F]); break;
            case (>= 0x60 and <= 0x7F) or 0xD1 or 0xD2 or 0xD3 or 0xD4: _commandAwaitingData = command; break;
            case 0xA7: CommandByte |= MouseDisabled; break;
            case 0xA8: CommandByte &= unchecked((byte)~MouseDisabled); break;
            case 0xA9: _replies.Enqueue(0x00); break; // mouse link test passed
            case 0xAA: // self-test
                CommandByte = (byte)(CommandByte | SystemFlag | KeyboardDisabled);
                _replies.Enqueue(0x55);
                break;
            case 0xAB: _replies.Enqueue(0x00); break; // keyboard link test passed
            case 0xAD: CommandByte |= KeyboardDisabled; break;
            case 0xAE: CommandByte &= unchecked((byte)~KeyboardDisabled); break;
            case 0xC0: _replies.Enqueue(0xA0); break; // input port: keyboard not inhibited, colour display
            case 0xD0: _replies.Enqueue(_outputPort); break;
            case 0xDD: _outputPort &= unchecked((byte)~OutputPortA20); break; // A20 gate off and on, as HP's controller has them
            case 0xDF: _outputPort |= OutputPortA20; break;
            case 0xE0: _replies.Enqueue(0x00); break; // test inputs
            case >= 0xF0: // pulses the low bits of the output port that are 0
                if ((command & OutputPortNotReset) == 0) power.Reset();
                break;
        }
    }

    private void WriteOutputPort(byte value)
    {
        _outputPort = value;
        if ((value & OutputPortNotReset) == 0) power.Reset();
    }

    /// <summary>
    /// Moves the next byte to the output buffer when that is empty: the controller's own first, then the keyboard's, then
    /// the mouse's.
    /// </summary>
    private void FillOutput()
    {
        if (_isOutputFull) return;
        if (_replies.TryDequeue(out ushort reply)) SetOutput((byte)reply, reply >= 0x100);
        else if (TryTakeFromKeyboard(out byte value)) SetOutput(value, fromMouse: false);
        else if ((CommandByte & MouseDisabled) == 0 && _mouse.TryTake(out value)) SetOutput(value, fromMouse: true);
    }

    private bool TryTakeFromKeyboard(out byte value)
    {
        value = 0;
        if ((CommandByte & KeyboardDisabled) != 0) return false;
        while (_keyboard.TryTake(out value))
        {
            if ((CommandByte & Translates) == 0) return true;
            if (value == 0xF0)
            {
                _breakPrefix = true;
                continue;
            }
            value = (byte)(ScanCodes.Translate(value) | (_breakPrefix ? 0x80 : 0));
            _breakPrefix = false;
            return true;
        }
        return false;
    }

    private void SetOutput(byte value, bool fromMouse)
    {
        _outputBuffer = value;
        _isOutputFull = true;
        _isOutputFromMouse = fromMouse;
        UpdateLines();
    }

    private void UpdateLines()
    {
        keyboardIrq.Set(_isOutputFull && !_isOutputFromMouse && (CommandByte & KeyboardInterrupt) != 0);
        mouseIrq.Set(_isOutputFull && _isOutputFromMouse && (CommandByte & MouseInterrupt) != 0);
    }

    public void Save(StateWriter writer)
    {
        _keyboard.Save(writer);
        _mouse.Save(writer);
        byte[] replies = new byte[_replies.Count * 2];
        int i = 0;
        foreach (ushort reply in _replies)
        {
            replies[i++] = (byte)reply;
            replies[i++] = (byte)(reply >> 8);
        }
        writer.Write("replies", replies);
        writer.Write("ram", _ram);
        writer.Write("outputBuffer", (uint)_outputBuffer);
        writer.Write("isOutputFull", _isOutputFull);
        writer.Write("isOutputFromMouse", _isOutputFromMouse);
        writer.Write("lastWriteWasCommand", _lastWriteWasCommand);
        writer.Write("commandAwaitingData", (uint)_commandAwaitingData);
        writer.Write("outputPort", (uint)_outputPort);
        writer.Write("breakPrefix", _breakPrefix);
        writer.Write("keyboardIrq", keyboardIrq.IsHigh);
        writer.Write("mouseIrq", mouseIrq.IsHigh);
    }

    public void Restore(StateReader reader)
    {
        _keyboard.Restore(reader);
        _mouse.Restore(reader);
        _replies.Clear();
        ReadOnlySpan<byte> replies = reader.ReadBytes("replies");
        for (int i = 0; i + 1 < replies.Length; i += 2) _replies.Enqueue((ushort)(replies[i] | replies[i + 1] << 8));
        reader.Read("ram", _ram);
        _outputBuffer = reader.ReadByte("outputBuffer");
        _isOutputFull = reader.ReadBoolean("isOutputFull");
        _isOutputFromMouse = reader.ReadBoolean("isOutputFromMouse");
        _lastWriteWasCommand = reader.ReadBoolean("lastWriteWasCommand");
        _commandAwaitingData = reader.ReadByte("commandAwaitingData");
        _outputPort = reader.ReadByte("outputPort");
        _breakPrefix = reader.ReadBoolean("breakPrefix");
        keyboardIrq.Restore(reader.ReadBoolean("keyboardIrq"));
        mouseIrq.Restore(reader.ReadBoolean("mouseIrq"));
    }
}
