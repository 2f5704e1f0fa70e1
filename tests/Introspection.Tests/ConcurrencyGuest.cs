using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Introspection.Layouts;
using Introspection.Programs;
using Introspection.State;
using Replay.Packages;
using Replay.Recording;
using Replay.Timelines;
using TestKit;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Introspection.Tests;

/// <summary>A recording of one of the guests of guests/concurrency, with many checkpoints, so that what is found has to be put together from many intervals.</summary>
internal sealed class ConcurrencyGuest : IDisposable
{
    private const ulong CheckpointInterval = 10_000, MaximumInstructions = 20_000_000;

    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-concurrency").FullName;
    private readonly GuestPrograms _programs;

    private ConcurrencyGuest(string name, ulong seed)
    {
        var configuration = new MachineConfiguration
        {
            CpuCount = 4, MemorySizeBytes = 32 << 20, ChaosSeed = seed,
            Images = [new MachineImage("kernel", $"concurrency-{name}.elf", System.IO.File.ReadAllBytes(GuestImages.Own($"concurrency-{name}.elf")))],
        };
        string path = Path.Combine(_folder, $"{name}.ttvm");
        var options = new RecorderOptions { Path = path, CheckpointInterval = CheckpointInterval, RecordedFrom = "a test" };
        using (var recorder = new Recorder(configuration, new NoInput(), new StandingHost(), options))
        {
            recorder.Run(MaximumInstructions);
            recorder.Finish();
        }
        File = RecordingFile.Open(path);
        Timeline = new Timeline(File);
        Console = Encoding.Latin1.GetString(File.Console.ReadBytes(File.End));
        _programs = SymbolLoader.Load(File, null, null, static text => Assert.Fail(text));
        Timeline.Seek(Timeline.End);
        Symbols = _programs.At(View);
    }

    public RecordingFile File { get; }
    public Timeline Timeline { get; }
    public SymbolSet Symbols { get; }

    /// <summary>What it printed.</summary>
    public string Console { get; }

    public GuestView View => new(Timeline.Machine, Timeline.Machine.Vcpus[Timeline.Machine.CurrentCpuIndex]);

    public static ConcurrencyGuest Record(string name, ulong seed) => new(name, seed);

    /// <summary>The first seed under which the broken guest notices itself that it is broken.</summary>
    public static ConcurrencyGuest RecordBroken(string name, ulong seeds)
    {
        for (ulong seed = 0; seed < seeds; seed++)
        {
            var guest = new ConcurrencyGuest($"{name}-broken", seed);
            if (guest.Console.Contains("broken:", StringComparison.Ordinal)) return guest;
            guest.Dispose();
        }
        throw new InvalidOperationException($"{name} did not notice it under {seeds} seeds");
    }

    /// <summary>The layout file that lies beside the guests' sources.</summary>
    public static IReadOnlyList<GuestLayout> Layouts(string name) => [LayoutFile.Read(Repository.PathOf($"guests/concurrency/layouts/concurrency-{name}.layout.json"))];

    public ulong AddressOf(string symbol)
    {
        ulong? address = Symbols.AddressOf(symbol);
        Assert.True(address is not null, $"no symbol '{symbol}'");
        return address.Value;
    }

    /// <summary>A number of eight bytes where the timeline stands.</summary>
    public ulong Number(ulong address)
    {
        ulong? number = View.ReadNumber(address, 8);
        Assert.NotNull(number);
        return number.Value;
    }

    public ulong Number(string symbol, ulong offset = 0) => Number(AddressOf(symbol) + offset);

    public ulong NumberAt(Position at, ulong address)
    {
        Timeline.Seek(at);
        return Number(address);
    }

    public void Dispose()
    {
        _programs.Dispose();
        Timeline.Dispose();
        File.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
