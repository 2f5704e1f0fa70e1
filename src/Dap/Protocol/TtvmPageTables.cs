using System.Collections.Generic;
using System.Text.Json.Serialization;

namespace Dap.Protocol;

/// <summary>Arguments of <c>ttvm/pageTable</c>.</summary>
public sealed record TtvmPageTableArguments
{
    [JsonPropertyName("threadId")] public long? ThreadId { get; init; }
    /// <summary>Of an entry that was answered before; none: the root table.</summary>
    [JsonPropertyName("path")] public string? Path { get; init; }
    /// <summary>Only pages that have all of these, and tables that have such a page below.</summary>
    [JsonPropertyName("filters")] public IReadOnlyList<string>? Filters { get; init; }
    /// <summary>Mark what differs from this position.</summary>
    [JsonPropertyName("comparedTo")] public string? ComparedTo { get; init; }
    /// <summary>Also entries that are not present and not empty, without bits; only without filters and comparison.</summary>
    [JsonPropertyName("includeAbsent")] public bool? IncludeAbsent { get; init; }
}

/// <summary>Answer to <c>ttvm/pageTable</c>.</summary>
public sealed record TtvmPageTable
{
    [JsonPropertyName("mode")] public required string Mode { get; init; }
    [JsonPropertyName("root")] public required string Root { get; init; }
    [JsonPropertyName("entries")] public required IReadOnlyList<TtvmPageTableEntry> Entries { get; init; }
}

/// <summary>An entry of a guest page table.</summary>
public sealed record TtvmPageTableEntry
{
    [JsonPropertyName("path")] public string? Path { get; init; }
    [JsonPropertyName("level")] public required string Level { get; init; }
    [JsonPropertyName("index")] public required long Index { get; init; }
    [JsonPropertyName("linear")] public required string Linear { get; init; }
    [JsonPropertyName("linearEnd")] public required string LinearEnd { get; init; }
    [JsonPropertyName("entryAddress")] public required string EntryAddress { get; init; }
    [JsonPropertyName("value")] public required string Value { get; init; }
    [JsonPropertyName("physical")] public required string Physical { get; init; }
    [JsonPropertyName("size")] public required string Size { get; init; }
    [JsonPropertyName("isPage")] public required bool IsPage { get; init; }
    [JsonPropertyName("bits")] public required IReadOnlyList<string> Bits { get; init; }
    [JsonPropertyName("shadow")] public TtvmShadowEntry? Shadow { get; init; }
    /// <summary>"added", "removed" or "changed".</summary>
    [JsonPropertyName("change")] public string? Change { get; init; }
    [JsonPropertyName("was")] public string? Was { get; init; }
}

/// <summary>What the shadow page table holds for an entry of the guest's.</summary>
public sealed record TtvmShadowEntry
{
    /// <summary>"in step", "stale", "not filled", "write-protected" or "partly filled".</summary>
    [JsonPropertyName("state")] public required string State { get; init; }
    [JsonPropertyName("machine")] public string? Machine { get; init; }
    [JsonPropertyName("why")] public required string Why { get; init; }
}

/// <summary>Arguments of <c>ttvm/translate</c>.</summary>
public sealed record TtvmTranslateArguments
{
    /// <summary>An expression.</summary>
    [JsonPropertyName("address")] public required string Address { get; init; }
    [JsonPropertyName("threadId")] public long? ThreadId { get; init; }
}

/// <summary>Answer to <c>ttvm/translate</c>.</summary>
public sealed record TtvmTranslation
{
    [JsonPropertyName("linear")] public required string Linear { get; init; }
    [JsonPropertyName("mode")] public required string Mode { get; init; }
    [JsonPropertyName("steps")] public required IReadOnlyList<TtvmWalkStep> Steps { get; init; }
    [JsonPropertyName("physical")] public string? Physical { get; init; }
    [JsonPropertyName("pageSize")] public string? PageSize { get; init; }
    [JsonPropertyName("access")] public string? Access { get; init; }
    [JsonPropertyName("fault")] public string? Fault { get; init; }
    [JsonPropertyName("accesses")] public required IReadOnlyList<TtvmAccessCheck> Accesses { get; init; }
    [JsonPropertyName("shadow")] public TtvmShadowEntry? Shadow { get; init; }
}

/// <summary>One step of a walk.</summary>
public sealed record TtvmWalkStep
{
    [JsonPropertyName("level")] public required string Level { get; init; }
    [JsonPropertyName("index")] public required long Index { get; init; }
    [JsonPropertyName("entryAddress")] public required string EntryAddress { get; init; }
    [JsonPropertyName("value")] public required string Value { get; init; }
    [JsonPropertyName("bits")] public required IReadOnlyList<TtvmBit> Bits { get; init; }
    [JsonPropertyName("explanation")] public required string Explanation { get; init; }
}

/// <summary>A bit of a page-table entry.</summary>
public sealed record TtvmBit
{
    [JsonPropertyName("name")] public required string Name { get; init; }
    [JsonPropertyName("isSet")] public required bool IsSet { get; init; }
    [JsonPropertyName("meaning")] public required string Meaning { get; init; }
}

/// <summary>What one kind of access to an address does.</summary>
public sealed record TtvmAccessCheck
{
    /// <summary>"supervisor read", "user write" ...</summary>
    [JsonPropertyName("access")] public required string Access { get; init; }
    [JsonPropertyName("faults")] public required bool Faults { get; init; }
    /// <summary>Of the page fault.</summary>
    [JsonPropertyName("errorCode")] public string? ErrorCode { get; init; }
    [JsonPropertyName("why")] public required string Why { get; init; }
}

/// <summary>Arguments of <c>ttvm/ranges</c>.</summary>
public sealed record TtvmRangesArguments
{
    [JsonPropertyName("threadId")] public long? ThreadId { get; init; }
    [JsonPropertyName("filters")] public IReadOnlyList<string>? Filters { get; init; }
    [JsonPropertyName("start")] public long? Start { get; init; }
    [JsonPropertyName("count")] public long? Count { get; init; }
}

/// <summary>Answer to <c>ttvm/ranges</c>.</summary>
public sealed record TtvmRanges
{
    [JsonPropertyName("total")] public required long Total { get; init; }
    [JsonPropertyName("ranges")] public required IReadOnlyList<TtvmRange> Ranges { get; init; }
}

/// <summary>Neighbours that map in the same way.</summary>
public sealed record TtvmRange
{
    [JsonPropertyName("linear")] public required string Linear { get; init; }
    [JsonPropertyName("linearEnd")] public required string LinearEnd { get; init; }
    [JsonPropertyName("physical")] public required string Physical { get; init; }
    [JsonPropertyName("size")] public required string Size { get; init; }
    [JsonPropertyName("access")] public required string Access { get; init; }
    [JsonPropertyName("pageSize")] public required string PageSize { get; init; }
}

/// <summary>Arguments of <c>ttvm/tableChanges</c>.</summary>
public sealed record TtvmTableChangesArguments
{
    [JsonPropertyName("threadId")] public long? ThreadId { get; init; }
    [JsonPropertyName("from")] public required string From { get; init; }
    /// <summary>Default: where the session stands.</summary>
    [JsonPropertyName("to")] public string? To { get; init; }
}

/// <summary>Answer to <c>ttvm/tableChanges</c>.</summary>
public sealed record TtvmTableChanges
{
    [JsonPropertyName("from")] public required string From { get; init; }
    [JsonPropertyName("to")] public required string To { get; init; }
    [JsonPropertyName("changes")] public required IReadOnlyList<TtvmTableChange> Changes { get; init; }
    [JsonPropertyName("isCut")] public required bool IsCut { get; init; }
}

/// <summary>An entry that differs between two positions.</summary>
public sealed record TtvmTableChange
{
    [JsonPropertyName("linear")] public required string Linear { get; init; }
    [JsonPropertyName("linearEnd")] public required string LinearEnd { get; init; }
    [JsonPropertyName("level")] public required string Level { get; init; }
    [JsonPropertyName("before")] public required string Before { get; init; }
    [JsonPropertyName("after")] public required string After { get; init; }
}
