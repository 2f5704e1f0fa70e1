using System;
using System.Threading;
using Replay.Log;
using Replay.Queries;
using Vmm.Inputs;
using Vmm.Platform;
using Vmm.Time;

namespace Replay.Recording;

/// <summary>
/// Between a live source and a machine: logs everything that enters the machine, with its position, and everything that it prints. Used by
/// the engine's thread.
/// </summary>
internal sealed class RecordingInputSource(ILiveInput live, IHostServices host, EventLogWriter log, ClockKind clock, IOutputSink? console,
    string? stopText)
    : IInputSource, IOutputSink
{
    private readonly ulong _origin = clock == ClockKind.Host ? host.ReadMonotonicNanoseconds() : 0;
    private readonly TextMatcher[]? _matchers = stopText is null ? null : TextMatcher.ForEachChannel(stopText);
    private ulong _lastTime;
    private ulong _flushedSequence;
    private InputEvent? _cameInIdle;
    private Position? _notAt;

    /// <summary>Fires when the recording is to stop: ends waits for input.</summary>
    public CancellationToken Cancellation { get; set; }

    /// <summary>Asks the machine to stop; set once there is one.</summary>
    public Action RequestStop { get; set; } = static () => { };

    /// <summary>Called instead of waiting when the guest is idle; null: it waits.</summary>
    public Action? WhenIdle { get; set; }

    /// <summary>The text to stop at was printed.</summary>
    public bool TextWasPrinted { get; private set; }

    public ulong NextArrival => _cameInIdle is null ? live.NextArrival : 0;

    public bool TryTake(Position at, out InputEvent input)
    {
        input = default;
        if (at == _notAt) return false;
        if (_cameInIdle is { } waiting)
        {
            input = waiting;
            _cameInIdle = null;
        }
        else if (!live.TryTake(at, out input)) return false;
        log.WriteInput(at, input);
        return true;
    }

    public ulong ReadTime(Position at)
    {
        // A host clock that steps back must not take the guest with it.
        _lastTime = Math.Max(_lastTime, host.ReadClock(at) - _origin);
        log.WriteTimeRead(at, _lastTime);
        return _lastTime;
    }

    public void FillEntropy(Position at, Span<byte> destination)
    {
        host.FillRandom(destination);
        log.WriteEntropy(at, destination);
    }

    /// <summary>
    /// Replay knows that an idle guest was woken by an input from that input's position: right behind. So when it is not woken, nothing may
    /// be taken there, even if something comes at the last moment.
    /// </summary>
    public bool Idle(Position at, ulong nanosecondsToTimer)
    {
        // A guest that waits for someone at a terminal may wait for long: what happened so far should not be lost if we are killed
        // meanwhile.
        if (log.Sequence != _flushedSequence)
        {
            log.Flush(at);
            _flushedSequence = log.Sequence;
        }
        if (WhenIdle is null) Wait(at, nanosecondsToTimer);
        else WhenIdle();
        Position next = at with { EventOrdinal = at.EventOrdinal + 1 };
        if (live.NextArrival <= at.InstructionCount && live.TryTake(next, out InputEvent input))
        {
            _cameInIdle = input;
            return true;
        }
        _notAt = next;
        return false;
    }

    private void Wait(Position at, ulong nanosecondsToTimer)
    {
        ulong started = clock == ClockKind.Host ? host.ReadMonotonicNanoseconds() : 0;
        live.Idle(at, nanosecondsToTimer, Cancellation);
        if (clock == ClockKind.Virtual || nanosecondsToTimer == ulong.MaxValue) return;
        while (live.NextArrival > at.InstructionCount && !Cancellation.IsCancellationRequested)
        {
            ulong passed = host.ReadMonotonicNanoseconds() - started;
            if (passed >= nanosecondsToTimer) return;
            host.Wait(nanosecondsToTimer - passed);
        }
    }

    public void Write(Position at, OutputChannel channel, ReadOnlySpan<byte> data)
    {
        log.WriteOutput(at, channel, data);
        live.OnOutput(at, channel, data);
        console?.Write(at, channel, data);
        if (_matchers is null || TextWasPrinted) return;
        TextMatcher matcher = _matchers[(int)channel];
        foreach (byte b in data)
        {
            if (!matcher.Append(b)) continue;
            TextWasPrinted = true;
            RequestStop();
            return;
        }
    }
}
