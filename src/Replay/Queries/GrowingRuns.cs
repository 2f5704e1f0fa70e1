using System;

namespace Replay.Queries;

/// <summary>
/// How many intervals a worker of a scan takes at once, to replay them in one piece: one at first, as what is looked for may be near; then twice as many each time round, as restoring
/// a snapshot costs as much as replaying many millions of instructions; and less again at the end, so that no worker waits for another. Used under the scan's lock.
/// </summary>
/// <param name="workers">Who share the intervals, at least 1.</param>
internal sealed class GrowingRuns(int workers)
{
    private const int MostDoublings = 16;

    private int _taken;

    /// <summary>The next run's length, at least 1.</summary>
    /// <param name="remaining">Intervals that nobody has taken, at least 1.</param>
    /// <param name="longest">How many are worth taking at most.</param>
    public int Next(int remaining, int longest)
    {
        int grown = 1 << Math.Min(_taken++ / workers, MostDoublings), fair = Math.Max(1, remaining / (2 * workers));
        return Math.Min(longest, Math.Min(grown, fair));
    }
}
