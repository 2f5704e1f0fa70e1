using System;
using System.IO;
using System.Security.Cryptography;
using Replay.Packages;
using Replay.Recording;
using TestKit;
using Vmm.Platform;

namespace Replay.Tests.Recordings;

/// <summary>A host whose clock and entropy are functions of how often they were asked: what tests need instead of the real ones.</summary>
internal sealed class TestHost(int seed = 1) : IHostServices
{
    private readonly Random _random = new(seed);
    private ulong _nanoseconds = 1_000_000_000;

    public ulong ReadMonotonicNanoseconds() => _nanoseconds += (ulong)_random.Next(1_000, 100_000);

    public void Wait(ulong nanoseconds) => _nanoseconds += nanoseconds;

    public void FillRandom(Span<byte> destination) => _random.NextBytes(destination);
}

/// <summary>Records guests in a temporary folder.</summary>
internal sealed class TestRecording : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-recording").FullName;

    public string FilePath => Path.Combine(_folder, "test.ttvm");
    public string PartialPath => FilePath + ".partial";

    public static MachineConfiguration Demo64(int cpuCount = 1, ulong? chaosSeed = null, ClockKind clock = ClockKind.Virtual) => new()
    {
        CpuCount = cpuCount, MemorySizeBytes = 32 << 20, ChaosSeed = chaosSeed, Clock = clock,
        Images = [new MachineImage("kernel", "demo64.elf", File.ReadAllBytes(GuestImages.PrebuiltDemo64))],
    };

    public Recorder Begin(MachineConfiguration configuration, ulong interval = 200_000, ILiveInput? input = null) =>
        new(configuration, input ?? new NoInput(),
        new TestHost(), new RecorderOptions { Path = FilePath, CheckpointInterval = interval, RecordedFrom = "a test", Overwrite = true });

    public RecordingFile Record(MachineConfiguration configuration, ulong interval = 200_000, ulong until = 100_000_000,
        ILiveInput? input = null)
    {
        using (Recorder recorder = Begin(configuration, interval, input))
        {
            recorder.Run(until);
            recorder.Finish();
        }
        return RecordingFile.Open(FilePath);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
