using System.Collections.Generic;
using System.Text.Json.Serialization;

namespace Dap.Protocol;

/// <summary>Answer to <c>ttvm/channels</c>: message channels where the session stands.</summary>
public sealed record TtvmChannels
{
    [JsonPropertyName("channels")] public required IReadOnlyList<TtvmChannel> Channels { get; init; }
    /// <summary>What is declared and not there, a sentence each.</summary>
    [JsonPropertyName("problems")] public required IReadOnlyList<string> Problems { get; init; }
    /// <summary>As of <see cref="TtvmLocks"/>: without it, when messages were sent is not said.</summary>
    [JsonPropertyName("past")] public required string Past { get; init; }
    /// <summary>Why there are none.</summary>
    [JsonPropertyName("problem")] public string? Problem { get; init; }
    /// <summary>As of <see cref="TtvmLocks"/>: none is known yet, and will be.</summary>
    [JsonPropertyName("isBeingFound")] public bool? IsBeingFound { get; init; }
}

/// <summary>A channel. What is absent is not declared, or not in memory.</summary>
public sealed record TtvmChannel
{
    [JsonPropertyName("name")] public required string Name { get; init; }
    [JsonPropertyName("address")] public required string Address { get; init; }
    /// <summary>"empty", "in flight", "full" or "corrupt".</summary>
    [JsonPropertyName("state")] public required string State { get; init; }
    /// <summary>The vCPUs at its ends.</summary>
    [JsonPropertyName("senderThreadId")] public long? SenderThreadId { get; init; }
    [JsonPropertyName("receiverThreadId")] public long? ReceiverThreadId { get; init; }
    /// <summary>Numbers of the last message that was sent and read; and read as the sender knows it.</summary>
    [JsonPropertyName("sent")] public ulong? Sent { get; init; }
    [JsonPropertyName("received")] public ulong? Received { get; init; }
    [JsonPropertyName("acknowledged")] public ulong? Acknowledged { get; init; }
    /// <summary>How many messages may be sent now.</summary>
    [JsonPropertyName("credits")] public long? Credits { get; init; }
    /// <summary>How often the sender found no room, and the receiver no message.</summary>
    [JsonPropertyName("fullStalls")] public ulong? FullStalls { get; init; }
    [JsonPropertyName("emptyStalls")] public ulong? EmptyStalls { get; init; }
    /// <summary>The ring.</summary>
    [JsonPropertyName("slots")] public required IReadOnlyList<TtvmChannelSlot> Slots { get; init; }
    [JsonPropertyName("problem")] public string? Problem { get; init; }
}

/// <summary>A place for a message.</summary>
public sealed record TtvmChannelSlot
{
    [JsonPropertyName("index")] public required long Index { get; init; }
    [JsonPropertyName("address")] public required string Address { get; init; }
    /// <summary>Number of the message in it; 0: there was none yet.</summary>
    [JsonPropertyName("sequence")] public required ulong Sequence { get; init; }
    /// <summary>It is published, and not read yet.</summary>
    [JsonPropertyName("isInFlight")] public required bool IsInFlight { get; init; }
    /// <summary>Words of eight bytes, hexadecimal.</summary>
    [JsonPropertyName("contents")] public required string Contents { get; init; }
    /// <summary>When it was published, and read.</summary>
    [JsonPropertyName("published")] public string? Published { get; init; }
    [JsonPropertyName("received")] public string? Received { get; init; }
}

/// <summary>Answer to <c>ttvm/channelFindings</c>.</summary>
public sealed record TtvmChannelFindings
{
    /// <summary>By position.</summary>
    [JsonPropertyName("findings")] public required IReadOnlyList<TtvmChannelFinding> Findings { get; init; }
    /// <summary>The whole recording has been looked at.</summary>
    [JsonPropertyName("isComplete")] public required bool IsComplete { get; init; }
    /// <summary>Why it never will be.</summary>
    [JsonPropertyName("problem")] public string? Problem { get; init; }
}

/// <summary>Something wrong with a message, at its publication.</summary>
public sealed record TtvmChannelFinding
{
    /// <summary>"publishedBeforePayload" or "overwritten".</summary>
    [JsonPropertyName("kind")] public required string Kind { get; init; }
    [JsonPropertyName("position")] public required string Position { get; init; }
    [JsonPropertyName("threadId")] public required long ThreadId { get; init; }
    /// <summary>Name of the channel.</summary>
    [JsonPropertyName("channel")] public required string Channel { get; init; }
    /// <summary>The message's.</summary>
    [JsonPropertyName("number")] public required ulong Number { get; init; }
    [JsonPropertyName("text")] public required string Text { get; init; }
    /// <summary>When the rest of its payload was written.</summary>
    [JsonPropertyName("latePayload")] public string? LatePayload { get; init; }
    [JsonPropertyName("received")] public string? Received { get; init; }
}

/// <summary>Arguments of <c>ttvm/channelSeek</c>, which answers with <see cref="TtvmFound"/>.</summary>
public sealed record TtvmChannelSeekArguments
{
    /// <summary>"publication", "receipt", "fullStall" or "emptyStall".</summary>
    [JsonPropertyName("event")] public required string Event { get; init; }
    /// <summary>Only in this channel, by name.</summary>
    [JsonPropertyName("channel")] public string? Channel { get; init; }
    /// <summary>Only of this message, by number.</summary>
    [JsonPropertyName("number")] public ulong? Number { get; init; }
    /// <summary>The last one before the current position; default: the next one.</summary>
    [JsonPropertyName("reverse")] public bool? Reverse { get; init; }
}
