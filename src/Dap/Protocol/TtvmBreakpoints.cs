using System.Collections.Generic;
using System.Text.Json.Serialization;

namespace Dap.Protocol;

/// <summary>A breakpoint that is kept with a recording, as its client set it.</summary>
public sealed record TtvmSavedBreakpoint
{
    /// <summary>"source", "function", "instruction" or "data".</summary>
    [JsonPropertyName("kind")] public required string Kind { get; init; }
    /// <summary>Of a source breakpoint: the file.</summary>
    [JsonPropertyName("path")] public string? Path { get; init; }
    /// <summary>Of a source breakpoint.</summary>
    [JsonPropertyName("line")] public long? Line { get; init; }
    /// <summary>Of a function breakpoint: a function, or what else may be written there.</summary>
    [JsonPropertyName("name")] public string? Name { get; init; }
    /// <summary>Of an instruction breakpoint.</summary>
    [JsonPropertyName("address")] public string? Address { get; init; }
    /// <summary>Of a data breakpoint: ADDRESS:SIZE.</summary>
    [JsonPropertyName("dataId")] public string? DataId { get; init; }
    /// <summary>Of a data breakpoint: "read", "write" or "readWrite".</summary>
    [JsonPropertyName("accessType")] public string? AccessType { get; init; }
    [JsonPropertyName("condition")] public string? Condition { get; init; }
    [JsonPropertyName("hitCondition")] public string? HitCondition { get; init; }
    [JsonPropertyName("logMessage")] public string? LogMessage { get; init; }
}

/// <summary>Answer to <c>ttvm/savedBreakpoints</c> and <c>ttvm/saveBreakpoints</c>.</summary>
public sealed record TtvmSavedBreakpoints
{
    [JsonPropertyName("breakpoints")] public required IReadOnlyList<TtvmSavedBreakpoint> Breakpoints { get; init; }
}
