using System;
using System.Collections.Generic;
using System.IO;
using Introspection.Linux;
using Introspection.Linux.Initrd;
using Symbols;
using Symbols.Elf;
using Vmm.Platform;

namespace Introspection.Programs;

/// <summary>
/// Finds the files of programs that a Linux process has mapped: among the symbol files of the session, by build ID or else by name; else in the recording's own initial
/// RAM file system, by path.
/// </summary>
/// <param name="files">The session's.</param>
/// <param name="configuration">The machine with its images; null: they are not looked at.</param>
/// <param name="indexing">Sees to the names of files that are found in the initrd.</param>
/// <param name="tell">Takes what the user should know: that the initrd cannot be read. Null: nobody.</param>
internal sealed class UserPrograms(
    IReadOnlyList<SymbolFile> files, MachineConfiguration? configuration, SymbolIndexing? indexing, Action<string>? tell) : IDisposable
{
    private readonly Dictionary<string, SymbolFile?> _fromInitrd = new(StringComparer.Ordinal);
    private InitrdFiles? _initrd;
    private bool _isInitrdRead;

    /// <summary>A program's files at its place; empty: none is known.</summary>
    public IEnumerable<LoadedFile> FilesOf(MappedProgram program)
    {
        foreach (SymbolFile file in files)
            if (IsOf(program, file) && BiasOf(program, file) is { } bias) yield return new LoadedFile(file, bias);
        if (FromInitrd(program.Path) is { } own && BiasOf(program, own) is { } ownBias) yield return new LoadedFile(own, ownBias);
    }

    /// <summary>The initrd has been read elsewhere.</summary>
    public void Adopt(InitrdFiles files)
    {
        if (_isInitrdRead || configuration is null) return;
        (_initrd, _isInitrdRead) = (files, true);
        if (files.Problem is { } problem) tell?.Invoke(problem);
    }

    public void Dispose()
    {
        foreach (SymbolFile? file in _fromInitrd.Values) file?.Dispose();
    }

    private static ulong? BiasOf(MappedProgram program, SymbolFile file) => program.BiasOf(file.Image) ?? program.Bias;

    private static bool IsOf(MappedProgram program, SymbolFile file)
    {
        string own = file.Image.BuildIdText;
        if (program.BuildId is { } id && own.Length > 0) return id == own;
        return Path.GetFileName(program.Path) == Path.GetFileName(file.Image.Name);
    }

    private SymbolFile? FromInitrd(string path)
    {
        if (_fromInitrd.TryGetValue(path, out SymbolFile? known)) return known;
        return _fromInitrd[path] = OpenFromInitrd(path);
    }

    private SymbolFile? OpenFromInitrd(string path)
    {
        if (!_isInitrdRead && configuration is not null) _initrd = InitrdFiles.Of(configuration);
        if (!_isInitrdRead && _initrd?.Problem is { } problem) tell?.Invoke(problem);
        _isInitrdRead = true;
        if (_initrd?.Find(path) is not { } content) return null;
        try
        {
            return new SymbolFile(ElfImage.Open(content, path), indexing);
        }
        catch (SymbolFormatException)
        {
            return null;
        }
    }
}
