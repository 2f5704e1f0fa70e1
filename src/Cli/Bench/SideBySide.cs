using System;
using System.Diagnostics;
using System.Threading;
using Cli.Hosting;
using Replay.Recording;
using Vmm.Platform;

namespace Cli.Bench;

/// <summary>
/// One guest in two machines, of which one is recorded. They take turns, a slice of instructions each, so that whatever else the host does meets both alike. What the recorder still writes
/// while the other one runs is little, as a slice has several checkpoints.
/// </summary>
internal static class SideBySide
{
    /// <summary>Runs both to the guest's end. The times are real, and have what building the machines takes, but not what finishing the file does.</summary>
    /// <param name="configuration">The machine.</param>
    /// <param name="path">Where it is recorded.</param>
    /// <param name="slice">Instructions.</param>
    /// <param name="cancellation">Ends it with an exception.</param>
    public static (TimeSpan Unrecorded, TimeSpan Recorded) Run(MachineConfiguration configuration, string path, ulong slice, CancellationToken cancellation)
    {
        Stopwatch unrecorded = Stopwatch.StartNew(), recorded = new();
        var silence = new UnrecordedRun.Silence();
        using var machine = new Machine(configuration, silence, silence);
        unrecorded.Stop();
        recorded.Start();
        using var recorder = new Recorder(configuration, new NoInput(), new HostServices(), new RecorderOptions { Path = path, Overwrite = true, RecordedFrom = "ttvm bench" });
        recorded.Stop();
        bool ended = false;
        for (ulong until = slice, turn = 0; !ended; until += slice, turn++)
        {
            if (turn % 2 == 0) Record(until);
            unrecorded.Start();
            while (!ended && machine.InstructionCount < until) ended = machine.Run(until) == RunStop.Ended;
            unrecorded.Stop();
            if (turn % 2 != 0) Record(until);
            cancellation.ThrowIfCancellationRequested();
        }
        // It has random numbers of its own, and may be a little longer.
        Record(ulong.MaxValue);
        recorder.Finish();
        return (unrecorded.Elapsed, recorded.Elapsed);

        void Record(ulong until)
        {
            recorded.Start();
            recorder.Run(until, cancellation);
            recorded.Stop();
        }
    }
}
