using System;
using System.Collections.Generic;
using Introspection.Devices;
using Introspection.Text;
using Replay.Log;
using Replay.Packages;
using Vmm.Inputs;
using Vmm.Platform;
using Vmm.Time;

namespace Introspection.Origins;

/// <summary>Which recorded input a byte is that the guest gets from a chip.</summary>
internal static class InputOrigins
{
    private const int UartPortCount = 8, UartFifoSize = 16;

    /// <summary>A byte that is about to be read from a port; null: it is no recorded input, or which one cannot be told.</summary>
    /// <param name="recording">The recording.</param>
    /// <param name="machine">Stands just before the read.</param>
    /// <param name="port">The port.</param>
    /// <param name="value">The byte that is read.</param>
    public static (long Index, string Text)? FromPort(RecordingFile recording, Machine machine, int port, byte value)
    {
        int unit = port switch { PlatformLayout.Serial1Port => 0, PlatformLayout.Serial2Port => 1, _ => -1 };
        if (unit < 0 || Chip(machine, $"uart{unit}") is not { } uart) return null;
        ulong count = Math.Min(uart.Number("fifoCount"), UartFifoSize);
        const ulong divisorAccess = 0x80;
        if (count == 0 || (uart.Number("lineControl") & divisorAccess) != 0) return null;
        // Received bytes wait in the order of their arrival and none is lost: the one that is read has so many behind it.
        long behind = (long)count - 1 + uart.Bytes("host").Length;
        return NthFromLast(recording, machine.Position, InputKind.Serial, unit, behind, value);
    }

    /// <summary>What a chip stored when an input arrived: the input at that position.</summary>
    public static long? At(RecordingFile recording, Position at)
    {
        long index = 0;
        foreach (LogRecord record in recording.ReadInputs())
        {
            if (record.IsArrival && record.At == at) return index;
            if (record.At > at) return null;
            index++;
        }
        return null;
    }

    public static ChipFields? Chip(Machine machine, string name)
    {
        foreach (ChipState chip in machine.ReadChips())
            if (chip.Name == name) return new ChipFields(chip);
        return null;
    }

    private static (long Index, string Text)? NthFromLast(RecordingFile recording, Position before, InputKind kind, int unit, long behind, byte value)
    {
        var arrived = new List<(long Index, LogRecord Record)>();
        long index = -1;
        foreach (LogRecord record in recording.ReadInputs())
        {
            index++;
            if (record.At >= before) break;
            if ((int)record.Kind == (int)kind && record.Unit == unit) arrived.Add((index, record));
        }
        for (int i = arrived.Count - 1; i >= 0; i--)
        {
            LogRecord record = arrived[i].Record;
            if (behind >= record.Data.Length)
            {
                behind -= record.Data.Length;
                continue;
            }
            int at = record.Data.Length - 1 - (int)behind;
            if (record.Data.Span[at] != value) return null;
            string shown = value is >= 0x20 and < 0x7F ? $" '{(char)value}'" : "";
            string part = record.Data.Length == 1 ? "" : $"byte {at} of ";
            return (arrived[i].Index, $"{Hexadecimal.Of(value)}{shown}: {part}input {arrived[i].Index}, which came to serial port {unit + 1} at {record.At}");
        }
        return null;
    }
}
