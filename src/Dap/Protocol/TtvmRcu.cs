using System.Collections.Generic;
using System.Text.Json.Serialization;

namespace Dap.Protocol;

/// <summary>Answer to <c>ttvm/rcu</c>: read-copy-update where the session stands.</summary>
public sealed record TtvmRcu
{
    /// <summary>"declared" or "Linux tree RCU"; absent: nothing is known of it.</summary>
    [JsonPropertyName("kind")] public string? Kind { get; init; }
    [JsonPropertyName("gracePeriod")] public TtvmRcuGracePeriod? GracePeriod { get; init; }
    /// <summary>Who is inside a critical section.</summary>
    [JsonPropertyName("readers")] public required IReadOnlyList<TtvmRcuReader> Readers { get; init; }
    /// <summary>What waits for the end of a grace period.</summary>
    [JsonPropertyName("callbacks")] public required IReadOnlyList<TtvmRcuCallbacks> Callbacks { get; init; }
    /// <summary>Pointers through which readers come, at most 200.</summary>
    [JsonPropertyName("published")] public required IReadOnlyList<TtvmRcuPointer> Published { get; init; }
    /// <summary>What else there is, a sentence each: of Linux expedited grace periods, memory that is collected to be freed, and sleepable RCU that is in use.</summary>
    [JsonPropertyName("others")] public required IReadOnlyList<string> Others { get; init; }
    /// <summary>What is not known, a sentence each.</summary>
    [JsonPropertyName("problems")] public required IReadOnlyList<string> Problems { get; init; }
    /// <summary>As of <see cref="TtvmLocks"/>: without it, since when a reader is inside, and which version was there before, is not said.</summary>
    [JsonPropertyName("past")] public required string Past { get; init; }
    /// <summary>Why nothing is known of it.</summary>
    [JsonPropertyName("problem")] public string? Problem { get; init; }
    /// <summary>As of <see cref="TtvmLocks"/>: nothing is known yet, and will be.</summary>
    [JsonPropertyName("isBeingFound")] public bool? IsBeingFound { get; init; }
}

/// <summary>Grace periods where the session stands.</summary>
public sealed record TtvmRcuGracePeriod
{
    /// <summary>The one in progress, or the last.</summary>
    [JsonPropertyName("current")] public long? Current { get; init; }
    /// <summary>The last that has ended.</summary>
    [JsonPropertyName("completed")] public long? Completed { get; init; }
    [JsonPropertyName("isInProgress")] public required bool IsInProgress { get; init; }
    /// <summary>The same in words.</summary>
    [JsonPropertyName("state")] public required string State { get; init; }
    /// <summary>Whom it waits for, in words.</summary>
    [JsonPropertyName("waitsFor")] public required IReadOnlyList<string> WaitsFor { get; init; }
}

/// <summary>A reader inside its critical section.</summary>
public sealed record TtvmRcuReader
{
    /// <summary>Absent: it has lost its vCPU.</summary>
    [JsonPropertyName("threadId")] public long? ThreadId { get; init; }
    [JsonPropertyName("task")] public string? Task { get; init; }
    /// <summary>The grace period in which it began.</summary>
    [JsonPropertyName("period")] public long? Period { get; init; }
    [JsonPropertyName("isWaitedFor")] public required bool IsWaitedFor { get; init; }
    /// <summary>Absent: it is not known yet; <c>ttvm/rcuReaders</c> looks for it.</summary>
    [JsonPropertyName("since")] public string? Since { get; init; }
    /// <summary>Where it began.</summary>
    [JsonPropertyName("from")] public TtvmCodePlace? From { get; init; }
    [JsonPropertyName("description")] public required string Description { get; init; }
}

/// <summary>Answer to <c>ttvm/rcuReaders</c>: the same readers as of <see cref="TtvmRcu"/>, with since when and from where each reads.</summary>
public sealed record TtvmRcuReaders
{
    [JsonPropertyName("position")] public required string Position { get; init; }
    [JsonPropertyName("readers")] public required IReadOnlyList<TtvmRcuReader> Readers { get; init; }
    /// <summary>Why it is not found since when.</summary>
    [JsonPropertyName("problem")] public string? Problem { get; init; }
}

/// <summary>Callbacks that wait, of a vCPU or of all.</summary>
public sealed record TtvmRcuCallbacks
{
    [JsonPropertyName("threadId")] public long? ThreadId { get; init; }
    [JsonPropertyName("count")] public ulong? Count { get; init; }
    [JsonPropertyName("segments")] public required IReadOnlyList<TtvmRcuSegment> Segments { get; init; }
    /// <summary>The first of them.</summary>
    [JsonPropertyName("first")] public required IReadOnlyList<TtvmRcuCallback> First { get; init; }
}

/// <summary>A part of a list of callbacks.</summary>
public sealed record TtvmRcuSegment
{
    /// <summary>"done", "waiting", "ready" or "unassigned".</summary>
    [JsonPropertyName("name")] public required string Name { get; init; }
    [JsonPropertyName("count")] public required ulong Count { get; init; }
    /// <summary>The grace period that they wait for.</summary>
    [JsonPropertyName("period")] public long? Period { get; init; }
}

/// <summary>A callback.</summary>
public sealed record TtvmRcuCallback
{
    [JsonPropertyName("address")] public required string Address { get; init; }
    /// <summary>What is called, or done.</summary>
    [JsonPropertyName("function")] public string? Function { get; init; }
    /// <summary>Name of its segment.</summary>
    [JsonPropertyName("segment")] public string? Segment { get; init; }
}

/// <summary>A published pointer.</summary>
public sealed record TtvmRcuPointer
{
    [JsonPropertyName("name")] public required string Name { get; init; }
    [JsonPropertyName("address")] public required string Address { get; init; }
    /// <summary>What it points to; absent: it is not in memory.</summary>
    [JsonPropertyName("value")] public string? Value { get; init; }
    /// <summary>The same by its symbol.</summary>
    [JsonPropertyName("text")] public string? Text { get; init; }
    /// <summary>When it was written last.</summary>
    [JsonPropertyName("written")] public string? Written { get; init; }
    /// <summary>The version before, by its symbol.</summary>
    [JsonPropertyName("old")] public string? Old { get; init; }
}

/// <summary>Answer to <c>ttvm/rcuFindings</c>: what was freed while a reader could still have it.</summary>
public sealed record TtvmRcuFindings
{
    /// <summary>By position.</summary>
    [JsonPropertyName("findings")] public required IReadOnlyList<TtvmRcuFinding> Findings { get; init; }
    /// <summary>The whole recording has been looked at.</summary>
    [JsonPropertyName("isComplete")] public required bool IsComplete { get; init; }
    /// <summary>Why it never will be.</summary>
    [JsonPropertyName("problem")] public string? Problem { get; init; }
}

/// <summary>Something was freed before its grace period had ended.</summary>
public sealed record TtvmRcuFinding
{
    [JsonPropertyName("position")] public required string Position { get; init; }
    [JsonPropertyName("threadId")] public required long ThreadId { get; init; }
    [JsonPropertyName("text")] public required string Text { get; init; }
    /// <summary>When it was unlinked.</summary>
    [JsonPropertyName("unlinked")] public required string Unlinked { get; init; }
    /// <summary>Who was inside a critical section that began before.</summary>
    [JsonPropertyName("readers")] public required IReadOnlyList<TtvmRcuSection> Readers { get; init; }
}

/// <summary>A reader's critical section.</summary>
public sealed record TtvmRcuSection
{
    [JsonPropertyName("threadId")] public required long ThreadId { get; init; }
    [JsonPropertyName("begin")] public required string Begin { get; init; }
    /// <summary>Absent: it has not ended.</summary>
    [JsonPropertyName("end")] public string? End { get; init; }
    [JsonPropertyName("from")] public TtvmCodePlace? From { get; init; }
}

/// <summary>Arguments of <c>ttvm/rcuSeek</c>, which answers with <see cref="TtvmFound"/>.</summary>
public sealed record TtvmRcuSeekArguments
{
    /// <summary>"publication", "readerEnters", "readerLeaves", "deferral", "release", "gracePeriodBegins" or "gracePeriodEnds".</summary>
    [JsonPropertyName("event")] public required string Event { get; init; }
    /// <summary>Only of this published pointer, or what is given or freed: a name, symbol or address.</summary>
    [JsonPropertyName("pointer")] public string? Pointer { get; init; }
    /// <summary>Only by this vCPU.</summary>
    [JsonPropertyName("threadId")] public long? ThreadId { get; init; }
    /// <summary>The last one before the current position; default: the next one.</summary>
    [JsonPropertyName("reverse")] public bool? Reverse { get; init; }
}
