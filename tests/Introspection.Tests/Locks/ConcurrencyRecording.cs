using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Introspection.Locks;
using Introspection.Locks.History;
using Introspection.Programs;
using Introspection.State;
using Replay.Packages;
using Replay.Queries;
using Replay.Recording;
using Replay.Timelines;
using TestKit;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Introspection.Tests.Locks;

/// <summary>One of guests/concurrency, recorded under one schedule, with its locks.</summary>
internal sealed class ConcurrencyRecording : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-locks").FullName;
    private readonly RecordingFile _file;

    public ConcurrencyRecording(string guest, ulong seed)
    {
        string kernel = GuestImages.Own($"concurrency-{guest}.elf");
        var configuration = new MachineConfiguration
        {
            CpuCount = 4, MemorySizeBytes = 16 << 20, ChaosSeed = seed, Images = [new MachineImage("kernel", Path.GetFileName(kernel), File.ReadAllBytes(kernel))],
        };
        string path = Path.Combine(_folder, "guest.ttvm");
        using (var recorder = new Recorder(configuration, new NoInput(), new StandingHost(), new RecorderOptions { Path = path, CheckpointInterval = 30_000, RecordedFrom = "a test" }))
        {
            recorder.Run(5_000_000);
            recorder.Finish();
        }
        _file = RecordingFile.Open(path);
        Programs = SymbolLoader.Load(_file, null, null, Assert.Fail);
        Timeline = new Timeline(_file);
        Timeline.Seek(Timeline.End);
        Locks = GuestLocks.Find([], Symbols, View);
        Assert.Empty(Locks.Problems);
    }

    /// <summary>The guest says itself that it is broken.</summary>
    public bool IsBroken => Encoding.Latin1.GetString(_file.Console.ReadBytes(_file.End)).Contains("broken:", StringComparison.Ordinal);

    public GuestPrograms Programs { get; }

    public Timeline Timeline { get; }

    public GuestLocks Locks { get; }

    public GuestView View => new(Timeline.Machine, Timeline.Machine.Vcpus[0]);

    public SymbolSet Symbols => Programs.At(View);

    public LockHistory History() => Locks.History(Timeline, Timeline.Start, Timeline.End);

    public ulong AddressOf(string symbol) => Symbols.AddressOf(symbol) ?? throw new InvalidOperationException($"the guest has no {symbol}");

    public ulong Number(ulong address, int sizeBytes = 8) => View.ReadNumber(address, sizeBytes)!.Value;

    /// <summary>The guest's own log, at the end: who acquired a lock, in the order in which they did.</summary>
    public List<(ulong Lock, int Cpu, bool IsShared)> Acquisitions()
    {
        Timeline.Seek(Timeline.End);
        ulong count = Number(AddressOf("acquisitionCount")), first = AddressOf("acquisitions");
        var all = new List<(ulong, int, bool)>();
        for (ulong i = 0; i < count; i++)
        {
            ulong at = first + i * 24;
            all.Add((Number(at), (int)Number(at + 16, 4), Number(at + 20, 1) != 0));
        }
        return all;
    }

    /// <summary>Goes to the first call of a function.</summary>
    public Position GoTo(string function)
    {
        Timeline.Seek(Timeline.Start);
        Assert.Equal(TimelineStopReason.Hit, Timeline.Continue([StopCondition.Breakpoint(AddressOf(function))]).Reason);
        return Timeline.Position;
    }

    public void Dispose()
    {
        Timeline.Dispose();
        Programs.Dispose();
        _file.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
