using System;
using System.Collections.Generic;
using System.Threading;
using Vmm.Inputs;
using Vmm.Time;

namespace Replay.Recording;

/// <summary>Bytes that another thread pushes, a terminal's reader for one. An idle guest waits for them in real time.</summary>
public sealed class InteractiveInput(InputKind kind = InputKind.Serial, int unit = 0) : ILiveInput
{
    /// <summary>As much as a 16550 holds; more at once would be lost.</summary>
    private const int Burst = 16;
    private const ulong BurstGap = 20_000;
    /// <summary>How long to wait before looking again whether to stop.</summary>
    private const int MaxWaitMilliseconds = 100;
    private const ulong NanosecondsPerMillisecond = 1_000_000;

    private readonly object _gate = new();
    private readonly Queue<byte> _bytes = new();
    private ulong _notBefore;
    private volatile bool _hasBytes, _closed;

    /// <summary>Gives bytes to the guest. Callable from any thread.</summary>
    public void Push(ReadOnlySpan<byte> data)
    {
        lock (_gate)
        {
            foreach (byte b in data) _bytes.Enqueue(b);
            _hasBytes = _bytes.Count > 0;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Nothing more will come: a guest that waits only for input then counts as halted. Callable from any thread.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            Monitor.PulseAll(_gate);
        }
    }

    public ulong NextArrival => _hasBytes ? _notBefore : ulong.MaxValue;

    public bool TryTake(Position at, out InputEvent input)
    {
        input = default;
        if (!_hasBytes || at.InstructionCount < _notBefore) return false;
        lock (_gate)
        {
            var data = new byte[Math.Min(Burst, _bytes.Count)];
            for (int i = 0; i < data.Length; i++) data[i] = _bytes.Dequeue();
            _hasBytes = _bytes.Count > 0;
            _notBefore = at.InstructionCount + BurstGap;
            input = new InputEvent(kind, unit, data);
            return true;
        }
    }

    public void OnOutput(Position at, OutputChannel channel, ReadOnlySpan<byte> data) { }

    public void Idle(Position at, ulong nanosecondsToTimer, CancellationToken cancellation)
    {
        ulong milliseconds = nanosecondsToTimer / NanosecondsPerMillisecond;
        lock (_gate)
        {
            if (_hasBytes)
            {
                // A halted guest gets no further on its own: the gap after the last burst is over.
                _notBefore = Math.Min(_notBefore, at.InstructionCount);
                return;
            }
            while (!_hasBytes && !_closed && !cancellation.IsCancellationRequested && milliseconds > 0)
            {
                int wait = (int)Math.Min(milliseconds, MaxWaitMilliseconds);
                Monitor.Wait(_gate, wait);
                if (nanosecondsToTimer != ulong.MaxValue) milliseconds -= (ulong)wait;
            }
            if (_hasBytes) _notBefore = Math.Min(_notBefore, at.InstructionCount);
        }
    }
}
