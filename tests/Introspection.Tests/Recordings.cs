using System;
using System.IO;
using Replay.Packages;
using Replay.Recording;
using TestKit;
using Vmm.Platform;

namespace Introspection.Tests;

/// <summary>A recording of the demo kernel with four vCPUs and the queue lock, made once.</summary>
public sealed class Recordings : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-introspection").FullName;

    public Recordings()
    {
        var configuration = new MachineConfiguration
        {
            CpuCount = 4, MemorySizeBytes = 32 << 20, ChaosSeed = 3, CommandLine = "lock=mcs rounds=100",
            Images = [new MachineImage("kernel", "demo64.elf", System.IO.File.ReadAllBytes(GuestImages.PrebuiltDemo64))],
        };
        Path = System.IO.Path.Combine(_folder, "mcs.ttvm");
        using (var recorder = new Recorder(configuration, new NoInput(), new StandingHost(), new RecorderOptions { Path = Path, CheckpointInterval = 200_000, RecordedFrom = "a test" }))
        {
            recorder.Run(100_000_000);
            recorder.Finish();
        }
        File = RecordingFile.Open(Path);
    }

    public string Path { get; }

    public RecordingFile File { get; }

    public void Dispose()
    {
        File.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
