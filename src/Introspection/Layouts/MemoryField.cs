using System.Text.Json.Serialization;

namespace Introspection.Layouts;

/// <summary>A number in memory.</summary>
public sealed record MemoryField
{
    /// <summary>In bytes; what <see cref="Member"/> says, if there is one and the guest's types are known.</summary>
    [JsonPropertyName("offset")] public long? Offset { get; init; }
    [JsonIgnore] public long OffsetBytes => Offset ?? 0;
    /// <summary>The member's name in the structure: "tail", "owner.next".</summary>
    [JsonPropertyName("member")] public string? Member { get; init; }
    /// <summary>1, 2, 4 or 8; default: 8.</summary>
    [JsonPropertyName("bytes")] public int? Bytes { get; init; }
    [JsonIgnore] public int SizeBytes => Bytes ?? 8;
}
