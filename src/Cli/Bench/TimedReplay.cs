using System;
using System.Diagnostics;
using System.Threading;
using Replay.Packages;
using Replay.Replaying;
using Vmm.Platform;

namespace Cli.Bench;

/// <summary>A replay of a whole recording, on a machine of its own.</summary>
internal static class TimedReplay
{
    /// <summary>Returns the real time, which has what building the machine takes.</summary>
    /// <param name="recording">The recording.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <param name="behind">Gets the machine at the end, when time does not count any more; null: nobody wants it.</param>
    public static TimeSpan Run(RecordingFile recording, CancellationToken cancellation, Action<Machine>? behind = null)
    {
        var watch = Stopwatch.StartNew();
        using var replayer = new Replayer(recording);
        replayer.RunTo(recording.End, null, cancellation);
        TimeSpan time = watch.Elapsed;
        behind?.Invoke(replayer.Machine);
        return time;
    }
}
