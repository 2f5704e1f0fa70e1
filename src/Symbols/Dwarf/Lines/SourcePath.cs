using System;
using System.Collections.Generic;

namespace Symbols.Dwarf.Lines;

/// <summary>Paths as compilers write them, of either kind of system, whatever this one is.</summary>
public static class SourcePath
{
    /// <summary>A path below a directory; an absolute path stays as it is.</summary>
    public static string Join(string directory, string path)
    {
        if (path.Length == 0) return directory;
        if (directory.Length == 0 || IsAbsolute(path)) return path;
        return directory[^1] is '/' or '\\' ? directory + path : directory + "/" + path;
    }

    /// <summary>Forward slashes, without <c>.</c> and with <c>..</c> resolved: what two spellings of one path have in common.</summary>
    public static string Normalize(string path)
    {
        bool isRooted = path.Length > 0 && path[0] is '/' or '\\';
        var parts = new List<string>();
        foreach (string part in path.Split('/', '\\'))
        {
            if (part.Length == 0 || part == ".") continue;
            if (part == ".." && parts.Count > 0 && parts[^1] != "..") parts.RemoveAt(parts.Count - 1);
            else if (part != ".." || !isRooted) parts.Add(part);
        }
        return (isRooted ? "/" : "") + string.Join('/', parts);
    }

    /// <summary>The last component.</summary>
    public static string FileName(string path) => path[(path.LastIndexOfAny(['/', '\\']) + 1)..];

    /// <summary>
    /// Both normalized paths may mean one file: the shorter one is the other's last components. What a user has open is seldom
    /// spelled as the compiler saw it.
    /// </summary>
    public static bool Matches(string a, string b)
    {
        (string shorter, string longer) = a.Length <= b.Length ? (a, b) : (b, a);
        if (!longer.EndsWith(shorter, StringComparison.Ordinal)) return false;
        return longer.Length == shorter.Length || (shorter.Length > 0 && shorter[0] != '/' && longer[^(shorter.Length + 1)] == '/');
    }

    private static bool IsAbsolute(string path) =>
        path[0] is '/' or '\\' || (path.Length > 2 && char.IsAsciiLetter(path[0]) && path[1] == ':' && path[2] is '/' or '\\');
}
