using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using System.Text.Json.Serialization;
using TestKit;

namespace Proof.Tests;

/// <summary>One golden recording, as traces/manifest.json tells of it.</summary>
internal sealed record Golden
{
    /// <summary>Name in traces/.</summary>
    public required string File { get; init; }
    public required string Why { get; init; }
    /// <summary>The command that made it, in the repository's root, with `ttvm` in the path.</summary>
    public required string Command { get; init; }
    /// <summary>What it was packed with afterwards, behind `ttvm pack FILE -o FILE`; null: it was not packed.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Pack { get; init; }
    /// <summary>The same command gives the same recording, byte for byte: not so where the host's clock is an input.</summary>
    public required bool Repeatable { get; init; }
    /// <summary>The last line that the guest prints.</summary>
    public required string LastLine { get; init; }
    /// <summary>A name of <see cref="Vmm.Platform.OutcomeKind"/>.</summary>
    public required string Outcome { get; init; }
    public required uint Code { get; init; }
    public required string End { get; init; }
    public required string EndDigest { get; init; }
    public required string Sha256 { get; init; }
}

/// <summary>traces/manifest.json.</summary>
internal static class GoldenManifest
{
    private static readonly JsonSerializerOptions s_options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static string Folder => Repository.PathOf("traces");
    private static string Path => System.IO.Path.Combine(Folder, "manifest.json");

    public static List<Golden> Read() => JsonSerializer.Deserialize<List<Golden>>(System.IO.File.ReadAllText(Path), s_options)!;

    public static void Write(IReadOnlyList<Golden> goldens) => System.IO.File.WriteAllText(Path, JsonSerializer.Serialize(goldens, s_options) + "\n");

    public static string PathOf(Golden golden) => System.IO.Path.Combine(Folder, golden.File);
}
