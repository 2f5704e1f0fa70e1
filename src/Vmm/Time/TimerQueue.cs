using System.Collections.Generic;

namespace Vmm.Time;

/// <summary>A chip whose timer expired.</summary>
public interface ITimerTarget
{
    /// <param name="timer">The timer that expired; it is disarmed and may be armed again from here.</param>
    /// <param name="deadlineNanoseconds">When it was due: periodic chips arm the next period from here, not from now.</param>
    void OnTimer(GuestTimer timer, ulong deadlineNanoseconds);
}

/// <summary>One deadline in guest time. Its chip saves the deadline in its own snapshot and arms it again when restored.</summary>
public sealed class GuestTimer
{
    private readonly TimerQueue _queue;

    internal GuestTimer(TimerQueue queue, ITimerTarget target, string name, int order)
    {
        _queue = queue;
        Target = target;
        Name = name;
        Order = order;
    }

    internal ITimerTarget Target { get; }
    internal int Order { get; }
    public string Name { get; }

    /// <summary>Guest time of expiry in nanoseconds; <see cref="ulong.MaxValue"/> when disarmed.</summary>
    public ulong DeadlineNanoseconds { get; private set; } = ulong.MaxValue;

    public bool IsArmed => DeadlineNanoseconds != ulong.MaxValue;

    public void Arm(ulong deadlineNanoseconds)
    {
        DeadlineNanoseconds = deadlineNanoseconds;
        _queue.Changed();
    }

    public void Disarm() => Arm(ulong.MaxValue);
}

/// <summary>
/// All timers of a machine. There are about a dozen, so the next one is found by looking at each. Timers that share a deadline
/// expire in the order in which they were created, which the machine's builder fixes.
/// </summary>
public sealed class TimerQueue
{
    private readonly List<GuestTimer> _timers = [];

    /// <summary>Called whenever a deadline moved, so that the machine looks at its next stop again.</summary>
    public System.Action? DeadlineChanged { get; set; }

    /// <summary>The earliest deadline in nanoseconds; <see cref="ulong.MaxValue"/> when no timer is armed.</summary>
    public ulong NextDeadlineNanoseconds { get; private set; } = ulong.MaxValue;

    public GuestTimer Create(ITimerTarget target, string name)
    {
        var timer = new GuestTimer(this, target, name, _timers.Count);
        _timers.Add(timer);
        return timer;
    }

    public IReadOnlyList<GuestTimer> Timers => _timers;

    /// <summary>Expires the earliest timer if it is due at <paramref name="nowNanoseconds"/>; false when none is.</summary>
    public bool ExpireOne(ulong nowNanoseconds)
    {
        if (NextDeadlineNanoseconds > nowNanoseconds) return false;
        foreach (GuestTimer timer in _timers)
        {
            if (timer.DeadlineNanoseconds != NextDeadlineNanoseconds) continue;
            ulong deadline = timer.DeadlineNanoseconds;
            timer.Disarm();
            timer.Target.OnTimer(timer, deadline);
            return true;
        }
        throw new InvariantException("the earliest deadline belongs to no timer");
    }

    internal void Changed()
    {
        ulong next = ulong.MaxValue;
        foreach (GuestTimer timer in _timers)
            if (timer.DeadlineNanoseconds < next) next = timer.DeadlineNanoseconds;
        NextDeadlineNanoseconds = next;
        DeadlineChanged?.Invoke();
    }
}
