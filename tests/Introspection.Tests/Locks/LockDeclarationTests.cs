using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;
using System.Threading;
using Introspection.Layouts;
using Introspection.Locks;
using Introspection.Locks.History;
using Introspection.Locks.Queues;
using Replay.Timelines;
using Vmm.Time;
using Xunit;

namespace Introspection.Tests.Locks;

/// <summary>What is declared may be anything: a history of it is made to its end, and says nothing that cannot be.</summary>
public sealed class LockDeclarationTests
{
    private static readonly string[] s_kinds = ["spin", "ticket", "rw", "qspinlock", "qrwlock", "mutex", "rw_semaphore"];
    private static readonly string[] s_places =
        ["rwLock", "rwLock+1", "rwLock+4", "first", "acquisitionCount", "acquisitions", "tcbs", "cpus+8", "readCount", "0x0", "0xdeadbeef000", "0xffffffffffffffff", "0xfffffffffffffffc"];

    [Fact]
    public void Words_that_are_none_end_and_crash_nothing()
    {
        var random = new Random(11);
        using var recording = new ConcurrencyRecording("rw", seed: 5);
        int uses = 0;
        for (int round = 0; round < 12; round++)
        {
            var types = new List<string>();
            var locks = new List<string>();
            foreach (string kind in s_kinds)
            {
                string fields = kind switch
                {
                    "spin" => $", \"locked\": {Field(random)}",
                    "ticket" => $", \"serving\": {Field(random)}, \"next\": {Field(random)}",
                    "rw" => $", \"word\": {Field(random)}, \"writerMask\": {(ulong)random.NextInt64()}, \"readerShift\": {random.Next(64)}",
                    _ => "",
                };
                types.Add($"\"{kind}s\": {{ \"kind\": \"{kind}\"{fields}{(random.Next(2) == 0 ? ", \"heldBy\": \"task\"" : "")}, \"inlined\": true }}");
                locks.Add($"{{ \"name\": \"{kind}\", \"type\": \"{kind}s\", \"at\": \"{s_places[random.Next(s_places.Length)]}\" }}");
            }
            string json = $"{{ \"types\": {{ {string.Join(", ", types)} }}, \"locks\": [ {string.Join(", ", locks)} ] }}";
            recording.Timeline.Seek(recording.Timeline.End);
            GuestLocks guest = GuestLocks.Find([LayoutFile.Parse(Encoding.UTF8.GetBytes(json), "x.layout.json")], recording.Symbols, recording.View);
            LockHistory history = guest.History(recording.Timeline, recording.Timeline.Start, recording.Timeline.End);
            foreach (LockUse use in history.Locks.SelectMany(static one => one.Uses))
            {
                Assert.True(use.Taken is not { } taken || (use.Wanted <= taken && (use.Released is not { } released || taken <= released)), json);
                uses++;
            }
            foreach (LockView view in guest.Read(recording.View, recording.Symbols, recording.Timeline.Position, history)) Assert.NotNull(view.Queue);
            // What the guest's own layout says of its lock stays as it is, unless another word of it was declared.
            Assert.All(history.Findings, one => Assert.NotEmpty(one.Uses));
        }
        Assert.True(uses > 100, $"{uses} uses");

        static string Field(Random random) => string.Create(CultureInfo.InvariantCulture, $"{{ \"offset\": {random.Next(-4, 64)}, \"bytes\": {1 << random.Next(4)} }}");
    }

    [Fact]
    public void A_history_can_be_cancelled_and_made_again()
    {
        using var recording = new ConcurrencyRecording("rw-inlined", seed: 5);
        using var source = new CancellationTokenSource();
        source.Cancel();
        Position end = recording.Timeline.End;
        Assert.ThrowsAny<OperationCanceledException>(() => recording.Locks.History(recording.Timeline, recording.Timeline.Start, end, cancellation: source.Token));
        Assert.Equal(end, recording.Timeline.Position);
        Assert.Equal(recording.Acquisitions().Count, recording.History().Find(recording.AddressOf("rwLock"))!.TakenCount);
    }

    [Fact]
    public void A_history_tells_how_far_it_is_and_nothing_is_lost_when_it_is_cancelled_midway()
    {
        using var recording = new ConcurrencyRecording("ticket", seed: 5);
        Timeline timeline = recording.Timeline;
        Position here = recording.GoTo("moment_two_waiters");
        var all = new Reports();
        LockHistory whole = recording.Locks.History(timeline, timeline.Start, timeline.End, progress: all);
        int intervals = timeline.Intervals.IntervalsOf(timeline.Start, timeline.End).Count;
        Assert.True(intervals > 3 && all.Told.Count >= intervals, $"told {all.Told.Count} times of {intervals} intervals");
        Assert.Equal(all.Told.Order(), all.Told);
        Assert.Equal(1, all.Told[^1]);
        for (int after = 1; after <= 3; after++)
        {
            using var source = new CancellationTokenSource();
            var some = new Reports { Cancels = source, After = after };
            Assert.ThrowsAny<OperationCanceledException>(() => recording.Locks.History(timeline, timeline.Start, timeline.End, progress: some, cancellation: source.Token));
            Assert.True(some.Told.Count >= after, $"told {some.Told.Count} times");
            Assert.Equal(here, timeline.Position);
        }
        LockHistory again = recording.Locks.History(timeline, timeline.Start, timeline.End);
        Assert.Equal(TextOf(whole), TextOf(again));
        Assert.Equal(recording.Acquisitions().Count, again.Find(recording.AddressOf("ticketLock"))!.TakenCount);

        static string[] TextOf(LockHistory history) => [.. history.Locks.SelectMany(static one => one.Uses).Select(static use =>
            $"{use.Lock.Address:x} {use.User} {use.Caller:x} {use.Wanted} {use.Taken} {use.Released} {use.Nesting} {use.IsContended}")];
    }

    // Fractions, by which somebody has had enough.
    private sealed class Reports : IProgress<TimelineProgress>
    {
        public List<double> Told { get; } = [];
        public CancellationTokenSource? Cancels { get; init; }
        public int After { get; init; }

        public void Report(TimelineProgress value)
        {
            Told.Add((double)value.DoneInstructions / value.TotalInstructions);
            if (Told.Count == After) Cancels?.Cancel();
        }
    }

    /// <summary>Locks that nobody gives back are held when the guest fails: memory says so, too.</summary>
    [Fact]
    public void What_is_held_when_the_guest_fails_is_told()
    {
        using var recording = new ConcurrencyRecording("deadlock-broken", seed: 0);
        Assert.True(recording.IsBroken);
        LockHistory history = recording.History();
        ulong[] held = [.. history.Findings.Where(static one => one.Kind == LockFindingKind.HeldAtFailure).Select(static one => one.Uses[0].Lock.Address).Order()];
        Assert.Equal(((ulong[])[recording.AddressOf("lockA"), recording.AddressOf("lockB")]).Order(), held);
        recording.Timeline.Seek(recording.Timeline.End);
        LockView[] views = [.. recording.Locks.Read(recording.View, recording.Symbols, recording.Timeline.Position, null)];
        Assert.All(held, address => Assert.NotEqual(LockState.Free, views.Single(one => one.Address == address).State));
    }
}
