using System.Collections.Generic;
using System.Text.Json.Serialization;

namespace Dap.Protocol;

/// <summary>Arguments of <c>ttvm/swaps</c>.</summary>
public sealed record TtvmSwapsArguments
{
    /// <summary>A lock by its name, a symbol, "symbol+0x10" or an address.</summary>
    [JsonPropertyName("word")] public required string Word { get; init; }
    /// <summary>1 to 16. Default: what its symbol takes, if that is a word, else 8.</summary>
    [JsonPropertyName("sizeBytes")] public long? SizeBytes { get; init; }
    /// <summary>Default: the start.</summary>
    [JsonPropertyName("from")] public string? From { get; init; }
    /// <summary>Default: the end.</summary>
    [JsonPropertyName("to")] public string? To { get; init; }
    /// <summary>At most so many, the first ones; default: 100.</summary>
    [JsonPropertyName("count")] public long? Count { get; init; }
}

/// <summary>Answer to <c>ttvm/swaps</c>: every compare-and-swap, exchange, locked update and store of a word.</summary>
public sealed record TtvmSwaps
{
    [JsonPropertyName("address")] public required string Address { get; init; }
    [JsonPropertyName("sizeBytes")] public required long SizeBytes { get; init; }
    /// <summary>By position.</summary>
    [JsonPropertyName("swaps")] public required IReadOnlyList<TtvmSwap> Swaps { get; init; }
    /// <summary>There are more: from the last one's position on.</summary>
    [JsonPropertyName("isCut")] public required bool IsCut { get; init; }
}

/// <summary>One attempt to change a word. Values are in hexadecimal.</summary>
public sealed record TtvmSwap
{
    /// <summary>Before the instruction.</summary>
    [JsonPropertyName("position")] public required string Position { get; init; }
    /// <summary>Absent: a chip.</summary>
    [JsonPropertyName("threadId")] public long? ThreadId { get; init; }
    /// <summary>Its name.</summary>
    [JsonPropertyName("task")] public string? Task { get; init; }
    [JsonPropertyName("code")] public TtvmCodePlace? Code { get; init; }
    /// <summary>"compareExchange", "exchange", "exchangeAdd", "update" or "store".</summary>
    [JsonPropertyName("kind")] public required string Kind { get; init; }
    /// <summary>"lock cmpxchg".</summary>
    [JsonPropertyName("instruction")] public required string Instruction { get; init; }
    /// <summary>Only of a compare-and-swap.</summary>
    [JsonPropertyName("expected")] public string? Expected { get; init; }
    [JsonPropertyName("old")] public required string Old { get; init; }
    /// <summary>Of a compare-and-swap that lost, what it would have become.</summary>
    [JsonPropertyName("new")] public required string New { get; init; }
    [JsonPropertyName("hasWon")] public required bool HasWon { get; init; }
    /// <summary>How many attempts of the same call failed directly before.</summary>
    [JsonPropertyName("retry")] public required long Retry { get; init; }
    /// <summary>When the value that it expects was read from the word.</summary>
    [JsonPropertyName("readAt")] public string? ReadAt { get; init; }
    /// <summary>It won although the word was changed, and changed back, since then.</summary>
    [JsonPropertyName("isDeceived")] public required bool IsDeceived { get; init; }
    /// <summary>What is remarkable, in a sentence.</summary>
    [JsonPropertyName("remark")] public string? Remark { get; init; }
}
