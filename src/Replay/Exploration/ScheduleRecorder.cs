using System.Threading;
using Replay.Recording;
using Vmm.Platform;

namespace Replay.Exploration;

/// <summary>Records a run that was tried: the same world, so the same run.</summary>
public static class ScheduleRecorder
{
    /// <param name="configuration">The machine, with its schedule.</param>
    /// <param name="criteria">Where the run ends.</param>
    /// <param name="options">Where to write.</param>
    /// <param name="cancellation">Stops and finishes the recording.</param>
    /// <exception cref="RecordingException">The recording cannot be written.</exception>
    public static void Record(MachineConfiguration configuration, FailureCriteria criteria, RecorderOptions options, CancellationToken cancellation = default)
    {
        using var recorder = new Recorder(configuration, new NoInput(), new SilentWorld(null), options with { StopAtText = criteria.FailureText });
        recorder.Run(criteria.MaximumInstructions, cancellation);
        recorder.Finish();
    }
}
