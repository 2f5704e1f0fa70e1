using System.Collections.Generic;
using System.Text.Json.Serialization;

namespace Dap.Protocol;

/// <summary>Answer to <c>ttvm/locks</c>.</summary>
public sealed record TtvmLocks
{
    [JsonPropertyName("locks")] public required IReadOnlyList<TtvmLock> Locks { get; init; }
    /// <summary>"known", "learning" (the event <c>ttvm/locksChanged</c> says when to ask again) or "unknown": without it, who holds a spin lock, and since when, is not said.</summary>
    [JsonPropertyName("past")] public required string Past { get; init; }
    /// <summary>Why the past is unknown.</summary>
    [JsonPropertyName("pastProblem")] public string? PastProblem { get; init; }
    /// <summary>What is declared and does not agree with the guest, a sentence each.</summary>
    [JsonPropertyName("layoutProblems")] public required IReadOnlyList<string> LayoutProblems { get; init; }
    /// <summary>What is missing, when there are none.</summary>
    [JsonPropertyName("problem")] public string? Problem { get; init; }
    /// <summary>There are none yet, as it is being found out what the guest's locks are: the event <c>ttvm/locksChanged</c> comes when they are known.</summary>
    [JsonPropertyName("isBeingFound")] public bool? IsBeingFound { get; init; }
}

/// <summary>A lock that is declared or in use.</summary>
public sealed record TtvmLock
{
    [JsonPropertyName("name")] public required string Name { get; init; }
    [JsonPropertyName("kind")] public required string Kind { get; init; }
    [JsonPropertyName("address")] public required string Address { get; init; }
    /// <summary>"free", "held", "contended" or "corrupt".</summary>
    [JsonPropertyName("state")] public required string State { get; init; }
    [JsonPropertyName("queue")] public required IReadOnlyList<TtvmLockWaiter> Queue { get; init; }
    /// <summary>What its words say.</summary>
    [JsonPropertyName("words")] public string? Words { get; init; }
    [JsonPropertyName("problem")] public string? Problem { get; init; }
}

/// <summary>One who holds a lock or waits for it.</summary>
public sealed record TtvmLockWaiter
{
    [JsonPropertyName("order")] public required long Order { get; init; }
    /// <summary>"owner" or "waiter".</summary>
    [JsonPropertyName("role")] public required string Role { get; init; }
    [JsonPropertyName("threadId")] public long? ThreadId { get; init; }
    /// <summary>Address of the queue node.</summary>
    [JsonPropertyName("node")] public string? Node { get; init; }
    /// <summary>The node's link to the one behind it.</summary>
    [JsonPropertyName("next")] public string? Next { get; init; }
    /// <summary>The node's flag.</summary>
    [JsonPropertyName("mustWait")] public bool? MustWait { get; init; }
    /// <summary>Address of the task.</summary>
    [JsonPropertyName("task")] public string? Task { get; init; }
    /// <summary>Since when it holds or waits.</summary>
    [JsonPropertyName("since")] public string? Since { get; init; }
    /// <summary>Where it asked for the lock.</summary>
    [JsonPropertyName("from")] public TtvmCodePlace? From { get; init; }
    /// <summary>One of several readers.</summary>
    [JsonPropertyName("isShared")] public bool? IsShared { get; init; }
    [JsonPropertyName("description")] public required string Description { get; init; }
}

/// <summary>A place in the guest's code.</summary>
public sealed record TtvmCodePlace
{
    /// <summary>For people.</summary>
    [JsonPropertyName("text")] public required string Text { get; init; }
    [JsonPropertyName("source")] public Source? Source { get; init; }
    [JsonPropertyName("line")] public long? Line { get; init; }
}

/// <summary>Arguments of <c>ttvm/lockHistory</c>.</summary>
public sealed record TtvmLockHistoryArguments
{
    /// <summary>A lock by name, symbol or address; absent: all locks, without their uses.</summary>
    [JsonPropertyName("lock")] public string? Lock { get; init; }
    /// <summary>Uses that end before it do not count. Default: the start.</summary>
    [JsonPropertyName("from")] public string? From { get; init; }
    /// <summary>Uses that begin behind it do not count. Default: the end.</summary>
    [JsonPropertyName("to")] public string? To { get; init; }
    /// <summary>Uses that are left out at the beginning.</summary>
    [JsonPropertyName("start")] public long? Start { get; init; }
    /// <summary>Uses, or locks, at most. Default: 100.</summary>
    [JsonPropertyName("count")] public long? Count { get; init; }
    /// <summary>With a lock: the window in so many parts of equal instruction counts. Default: none.</summary>
    [JsonPropertyName("bucketCount")] public long? BucketCount { get; init; }
}

/// <summary>Answer to <c>ttvm/lockHistory</c>: what is known by now.</summary>
public sealed record TtvmLockHistory
{
    /// <summary>Everything before this position is known.</summary>
    [JsonPropertyName("known")] public required string Known { get; init; }
    /// <summary>The whole recording is.</summary>
    [JsonPropertyName("isComplete")] public required bool IsComplete { get; init; }
    /// <summary>Why it never will be.</summary>
    [JsonPropertyName("problem")] public string? Problem { get; init; }
    /// <summary>How many locks were used.</summary>
    [JsonPropertyName("lockCount")] public required long LockCount { get; init; }
    /// <summary>The lock, or all: those that were waited for most first.</summary>
    [JsonPropertyName("locks")] public required IReadOnlyList<TtvmLockTotals> Locks { get; init; }
    /// <summary>How many uses are in the window.</summary>
    [JsonPropertyName("useCount")] public required long UseCount { get; init; }
    [JsonPropertyName("uses")] public required IReadOnlyList<TtvmLockUse> Uses { get; init; }
    [JsonPropertyName("buckets")] public required IReadOnlyList<TtvmLockBucket> Buckets { get; init; }
}

/// <summary>What became of a lock in all that is known. Lengths are instructions on all vCPUs.</summary>
public sealed record TtvmLockTotals
{
    [JsonPropertyName("name")] public required string Name { get; init; }
    [JsonPropertyName("address")] public required string Address { get; init; }
    /// <summary>As declared.</summary>
    [JsonPropertyName("type")] public required string Type { get; init; }
    [JsonPropertyName("taken")] public required long Taken { get; init; }
    /// <summary>How often somebody else had it when it was wanted.</summary>
    [JsonPropertyName("contended")] public required long Contended { get; init; }
    [JsonPropertyName("failed")] public required long Failed { get; init; }
    [JsonPropertyName("handOffs")] public required long HandOffs { get; init; }
    [JsonPropertyName("waited")] public required ulong Waited { get; init; }
    [JsonPropertyName("held")] public required ulong Held { get; init; }
    [JsonPropertyName("longestWait")] public required ulong LongestWait { get; init; }
    /// <summary>When that began.</summary>
    [JsonPropertyName("longestWaitAt")] public string? LongestWaitAt { get; init; }
    [JsonPropertyName("longestHeld")] public required ulong LongestHeld { get; init; }
    /// <summary>When that began.</summary>
    [JsonPropertyName("longestHeldAt")] public string? LongestHeldAt { get; init; }
    [JsonPropertyName("maximumWaiters")] public required long MaximumWaiters { get; init; }
    [JsonPropertyName("maximumWaitersAt")] public string? MaximumWaitersAt { get; init; }
    /// <summary>There were more uses than are kept: late ones are only counted.</summary>
    [JsonPropertyName("isCut")] public required bool IsCut { get; init; }
}

/// <summary>One use of a lock.</summary>
public sealed record TtvmLockUse
{
    /// <summary>Name of the lock.</summary>
    [JsonPropertyName("lock")] public required string Lock { get; init; }
    [JsonPropertyName("wanted")] public required string Wanted { get; init; }
    /// <summary>Absent: it waits, or did not get it.</summary>
    [JsonPropertyName("taken")] public string? Taken { get; init; }
    /// <summary>Absent: it still has it, or never had.</summary>
    [JsonPropertyName("released")] public string? Released { get; init; }
    [JsonPropertyName("waitInstructions")] public required ulong WaitInstructions { get; init; }
    [JsonPropertyName("heldInstructions")] public required ulong HeldInstructions { get; init; }
    [JsonPropertyName("threadId")] public required long ThreadId { get; init; }
    /// <summary>Its name.</summary>
    [JsonPropertyName("task")] public string? Task { get; init; }
    /// <summary>That takes it.</summary>
    [JsonPropertyName("function")] public required string Function { get; init; }
    [JsonPropertyName("from")] public TtvmCodePlace? From { get; init; }
    [JsonPropertyName("isContended")] public required bool IsContended { get; init; }
    [JsonPropertyName("isFailed")] public required bool IsFailed { get; init; }
    [JsonPropertyName("isShared")] public required bool IsShared { get; init; }
    /// <summary>How many other locks its user had when it took it.</summary>
    [JsonPropertyName("nesting")] public required long Nesting { get; init; }
}

/// <summary>A part of a window of a lock's history.</summary>
public sealed record TtvmLockBucket
{
    /// <summary>Everything in it is known.</summary>
    [JsonPropertyName("isKnown")] public required bool IsKnown { get; init; }
    /// <summary>For how many instructions each vCPU had it. Several readers count each.</summary>
    [JsonPropertyName("held")] public required IReadOnlyList<ulong> Held { get; init; }
    /// <summary>How many waited at the most.</summary>
    [JsonPropertyName("waiters")] public required long Waiters { get; init; }
    /// <summary>The most of <see cref="TtvmLockUse.Nesting"/>.</summary>
    [JsonPropertyName("nesting")] public required long Nesting { get; init; }
}

/// <summary>Answer to <c>ttvm/lockFindings</c>.</summary>
public sealed record TtvmLockFindings
{
    /// <summary>By position.</summary>
    [JsonPropertyName("findings")] public required IReadOnlyList<TtvmLockFinding> Findings { get; init; }
    /// <summary>The whole recording has been looked at.</summary>
    [JsonPropertyName("isComplete")] public required bool IsComplete { get; init; }
    /// <summary>Why it never will be.</summary>
    [JsonPropertyName("problem")] public string? Problem { get; init; }
}

/// <summary>Something wrong with locks, at its first moment.</summary>
public sealed record TtvmLockFinding
{
    /// <summary>"twoHolders", "releasedByOther", "releasedWhileFree", "takenTwice", "deadlock", "orderInversion", "interruptsOn", "lostWakeUp", "heldAtFailure"; of classes "classInversion".</summary>
    [JsonPropertyName("kind")] public required string Kind { get; init; }
    [JsonPropertyName("position")] public required string Position { get; init; }
    [JsonPropertyName("threadId")] public required long ThreadId { get; init; }
    [JsonPropertyName("text")] public required string Text { get; init; }
    /// <summary>The uses of locks that make it so.</summary>
    [JsonPropertyName("uses")] public required IReadOnlyList<TtvmLockUse> Uses { get; init; }
}

/// <summary>Answer to <c>ttvm/lockClasses</c>.</summary>
public sealed record TtvmLockClasses
{
    /// <summary>Classes that were taken in both orders, though no two locks were; by position.</summary>
    [JsonPropertyName("findings")] public required IReadOnlyList<TtvmLockFinding> Findings { get; init; }
    /// <summary>Pairs of locks nested in their own class, as parent and child are: their order is not looked at.</summary>
    [JsonPropertyName("nestedInOwnClass")] public required long NestedInOwnClass { get; init; }
}

/// <summary>Arguments of <c>ttvm/lockSeek</c>, which answers with <see cref="TtvmFound"/>.</summary>
public sealed record TtvmLockSeekArguments
{
    /// <summary>A lock by name, symbol or address.</summary>
    [JsonPropertyName("lock")] public required string Lock { get; init; }
    /// <summary>"wait" (somebody wants it whom another keeps waiting), "acquire" or "release".</summary>
    [JsonPropertyName("event")] public required string Event { get; init; }
    /// <summary>The last one before the current position; default: the next one.</summary>
    [JsonPropertyName("reverse")] public bool? Reverse { get; init; }
}
