using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;
using Introspection.Channels;
using Introspection.Layouts;
using Introspection.Locks.Tasks;
using Vmm.Time;
using Xunit;

namespace Introspection.Tests.Channels;

/// <summary>The message channels of guests/concurrency/channel.c, right and broken, against what the guest stores.</summary>
public sealed partial class ChannelTests
{
    // struct Channel: four messages of 64 bytes, then eight bytes each; it is aligned to cache lines.
    private const ulong Stride = 320, Acknowledged = 256, Sent = 264, Received = 272, FullStalls = 280, EmptyStalls = 288;
    private const int CpuCount = 4, SlotCount = 4, WordCount = 7;
    private const ulong MessageCount = 60;

    private static GuestChannels Find(ConcurrencyGuest guest)
    {
        GuestChannels channels = GuestChannels.Find(ConcurrencyGuest.Layouts("channel"), new NoTasks(), guest.Symbols);
        Assert.Empty(channels.Problems);
        Assert.Equal(8, channels.Channels.Count);
        return channels;
    }

    private static ChannelHistory Read(ConcurrencyGuest guest) => ChannelHistory.Read(guest.Timeline, Find(guest), guest.Timeline.Start, guest.Timeline.End);

    private static ulong[] Words(byte[] contents) => [.. Enumerable.Range(0, contents.Length / 8).Select(i => BinaryPrimitives.ReadUInt64LittleEndian(contents.AsSpan(8 * i)))];

    // word_of in channel.c, and the number behind them.
    private static ulong[] Expected(int sender, ulong number) => [.. Enumerable.Range(0, WordCount).Select(i => (ulong)sender << 48 | number << 16 | (uint)i), number];

    [Fact]
    public void The_right_guest_is_clean_and_every_message_is_whole()
    {
        for (ulong seed = 0; seed < 8; seed++)
        {
            using ConcurrencyGuest guest = ConcurrencyGuest.Record("channel", seed);
            Assert.Contains("ok channel", guest.Console, StringComparison.Ordinal);
            ChannelHistory history = Read(guest);
            Assert.Empty(history.Findings);
            for (int cpu = 0; cpu < CpuCount; cpu++)
            {
                ChannelMessage[] messages = [.. history.Messages.Where(one => one.Channel.Name == $"channels[{cpu}]")];
                Assert.Equal(Enumerable.Range(1, (int)MessageCount).Select(static number => (ulong)number), messages.Select(static one => one.Number));
                foreach (ChannelMessage one in messages)
                {
                    Assert.Equal(cpu, one.CpuIndex);
                    Assert.Equal((cpu + 1) % CpuCount, one.ReceiverCpuIndex);
                    Assert.Equal(Expected(cpu, one.Number), Words(one.Contents));
                    Assert.Equal(Expected(cpu, one.Number), Words(one.ReceivedContents!));
                    Assert.True(one.Received > one.Published);
                }
            }
            Assert.Equal(CpuCount * (int)MessageCount, history.Messages.Count);
            guest.Timeline.Seek(guest.Timeline.End);
            for (int cpu = 0; cpu < CpuCount; cpu++)
            {
                ulong at = guest.AddressOf("channels") + (ulong)cpu * Stride;
                ChannelStall[] stalls = [.. history.Stalls.Where(one => one.Channel.Name == $"channels[{cpu}]")];
                Assert.Equal(guest.Number(at + FullStalls), (ulong)stalls.Where(static one => one.IsFull).Sum(static one => one.Count));
                Assert.Equal(guest.Number(at + EmptyStalls), (ulong)stalls.Where(static one => !one.IsFull).Sum(static one => one.Count));
                Assert.All(stalls, static one => Assert.NotNull(one.End));
            }
        }
    }

    [Fact]
    public void Positions_of_messages_are_where_memory_changes()
    {
        using ConcurrencyGuest guest = ConcurrencyGuest.Record("channel", 2);
        ChannelHistory history = Read(guest);
        for (int i = 0; i < history.Messages.Count; i += 11)
        {
            ChannelMessage one = history.Messages[i];
            ulong number = one.Channel.Address + (ulong)one.Slot * 64 + 56;
            Assert.NotEqual(one.Number, guest.NumberAt(one.Published, number));
            Assert.Equal(one.Code, guest.View.CodeAddress);
            guest.Timeline.StepForward();
            Assert.Equal(one.Number, guest.Number(number));
            Assert.Equal(one.Number - 1, guest.NumberAt(one.Received!.Value, one.Channel.Address + Received));
            guest.Timeline.StepForward();
            Assert.Equal(one.Number, guest.Number(one.Channel.Address + Received));
        }
    }

    /// <summary>Every message of the broken guest is published too early: the first of each channel is the first wrong moment.</summary>
    [Fact]
    public void A_message_that_is_published_before_its_payload_is_found_where_it_is()
    {
        for (ulong seed = 0; seed < 5; seed++)
        {
            using ConcurrencyGuest guest = ConcurrencyGuest.Record("channel-broken", seed);
            ChannelHistory history = Read(guest);
            ChannelFinding first = history.Findings[0];
            Assert.Equal(history.Messages.Min(static one => one.Published), first.At);
            Assert.All(history.Findings, static one => Assert.True(one is { Kind: ChannelFindingKind.PublishedBeforePayload, Message.Number: 1 }));
            ulong message = first.Message.Channel.Ring;
            // The number is written, the payload is not yet.
            guest.Timeline.Seek(first.At);
            guest.Timeline.StepForward();
            Assert.Equal(1UL, guest.Number(message + 56));
            Assert.Equal(0UL, guest.Number(message));
            guest.Timeline.Seek(first.Message.LatePayload!.Value);
            Assert.Equal(0UL, guest.Number(message));
            guest.Timeline.StepForward();
            Assert.Equal(Expected(first.Message.CpuIndex, 1)[0], guest.Number(message));
        }
    }

    [Fact]
    public void What_the_guest_notices_is_in_the_history()
    {
        using ConcurrencyGuest guest = ConcurrencyGuest.RecordBroken("channel", seeds: 20);
        Match said = Broken().Match(guest.Console);
        Assert.True(said.Success, guest.Console);
        int[] numbers = [.. said.Groups.Values.Skip(1).Select(static group => int.Parse(group.Value, CultureInfo.InvariantCulture))];
        (int receiver, int sender, ulong number) = (numbers[0], numbers[3], (ulong)numbers[2]);
        ChannelMessage message = Assert.Single(Read(guest).Messages, one => one.CpuIndex == sender && one.Number == number);
        Assert.Equal($"channels[{sender}]", message.Channel.Name);
        Assert.Equal((sender + 1) % CpuCount, receiver);
        // The receiver never gets through with it, and its word was not there when it was published.
        Assert.Null(message.Received);
        Assert.NotEqual(Expected(sender, number)[numbers[1]], Words(message.Contents)[numbers[1]]);
    }

    [GeneratedRegex(@"vCPU (\d+) reads word (\d+) of message (\d+) from vCPU (\d+)")]
    private static partial Regex Broken();

    [Fact]
    public void A_moment_is_what_memory_says()
    {
        using ConcurrencyGuest guest = ConcurrencyGuest.Record("channel", 6);
        GuestChannels channels = Find(guest);
        ChannelHistory history = Read(guest);
        var states = new HashSet<ChannelState>();
        for (ulong at = history.Messages[0].Published.InstructionCount; at < guest.Timeline.End.InstructionCount; at += 311)
        {
            guest.Timeline.Seek(new Position(at));
            List<ChannelView> views = ChannelReader.Read(channels, guest.View);
            for (int cpu = 0; cpu < CpuCount; cpu++)
            {
                ulong channel = guest.AddressOf("channels") + (ulong)cpu * Stride;
                ChannelView view = views[cpu];
                Assert.Null(view.Problem);
                ulong sent = guest.Number(channel + Sent), received = guest.Number(channel + Received), acknowledged = guest.Number(channel + Acknowledged);
                Assert.Equal(((ulong?)cpu, (ulong?)((cpu + 1) % CpuCount)), (view.Sender, view.Receiver));
                Assert.Equal(((ulong?)sent, (ulong?)received, (ulong?)acknowledged), (view.Sent, view.Received, view.Acknowledged));
                Assert.Equal((guest.Number(channel + FullStalls), guest.Number(channel + EmptyStalls)), (view.FullStalls!.Value, view.EmptyStalls!.Value));
                ulong[] inFlight = [.. view.Slots.Where(static one => one.IsInFlight).Select(static one => one.Sequence).Order()];
                // What is being published is not counted as sent yet.
                ulong last = guest.Number(channel + sent % SlotCount * 64 + 56) == sent + 1 ? sent + 1 : sent;
                Assert.Equal(SlotCount - (long)(last - acknowledged), view.Credits);
                Assert.Equal(Enumerable.Range(1, 70).Select(static n => (ulong)n).Where(n => n > received && n <= last), inFlight);
                Assert.All(view.Slots.Where(static one => one.IsInFlight), one => Assert.Equal(Expected(cpu, one.Sequence), Words(one.Contents)));
                Assert.Equal(view.Credits == 0 ? ChannelState.Full : inFlight.Length > 0 ? ChannelState.InFlight : ChannelState.Empty, view.State);
                states.Add(view.State);
            }
        }
        Assert.True(states.SetEquals([ChannelState.Empty, ChannelState.InFlight, ChannelState.Full]), string.Join(", ", states));
    }

    [Fact]
    public void An_overwritten_message_is_told()
    {
        using ConcurrencyGuest guest = ConcurrencyGuest.Record("channel", 1);
        var tracker = new ChannelTracker(Find(guest), 100);
        tracker.Add(new ChannelEvent { At = new Position(10), Step = ChannelStep.Sequence, New = 1 });
        tracker.Add(new ChannelEvent { At = new Position(20), Step = ChannelStep.Sequence, Old = 1, New = 5 });
        ChannelFinding finding = Assert.Single(tracker.Finish().Findings);
        Assert.Equal((ChannelFindingKind.Overwritten, new Position(20), 1UL, 5UL), (finding.Kind, finding.At, finding.Other!.Number, finding.Message.Number));
    }

    [Theory]
    [InlineData("""{"channels":[{"at":"a","ring":{"offset":0},"sequence":{"offset":0}}]}""", "'slots'")]
    [InlineData("""{"channels":[{"at":"a","ring":{"offset":0},"slots":4,"sequence":{"offset":0}}]}""", "'messageBytes'")]
    [InlineData("""{"channels":[{"at":"a","ring":{"offset":0},"slots":4,"messageBytes":64,"count":2,"sequence":{"offset":0}}]}""", "stride")]
    [InlineData("""{"channels":[{"at":"a","ring":{"offset":0},"slots":99999,"messageBytes":64,"sequence":{"offset":0}}]}""", "'slots'")]
    [InlineData("""{"channels":[{"at":"a","ring":{"offset":0},"slots":4,"messageBytes":64,"sequence":{"offset":0,"bytes":5}}]}""", "5 bytes")]
    [InlineData("""{"channels":[{"at":"a","ring":{"offset":0},"slots":4,"messageBytes":64,"sequence":{"offset":0},"credits":1}]}""", "no layout")]
    public void Declarations_that_make_no_sense_are_told(string json, string what)
    {
        var e = Assert.Throws<LayoutException>(() => LayoutFile.Parse(Encoding.UTF8.GetBytes(json), "x.layout.json"));
        Assert.Contains(what, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"channels":[{"at":"nothing","ring":{"offset":0},"slots":4,"messageBytes":64,"sequence":{"offset":0}}]}""", "'nothing'")]
    [InlineData("""{"channels":[{"at":"channels","structure":"Channel","ring":{"member":"rings"},"sequence":{"offset":0}}]}""", "'rings' in 'Channel'")]
    [InlineData("""{"channels":[{"at":"channels","ring":{"offset":0},"slots":4,"messageBytes":64,"sequence":{"offset":60}}]}""", "not in a message")]
    public void What_is_declared_and_not_there_is_told(string json, string what)
    {
        using ConcurrencyGuest guest = ConcurrencyGuest.Record("channel", 1);
        GuestChannels channels = GuestChannels.Find([LayoutFile.Parse(Encoding.UTF8.GetBytes(json), "a test")], new NoTasks(), guest.Symbols);
        Assert.Empty(channels.Channels);
        Assert.Contains(channels.Problems, problem => problem.Contains(what, StringComparison.Ordinal));
    }
}
