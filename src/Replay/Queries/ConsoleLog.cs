using System;
using System.Buffers;
using System.Collections.Generic;
using Replay.Log;
using Vmm.Inputs;
using Vmm.Time;

namespace Replay.Queries;

/// <summary>One byte that the guest printed, or several that went out at once.</summary>
/// <param name="At">Position of the instruction that printed: seeking there stands just before it.</param>
/// <param name="Channel">Where it went.</param>
/// <param name="Data">The bytes.</param>
public readonly record struct ConsoleOutput(Position At, OutputChannel Channel, ReadOnlyMemory<byte> Data);

/// <summary>What the guest printed, read from the event log without replaying. Thread-safe.</summary>
public sealed class ConsoleLog
{
    private readonly EventLogReader _log;

    internal ConsoleLog(EventLogReader log) => _log = log;

    /// <summary>Output by instructions before <paramref name="until"/>, from <paramref name="from"/> on, in order;
    /// <paramref name="channel"/> null: of all channels.</summary>
    public IEnumerable<ConsoleOutput> Read(Position from, Position until, OutputChannel? channel = null)
    {
        for (int i = 0; i < _log.SegmentCount; i++)
        {
            LogSegmentMeta meta = _log.Meta(i);
            if (meta.Base >= until) yield break;
            if (meta.OutputByteCount == 0 || meta.Through < from) continue;
            foreach (LogRecord record in _log.ReadSegment(i).Records)
            {
                if (record.Kind != LogRecordKind.Output || record.At < from || record.At >= until) continue;
                if (channel is null
                    || record.Unit == (int)channel) yield return new ConsoleOutput(record.At, (OutputChannel)record.Unit, record.Data);
            }
        }
    }

    /// <summary>All bytes of one channel before <paramref name="until"/>.</summary>
    public byte[] ReadBytes(Position until, OutputChannel channel = OutputChannel.Serial0)
    {
        var bytes = new ArrayBufferWriter<byte>();
        foreach (ConsoleOutput output in Read(Position.Start, until, channel)) bytes.Write(output.Data.Span);
        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>
    /// The first (or, in <paramref name="reverse"/>, last) place after (before) <paramref name="from"/> at which a channel has printed
    /// <paramref name="text"/>: the
    /// position of the instruction that printed its last byte. null: nowhere.
    /// </summary>
    public ConsoleOutput? Find(string text, Position from, bool reverse, OutputChannel? channel = null)
    {
        if (text.Length == 0) return null;
        // From the start in either direction: the text may have begun before the cursor, and the whole console is a small part of a
        // recording.
        TextMatcher[] matchers = TextMatcher.ForEachChannel(text);
        var everything = new Position(ulong.MaxValue, uint.MaxValue);
        ConsoleOutput? last = null;
        foreach (ConsoleOutput output in Read(Position.Start, reverse ? from : everything, channel))
        {
            if ((uint)output.Channel >= (uint)matchers.Length) continue;
            bool found = false;
            foreach (byte b in output.Data.Span) found |= matchers[(int)output.Channel].Append(b);
            if (!found) continue;
            if (reverse) last = output;
            else if (output.At > from) return output;
        }
        return last;
    }
}
