using System.Collections.Generic;
using System.Text.Json.Serialization;

namespace Dap.Protocol;

/// <summary>Arguments of <c>ttvm/gotoEvent</c>.</summary>
public sealed record TtvmEventArguments
{
    /// <summary>"exception", "interrupt", "systemCall", "contextSwitch", "schedule", "input" or "consoleLine".</summary>
    [JsonPropertyName("kind")] public required string Kind { get; init; }
    [JsonPropertyName("reverse")] public bool? Reverse { get; init; }
    /// <summary>Only events of this vCPU.</summary>
    [JsonPropertyName("threadId")] public long? ThreadId { get; init; }
}

/// <summary>A named position.</summary>
public sealed record TtvmBookmark
{
    [JsonPropertyName("name")] public required string Name { get; init; }
    [JsonPropertyName("position")] public required string Position { get; init; }
    [JsonPropertyName("note")] public string? Note { get; init; }
    /// <summary>The state there is kept in memory while the session lasts: coming back replays nothing.</summary>
    [JsonPropertyName("isCheckpoint")] public bool? IsCheckpoint { get; init; }
}

/// <summary>Arguments of <c>ttvm/setBookmark</c>.</summary>
public sealed record TtvmSetBookmarkArguments
{
    [JsonPropertyName("name")] public required string Name { get; init; }
    /// <summary>Default: where the session stands.</summary>
    [JsonPropertyName("position")] public string? Position { get; init; }
    [JsonPropertyName("note")] public string? Note { get; init; }
    /// <summary>Keep the state too; only without a position.</summary>
    [JsonPropertyName("isCheckpoint")] public bool? IsCheckpoint { get; init; }
}

/// <summary>Arguments of <c>ttvm/removeBookmark</c>.</summary>
public sealed record TtvmRemoveBookmarkArguments
{
    [JsonPropertyName("name")] public required string Name { get; init; }
}

/// <summary>Answer to <c>ttvm/bookmarks</c>, <c>ttvm/setBookmark</c> and <c>ttvm/removeBookmark</c>.</summary>
public sealed record TtvmBookmarks
{
    [JsonPropertyName("bookmarks")] public required IReadOnlyList<TtvmBookmark> Bookmarks { get; init; }
}

/// <summary>Arguments of <c>ttvm/timeline</c>.</summary>
public sealed record TtvmTimelineArguments
{
    [JsonPropertyName("from")] public string? From { get; init; }
    [JsonPropertyName("to")] public string? To { get; init; }
    [JsonPropertyName("bucketCount")] public long? BucketCount { get; init; }
}

/// <summary>Answer to <c>ttvm/timeline</c>.</summary>
public sealed record TtvmTimeline
{
    [JsonPropertyName("start")] public required string Start { get; init; }
    [JsonPropertyName("end")] public required string End { get; init; }
    /// <summary>The window that is described, in instruction counts.</summary>
    [JsonPropertyName("from")] public required ulong From { get; init; }
    [JsonPropertyName("to")] public required ulong To { get; init; }
    [JsonPropertyName("fromNanoseconds")] public required ulong FromNanoseconds { get; init; }
    [JsonPropertyName("toNanoseconds")] public required ulong ToNanoseconds { get; init; }
    [JsonPropertyName("cpuCount")] public required long CpuCount { get; init; }
    [JsonPropertyName("buckets")] public required IReadOnlyList<TtvmTimelineBucket> Buckets { get; init; }
    [JsonPropertyName("markers")] public required IReadOnlyList<TtvmTimelineMarker> Markers { get; init; }
    [JsonPropertyName("isComplete")] public required bool IsComplete { get; init; }
}

/// <summary>What happened in a part of a window.</summary>
public sealed record TtvmTimelineBucket
{
    [JsonPropertyName("isKnown")] public required bool IsKnown { get; init; }
    /// <summary>Instructions retired by each vCPU.</summary>
    [JsonPropertyName("instructions")] public required IReadOnlyList<ulong> Instructions { get; init; }
    [JsonPropertyName("exceptions")] public required long Exceptions { get; init; }
    [JsonPropertyName("interrupts")] public required long Interrupts { get; init; }
    [JsonPropertyName("systemCalls")] public required long SystemCalls { get; init; }
    [JsonPropertyName("contextSwitches")] public required long ContextSwitches { get; init; }
}

/// <summary>Something with a name on the timeline.</summary>
public sealed record TtvmTimelineMarker
{
    /// <summary>One of <see cref="TtvmEventArguments.Kind"/>, or "bookmark".</summary>
    [JsonPropertyName("kind")] public required string Kind { get; init; }
    [JsonPropertyName("position")] public required string Position { get; init; }
    /// <summary>How many of them it stands for.</summary>
    [JsonPropertyName("count")] public required long Count { get; init; }
    [JsonPropertyName("text")] public required string Text { get; init; }
    [JsonPropertyName("threadId")] public long? ThreadId { get; init; }
}
