using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using Cli.Hosting;

namespace Cli.Ci;

/// <summary>What one part of a search has written.</summary>
/// <param name="Path">The file.</param>
/// <param name="Kind">How parts are put together.</param>
/// <param name="Shard">Which part.</param>
/// <param name="Recording">The recording's path, where the part was made.</param>
/// <param name="Identity">Its identity.</param>
/// <param name="Question">What was looked for.</param>
/// <param name="Limit">At most so many lines of the whole.</param>
/// <param name="Result">What was found.</param>
internal sealed record ShardFile(string Path, string Kind, Shard Shard, string Recording, string Identity, string Question, int Limit, JsonElement Result)
{
    public const string VersionName = "ttvmShard";
    public const int Version = 1;
    private const long MaximumSizeBytes = 1L << 30;

    /// <summary>All parts of one search, in order.</summary>
    /// <exception cref="CommandException">A file is none, one is missing or there twice, or they do not belong together.</exception>
    public static IReadOnlyList<ShardFile> ReadAll(IEnumerable<string> paths)
    {
        ShardFile[] parts = [.. paths.Select(Read).OrderBy(static part => part.Shard.Index)];
        ShardFile first = parts[0];
        foreach (ShardFile part in parts)
        {
            string? problem = part.Identity != first.Identity ? "of another recording" : part.Kind != first.Kind || part.Question != first.Question ? $"of another search ({part.Question})"
                : part.Shard.Count != first.Shard.Count ? $"part {part.Shard}" : null;
            if (problem is not null) throw CommandException.Usage($"{part.Path} is {problem}, {first.Path} is part {first.Shard} of {first.Question}: they do not belong together");
        }
        for (int i = 0; i < first.Shard.Count; i++)
        {
            if (i < parts.Length && parts[i].Shard.Index < i + 1) throw CommandException.Usage($"part {parts[i].Shard} is there twice: {parts[i - 1].Path} and {parts[i].Path}");
            if (i >= parts.Length || parts[i].Shard.Index > i + 1) throw CommandException.Usage($"part {i + 1}/{first.Shard.Count} is missing");
        }
        return parts.Length == first.Shard.Count ? parts : throw CommandException.Usage($"part {parts[^1].Shard} is there twice");
    }

    /// <summary>The recording that it is of.</summary>
    /// <param name="path">Where that is here.</param>
    /// <param name="context">Opens it.</param>
    /// <exception cref="CommandException">It is not there, or another one.</exception>
    public OpenRecording OpenRecording(string path, CommandContext context)
    {
        OpenRecording recording = Hosting.OpenRecording.Open(path, context);
        if (recording.File.Identity.ToString() == Identity) return recording;
        recording.Dispose();
        throw CommandException.Usage($"{path} is another recording than the one of {Path}: name it with --recording");
    }

    /// <summary>A list of texts in the result.</summary>
    public string[] TextsOf(string name) => [.. Result.GetProperty(name).EnumerateArray().Select(static one => one.GetString()!)];

    /// <summary>Where a part says that its recording is, before anything else is done with the part. Nothing: it is no part, or that is no name of a recording.</summary>
    public static IReadOnlyList<string> RecordingOf(string path)
    {
        try
        {
            // A pipe has no length, and can be read only once.
            if (new FileInfo(path) is not { Exists: true, Length: > 0 }) return [];
            string recording = Read(path).Recording;
            return recording.EndsWith(RecordingPaths.Extension, StringComparison.Ordinal) ? [recording] : [];
        }
        catch (Exception e) when (e is CommandException or IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static ShardFile Read(string path)
    {
        if (!File.Exists(path)) throw CommandException.BadFile($"{path} does not exist");
        if (new FileInfo(path).Length > MaximumSizeBytes) throw CommandException.BadFile($"{path} is longer than what a part of a search can be");
        JsonElement root;
        try
        {
            root = JsonDocument.Parse(File.ReadAllBytes(path)).RootElement;
        }
        catch (JsonException e)
        {
            throw CommandException.BadFile($"{path} is not what `ttvm ... --shard` writes, or was cut off: line {e.LineNumber + 1} is not JSON");
        }
        CommandException None() => CommandException.BadFile($"{path} is not what `ttvm ... --shard` writes");
        string Text(string name) => root.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : throw None();
        int Number(string name) => root.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) ? number : throw None();
        if (root.ValueKind != JsonValueKind.Object) throw None();
        if (Number(VersionName) != Version) throw CommandException.BadFile($"{path} was written by another ttvm: use the same on all machines");
        return new ShardFile(path, Text("kind"), Shard.Parse(Text("shard")), Text("recording"), Text("identity"), Text("question"), Number("limit"),
            root.TryGetProperty("result", out JsonElement result) ? result : throw None());
    }
}
