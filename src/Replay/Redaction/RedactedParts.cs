using System;
using System.Collections.Generic;
using System.IO;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Replay.Packages;

namespace Replay.Redaction;

/// <summary>What a recording has beside its states and its log, without what is to be taken out: images, symbol files, sources, named positions, and the manifest's texts.</summary>
internal sealed class RedactedParts(RecordingFile source, Needles needles)
{
    private const int PieceSizeBytes = 1 << 20;
    private readonly List<ByteSpan> _spans = [];

    public long TakenCount { get; private set; }

    /// <summary>Nothing was written yet.</summary>
    public void Restart()
    {
        TakenCount = 0;
        Notes.Clear();
    }

    /// <summary>Sentences about what could not be looked into.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>Writes the images into a partial directory that has them as they were.</summary>
    /// <returns>The manifest's list of them.</returns>
    public IReadOnlyList<ManifestImage> RewriteImages(IReadOnlyList<ManifestImage> images, string partial)
    {
        var written = new List<ManifestImage>();
        foreach (ManifestImage image in images)
        {
            string path = Path.Combine(partial, image.Part);
            byte[] content = File.ReadAllBytes(path);
            if (CompressionOf(image.Role, content) is { } compression)
                Notes.Add($"image '{image.Role}' is compressed ({compression}): it was not looked into, nor were its copies in memory");
            ManifestImage now = image with { Name = Rewrite(image.Name) };
            if (Rewrite(content))
            {
                File.WriteAllBytes(path, content);
                now = now with { Sha256 = Convert.ToHexStringLower(SHA256.HashData(content)) };
            }
            written.Add(now);
        }
        return written;
    }

    /// <summary>The manifest with its texts rewritten.</summary>
    public RecordingManifest Rewrite(RecordingManifest manifest) => manifest with
    {
        RecordedFrom = Rewrite(manifest.RecordedFrom), Machine = manifest.Machine with { CommandLine = Rewrite(manifest.Machine.CommandLine) },
        End = manifest.End with { Detail = Rewrite(manifest.End.Detail) },
    };

    /// <summary>Adds the files that the recording carries.</summary>
    public IReadOnlyList<ManifestSymbols>? AddCarried(ZipContainerWriter container, List<ManifestPart> parts)
    {
        foreach (ManifestPart part in source.Manifest.Parts)
        {
            if (!EmbeddedFiles.IsPart(part.Name) || part.Name is PartName.Sources or PartName.SourceIndex) continue;
            using Stream stream = source.OpenPart(part.Name);
            var content = new byte[stream.Length];
            stream.ReadExactly(content);
            if (part.Name == PartName.Bookmarks) RewriteJson(ref content);
            else Rewrite(content);
            parts.Add(new ManifestPart(part.Name, content.Length, Convert.ToHexStringLower(container.Add(part.Name, content))));
        }
        if (source.Embedded.SourcePaths.Count > 0) RecordingEmbedder.AddSources(container, parts, Sources());
        if (source.Manifest.Symbols is not { } symbols) return null;
        var renamed = new List<ManifestSymbols>();
        foreach (ManifestSymbols one in symbols) renamed.Add(one with { Name = Rewrite(one.Name) });
        return renamed;
    }

    private IEnumerable<(byte[] Name, byte[] Content)> Sources()
    {
        foreach (string path in source.Embedded.SourcePaths)
        {
            byte[] text = Encoding.UTF8.GetBytes(source.Embedded.ReadSource(path)!), name = Encoding.UTF8.GetBytes(path);
            Rewrite(text);
            Rewrite(name);
            yield return (name, text);
        }
    }

    // Texts may be escaped there: each is looked for as it is.
    private void RewriteJson(ref byte[] json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            using var buffer = new MemoryStream();
            using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n" })) Copy(document.RootElement, writer);
            json = buffer.ToArray();
        }
        catch (JsonException)
        {
            Rewrite(json);
        }
    }

    private void Copy(JsonElement element, Utf8JsonWriter writer)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (JsonProperty property in element.EnumerateObject())
                {
                    writer.WritePropertyName(Rewrite(property.Name));
                    Copy(property.Value, writer);
                }
                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (JsonElement one in element.EnumerateArray()) Copy(one, writer);
                writer.WriteEndArray();
                break;
            case JsonValueKind.String:
                writer.WriteStringValue(Rewrite(element.GetString()!));
                break;
            default:
                element.WriteTo(writer);
                break;
        }
    }

    private string Rewrite(string? text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text ?? "");
        return Rewrite(bytes) ? Encoding.UTF8.GetString(bytes) : text ?? "";
    }

    private bool Rewrite(byte[] content)
    {
        bool isChanged = false;
        for (int at = 0; at < content.Length; at += PieceSizeBytes)
        {
            _spans.Clear();
            needles.Find(content.AsSpan(at, Math.Min(content.Length - at, PieceSizeBytes + Needles.LongestLength)), _spans);
            foreach (ByteSpan span in ByteSpan.Merge([.. _spans]))
            {
                TakenCount += span.Length;
                content.AsSpan(at + span.Start, span.Length).Fill(RecordingRedactor.Filler);
                isChanged = true;
            }
        }
        return isChanged;
    }

    private static string? CompressionOf(string role, ReadOnlySpan<byte> content)
    {
        if (role == "kernel" && content.Length > 0x206 && content[0x202..].StartsWith("HdrS"u8)) return "a bzImage";
        if (content.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B])) return "gzip";
        if (Lz4Legacy.IsFrame(content) || content.StartsWith((ReadOnlySpan<byte>)[0x04, 0x22, 0x4D, 0x18])) return "LZ4";
        return CompressionFormat.NameOf(content);
    }
}
