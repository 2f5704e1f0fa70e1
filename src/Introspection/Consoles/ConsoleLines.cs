using System;
using System.Buffers;
using System.Collections.Generic;
using System.Text;
using Replay.Queries;
using Vmm.Inputs;
using Vmm.Time;

namespace Introspection.Consoles;

/// <summary>A line that the guest printed.</summary>
/// <param name="At">Position of the instruction that printed its last byte.</param>
/// <param name="Text">Without the end of line; carriage returns are left out.</param>
public readonly record struct ConsoleLine(Position At, string Text);

/// <summary>What the guest printed, as lines. They are read from the log once, in order, and kept while they are asked for again.</summary>
public sealed class ConsoleLines(ConsoleLog log, OutputChannel channel)
{
    private readonly List<ConsoleLine> _lines = [];
    private readonly ArrayBufferWriter<byte> _open = new();
    private Position _readUntil = Position.Start, _lastByte;

    /// <summary>The names of the channels, in the order of <see cref="OutputChannel"/>.</summary>
    public static IReadOnlyList<string> ChannelNames { get; } = ["serial0", "serial1", "debug", "virtio"];

    /// <summary>Lines printed before a position, the unfinished one included.</summary>
    public IReadOnlyList<ConsoleLine> Before(Position until, int maximum, out bool isCut)
    {
        ReadUntil(until);
        int end = _lines.Count;
        if (until < _readUntil) end = CountBefore(until);
        var lines = new List<ConsoleLine>();
        // The line that was not finished then: the bytes of the next one that had been printed.
        ConsoleLine? open = until >= _readUntil ? OpenLine() : OpenAt(until, end);
        int wanted = maximum - (open is null ? 0 : 1), first = end - Math.Min(end, Math.Max(0, wanted));
        isCut = first > 0;
        lines.AddRange(_lines.GetRange(first, end - first));
        if (open is { } unfinished && maximum > 0) lines.Add(unfinished);
        return lines;
    }

    /// <summary>Index of the first line that was complete at or after a position, of those read so far.</summary>
    public int CountBefore(Position until)
    {
        int low = 0, high = _lines.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_lines[middle].At < until) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    /// <summary>All lines that begin to be complete in a window.</summary>
    public IReadOnlyList<ConsoleLine> Between(Position from, Position to)
    {
        ReadUntil(to);
        int first = CountBefore(from);
        return _lines.GetRange(first, CountBefore(to) - first);
    }

    private void ReadUntil(Position until)
    {
        if (until <= _readUntil) return;
        foreach (ConsoleOutput piece in log.Read(_readUntil, until, channel))
        {
            foreach (byte b in piece.Data.Span)
            {
                _lastByte = piece.At;
                if (b == '\r') continue;
                if (b != '\n')
                {
                    _open.Write([b]);
                    continue;
                }
                _lines.Add(new ConsoleLine(piece.At, Text(_open)));
                _open.ResetWrittenCount();
            }
        }
        _readUntil = until;
    }

    private ConsoleLine? OpenLine() => _open.WrittenCount > 0 ? new ConsoleLine(_lastByte, Text(_open)) : null;

    private ConsoleLine? OpenAt(Position until, int lineCount)
    {
        Position from = lineCount > 0 ? _lines[lineCount - 1].At : Position.Start;
        var bytes = new ArrayBufferWriter<byte>();
        Position last = from;
        foreach (ConsoleOutput piece in log.Read(from, until, channel))
        {
            foreach (byte b in piece.Data.Span)
            {
                last = piece.At;
                if (b == '\n') bytes.ResetWrittenCount();
                else if (b != '\r') bytes.Write([b]);
            }
        }
        return bytes.WrittenCount > 0 ? new ConsoleLine(last, Text(bytes)) : null;
    }

    private static string Text(ArrayBufferWriter<byte> bytes) => Encoding.UTF8.GetString(bytes.WrittenSpan);
}
