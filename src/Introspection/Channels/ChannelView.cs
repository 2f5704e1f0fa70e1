using System.Collections.Generic;

namespace Introspection.Channels;

/// <summary>What can be said of a channel.</summary>
public enum ChannelState
{
    /// <summary>Nothing is under way.</summary>
    Empty,
    /// <summary>Messages are under way, and there is room for more.</summary>
    InFlight,
    /// <summary>The sender has no credit: there is no room.</summary>
    Full,
    /// <summary>Its memory is nothing that the channel could be.</summary>
    Corrupt,
}

/// <summary>A channel at a position. What is null is not declared, or not in memory.</summary>
/// <param name="Channel">The channel.</param>
/// <param name="State">What it is.</param>
/// <param name="Sender">The vCPU that sends.</param>
/// <param name="Receiver">The vCPU that receives.</param>
/// <param name="Sent">Number of the last message that was sent, as the sender has it.</param>
/// <param name="Received">Number of the last message that was read.</param>
/// <param name="Acknowledged">The same as the sender knows it.</param>
/// <param name="Credits">How many messages may be sent now.</param>
/// <param name="FullStalls">How often the sender found no room.</param>
/// <param name="EmptyStalls">How often the receiver found no message.</param>
/// <param name="Slots">The ring.</param>
/// <param name="Problem">What is wrong or not known, in a sentence; null: nothing.</param>
public sealed record ChannelView(GuestChannel Channel, ChannelState State, ulong? Sender, ulong? Receiver, ulong? Sent, ulong? Received, ulong? Acknowledged, long? Credits,
    ulong? FullStalls, ulong? EmptyStalls, IReadOnlyList<ChannelSlot> Slots, string? Problem);

/// <summary>A place for a message.</summary>
/// <param name="Index">In the ring.</param>
/// <param name="Address">Linear.</param>
/// <param name="Sequence">Number of the message in it; 0: there was none yet.</param>
/// <param name="IsInFlight">It is published, and not read yet.</param>
/// <param name="Contents">The message, its number included.</param>
public sealed record ChannelSlot(int Index, ulong Address, ulong Sequence, bool IsInFlight, byte[] Contents);
