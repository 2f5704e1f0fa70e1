using System;
using System.Collections.Generic;
using System.Text;
using System.Threading;
using Replay.Log;
using Replay.Packages;
using Replay.Queries;
using Vmm.Inputs;
using Vmm.Time;

namespace Replay.Recording;

/// <summary>
/// The inputs of a recording for another machine: a new build of the guest. Each is given as many instructions behind the line or prompt that the guest printed last before it as it was
/// in the recording; an input without anything printed since the one before, as many behind that one; without anything printed at all, at its recorded position. So the recorded build
/// gets everything where it got it, and another one when it is ready for it. Nothing is given out of order.
/// </summary>
public sealed class RecordedInput : ILiveInput
{
    private const int LongestText = 120;

    /// <param name="Recorded">The recorded arrival.</param>
    /// <param name="Text">What was printed last before it; null: nothing since the one before.</param>
    /// <param name="Occurrence">Which of the occurrences of the text behind the input before.</param>
    /// <param name="Delay">Instructions from there; from the input before, if there is no text; from the start for the first one.</param>
    private sealed record Arrival(LogRecord Recorded, byte[]? Text, int Occurrence, ulong Delay);

    private readonly List<Arrival> _arrivals = [];
    private TextMatcher[]? _matchers;
    private int _next, _occurrences;
    private ulong _due;

    public RecordedInput(RecordingFile recording)
    {
        Prepare(recording);
        Begin(0);
    }

    /// <summary>Inputs that there are.</summary>
    public int Count => _arrivals.Count;

    /// <summary>Inputs that were given.</summary>
    public int GivenCount => _next;

    /// <summary>What the next input waits for; null: for nothing that is printed.</summary>
    public string? AwaitedText => _next < _arrivals.Count && _matchers is not null ? Encoding.UTF8.GetString(_arrivals[_next].Text!) : null;

    public ulong NextArrival => _next == _arrivals.Count || _matchers is not null ? ulong.MaxValue : _due;

    public bool TryTake(Position at, out InputEvent input)
    {
        input = default;
        if (NextArrival > at.InstructionCount) return false;
        LogRecord recorded = _arrivals[_next].Recorded;
        // As long as the run is the recorded one, also among the events at one instruction count.
        if (_due == recorded.At.InstructionCount && at < recorded.At) return false;
        input = recorded.Kind == LogRecordKind.TimeInput
            ? new InputEvent(InputKind.Time, 0, BitConverter.GetBytes(recorded.Value))
            : new InputEvent((InputKind)recorded.Kind, recorded.Unit, recorded.Data);
        _next++;
        Begin(at.InstructionCount);
        return true;
    }

    public void OnOutput(Position at, OutputChannel channel, ReadOnlySpan<byte> data)
    {
        if (_matchers is null) return;
        foreach (byte b in data)
        {
            if (!_matchers[(int)channel].Append(b) || ++_occurrences < _arrivals[_next].Occurrence) continue;
            _matchers = null;
            _due = at.InstructionCount + _arrivals[_next].Delay;
            return;
        }
    }

    public void Idle(Position at, ulong nanosecondsToTimer, CancellationToken cancellation)
    {
        // Nothing but an input can wake it: it has come to where it waits, though by another way.
        if (nanosecondsToTimer != ulong.MaxValue || _next == _arrivals.Count || (_matchers is null && _due == _arrivals[_next].Recorded.At.InstructionCount)) return;
        _matchers = null;
        _due = at.InstructionCount;
    }

    private void Begin(ulong given)
    {
        _occurrences = 0;
        _matchers = null;
        if (_next == _arrivals.Count) return;
        Arrival next = _arrivals[_next];
        if (next.Text is null) _due = given + next.Delay;
        else _matchers = TextMatcher.ForEachChannel(next.Text);
    }

    // What was printed between two inputs is kept until it is known what its last line is.
    private void Prepare(RecordingFile recording)
    {
        var printed = new List<LogRecord>();
        ulong before = 0;
        foreach (LogRecord record in recording.Log.ReadAll())
        {
            if (record.Kind == LogRecordKind.Output) printed.Add(record);
            if (!record.IsArrival || !record.IsInput) continue;
            _arrivals.Add(ArrivalBehind(printed, record, before));
            before = record.At.InstructionCount;
            printed.Clear();
        }
    }

    private static Arrival ArrivalBehind(List<LogRecord> printed, in LogRecord input, ulong before)
    {
        byte[]? text = LastTextOf(printed);
        ulong from = before;
        int occurrence = 0;
        if (text is not null)
        {
            TextMatcher[] matchers = TextMatcher.ForEachChannel(text);
            foreach (LogRecord output in printed)
            {
                foreach (byte b in output.Data.Span)
                {
                    if (!matchers[output.Unit].Append(b)) continue;
                    occurrence++;
                    from = output.At.InstructionCount;
                }
            }
        }
        return new Arrival(input, text, occurrence, input.At.InstructionCount - from);
    }

    // The unfinished line of the channel that was printed on last, such as a prompt; else its last line that is not empty.
    private static byte[]? LastTextOf(List<LogRecord> printed)
    {
        if (printed.Count == 0) return null;
        int channel = printed[^1].Unit;
        var line = new List<byte>();
        byte[] last = [];
        foreach (LogRecord output in printed)
        {
            if (output.Unit != channel) continue;
            foreach (byte b in output.Data.Span)
            {
                if (b is not ((byte)'\n' or (byte)'\r'))
                {
                    line.Add(b);
                    continue;
                }
                byte[] whole = Essence(line);
                if (whole.Length > 0) last = whole;
                line.Clear();
            }
        }
        byte[] open = Essence(line);
        return open.Length > 0 ? open : last.Length > 0 ? last : null;
    }

    // Without the time that Linux puts before a line, which another build prints at another time.
    private static byte[] Essence(List<byte> line)
    {
        string text = Encoding.Latin1.GetString(line.ToArray());
        int end = text.StartsWith('[') ? text.IndexOf("] ", StringComparison.Ordinal) : -1;
        bool isStamp = end > 0;
        for (int i = 1; i < end; i++) isStamp &= char.IsAsciiDigit(text[i]) || text[i] is ' ' or '.';
        if (isStamp) text = text[(end + 2)..];
        text = text.TrimStart();
        return Encoding.Latin1.GetBytes(text.Length > LongestText ? text[^LongestText..] : text);
    }
}
