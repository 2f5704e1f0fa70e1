using Vmm.Platform;
using Vmm.Time;

namespace Replay.Queries;

/// <summary>A stretch of a recording that begins at a checkpoint.</summary>
/// <param name="Checkpoint">The checkpoint's number.</param>
/// <param name="Start">Where the checkpoint stands.</param>
/// <param name="From">The first position that counts: <see cref="Start"/>, or later in the first stretch of a range.</param>
/// <param name="To">Where the next stretch begins, or the range ends.</param>
public readonly record struct ReplayInterval(int Checkpoint, Position Start, Position From, Position To);

/// <summary>Looks at intervals of a recording while they are replayed. Each is used by one thread, for one interval after the other.</summary>
/// <typeparam name="T">What it finds in an interval.</typeparam>
public interface IIntervalVisitor<out T>
{
    /// <summary>The machine stands at the interval's start: the place to set an observer and breakpoints.</summary>
    void Begin(Machine machine, int index, in ReplayInterval interval);

    /// <summary>The machine stands between two runs, after a while or after <see cref="Machine.RequestStop"/>: breakpoints may be changed here. False: this interval needs no more.</summary>
    bool GoOn();

    /// <summary>The interval is over, or this one needs no more. Takes observer and breakpoints off again.</summary>
    T End();
}
