using System;
using System.Collections.Generic;
using System.Threading;
using Vmm.Inputs;
using Vmm.Time;

namespace Replay.Recording;

/// <summary>Bytes that another thread pushes, a terminal's reader for one. An idle guest waits for them in real time.</summary>
public sealed class InteractiveInput(InputKind kind = InputKind.Serial, int unit = 0) : ILiveInput
{
    /// <summary>Bytes in one input event at most.</summary>
    private const int MaxEventLength = 4096;
    /// <summary>How long to wait before looking again whether to stop.</summary>
    private const int MaxWaitMilliseconds = 100;
    private const ulong NanosecondsPerMillisecond = 1_000_000;

    private readonly object _gate = new();
    private readonly Queue<byte> _bytes = new();
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

    /// <summary>While it is open something may come at any time, so that a guest which waits for it is not halted for ever.</summary>
    public ulong NextArrival => _hasBytes ? 0 : _closed ? ulong.MaxValue : ulong.MaxValue - 1;

    public bool TryTake(Position at, out InputEvent input)
    {
        input = default;
        if (!_hasBytes) return false;
        lock (_gate)
        {
            var data = new byte[Math.Min(MaxEventLength, _bytes.Count)];
            for (int i = 0; i < data.Length; i++) data[i] = _bytes.Dequeue();
            _hasBytes = _bytes.Count > 0;
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
            while (!_hasBytes && !_closed && !cancellation.IsCancellationRequested && milliseconds > 0)
            {
                int wait = (int)Math.Min(milliseconds, MaxWaitMilliseconds);
                Monitor.Wait(_gate, wait);
                if (nanosecondsToTimer != ulong.MaxValue) milliseconds -= (ulong)wait;
            }
        }
    }
}
