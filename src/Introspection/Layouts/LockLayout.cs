using System.Collections.Generic;
using System.Text.Json.Serialization;

namespace Introspection.Layouts;

/// <summary>A lock of the guest's.</summary>
public sealed record LockDeclaration
{
    [JsonPropertyName("name")] public required string Name { get; init; }
    /// <summary>One of <see cref="GuestLayout.Types"/>.</summary>
    [JsonPropertyName("type")] public required string Type { get; init; }
    /// <summary>"symbol", "symbol+0x10" or a number.</summary>
    [JsonPropertyName("at")] public required string At { get; init; }
    /// <summary>Interrupts stay off while it is held, whatever its type says.</summary>
    [JsonPropertyName("interruptsOff")] public bool? InterruptsOff { get; init; }
}

/// <summary>How locks of a type are built.</summary>
public sealed record LockType
{
    /// <summary>"mcs", "spin", "ticket", "rw"; and of Linux "qspinlock", "qrwlock", "mutex", "rw_semaphore".</summary>
    [JsonPropertyName("kind")] public required string Kind { get; init; }
    /// <summary>mcs: the pointer to the last node of the queue.</summary>
    [JsonPropertyName("tail")] public MemoryField? Tail { get; init; }
    /// <summary>mcs: what nodes are.</summary>
    [JsonPropertyName("node")] public QueueNode? Node { get; init; }
    /// <summary>spin: not zero while somebody holds it.</summary>
    [JsonPropertyName("locked")] public MemoryField? Locked { get; init; }
    /// <summary>spin: number of the vCPU that holds it, if the lock knows.</summary>
    [JsonPropertyName("owner")] public MemoryField? Owner { get; init; }
    /// <summary>ticket: the ticket that is served, and the next one that is given.</summary>
    [JsonPropertyName("serving")] public MemoryField? Serving { get; init; }
    [JsonPropertyName("next")] public MemoryField? Next { get; init; }
    /// <summary>rw: the lock's word, and the bits of it that say that a writer has it, and where the number of readers begins.</summary>
    [JsonPropertyName("word")] public MemoryField? Word { get; init; }
    [JsonPropertyName("writerMask")] public ulong? WriterMask { get; init; }
    [JsonPropertyName("readerShift")] public int? ReaderShift { get; init; }
    /// <summary>The structure in the guest's own types; default: the name of this type. Offsets are checked against it, and variables of it are locks.</summary>
    [JsonPropertyName("structure")] public string? Structure { get; init; }
    /// <summary>Functions that take it. What is in one and has not returned waits.</summary>
    [JsonPropertyName("acquire")] public IReadOnlyList<LockFunctions>? Acquire { get; init; }
    /// <summary>Functions that give it back.</summary>
    [JsonPropertyName("release")] public IReadOnlyList<LockFunctions>? Release { get; init; }
    /// <summary>Who holds it: "cpu", or "task" if whoever waits may sleep; default: "task" for mutex and rw_semaphore, else "cpu".</summary>
    [JsonPropertyName("heldBy")] public string? HeldBy { get; init; }
    /// <summary>Interrupts stay off while it is held, as an interrupt handler takes it too.</summary>
    [JsonPropertyName("interruptsOff")] public bool? InterruptsOff { get; init; }
    /// <summary>Its functions are inlined in places that no debug information tells: the words of its locks are watched.</summary>
    [JsonPropertyName("inlined")] public bool? Inlined { get; init; }
    [JsonIgnore] public bool IsHeldByTask => HeldBy == "task" || (HeldBy is null && Kind is "mutex" or "rw_semaphore");
}

/// <summary>The nodes of an MCS queue.</summary>
public sealed record QueueNode
{
    /// <summary>Pointer to the node behind it.</summary>
    [JsonPropertyName("next")] public required MemoryField Next { get; init; }
    /// <summary>Not zero while it waits. One of this and <see cref="Granted"/>.</summary>
    [JsonPropertyName("waiting")] public MemoryField? Waiting { get; init; }
    /// <summary>Not zero once it has the lock.</summary>
    [JsonPropertyName("granted")] public MemoryField? Granted { get; init; }
    /// <summary>The address of the lock that it waits for, if the node knows.</summary>
    [JsonPropertyName("waitsFor")] public MemoryField? WaitsFor { get; init; }
    /// <summary>
    /// Where all nodes are: an MCS queue is linked from the owner on, and the lock knows only its end. Default: the variables that are arrays of <see cref="Structure"/>.
    /// </summary>
    [JsonPropertyName("arrays")] public IReadOnlyList<NodeArray>? Arrays { get; init; }
    /// <summary>The nodes' structure in the guest's own types.</summary>
    [JsonPropertyName("structure")] public string? Structure { get; init; }
    /// <summary>A number that tells nodes apart.</summary>
    [JsonPropertyName("id")] public MemoryField? Id { get; init; }
    /// <summary>What a node is called: "task" gives "task 3".</summary>
    [JsonPropertyName("called")] public string? Called { get; init; }
    /// <summary>A node in which array element number n belongs to vCPU n.</summary>
    [JsonPropertyName("isPerCpu")] public bool? IsPerCpu { get; init; }
}

/// <summary>Nodes in a row.</summary>
public sealed record NodeArray
{
    [JsonPropertyName("at")] public required string At { get; init; }
    [JsonPropertyName("stride")] public required int Stride { get; init; }
    [JsonPropertyName("count")] public required int Count { get; init; }
}

/// <summary>Per-CPU data in a row, with a pointer to what runs.</summary>
public sealed record CpuArray
{
    [JsonPropertyName("at")] public required string At { get; init; }
    /// <summary>Default: the size of the array's elements, by the guest's types.</summary>
    [JsonPropertyName("stride")] public int? Stride { get; init; }
    /// <summary>Pointer to the task that the CPU runs.</summary>
    [JsonPropertyName("current")] public required MemoryField Current { get; init; }
    /// <summary>A number in a task that tells it apart; default: that of the first type's nodes.</summary>
    [JsonPropertyName("id")] public MemoryField? Id { get; init; }
    /// <summary>What tasks are called; default: as the first type's nodes.</summary>
    [JsonPropertyName("called")] public string? Called { get; init; }
    /// <summary>The tasks' structure in the guest's own types.</summary>
    [JsonPropertyName("structure")] public string? Structure { get; init; }
}

/// <summary>Functions that take or give back locks of a type, all in the same way.</summary>
public sealed record LockFunctions
{
    /// <summary>Their names.</summary>
    [JsonPropertyName("functions")] public required IReadOnlyList<string> Functions { get; init; }
    /// <summary>Where the lock's address is at the first instruction: "arg0" to "arg5", or a register; default: "arg0".</summary>
    [JsonPropertyName("lock")] public string? Lock { get; init; }
    /// <summary>Added to that address.</summary>
    [JsonPropertyName("offset")] public long? Offset { get; init; }
    /// <summary>Readers, of whom there may be several at a time.</summary>
    [JsonPropertyName("shared")] public bool? Shared { get; init; }
    /// <summary>When the lock has been taken, by the result: "always"; "zero" or "nonzero" of an int; "true" of a bool; default: "always".</summary>
    [JsonPropertyName("taken")] public string? Taken { get; init; }
    /// <summary>It does not wait: it takes the lock at once or fails.</summary>
    [JsonPropertyName("tries")] public bool? Tries { get; init; }
    /// <summary>Taken by these, interrupts stay off while it is held, whatever its type says.</summary>
    [JsonPropertyName("interruptsOff")] public bool? InterruptsOff { get; init; }
    /// <summary>release: an exclusive lock becomes a shared one.</summary>
    [JsonPropertyName("downgrades")] public bool? Downgrades { get; init; }
}
