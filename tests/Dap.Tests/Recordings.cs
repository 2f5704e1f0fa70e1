using System;
using System.IO;
using Replay.Recording;
using TestKit;
using Vmm.Platform;

namespace Dap.Tests;

/// <summary>Two recordings of the demo kernel, made once: one vCPU, and two whose turns are shaken up.</summary>
public sealed class Recordings : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-dap").FullName;

    public Recordings()
    {
        One = Record("one.ttvm", 1, null);
        Two = Record("two.ttvm", 2, 3);
    }

    public string One { get; }
    public string Two { get; }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Record(string name, int cpuCount, ulong? chaosSeed)
    {
        var configuration = new MachineConfiguration
        {
            CpuCount = cpuCount, MemorySizeBytes = 32 << 20, ChaosSeed = chaosSeed,
            Images = [new MachineImage("kernel", "demo64.elf", File.ReadAllBytes(GuestImages.PrebuiltDemo64))],
        };
        string path = Path.Combine(_folder, name);
        using var recorder = new Recorder(configuration, new NoInput(), new StandingHost(), new RecorderOptions { Path = path, CheckpointInterval = 200_000, RecordedFrom = "a test" });
        recorder.Run(100_000_000);
        recorder.Finish();
        return path;
    }
}
