using System.Collections.Generic;
using System.Text.Json.Serialization;

namespace Dap.Protocol;

/// <summary>Arguments of <c>ttvm/origin</c>: one of memoryReference, register and evaluateName.</summary>
public sealed record TtvmOriginArguments
{
    [JsonPropertyName("memoryReference")] public string? MemoryReference { get; init; }
    /// <summary>Bytes of memory, 1 to 16; default: 8, or what the expression has.</summary>
    [JsonPropertyName("count")] public long? Count { get; init; }
    [JsonPropertyName("register")] public string? Register { get; init; }
    [JsonPropertyName("evaluateName")] public string? EvaluateName { get; init; }
    /// <summary>Whose registers and address space; default: the one that the client looks at.</summary>
    [JsonPropertyName("threadId")] public long? ThreadId { get; init; }
    /// <summary>Steps along one way.</summary>
    [JsonPropertyName("depth")] public long? Depth { get; init; }
    /// <summary>Values in all.</summary>
    [JsonPropertyName("nodes")] public long? Nodes { get; init; }
    /// <summary>Follow what addresses were made of too.</summary>
    [JsonPropertyName("addresses")] public bool? Addresses { get; init; }
}

/// <summary>Answer to <c>ttvm/origin</c>.</summary>
public sealed record TtvmOrigin
{
    [JsonPropertyName("position")] public required string Position { get; init; }
    /// <summary>By their ids, from 0: the value that was asked for.</summary>
    [JsonPropertyName("nodes")] public required IReadOnlyList<TtvmOriginNode> Nodes { get; init; }
    /// <summary>Ids from the value that was asked for along the main inputs.</summary>
    [JsonPropertyName("chain")] public required IReadOnlyList<long> Chain { get; init; }
}

/// <summary>A value, and how it came to be where it is.</summary>
public sealed record TtvmOriginNode
{
    [JsonPropertyName("id")] public required long Id { get; init; }
    [JsonPropertyName("location")] public required string Location { get; init; }
    [JsonPropertyName("value")] public required string Value { get; init; }
    [JsonPropertyName("kind")] public required string Kind { get; init; }
    [JsonPropertyName("text")] public required string Text { get; init; }
    /// <summary>Where the value is there.</summary>
    [JsonPropertyName("before")] public required string Before { get; init; }
    /// <summary>Just before what put it there; absent: nothing did.</summary>
    [JsonPropertyName("position")] public string? Position { get; init; }
    [JsonPropertyName("threadId")] public long? ThreadId { get; init; }
    [JsonPropertyName("instructionAddress")] public string? InstructionAddress { get; init; }
    [JsonPropertyName("instruction")] public string? Instruction { get; init; }
    [JsonPropertyName("symbol")] public string? Symbol { get; init; }
    [JsonPropertyName("source")] public Source? Source { get; init; }
    [JsonPropertyName("line")] public long? Line { get; init; }
    /// <summary>Number of the recorded input that it is.</summary>
    [JsonPropertyName("input")] public long? Input { get; init; }
    [JsonPropertyName("inputs")] public required IReadOnlyList<TtvmOriginInput> Inputs { get; init; }
}

/// <summary>What a value was made from.</summary>
public sealed record TtvmOriginInput
{
    [JsonPropertyName("id")] public required long Id { get; init; }
    /// <summary>"value", "operand", "flags", "address" or "part".</summary>
    [JsonPropertyName("role")] public required string Role { get; init; }
    /// <summary>The chain goes on with it.</summary>
    [JsonPropertyName("isMain")] public required bool IsMain { get; init; }
}
