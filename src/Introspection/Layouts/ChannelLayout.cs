using System.Text.Json.Serialization;

namespace Introspection.Layouts;

/// <summary>
/// What a layout file says of channels: rings of messages, each with a number that is written last, as in Barrelfish's CC-UMP (Baumann et al., SOSP 2009). docs/LAYOUTS.md describes it.
/// </summary>
public sealed record ChannelLayout
{
    [JsonPropertyName("name")] public string? Name { get; init; }
    /// <summary>"symbol", "symbol+0x10" or a number: the first channel.</summary>
    [JsonPropertyName("at")] public required string At { get; init; }
    /// <summary>The channel's structure in the guest's types.</summary>
    [JsonPropertyName("structure")] public string? Structure { get; init; }
    /// <summary>How many channels there are in a row; default: 1.</summary>
    [JsonPropertyName("count")] public int? Count { get; init; }
    /// <summary>Bytes from one to the next; default: the structure's size.</summary>
    [JsonPropertyName("stride")] public int? Stride { get; init; }
    /// <summary>Where the first message is in a channel.</summary>
    [JsonPropertyName("ring")] public required MemoryField Ring { get; init; }
    /// <summary>How many messages the ring takes, and the bytes of one; default: what the ring's type says.</summary>
    [JsonPropertyName("slots")] public int? Slots { get; init; }
    [JsonPropertyName("messageBytes")] public int? MessageBytes { get; init; }
    /// <summary>The structure of a message.</summary>
    [JsonPropertyName("message")] public string? Message { get; init; }
    /// <summary>The number in a message that publishes it: from 1, in the order in which they are sent.</summary>
    [JsonPropertyName("sequence")] public required MemoryField Sequence { get; init; }
    /// <summary>The number of the last message that was sent, by the sender.</summary>
    [JsonPropertyName("sent")] public MemoryField? Sent { get; init; }
    /// <summary>The number of the last message that was read, by the receiver.</summary>
    [JsonPropertyName("received")] public MemoryField? Received { get; init; }
    /// <summary>The same as the sender knows it: it may send as many more as there are slots.</summary>
    [JsonPropertyName("acknowledged")] public MemoryField? Acknowledged { get; init; }
    /// <summary>How often the sender found no room, and the receiver no message.</summary>
    [JsonPropertyName("fullStalls")] public MemoryField? FullStalls { get; init; }
    [JsonPropertyName("emptyStalls")] public MemoryField? EmptyStalls { get; init; }
    /// <summary>The vCPUs at its ends.</summary>
    [JsonPropertyName("sender")] public MemoryField? Sender { get; init; }
    [JsonPropertyName("receiver")] public MemoryField? Receiver { get; init; }
    [JsonIgnore] public string Called => Name ?? At;
}
