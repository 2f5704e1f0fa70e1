using System;
using System.Collections.Generic;
using System.IO;

namespace Symbols.Elf;

/// <summary>The ELF files below one folder by their build IDs. Looked through at the first question, once.</summary>
internal sealed class BuildIdFolder(string folder)
{
    private const int MaximumFiles = 50_000;
    private const int MaximumDepth = 16;

    private Dictionary<string, List<string>>? _byBuildId;

    /// <summary>The paths of all files with that build ID: a stripped program and its debug file have the same.</summary>
    internal IReadOnlyList<string> Find(string buildId)
    {
        _byBuildId ??= Read();
        return _byBuildId.TryGetValue(buildId, out List<string>? paths) ? paths : [];
    }

    private Dictionary<string, List<string>> Read()
    {
        var found = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        if (!Directory.Exists(folder)) return found;
        var options = new EnumerationOptions
        {
            IgnoreInaccessible = true, RecurseSubdirectories = true, MaxRecursionDepth = MaximumDepth, AttributesToSkip = FileAttributes.Device,
        };
        int count = 0;
        try
        {
            foreach (string path in Directory.EnumerateFiles(folder, "*", options))
            {
                if (count++ == MaximumFiles) break;
                if (BuildIdOf(path) is not { Length: > 0 } id) continue;
                if (!found.TryGetValue(id, out List<string>? paths)) found[id] = paths = [];
                paths.Add(path);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A folder that vanishes meanwhile: what was found counts.
        }
        return found;
    }

    private static string? BuildIdOf(string path)
    {
        try
        {
            // A pipe would block; what is no regular file has no length.
            if (new FileInfo(path).Length < 64) return null;
            using ElfImage image = ElfImage.Open(path);
            return image.BuildIdText;
        }
        catch (Exception e) when (e is SymbolFormatException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
