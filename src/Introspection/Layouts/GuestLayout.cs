using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Introspection.Layouts;

/// <summary>What a layout file says; docs/LAYOUTS.md describes it.</summary>
public sealed record GuestLayout
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

/// <summary>How layouts are read: by code made when compiling.</summary>
[JsonSourceGenerationOptions(ReadCommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, RespectNullableAnnotations = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(GuestLayout))]
internal sealed partial class LayoutJson : JsonSerializerContext;
