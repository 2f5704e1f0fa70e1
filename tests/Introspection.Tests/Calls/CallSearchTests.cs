using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using Introspection.Calls;
using Replay.Packages;
using Replay.Timelines;
using Symbols.Elf;
using TestKit;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Introspection.Tests.Calls;

/// <summary>Calls that are found are those that brute force pairs, row by row, whatever the functions, the guests and the distance of checkpoints.</summary>
public sealed class CallSearchTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-calls").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(1, 50_000UL, "lock=mcs rounds=6")]
    [InlineData(4, 3_000UL, "lock=mcs rounds=6")]
    [InlineData(4, 20_000UL, "lock=xchg rounds=8 tasks=6")]
    public void Of_every_function_of_demo64(int cpus, ulong interval, string commandLine) => Check(GuestImages.PrebuiltDemo64, cpus, interval, commandLine);

    [Theory]
    [InlineData(40_000UL)]
    [InlineData(2_000UL)]
    public void Of_every_function_of_demo32(ulong interval) => Check(GuestImages.Demo32(), 1, interval, "rounds=5");

    [Theory]
    [InlineData("-m64", "-O1")]
    [InlineData("-m64", "-O2")]
    [InlineData("-m32", "-O1")]
    [InlineData("-m32", "-O2")]
    public void Of_recursion_tail_calls_and_jumps_out(string size, string optimization)
    {
        using var guest = new CallGuest(_folder, size, optimization, 700);
        using RecordingFile recording = RecordingFile.Open(guest.Recording);
        using ElfImage image = ElfImage.Open(guest.Kernel);
        List<CallTarget> targets = CallAssert.FunctionsOf(image);
        List<OracleCall> expected = CallAssert.BruteForce(recording, targets);
        using var timeline = new Timeline(recording);
        IReadOnlyList<FunctionCall> actual = CallAssert.Search(timeline, targets).List(timeline.Start, timeline.End, int.MaxValue).Calls;
        CallAssert.Equal(expected, actual);
        string[] names = [.. actual.Select(static call => call.Target.Name!)];
        // With -O2 it is a loop.
        Assert.Equal(optimization == "-O1" ? 10 : 2, names.Count(static name => name == "factorial"));
        if (optimization == "-O2") Assert.Contains(actual, static call => call.EnteredBy == CallEntry.TailCall && call.End == CallEnd.Returned);
        Assert.Contains(actual, static call => call.End == CallEnd.Abandoned);
    }

    private void Check(string kernel, int cpus, ulong interval, string commandLine)
    {
        string path = Path.Combine(_folder, "guest.ttvm");
        var configuration = new MachineConfiguration
        {
            CpuCount = cpus, MemorySizeBytes = 32 << 20, ChaosSeed = cpus > 1 ? 5UL : null, CommandLine = commandLine,
            Images = [new MachineImage("kernel", Path.GetFileName(kernel), File.ReadAllBytes(kernel))],
        };
        CallAssert.Record(configuration, path, interval, 2_000_000);
        using RecordingFile recording = RecordingFile.Open(path);
        using ElfImage image = ElfImage.Open(kernel);
        List<CallTarget> all = CallAssert.FunctionsOf(image);
        List<OracleCall> expected = CallAssert.BruteForce(recording, all);
        Assert.True(expected.Count > 200, $"{expected.Count} calls");
        using var timeline = new Timeline(recording);
        CallAssert.Equal(expected, CallAssert.Search(timeline, all).List(timeline.Start, timeline.End, int.MaxValue).Calls);
        foreach (CallTarget one in all.Where((_, index) => index % 7 == 0))
        {
            OracleCall[] own = [.. expected.Where(call => call.Function == one.Entry)];
            CallSearch search = CallAssert.Search(timeline, [one]);
            CallAssert.Equal(own, search.List(timeline.Start, timeline.End, int.MaxValue).Calls);
            CheckNeighbours(timeline, search, own);
        }
    }

    // The last call before and the next one after some positions, and the first few.
    private static void CheckNeighbours(Timeline timeline, CallSearch search, OracleCall[] own)
    {
        foreach (int percent in (int[])[0, 37, 100])
        {
            Position at = own.Length > 0 && percent == 37 ? own[own.Length / 2].Entry : new Position(timeline.End.InstructionCount * (ulong)percent / 100);
            Same(own.LastOrDefault(call => call.Entry < at), search.Last(at));
            Same(own.FirstOrDefault(call => call.Entry > at), search.Next(at));
        }
        CallList few = search.List(timeline.Start, timeline.End, 3);
        CallAssert.Equal([.. own.Take(3)], few.Calls);
        Assert.Equal(own.Length > 3, few.IsCut);
    }

    private static void Same(OracleCall? expected, FunctionCall? actual) => CallAssert.Equal(expected is null ? [] : [expected], actual is null ? [] : [actual]);

    [Fact]
    public void With_conditions()
    {
        using var guest = new CallGuest(_folder, "-m64", "-O1", 700);
        using RecordingFile recording = RecordingFile.Open(guest.Recording);
        using ElfImage image = ElfImage.Open(guest.Kernel);
        using var timeline = new Timeline(recording);
        CallTarget factorial = CallAssert.FunctionsOf(image).Single(static target => target.Name == "factorial");
        IReadOnlyList<FunctionCall> all = CallAssert.Search(timeline, [factorial]).List(timeline.Start, timeline.End, 1000).Calls;
        var isLarge = new Predicate(static facts => facts.ValueOf("arg0") > 5, false);
        IReadOnlyList<FunctionCall> large = CallAssert.Search(timeline, [factorial], isLarge).List(timeline.Start, timeline.End, 1000).Calls;
        Assert.Equal(all.Where(static call => call.Arguments[0].Number > 5).Select(static call => call.Entry), large.Select(static call => call.Entry));
        CallSearch byResult = CallAssert.Search(timeline, [factorial], new Predicate(static facts => facts.ValueOf("ret") is > 20 and < 1000, true));
        Position[] expected = [.. all.Where(static call => call.Result?.Number is > 20 and < 1000).Select(static call => call.Entry)];
        Assert.NotEmpty(expected);
        Assert.Equal(expected, byResult.List(timeline.Start, timeline.End, 1000).Calls.Select(static call => call.Entry));
        Assert.Equal(expected[..1], byResult.List(timeline.Start, timeline.End, 1).Calls.Select(static call => call.Entry));
        Assert.Equal(expected[^1], byResult.Last(timeline.End)!.Entry);
        Assert.Equal(expected[0], byResult.Next(timeline.Start)!.Entry);
    }

    [Fact]
    public void A_cancelled_search_ends()
    {
        using var guest = new CallGuest(_folder, "-m64", "-O1", 700);
        using RecordingFile recording = RecordingFile.Open(guest.Recording);
        using ElfImage image = ElfImage.Open(guest.Kernel);
        using var timeline = new Timeline(recording);
        CallSearch search = CallAssert.Search(timeline, CallAssert.FunctionsOf(image));
        Assert.Throws<OperationCanceledException>(() => search.List(timeline.Start, timeline.End, 10, null, new CancellationToken(true)));
    }

    private sealed class Predicate(Func<CallFacts, bool> test, bool needsResult) : ICallCondition
    {
        public bool NeedsResult => needsResult;

        public bool Holds(in CallFacts facts) => test(facts);
    }
}
