using System;
using System.Collections.Generic;
using System.IO;
using Symbols.Dwarf.Lines;

namespace Introspection.Programs;

/// <summary>
/// Finds on this machine the source files that a compiler named, perhaps on another one: as they are named; else by what launch.json's <c>sourceMap</c> says their
/// paths begin with; else below the folders that the session knows (of the recording, of the symbol files, the current one) and the folders above them, by the
/// longest ending of the path that exists there.
/// </summary>
public sealed class SourceFinder
{
    private readonly List<(string From, string To)> _map = [];
    private readonly List<string> _folders = [];
    private readonly int _ownFolderCount;
    private readonly Dictionary<string, string?> _found = new(StringComparer.Ordinal);

    /// <param name="map">What paths begin with, and what that is here.</param>
    /// <param name="folders">Where to look.</param>
    public SourceFinder(IReadOnlyDictionary<string, string> map, IEnumerable<string> folders)
    {
        foreach ((string from, string to) in map) _map.Add((SourcePath.Normalize(from), to));
        // The longest prefix is the most special one.
        _map.Sort(static (a, b) => b.From.Length.CompareTo(a.From.Length));
        foreach (string folder in folders) AddFolder(Path.GetFullPath(folder));
        _ownFolderCount = _folders.Count;
        for (int i = 0; i < _ownFolderCount; i++)
            for (string? above = Path.GetDirectoryName(_folders[i]); above is not null; above = Path.GetDirectoryName(above)) AddFolder(above);
    }

    /// <summary>Absolute path of the file here; null: it is not here.</summary>
    public string? Find(string compilerPath)
    {
        if (_found.TryGetValue(compilerPath, out string? known)) return known;
        return _found[compilerPath] = Search(SourcePath.Normalize(compilerPath));
    }

    private string? Search(string path)
    {
        if (Path.IsPathRooted(path) && File.Exists(path)) return path;
        foreach ((string from, string to) in _map)
            if (Below(path, from) is { } rest && Existing(to, rest) is { } mapped) return mapped;
        string ending = path.TrimStart('/');
        while (ending.Length > 0)
        {
            int slash = ending.IndexOf('/', StringComparison.Ordinal);
            // A bare name is no evidence in a folder far above: every project has a main.c.
            int count = slash < 0 ? _ownFolderCount : _folders.Count;
            for (int i = 0; i < count; i++)
                if (Existing(_folders[i], ending) is { } found) return found;
            ending = slash < 0 ? "" : ending[(slash + 1)..];
        }
        return null;
    }

    private static string? Existing(string folder, string rest)
    {
        string candidate = Path.GetFullPath(Path.Combine(folder, rest));
        return File.Exists(candidate) ? candidate : null;
    }

    // What follows a prefix of whole components; null: it is not one. An empty prefix stands for a relative path's folder.
    private static string? Below(string path, string prefix)
    {
        if (prefix.Length == 0) return path.StartsWith('/') ? null : path;
        string folder = prefix.EndsWith('/') ? prefix : prefix + "/";
        return path.StartsWith(folder, StringComparison.Ordinal) ? path[folder.Length..] : null;
    }

    private void AddFolder(string folder)
    {
        if (!_folders.Contains(folder)) _folders.Add(folder);
    }
}
