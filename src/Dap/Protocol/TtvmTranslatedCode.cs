using System.Collections.Generic;
using System.Text.Json.Serialization;

namespace Dap.Protocol;

/// <summary>Answer to <c>ttvm/translatedCode</c>: the block that a vCPU executes next, and the host code that the translator makes of it.</summary>
public sealed record TtvmTranslatedCode
{
    [JsonPropertyName("position")] public required string Position { get; init; }
    [JsonPropertyName("threadId")] public required long ThreadId { get; init; }
    /// <summary>Why there is none; absent: there is.</summary>
    [JsonPropertyName("reason")] public string? Reason { get; init; }
    /// <summary>Bytes of host code.</summary>
    [JsonPropertyName("hostBytes")] public required long HostBytes { get; init; }
    [JsonPropertyName("lines")] public required IReadOnlyList<TtvmTranslatedLine> Lines { get; init; }
}

/// <summary>A host instruction, and the guest instruction whose code begins with it.</summary>
public sealed record TtvmTranslatedLine
{
    /// <summary>Of the guest instruction; absent: the line goes on with the one before.</summary>
    [JsonPropertyName("address")] public string? Address { get; init; }
    [JsonPropertyName("guest")] public string? Guest { get; init; }
    /// <summary>The guest instruction is executed by its handler.</summary>
    [JsonPropertyName("isByHandler")] public required bool IsByHandler { get; init; }
    /// <summary>Bytes from the start of the host code; absent: the guest instruction needs none.</summary>
    [JsonPropertyName("offset")] public long? Offset { get; init; }
    [JsonPropertyName("host")] public string? Host { get; init; }
    /// <summary>It hardly ever runs: a slow path or a way out.</summary>
    [JsonPropertyName("isBehind")] public required bool IsBehind { get; init; }
}
