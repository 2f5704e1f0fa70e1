using System.Collections.Generic;
using System.Text.Json.Serialization;

namespace Introspection.Locks;

/// <summary>What a layout file says; docs/LAYOUTS.md describes it.</summary>
public sealed record LockLayout
{
    /// <summary>Types of locks by name.</summary>
    [JsonPropertyName("types")] public required IReadOnlyDictionary<string, LockType> Types { get; init; }
    /// <summary>The locks themselves.</summary>
    [JsonPropertyName("locks")] public required IReadOnlyList<LockDeclaration> Locks { get; init; }
    /// <summary>How to find out which vCPU something belongs to.</summary>
    [JsonPropertyName("cpus")] public CpuArray? Cpus { get; init; }
}

/// <summary>A lock of the guest's.</summary>
public sealed record LockDeclaration
{
    [JsonPropertyName("name")] public required string Name { get; init; }
    /// <summary>One of <see cref="LockLayout.Types"/>.</summary>
    [JsonPropertyName("type")] public required string Type { get; init; }
    /// <summary>"symbol", "symbol+0x10" or a number.</summary>
    [JsonPropertyName("at")] public required string At { get; init; }
}

/// <summary>How locks of a type are built.</summary>
public sealed record LockType
{
    /// <summary>"mcs", "spin" or "ticket".</summary>
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
    /// <summary>The function that waits: a vCPU in it with the lock's address in the register is a waiter.</summary>
    [JsonPropertyName("acquire")] public AcquireFunction? Acquire { get; init; }
}

/// <summary>A number in memory.</summary>
public sealed record MemoryField
{
    [JsonPropertyName("offset")] public required long Offset { get; init; }
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
    /// <summary>Where all nodes are: an MCS queue is linked from the owner on, and the lock knows only its end.</summary>
    [JsonPropertyName("arrays")] public required IReadOnlyList<NodeArray> Arrays { get; init; }
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
    [JsonPropertyName("stride")] public required int Stride { get; init; }
    /// <summary>Pointer to the node of what the CPU runs.</summary>
    [JsonPropertyName("current")] public required MemoryField Current { get; init; }
}

/// <summary>The function in which a lock is waited for.</summary>
public sealed record AcquireFunction
{
    [JsonPropertyName("function")] public required string Function { get; init; }
    /// <summary>"rdi"</summary>
    [JsonPropertyName("register")] public required string Register { get; init; }
}

/// <summary>How layouts are read: by code made when compiling.</summary>
[JsonSourceGenerationOptions(ReadCommentHandling = System.Text.Json.JsonCommentHandling.Skip, AllowTrailingCommas = true, RespectNullableAnnotations = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(LockLayout))]
internal sealed partial class LockLayoutJson : JsonSerializerContext;
