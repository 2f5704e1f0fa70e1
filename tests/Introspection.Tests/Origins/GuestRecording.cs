using System;
using System.IO;
using Replay.Packages;
using Replay.Recording;
using Replay.Timelines;
using Vmm.Platform;

namespace Introspection.Tests.Origins;

/// <summary>A recording that a test makes for itself, with a timeline on it.</summary>
internal sealed class GuestRecording : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-origins").FullName;

    public GuestRecording(MachineConfiguration configuration, string? script = null, ulong checkpointInterval = 50_000, ulong instructions = 100_000_000)
    {
        string path = Path.Combine(_folder, "guest.ttvm");
        ILiveInput input = script is null ? new NoInput() : ScriptedInput.Parse(script);
        using (var recorder = new Recorder(configuration, input, new StandingHost(), new RecorderOptions { Path = path, CheckpointInterval = checkpointInterval, RecordedFrom = "a test" }))
        {
            recorder.Run(instructions);
            recorder.Finish();
        }
        File = RecordingFile.Open(path);
        Timeline = new Timeline(File);
    }

    public RecordingFile File { get; }

    public Timeline Timeline { get; }

    public void Dispose()
    {
        Timeline.Dispose();
        File.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
