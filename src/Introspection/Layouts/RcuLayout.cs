using System.Collections.Generic;
using System.Text.Json.Serialization;

namespace Introspection.Layouts;

/// <summary>What a layout file says of read-copy-update; docs/LAYOUTS.md describes it.</summary>
public sealed record RcuLayout
{
    /// <summary>The state that there is once.</summary>
    [JsonPropertyName("state")] public RcuStateLayout? State { get; init; }
    /// <summary>What each vCPU tells of its reader.</summary>
    [JsonPropertyName("readers")] public RcuReaderLayout? Readers { get; init; }
    /// <summary>What waits for the end of a grace period.</summary>
    [JsonPropertyName("callback")] public RcuCallbackLayout? Callback { get; init; }
    /// <summary>Functions that begin a reader's critical section, when they return.</summary>
    [JsonPropertyName("readLock")] public IReadOnlyList<string>? ReadLock { get; init; }
    /// <summary>Functions that end it, when they are entered.</summary>
    [JsonPropertyName("readUnlock")] public IReadOnlyList<string>? ReadUnlock { get; init; }
    /// <summary>Functions that are given something that was unlinked, to be freed when the grace period has ended.</summary>
    [JsonPropertyName("defer")] public IReadOnlyList<PointerFunctions>? Defer { get; init; }
    /// <summary>Functions that free it.</summary>
    [JsonPropertyName("free")] public IReadOnlyList<PointerFunctions>? Free { get; init; }
    /// <summary>Pointers through which readers come.</summary>
    [JsonPropertyName("published")] public IReadOnlyList<PublishedLayout>? Published { get; init; }
    /// <summary>Whose the readers are: "cpu", or "task" if a reader may lose its vCPU; default: "cpu".</summary>
    [JsonPropertyName("heldBy")] public string? HeldBy { get; init; }
}

/// <summary>The numbers of grace periods, and the callbacks.</summary>
public sealed record RcuStateLayout
{
    [JsonPropertyName("at")] public required string At { get; init; }
    [JsonPropertyName("structure")] public string? Structure { get; init; }
    /// <summary>The grace period that readers begin in, and the last that has ended.</summary>
    [JsonPropertyName("current")] public MemoryField? Current { get; init; }
    [JsonPropertyName("completed")] public MemoryField? Completed { get; init; }
    /// <summary>Current less completed while no grace period waits for anybody; default: 0.</summary>
    [JsonPropertyName("idleDifference")] public int? IdleDifference { get; init; }
    /// <summary>Instead of both: a number whose lowest bits are not 0 while a grace period is in progress.</summary>
    [JsonPropertyName("sequence")] public MemoryField? Sequence { get; init; }
    [JsonPropertyName("stateBits")] public int? StateBits { get; init; }
    /// <summary>1 + the vCPU that is waited for; 0: none.</summary>
    [JsonPropertyName("waitingFor")] public MemoryField? WaitingFor { get; init; }
    /// <summary>Pointer to the first callback.</summary>
    [JsonPropertyName("callbacks")] public MemoryField? Callbacks { get; init; }
    [JsonPropertyName("callbackCount")] public MemoryField? CallbackCount { get; init; }
}

/// <summary>Per-CPU data in a row.</summary>
public sealed record RcuReaderLayout
{
    [JsonPropertyName("at")] public required string At { get; init; }
    [JsonPropertyName("structure")] public string? Structure { get; init; }
    /// <summary>Bytes from one vCPU's to the next; default: the structure's size.</summary>
    [JsonPropertyName("stride")] public int? Stride { get; init; }
    /// <summary>The grace period in which the critical section began; 0: it is in none.</summary>
    [JsonPropertyName("since")] public required MemoryField Since { get; init; }
    /// <summary>How many critical sections are nested.</summary>
    [JsonPropertyName("nesting")] public MemoryField? Nesting { get; init; }
}

/// <summary>A callback.</summary>
public sealed record RcuCallbackLayout
{
    [JsonPropertyName("structure")] public string? Structure { get; init; }
    [JsonPropertyName("next")] public required MemoryField Next { get; init; }
    [JsonPropertyName("function")] public MemoryField? Function { get; init; }
}

/// <summary>Functions that are given a pointer.</summary>
public sealed record PointerFunctions
{
    [JsonPropertyName("functions")] public required IReadOnlyList<string> Functions { get; init; }
    /// <summary>Where the pointer is at the first instruction: "arg0" to "arg5", or a register; default: "arg0".</summary>
    [JsonPropertyName("pointer")] public string? Pointer { get; init; }
    /// <summary>Added to it, so that all pointers mean the object's beginning.</summary>
    [JsonPropertyName("offset")] public long? Offset { get; init; }

    [JsonIgnore] internal LockFunctions AsLockFunctions => new() { Functions = Functions, Lock = Pointer, Offset = Offset };
}

/// <summary>A pointer, or several in a row.</summary>
public sealed record PublishedLayout
{
    [JsonPropertyName("name")] public string? Name { get; init; }
    [JsonPropertyName("at")] public required string At { get; init; }
    /// <summary>With a count: bytes from one to the next.</summary>
    [JsonPropertyName("stride")] public int? Stride { get; init; }
    [JsonPropertyName("count")] public int? Count { get; init; }
    [JsonIgnore] public string Called => Name ?? At;
}
