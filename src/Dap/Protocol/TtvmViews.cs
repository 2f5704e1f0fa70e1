using System.Collections.Generic;
using System.Text.Json.Serialization;

namespace Dap.Protocol;

/// <summary>Answer to <c>ttvm/devices</c>.</summary>
public sealed record TtvmDevices
{
    [JsonPropertyName("devices")] public required IReadOnlyList<TtvmDevice> Devices { get; init; }
}

/// <summary>A chip.</summary>
public sealed record TtvmDevice
{
    [JsonPropertyName("name")] public required string Name { get; init; }
    [JsonPropertyName("summary")] public required string Summary { get; init; }
    [JsonPropertyName("fields")] public required IReadOnlyList<TtvmField> Fields { get; init; }
}

/// <summary>A register of a chip, perhaps with its parts.</summary>
public sealed record TtvmField
{
    [JsonPropertyName("name")] public required string Name { get; init; }
    [JsonPropertyName("value")] public required string Value { get; init; }
    [JsonPropertyName("fields")] public IReadOnlyList<TtvmField>? Fields { get; init; }
}

/// <summary>Arguments of <c>ttvm/console</c>.</summary>
public sealed record TtvmConsoleArguments
{
    /// <summary>"serial0" (default), "serial1", "debug" or "virtio".</summary>
    [JsonPropertyName("channel")] public string? Channel { get; init; }
    /// <summary>At most so many of the last lines.</summary>
    [JsonPropertyName("count")] public long? Count { get; init; }
}

/// <summary>Answer to <c>ttvm/console</c>.</summary>
public sealed record TtvmConsole
{
    [JsonPropertyName("channels")] public required IReadOnlyList<string> Channels { get; init; }
    [JsonPropertyName("lines")] public required IReadOnlyList<TtvmConsoleLine> Lines { get; init; }
    [JsonPropertyName("isCut")] public required bool IsCut { get; init; }
    [JsonPropertyName("screen")] public required TtvmScreen Screen { get; init; }
    [JsonPropertyName("canType")] public required bool CanType { get; init; }
}

/// <summary>A line that the guest printed.</summary>
public sealed record TtvmConsoleLine
{
    [JsonPropertyName("position")] public required string Position { get; init; }
    [JsonPropertyName("text")] public required string Text { get; init; }
}

/// <summary>The VGA text screen.</summary>
public sealed record TtvmScreen
{
    [JsonPropertyName("columns")] public required long Columns { get; init; }
    [JsonPropertyName("lines")] public required IReadOnlyList<string> Lines { get; init; }
    [JsonPropertyName("cursorRow")] public required long CursorRow { get; init; }
    [JsonPropertyName("cursorColumn")] public required long CursorColumn { get; init; }
}
