using System;

namespace Replay.Packages;

/// <summary>Names of a recording's parts: entries of the container, and files of a partial directory.</summary>
internal static class PartName
{
    public const string Manifest = "manifest.json";
    public const string Log = "log", LogIndex = "log.index";
    public const string Checkpoints = "checkpoints", CheckpointIndex = "checkpoints.index";
    public const string Pages = "pages", PageIndex = "pages.index", PageHashes = "pages.hashes";

    public const string SymbolsPrefix = "symbols/", Sources = "sources", SourceIndex = "sources.index";
    public const string Bookmarks = "bookmarks.json";

    /// <summary>The file of a part that grows, in a partial directory whose parts were begun anew so many times.</summary>
    public static string OfGeneration(string part, int? generation) => generation is null ? part : $"{part}.{generation}";

    public static string Image(string role) => $"images/{role}";

    /// <summary>Names of parts that a recorder or packer writes: nothing else becomes the name of a file.</summary>
    public static bool IsFileName(string name)
    {
        if (name.StartsWith("images/", StringComparison.Ordinal)) return IsImageRole(name["images/".Length..]);
        if (name.StartsWith(SymbolsPrefix, StringComparison.Ordinal)) return name.Length > SymbolsPrefix.Length && name.AsSpan(SymbolsPrefix.Length).IndexOfAnyExceptInRange('0', '9') < 0;
        return name is Log or LogIndex or Checkpoints or CheckpointIndex or Pages or PageIndex or PageHashes or Sources or SourceIndex or Bookmarks;
    }

    /// <summary>Roles that machines know. A role becomes part of a file name, so nothing else is let through.</summary>
    public static bool IsImageRole(string? role) =>
        role is "kernel" or "initrd" or "bios" || role is { Length: 5 } && role.StartsWith("disk", StringComparison.Ordinal)
            && role[4] is >= '0' and <= '3';
}
