using System;
using System.Text;
using Replay.Queries;
using Replay.Recording;
using Vmm.Inputs;
using Vmm.Time;

namespace Replay.Exploration;

/// <summary>
/// A world in which nothing ever arrives, and random bytes are a function of how many were asked for: what a machine does in it depends on its schedule alone,
/// whether it is recorded or not.
/// </summary>
/// <param name="awaitedText">A text to look for in what is printed; null: none.</param>
internal sealed class SilentWorld(string? awaitedText) : IInputSource, IOutputSink, IHostServices
{
    private const int LongestLine = 300;
    private readonly TextMatcher[]? _matchers = awaitedText is null ? null : TextMatcher.ForEachChannel(awaitedText);
    private readonly StringBuilder _line = new();
    private string _lastLine = "";
    private readonly RepeatableBytes _random = new();

    /// <summary>The text was printed.</summary>
    public bool TextWasPrinted { get; private set; }

    /// <summary>Called once it was.</summary>
    public Action? WhenPrinted { get; set; }

    /// <summary>The last line of the first serial port that is not empty.</summary>
    public string LastLine => _line.Length > 0 ? _line.ToString() : _lastLine;

    public ulong NextArrival => ulong.MaxValue;

    public bool TryTake(Position at, out InputEvent input)
    {
        input = default;
        return false;
    }

    public ulong ReadTime(Position at) => throw new InvalidOperationException("schedules are explored with the virtual clock");

    public void FillEntropy(Position at, Span<byte> destination) => FillRandom(destination);

    public bool Idle(Position at, ulong nanosecondsToTimer) => false;

    public ulong ReadMonotonicNanoseconds() => 0;

    public void FillRandom(Span<byte> destination) => _random.Fill(destination);

    public void Write(Position at, OutputChannel channel, ReadOnlySpan<byte> data)
    {
        foreach (byte b in data)
        {
            if (channel == OutputChannel.Serial0) AppendToLine(b);
            if (_matchers is null || TextWasPrinted || !_matchers[(int)channel].Append(b)) continue;
            TextWasPrinted = true;
            WhenPrinted?.Invoke();
        }
    }

    private void AppendToLine(byte b)
    {
        if (b is (byte)'\n' or (byte)'\r')
        {
            if (_line.Length > 0) _lastLine = _line.ToString();
            _line.Clear();
        }
        else if (_line.Length < LongestLine) _line.Append(b is >= 0x20 and < 0x7F ? (char)b : '?');
    }
}
