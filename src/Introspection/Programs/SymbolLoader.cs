using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Replay.Packages;
using Symbols;
using Symbols.Dwarf.Indexing;
using Symbols.Elf;
using Vmm.Platform;

namespace Introspection.Programs;

/// <summary>Opens the symbol files of a session: those that the user names, those that the recording carries, and its kernel.</summary>
public static class SymbolLoader
{
    /// <summary>Never fails: what cannot be used is told.</summary>
    /// <param name="recording">With its images, symbols and sources; sources are looked for near it, too.</param>
    /// <param name="paths">
    /// Symbol files, which know better than the kernel in the recording; or folders, in which the debug files of stripped programs are looked for.
    /// </param>
    /// <param name="sourceMap">What paths of sources begin with, and what that is here.</param>
    /// <param name="tell">Takes a sentence for the user.</param>
    /// <param name="wait">How a question waits for the index of a large file; null: until it is made.</param>
    /// <param name="cache">Where indices are kept; null: in the user's cache folder.</param>
    public static GuestPrograms Load(RecordingFile recording, IReadOnlyList<string>? paths, IReadOnlyDictionary<string, string>? sourceMap,
        Action<string> tell, IndexWait? wait = null, DebugIndexCache? cache = null)
    {
        var indexing = new SymbolIndexing(cache ?? new DebugIndexCache(), wait);
        var files = new List<SymbolFile>();
        var folders = new List<string> { Directory.GetCurrentDirectory() };
        AddFolderOf(folders, recording.Path);
        var finder = new DebugFileFinder((paths ?? []).Where(Directory.Exists));
        foreach (string path in paths ?? [])
        {
            if (Directory.Exists(path))
            {
                folders.Add(Path.GetFullPath(path));
                continue;
            }
            if (Open(path, finder, tell) is not { } found) continue;
            files.Add(new SymbolFile(found, indexing));
            AddFolderOf(folders, path);
        }
        AddEmbedded(files, recording.Embedded, indexing, tell);
        MachineConfiguration machine = recording.Configuration;
        ElfImage? own = machine.FindImage("kernel") is { } kernel ? OwnImage(kernel) : null;
        if (own is not null) files.Add(new SymbolFile(finder.Find(own), indexing));
        var sources = new SourceLibrary(new SourceFinder(sourceMap ?? new Dictionary<string, string>(), folders), recording.Embedded);
        // A kernel that is an ELF file of its own format is in memory as it is in its file. Anything else may become Linux.
        return new GuestPrograms(files, sources, machine, mayBeLinux: own is null || own.Section("__ksymtab") is not null, indexing, tell);
    }

    private static DebugFiles? Open(string path, DebugFileFinder finder, Action<string> tell)
    {
        if (!File.Exists(path))
        {
            tell($"The symbol file {path} does not exist; going on without it.");
            return null;
        }
        try
        {
            DebugFiles found = finder.Find(ElfImage.Open(path));
            if (found.SymbolImage.Symbols.Symbols.Count <= 1 && found.Debug.Section(".debug_info") is null)
                tell($"The symbol file {path} has neither symbols nor debug information: it may be stripped.");
            return found;
        }
        catch (SymbolFormatException e)
        {
            tell($"{e.Message.TrimEnd('.')}; going on without it.");
            return null;
        }
    }

    private static void AddEmbedded(List<SymbolFile> files, EmbeddedFiles embedded, SymbolIndexing indexing, Action<string> tell)
    {
        int index = 0;
        foreach (string name in embedded.SymbolNames)
        {
            try
            {
                files.Add(new SymbolFile(ElfImage.Open(embedded.ReadSymbols(index++), name), indexing));
            }
            catch (Exception e) when (e is SymbolFormatException or RecordingFormatException)
            {
                tell($"{e.Message.TrimEnd('.')}; going on without it.");
            }
        }
    }

    // A kernel that is no ELF file, such as a bzImage, has no symbols: nothing to complain about.
    private static ElfImage? OwnImage(MachineImage kernel)
    {
        try
        {
            return ElfImage.Open(kernel.Content, kernel.Name);
        }
        catch (SymbolFormatException)
        {
            return null;
        }
    }

    private static void AddFolderOf(List<string> folders, string path)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder) folders.Add(folder);
    }
}
