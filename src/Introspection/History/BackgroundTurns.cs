using System;
using System.Collections.Generic;
using System.Threading;

namespace Introspection.History;

/// <summary>
/// Background replays of a session take turns, first come, first served: each has a machine only while it is its turn, as machines take memory. Thread-safe.
/// </summary>
public sealed class BackgroundTurns
{
    private const int CheckMilliseconds = 50;

    private readonly object _gate = new();
    private readonly List<object> _queue = [];

    /// <summary>Waits for a turn.</summary>
    /// <param name="who">Any object, not in the queue.</param>
    /// <param name="cancellation">Ends the wait with <see cref="OperationCanceledException"/>.</param>
    public void Begin(object who, CancellationToken cancellation)
    {
        lock (_gate)
        {
            _queue.Add(who);
            while (!ReferenceEquals(_queue[0], who))
            {
                if (cancellation.IsCancellationRequested)
                {
                    _queue.Remove(who);
                    cancellation.ThrowIfCancellationRequested();
                }
                Monitor.Wait(_gate, CheckMilliseconds);
            }
        }
    }

    /// <summary>Others wait.</summary>
    public bool IsWanted
    {
        get
        {
            lock (_gate) return _queue.Count > 1;
        }
    }

    /// <summary>The turn is over.</summary>
    public void End(object who)
    {
        lock (_gate)
        {
            _queue.Remove(who);
            Monitor.PulseAll(_gate);
        }
    }
}
