using System;
using System.IO;
using Introspection.Programs;
using Replay.Packages;
using Replay.Recording;
using TestKit;
using Vmm.Platform;

namespace Dap.Tests;

/// <summary>A recording of guests/tasks on two vCPUs, whose turns are shaken up.</summary>
internal sealed class TasksGuest : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-dap").FullName;

    /// <param name="optimization">O0 or O2, where calls stay calls; or inlined: as O2, with what the compiler inlines.</param>
    /// <param name="chaosSeed">Of the turns.</param>
    public TasksGuest(string optimization, ulong chaosSeed)
    {
        string kernel = GuestImages.Own($"tasks-{optimization}.elf");
        var configuration = new MachineConfiguration
        {
            CpuCount = 2, MemorySizeBytes = 64 << 20, ChaosSeed = chaosSeed, Images = [new MachineImage("kernel", Path.GetFileName(kernel), File.ReadAllBytes(kernel))],
        };
        Recording = Path.Combine(_folder, "tasks.ttvm");
        using var recorder = new Recorder(configuration, new NoInput(), new StandingHost(), new RecorderOptions { Path = Recording, CheckpointInterval = 20_000, RecordedFrom = "a test" });
        recorder.Run(2_000_000);
        recorder.Finish();
    }

    public string Recording { get; }

    /// <summary>What a recording's own kernel says.</summary>
    public static GuestPrograms ProgramsOf(string recording)
    {
        using RecordingFile file = RecordingFile.Open(recording);
        return SymbolLoader.Load(file, null, null, _ => { });
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
