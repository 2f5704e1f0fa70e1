using System;
using System.Collections.Generic;
using System.IO;
using Cli.Presentation;
using Introspection.Programs;
using Replay.Packages;

namespace Cli.Hosting;

/// <summary>Puts symbol files and the sources that they name into a recording, for `embed` and `pack`.</summary>
internal static class SourceEmbedding
{
    /// <param name="recording">Open.</param>
    /// <param name="to">Where to write; it may be the recording's own path.</param>
    /// <param name="paths">Symbol files.</param>
    /// <param name="map">FROM=TO, as the user wrote it.</param>
    /// <param name="folder">Sources that are not where the compiler had them are looked for below it; null: nowhere.</param>
    /// <param name="bookmarks">Named positions to put in; null: what is there stays.</param>
    /// <param name="context">The command's.</param>
    /// <returns>What was embedded, for people.</returns>
    public static string Embed(OpenRecording recording, string to, string[] paths, string[]? map, string? folder, byte[]? bookmarks, CommandContext context)
    {
        var named = new List<FileToEmbed>();
        foreach (string path in paths)
        {
            if (!File.Exists(path)) throw CommandException.BadFile($"{path} does not exist");
            named.Add(new FileToEmbed(Path.GetFileName(path), path));
        }
        using GuestPrograms programs = recording.LoadSymbols(paths, map);
        var sources = new Dictionary<string, FileToEmbed>(StringComparer.Ordinal);
        int missing = 0;
        foreach (string compilerPath in programs.AllSources())
        {
            if ((programs.Sources.Find(compilerPath) ?? FindBelow(folder, compilerPath)) is { } here && IsReadable(here)) sources.TryAdd(compilerPath, new FileToEmbed(compilerPath, here));
            else missing++;
        }
        ProgressDisplay.Run("embedding", progress =>
        {
            RecordingEmbedder.Embed(recording.File, to, named, [.. sources.Values], progress, bookmarks);
            return 0;
        });
        return $"{Words.Plural(named.Count, "symbol file")} and {Words.Plural(sources.Count, "source")}"
            + (missing > 0 ? $"; {Words.Plural(missing, "source")} not on this machine (--source-map says where they are)" : "");
    }

    // In the sandbox only what the user has named is: a symbol file may call any file a source.
    private static bool IsReadable(string path)
    {
        try
        {
            File.OpenHandle(path).Dispose();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    // The longest end of the path that is there.
    private static string? FindBelow(string? folder, string compilerPath)
    {
        if (folder is null) return null;
        string[] names = compilerPath.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (Array.IndexOf(names, "..") >= 0) return null;
        for (int i = 0; i < names.Length; i++)
        {
            string here = Path.Combine(folder, string.Join('/', names[i..]));
            if (File.Exists(here)) return here;
        }
        return null;
    }
}
