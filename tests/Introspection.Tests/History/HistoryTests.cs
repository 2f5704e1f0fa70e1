using System.Linq;
using System.Threading;
using Introspection.History;
using Replay.Replaying;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Introspection.Tests.History;

/// <summary>What the background learns is what a plain replay counts, whatever window it is asked for.</summary>
public sealed class HistoryTests(Recordings recordings)
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(200)]
    public void Buckets_add_up(int bucketCount)
    {
        ulong end = recordings.File.End.InstructionCount;
        HistoryWindow window = Complete(0, end, bucketCount);
        var counter = new Counter();
        using var replayer = new Replayer(recordings.File);
        replayer.Machine.Observer = counter;
        replayer.RunTo(recordings.File.End);
        Assert.Equal(counter.Counts[(int)MachineEventKind.Exception], window.Buckets.Sum(static bucket => bucket.Exceptions));
        Assert.Equal(counter.Counts[(int)MachineEventKind.Interrupt], window.Buckets.Sum(static bucket => bucket.Interrupts));
        Assert.Equal(counter.Counts[(int)MachineEventKind.SoftwareInterrupt], window.Buckets.Sum(static bucket => bucket.SystemCalls));
        Assert.True(window.Buckets.Sum(static bucket => bucket.ContextSwitches) > 0);
        Assert.Equal(end, (ulong)window.Buckets.Sum(static bucket => bucket.Instructions.Sum(static count => (decimal)count)));
        // The buckets' widths differ by one at most.
        Assert.All(window.Buckets, bucket => Assert.InRange((ulong)bucket.Instructions.Sum(static count => (decimal)count), end / (ulong)bucketCount, end / (ulong)bucketCount + 1));
    }

    [Fact]
    public void A_small_window_has_single_events()
    {
        ulong end = recordings.File.End.InstructionCount, middle = end / 2;
        HistoryWindow window = Complete(middle, middle + 5_000, 10);
        Assert.NotEmpty(window.Events);
        Assert.All(window.Events, one => Assert.InRange(one.Count, middle, middle + 4_999));
        Assert.Equal(5_000UL, (ulong)window.Buckets.Sum(static bucket => bucket.Instructions.Sum(static count => (decimal)count)));
        // The position of an event is where it can be visited.
        HistoryEvent schedule = window.Events.First(static one => one.Kind == HistoryEventKind.Schedule);
        using var replayer = new Replayer(recordings.File);
        replayer.RunTo(schedule.At);
        Assert.Equal(schedule.At, replayer.Position);
        replayer.Step();
        Assert.Equal(schedule.Number, replayer.Machine.CurrentCpuIndex);
    }

    [Fact]
    public void The_first_answer_comes_at_once_and_the_end_while_it_works_too()
    {
        var worker = new HistoryWorker(recordings.File, static () => { });
        worker.Pause();
        HistoryWindow window = worker.Describe(0, recordings.File.End.InstructionCount, 50);
        Assert.False(window.IsComplete);
        Assert.All(window.Buckets, static bucket => Assert.False(bucket.IsKnown));
        worker.Dispose();
        var other = new HistoryWorker(recordings.File, static () => { });
        other.Describe(0, recordings.File.End.InstructionCount, 50);
        other.Dispose();
    }

    private HistoryWindow Complete(ulong from, ulong to, int bucketCount)
    {
        using var changed = new AutoResetEvent(false);
        using var worker = new HistoryWorker(recordings.File, () => changed.Set());
        HistoryWindow window = worker.Describe(from, to, bucketCount);
        while (!window.IsComplete)
        {
            changed.WaitOne();
            window = worker.Describe(from, to, bucketCount);
            Assert.Null(worker.Failure);
        }
        return window;
    }

    private sealed class Counter : IMachineObserver
    {
        public long[] Counts { get; } = new long[32];
        public uint WantedKinds => uint.MaxValue;
        public void OnEvent(in MachineEvent machineEvent) => Counts[(int)machineEvent.Kind]++;
    }
}
