using System.Collections.Generic;
using System.Text.Json.Serialization;

namespace Dap.Protocol;

/// <summary>Arguments of <c>ttvm/calls</c>.</summary>
public sealed record TtvmCallsArguments
{
    /// <summary>A function by name or address (0x...).</summary>
    [JsonPropertyName("function")] public required string Function { get; init; }
    /// <summary>Only calls from there on. Default: the start.</summary>
    [JsonPropertyName("from")] public string? From { get; init; }
    /// <summary>Only calls before; returns are looked for up to there, too. Default: the end.</summary>
    [JsonPropertyName("to")] public string? To { get; init; }
    /// <summary>Only calls of which this is true, in C's syntax: arguments by name or as arg0 to arg5, registers, ret.</summary>
    [JsonPropertyName("condition")] public string? Condition { get; init; }
    /// <summary>"auto" (default), "sysv", "cdecl" or "regparm".</summary>
    [JsonPropertyName("abi")] public string? Abi { get; init; }
    /// <summary>How many calls to pass over. Default: 0.</summary>
    [JsonPropertyName("start")] public long? Start { get; init; }
    /// <summary>How many calls to answer with. Default: 100, at most 10,000.</summary>
    [JsonPropertyName("count")] public long? Count { get; init; }
}

/// <summary>Answer to <c>ttvm/calls</c>.</summary>
public sealed record TtvmCalls
{
    [JsonPropertyName("calls")] public required IReadOnlyList<TtvmCall> Calls { get; init; }
    /// <summary>There are more behind them.</summary>
    [JsonPropertyName("isCut")] public required bool IsCut { get; init; }
}

/// <summary>One call of a function.</summary>
public sealed record TtvmCall
{
    /// <summary>Just before the function's first instruction.</summary>
    [JsonPropertyName("position")] public required string Position { get; init; }
    [JsonPropertyName("threadId")] public required long ThreadId { get; init; }
    /// <summary>Page table's address, in hexadecimal.</summary>
    [JsonPropertyName("addressSpace")] public required string AddressSpace { get; init; }
    [JsonPropertyName("function")] public required string Function { get; init; }
    /// <summary>"call", "jump" or "unknown".</summary>
    [JsonPropertyName("enteredBy")] public required string EnteredBy { get; init; }
    [JsonPropertyName("caller")] public required string Caller { get; init; }
    [JsonPropertyName("arguments")] public required IReadOnlyList<TtvmCallValue> Arguments { get; init; }
    /// <summary>"returned", "open" (not in the range) or "abandoned" (it never does).</summary>
    [JsonPropertyName("end")] public required string End { get; init; }
    /// <summary>Just before the first instruction behind the call.</summary>
    [JsonPropertyName("returnPosition")] public string? ReturnPosition { get; init; }
    [JsonPropertyName("returnThreadId")] public long? ReturnThreadId { get; init; }
    [JsonPropertyName("result")] public TtvmCallValue? Result { get; init; }
    /// <summary>Of the whole machine, between entry and return.</summary>
    [JsonPropertyName("instructions")] public ulong? Instructions { get; init; }
}

/// <summary>An argument or a result.</summary>
public sealed record TtvmCallValue
{
    [JsonPropertyName("name")] public required string Name { get; init; }
    [JsonPropertyName("type")] public string? Type { get; init; }
    [JsonPropertyName("text")] public required string Text { get; init; }
}

/// <summary>Arguments of <c>ttvm/findCall</c>, which answers with <see cref="TtvmFound"/>.</summary>
public sealed record TtvmFindCallArguments
{
    /// <summary>A function by name or address (0x...).</summary>
    [JsonPropertyName("function")] public required string Function { get; init; }
    /// <summary>The next call after the current position; default: the last one before it.</summary>
    [JsonPropertyName("forward")] public bool? Forward { get; init; }
    /// <summary>As of <see cref="TtvmCallsArguments"/>.</summary>
    [JsonPropertyName("condition")] public string? Condition { get; init; }
    /// <summary>As of <see cref="TtvmCallsArguments"/>.</summary>
    [JsonPropertyName("abi")] public string? Abi { get; init; }
}
