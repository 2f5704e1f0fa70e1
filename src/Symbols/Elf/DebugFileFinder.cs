using System;
using System.Collections.Generic;
using System.IO;
using Symbols.Images;

namespace Symbols.Elf;

/// <summary>
/// Finds the debug information of stripped programs as gdb does (GDB manual, "Debugging Information in Separate Files"): by build ID in
/// <c>.build-id/xx/yyyy.debug</c> below the roots; by the name and CRC-32 of <c>.gnu_debuglink</c> beside the program, in <c>.debug</c> there,
/// and in the same folder below the roots; and by build ID among all files of folders that the user names, which are looked through when first
/// needed. A file is taken only if its build ID or CRC fits. Never fails: what is not found is not found.
/// </summary>
public sealed class DebugFileFinder
{
    private readonly List<string> _folders = [];
    private readonly List<BuildIdFolder> _indices = [];
    private readonly IReadOnlyList<string> _roots;

    /// <param name="folders">Folders of the user's, with debug files in any order.</param>
    /// <param name="roots">Where the system has debug files; null: <c>/usr/lib/debug</c>.</param>
    public DebugFileFinder(IEnumerable<string>? folders = null, IReadOnlyList<string>? roots = null)
    {
        foreach (string folder in folders ?? [])
        {
            _folders.Add(folder);
            _indices.Add(new BuildIdFolder(folder));
        }
        _roots = roots ?? ["/usr/lib/debug"];
    }

    /// <summary>The files that describe a program, which belong to the result, the given one too.</summary>
    public DebugFiles Find(ElfImage program)
    {
        ElfImage debug = HasDebugInformation(program) ? program : FindDebug(program) ?? program;
        return new DebugFiles(this, program, debug, FindSupplementary(debug));
    }

    /// <summary>The debug file with a build ID; null: none is found.</summary>
    public ElfImage? FindByBuildId(ReadOnlySpan<byte> buildId) => FindByBuildId(Convert.ToHexStringLower(buildId), mustDescribe: true);

    /// <summary>A file with contents in <c>.debug_info</c>, compressed or not.</summary>
    internal static bool HasDebugInformation(ElfImage image) =>
        (image.Section(".debug_info") ?? image.Section(".zdebug_info")) is { SizeBytes: > 0, Type: not ElfSection.NoBitsType };

    internal ElfImage? FindPackage(ElfImage program, ElfImage debug)
    {
        var candidates = new List<string> { program.Name + ".dwp", debug.Name + ".dwp" };
        if (debug.Name.EndsWith(".debug", StringComparison.Ordinal)) candidates.Add(debug.Name[..^6] + ".dwp");
        foreach (string folder in _folders) candidates.Add(Path.Combine(folder, Path.GetFileName(program.Name) + ".dwp"));
        foreach (string candidate in candidates)
            if (TryOpen(candidate) is { } image) return image;
        return null;
    }

    // Which one of several files of that name it is, the caller tells by their IDs; the first one that exists counts.
    internal ElfImage? FindSplit(string name, string compileDirectory, ElfImage program, ElfImage debug)
    {
        var candidates = new List<string> { Path.Combine(compileDirectory, name) };
        var folders = new List<string> { FolderOf(program), FolderOf(debug) };
        folders.AddRange(_folders);
        foreach (string folder in folders)
        {
            if (folder.Length == 0) continue;
            if (!Path.IsPathRooted(name)) candidates.Add(Path.Combine(folder, name));
            candidates.Add(Path.Combine(folder, Path.GetFileName(name)));
        }
        foreach (string candidate in candidates)
            if (Path.IsPathRooted(candidate) && TryOpen(candidate, isReopened: true) is { } image) return image;
        return null;
    }

    private ElfImage? FindDebug(ElfImage program)
    {
        if (!program.BuildId.IsEmpty && FindByBuildId(program.BuildIdText, mustDescribe: true) is { } found) return found;
        if (program.DebugLink is not { } link || Path.GetFileName(link) != link) return null;
        string folder = FolderOf(program);
        var candidates = new List<string>();
        if (folder.Length > 0)
        {
            candidates.Add(Path.Combine(folder, link));
            candidates.Add(Path.Combine(folder, ".debug", link));
            foreach (string root in _roots) candidates.Add(Path.Combine(root, folder.TrimStart('/'), link));
        }
        foreach (string own in _folders) candidates.Add(Path.Combine(own, link));
        uint crc = program.DebugLinkCrc;
        foreach (string candidate in candidates)
        {
            if (TryOpen(candidate) is not { } image) continue;
            if (HasDebugInformation(image) && image.Crc() == crc) return image;
            program.Diagnostics.Add(".gnu_debuglink", 0, $"{candidate} is not the debug file of this program: its CRC differs, or it has no debug information.");
            image.Dispose();
        }
        return null;
    }

    private ElfImage? FindSupplementary(ElfImage debug)
    {
        if (ElfNotes.SupplementaryLink(debug, out ReadOnlyMemory<byte> id) is not { } name) return null;
        string wanted = Convert.ToHexStringLower(id.Span);
        string folder = FolderOf(debug);
        var candidates = new List<string> { Path.Combine(folder, name), Path.Combine(folder, Path.GetFileName(name)) };
        foreach (string own in _folders) candidates.Add(Path.Combine(own, Path.GetFileName(name)));
        foreach (string candidate in candidates)
        {
            if (!Path.IsPathRooted(candidate) || TryOpen(candidate) is not { } image) continue;
            if (SupplementaryIdOf(image) == wanted) return image;
            image.Dispose();
        }
        if (wanted.Length > 2 && FindByBuildId(wanted, mustDescribe: false) is { } byId) return byId;
        debug.Diagnostics.Add(".gnu_debugaltlink", 0, $"The supplementary debug file {name} with build ID {wanted} is not found: names and types in it are unknown.");
        return null;
    }

    // A file of DWARF 5's kind names itself in .debug_sup, GNU's by its build ID.
    private static string SupplementaryIdOf(ElfImage image) =>
        ElfNotes.SupplementarySection(image, out _, out ReadOnlyMemory<byte> id) is not null ? Convert.ToHexStringLower(id.Span) : image.BuildIdText;

    private ElfImage? FindByBuildId(string buildId, bool mustDescribe)
    {
        if (buildId.Length < 4) return null;
        string relative = Path.Combine(".build-id", buildId[..2], buildId[2..] + ".debug");
        var candidates = new List<string>();
        foreach (string folder in _folders) candidates.Add(Path.Combine(folder, relative));
        foreach (string root in _roots) candidates.Add(Path.Combine(root, relative));
        foreach (string candidate in candidates)
            if (Fitting(candidate, buildId, mustDescribe) is { } image) return image;
        foreach (BuildIdFolder folder in _indices)
            foreach (string path in folder.Find(buildId))
                if (Fitting(path, buildId, mustDescribe) is { } image) return image;
        return null;
    }

    private static ElfImage? Fitting(string path, string buildId, bool mustDescribe)
    {
        if (TryOpen(path) is not { } image) return null;
        if (image.BuildIdText == buildId && (!mustDescribe || HasDebugInformation(image))) return image;
        image.Dispose();
        return null;
    }

    // Of the file itself, wherever links to it are; empty for one that is not on disk.
    private static string FolderOf(ElfImage image)
    {
        if (!File.Exists(image.Name)) return "";
        string path = Path.GetFullPath(image.Name);
        try
        {
            path = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The link's own folder has to do.
        }
        return Path.GetDirectoryName(path) ?? "";
    }

    private static ElfImage? TryOpen(string path, bool isReopened = false)
    {
        if (!File.Exists(path)) return null;
        try
        {
            return isReopened ? ElfImage.Open(new ReopenedFileImage(path)) : ElfImage.Open(path);
        }
        catch (SymbolFormatException)
        {
            return null;
        }
    }
}
