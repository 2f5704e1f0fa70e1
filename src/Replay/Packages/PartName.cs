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

    public static string Image(string role) => $"images/{role}";

    /// <summary>Roles that machines know. A role becomes part of a file name, so nothing else is let through.</summary>
    public static bool IsImageRole(string? role) =>
        role is "kernel" or "initrd" or "bios" || role is { Length: 5 } && role.StartsWith("disk", StringComparison.Ordinal)
            && role[4] is >= '0' and <= '3';
}
