using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.Text.Json.Serialization;
using Introspection.Channels;
using Introspection.Rcu;

namespace Introspection.Locks.Layouts;

/// <summary>What a layout file says; docs/LAYOUTS.md describes it.</summary>
public sealed record LockLayout
{
    [JsonPropertyName("$schema")] public string? Schema { get; init; }
    /// <summary>Types of locks by name.</summary>
    [JsonPropertyName("types")] public IReadOnlyDictionary<string, LockType>? DeclaredTypes { get; init; }
    [JsonIgnore] public IReadOnlyDictionary<string, LockType> Types => DeclaredTypes ?? ReadOnlyDictionary<string, LockType>.Empty;
    /// <summary>The locks themselves.</summary>
    [JsonPropertyName("locks")] public IReadOnlyList<LockDeclaration>? Declared { get; init; }
    [JsonIgnore] public IReadOnlyList<LockDeclaration> Locks => Declared ?? [];
    /// <summary>Functions that a guest must have for the layout to be meant; built-in ones have them.</summary>
    [JsonPropertyName("requires")] public IReadOnlyList<string>? Requires { get; init; }
    /// <summary>Functions at whose beginning the guest has failed: what is held then is told.</summary>
    [JsonPropertyName("panics")] public IReadOnlyList<string>? Panics { get; init; }
    /// <summary>How to find out which vCPU something belongs to.</summary>
    [JsonPropertyName("cpus")] public CpuArray? Cpus { get; init; }
    /// <summary>Read-copy-update.</summary>
    [JsonPropertyName("rcu")] public RcuLayout? Rcu { get; init; }
    /// <summary>Channels between vCPUs.</summary>
    [JsonPropertyName("channels")] public IReadOnlyList<ChannelLayout>? Channels { get; init; }
}

/// <summary>A lock of the guest's.</summary>
public sealed record LockDeclaration
{
    [JsonPropertyName("name")] public required string Name { get; init; }
    /// <summary>One of <see cref="LockLayout.Types"/>.</summary>
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
    /// <summary>Names of the structure in the guest's own types; default: the name of this type. Offsets are checked against it, and variables of it are locks.</summary>
    [JsonPropertyName("structures")] public IReadOnlyList<string>? Structures { get; init; }
    /// <summary>Functions that take it. What is in one and has not returned waits.</summary>
    [JsonPropertyName("acquire")] public IReadOnlyList<LockFunctions>? Acquire { get; init; }
    /// <summary>Functions that give it back.</summary>
    [JsonPropertyName("release")] public IReadOnlyList<LockFunctions>? Release { get; init; }
    /// <summary>Who holds it: "cpu", or "task" if whoever waits may sleep; default: "cpu".</summary>
    [JsonPropertyName("heldBy")] public string? HeldBy { get; init; }
    /// <summary>Interrupts stay off while it is held, as an interrupt handler takes it too.</summary>
    [JsonPropertyName("interruptsOff")] public bool? InterruptsOff { get; init; }
    [JsonIgnore] public bool IsHeldByTask => HeldBy == "task";
}

/// <summary>A number in memory.</summary>
public sealed record MemoryField
{
    /// <summary>In bytes; what <see cref="Member"/> says, if there is one and the guest's types are known.</summary>
    [JsonPropertyName("offset")] public long Offset { get; init; }
    /// <summary>The member's name in the structure: "tail", "owner.next".</summary>
    [JsonPropertyName("member")] public string? Member { get; init; }
    /// <summary>1, 2, 4 or 8; default: 8.</summary>
    [JsonPropertyName("bytes")] public int? Bytes { get; init; }
    [JsonIgnore] public int SizeBytes => Bytes ?? 8;
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
    /// Where all nodes are: an MCS queue is linked from the owner on, and the lock knows only its end. Default: the variables that are arrays of <see cref="Structures"/>.
    /// </summary>
    [JsonPropertyName("arrays")] public IReadOnlyList<NodeArray>? Arrays { get; init; }
    /// <summary>Names of the structure in the guest's own types.</summary>
    [JsonPropertyName("structures")] public IReadOnlyList<string>? Structures { get; init; }
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
    /// <summary>Names of the tasks' structure in the guest's own types.</summary>
    [JsonPropertyName("structures")] public IReadOnlyList<string>? Structures { get; init; }
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

/// <summary>How layouts are read: by code made when compiling.</summary>
[JsonSourceGenerationOptions(ReadCommentHandling = System.Text.Json.JsonCommentHandling.Skip, AllowTrailingCommas = true, RespectNullableAnnotations = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(LockLayout))]
internal sealed partial class LockLayoutJson : JsonSerializerContext;
