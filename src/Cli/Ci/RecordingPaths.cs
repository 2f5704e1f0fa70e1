using System;
using System.Collections.Generic;
using System.IO;
using System.IO.Enumeration;
using System.Linq;

namespace Cli.Ci;

/// <summary>Recordings as a user names them: files, directories (all *.ttvm in and below), and patterns with *, ? and ** that no shell has expanded.</summary>
internal static class RecordingPaths
{
    /// <summary>How their names end by convention.</summary>
    public const string Extension = ".ttvm";
    // Links may lead round in circles.
    private const int DeepestFolder = 32;

    /// <summary>The files, each once, in the order in which they are named; those of a directory or pattern by name. A file that is not there stays in the list.</summary>
    /// <exception cref="CommandException">A directory or pattern names no recording.</exception>
    public static IReadOnlyList<string> Expand(IEnumerable<string> names)
    {
        var paths = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (string name in names)
            foreach (string path in ExpandOne(name))
                if (seen.Add(Path.GetFullPath(path))) paths.Add(path);
        return paths;
    }

    private static IReadOnlyList<string> ExpandOne(string name)
    {
        if (File.Exists(name)) return [name];
        if (Directory.Exists(name))
        {
            // What a recorder has left behind is a directory too; opening it says what to do.
            if (name.TrimEnd('/').EndsWith(".partial", StringComparison.Ordinal)) return [name];
            IReadOnlyList<string> found = Below(name, "**/*" + Extension);
            return found.Count > 0 ? found : throw CommandException.BadFile($"{name} has no recording (*{Extension}) in it");
        }
        int wildcard = name.AsSpan().IndexOfAny('*', '?');
        if (wildcard < 0) return [name];
        int slash = name.AsSpan(0, wildcard).LastIndexOf('/');
        string folder = slash < 0 ? "." : slash == 0 ? "/" : name[..slash];
        IReadOnlyList<string> matching = Directory.Exists(folder) ? Below(folder, name[(slash + 1)..]) : [];
        if (matching.Count == 0) throw CommandException.BadFile($"no file matches {name}");
        return slash < 0 ? [.. matching.Select(static path => path[2..])] : matching;
    }

    private static IReadOnlyList<string> Below(string folder, string pattern)
    {
        string[] parts = pattern.Split('/', StringSplitOptions.RemoveEmptyEntries);
        bool isDeep = parts.Length > 1;
        var options = new EnumerationOptions { RecurseSubdirectories = isDeep, AttributesToSkip = 0, MaxRecursionDepth = DeepestFolder };
        return [.. Directory.EnumerateFiles(folder, "*", options)
            .Where(path => Matches(Path.GetRelativePath(folder, path).Split('/'), parts)).Order(StringComparer.Ordinal)];
    }

    // ** stands for any number of directories.
    private static bool Matches(ReadOnlySpan<string> path, ReadOnlySpan<string> pattern)
    {
        if (pattern.IsEmpty || path.IsEmpty) return pattern.IsEmpty && path.IsEmpty;
        if (pattern[0] == "**") return Matches(path, pattern[1..]) || Matches(path[1..], pattern);
        return FileSystemName.MatchesSimpleExpression(pattern[0], path[0], ignoreCase: false) && Matches(path[1..], pattern[1..]);
    }
}
