using System.Collections.Generic;
using Introspection.State;

namespace Introspection.Channels;

/// <summary>Reads channels at one moment.</summary>
public static class ChannelReader
{
    /// <summary>All of them, in the order in which they are declared.</summary>
    public static List<ChannelView> Read(GuestChannels channels, GuestView view)
    {
        var views = new List<ChannelView>();
        foreach (GuestChannel channel in channels.Channels) views.Add(Read(channel, view));
        return views;
    }

    /// <summary>One of them.</summary>
    public static ChannelView Read(GuestChannel channel, GuestView view)
    {
        ulong? sent = Number(view, channel.Sent), received = Number(view, channel.Received), acknowledged = Number(view, channel.Acknowledged);
        // Whoever has read a message says so in one place or the other.
        ulong? read = received ?? acknowledged;
        string? problem = read is null ? "Which messages were read is not known: neither 'received' nor 'acknowledged' is declared and in memory." : null;
        bool isCorrupt = false;
        int inFlight = 0;
        var slots = new List<ChannelSlot>();
        for (int i = 0; i < channel.SlotCount; i++)
        {
            byte[] contents = new byte[channel.MessageBytes];
            if (view.Read(channel.SlotAddress(i), contents) < contents.Length)
            {
                (isCorrupt, problem) = (true, $"Message {i} of its ring is not in memory.");
                break;
            }
            ulong sequence = channel.NumberIn(contents);
            bool isInFlight = read is { } done && sequence > done;
            if (isInFlight) inFlight++;
            if (isInFlight && sent is { } last && sequence > last + 1) (isCorrupt, problem) = (true, $"Message {i} of its ring has number {sequence}, and only {last} were sent.");
            slots.Add(new ChannelSlot(i, channel.SlotAddress(i), sequence, isInFlight, contents));
        }
        // One that is published and not counted yet is as good as sent, and may even be read.
        ulong? published = sent is { } counted && slots.Exists(slot => slot.Sequence == counted + 1) ? counted + 1 : sent;
        long? credits = published is { } s && (acknowledged ?? received) is { } a ? channel.SlotCount - (long)(s - a) : null;
        if (!isCorrupt && (credits < 0 || credits > channel.SlotCount))
            (isCorrupt, problem) = (true, $"{published} messages were sent and {acknowledged ?? received} acknowledged, and there is room for {channel.SlotCount}.");
        ChannelState state = isCorrupt ? ChannelState.Corrupt : credits == 0 ? ChannelState.Full : inFlight > 0 ? ChannelState.InFlight : ChannelState.Empty;
        return new ChannelView(channel, state, Number(view, channel.Sender), Number(view, channel.Receiver), sent, received, acknowledged, credits, Number(view, channel.FullStalls),
            Number(view, channel.EmptyStalls), slots, problem);
    }

    private static ulong? Number(GuestView view, ChannelField? field) => field is { } there ? view.ReadNumber(there.Address, there.SizeBytes) : null;
}
