using System;
using System.Collections.Generic;
using System.IO;
using Replay.Recording;
using TestKit;
using Vmm.Platform;

namespace Dap.Tests;

/// <summary>Two recordings of the demo kernel, made once: one vCPU, and two whose turns are shaken up.</summary>
public sealed class Recordings : IDisposable
{
    private readonly Dictionary<(string Guest, ulong Seed), string> _concurrency = [];
    private readonly Lazy<string> _long;
    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-dap").FullName;

    public Recordings()
    {
        One = Record("one.ttvm", 1, null);
        Two = Record("two.ttvm", 2, 3);
        _long = new Lazy<string>(() => Record(Path.Combine(_folder, "long.ttvm"), 4, 3, "demo64.elf", File.ReadAllBytes(GuestImages.PrebuiltDemo64), "rounds=20000 think=1000", 600_000_000));
    }

    public string One { get; }
    public string Two { get; }

    /// <summary>The demo kernel with four vCPUs, for so long that whoever waits for all of it can change their mind. Made when it is first asked for.</summary>
    public string Long => _long.Value;

    /// <summary>One of guests/concurrency on four vCPUs under a seed, with its layout beside it if it has one.</summary>
    public string Concurrency(string guest, ulong seed)
    {
        lock (_concurrency)
        {
            if (!_concurrency.TryGetValue((guest, seed), out string? path)) _concurrency[(guest, seed)] = path = RecordConcurrency(guest, seed);
            return path;
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string RecordConcurrency(string guest, ulong seed)
    {
        string path = Path.Combine(_folder, $"{guest}.ttvm"), right = guest.Replace("-broken", "", StringComparison.Ordinal);
        if (File.Exists(path)) path = Path.Combine(_folder, $"{guest}-{seed}.ttvm");
        string layout = Repository.PathOf($"guests/concurrency/layouts/concurrency-{right}.layout.json");
        if (File.Exists(layout)) File.Copy(layout, Path.ChangeExtension(path, ".layout.json"), overwrite: true);
        return Record(path, 4, seed, $"concurrency-{guest}.elf", File.ReadAllBytes(GuestImages.Own($"concurrency-{guest}.elf")));
    }

    private string Record(string name, int cpuCount, ulong? chaosSeed) =>
        Record(Path.Combine(_folder, name), cpuCount, chaosSeed, "demo64.elf", File.ReadAllBytes(GuestImages.PrebuiltDemo64));

    private static string Record(string path, int cpuCount, ulong? chaosSeed, string name, byte[] kernel, string commandLine = "", ulong until = 100_000_000)
    {
        var configuration = new MachineConfiguration
        {
            CpuCount = cpuCount, MemorySizeBytes = 32 << 20, ChaosSeed = chaosSeed, CommandLine = commandLine,
            Images = [new MachineImage("kernel", name, kernel)],
        };
        using var recorder = new Recorder(configuration, new NoInput(), new StandingHost(), new RecorderOptions { Path = path, CheckpointInterval = 200_000, RecordedFrom = "a test" });
        recorder.Run(until);
        recorder.Finish();
        return path;
    }
}
