using System;
using System.Collections.Generic;
using System.IO;
using Symbols.Images;

namespace Symbols.Elf;

/// <summary>The files that together describe one program. Owns all of them; one file may be several.</summary>
public sealed class DebugFiles : IDisposable
{
    private readonly DebugFileFinder _finder;
    private readonly Dictionary<string, ElfImage?> _split = new(StringComparer.Ordinal);
    private ElfImage? _package;
    private bool _isPackageRead;

    internal DebugFiles(DebugFileFinder finder, ElfImage program, ElfImage debug, ElfImage? supplementary)
    {
        _finder = finder;
        Program = program;
        Debug = debug;
        Supplementary = supplementary;
    }

    /// <summary>The program: code, unwind information, perhaps symbols.</summary>
    public ElfImage Program { get; }

    /// <summary>The file with the debug information, and the symbols that were stripped: <see cref="Program"/> itself if nothing was.</summary>
    public ElfImage Debug { get; }

    /// <summary>What several debug files share, made by <c>dwz</c>; null: there is none, or it was not found.</summary>
    public ElfImage? Supplementary { get; }

    /// <summary>Debug information was found in a file of its own.</summary>
    public bool IsSeparate => Debug != Program;

    /// <summary>The file with the better symbols.</summary>
    public ElfImage SymbolImage => IsSeparate && Debug.Section(".symtab") is { Type: not ElfSection.NoBitsType } ? Debug : Program;

    /// <summary>The package of split units (.dwp); null: none was found.</summary>
    internal ElfImage? Package
    {
        get
        {
            if (_isPackageRead) return _package;
            _isPackageRead = true;
            return _package = _finder.FindPackage(Program, Debug);
        }
    }

    public void Dispose()
    {
        Program.Dispose();
        Debug.Dispose();
        Supplementary?.Dispose();
        _package?.Dispose();
        foreach (ElfImage? image in _split.Values) image?.Dispose();
    }

    /// <summary>The same files for another thread.</summary>
    internal DebugFiles Fork()
    {
        ElfImage program = Program.Fork();
        return new DebugFiles(_finder, program, IsSeparate ? Debug.Fork() : program, Supplementary?.Fork());
    }

    /// <summary>A .dwo file as a skeleton calls it; null: it is not found.</summary>
    internal ElfImage? OpenSplit(string name, string compileDirectory)
    {
        string key = Path.Combine(compileDirectory, name);
        if (_split.TryGetValue(key, out ElfImage? image)) return image;
        return _split[key] = _finder.FindSplit(name, compileDirectory, Program, Debug);
    }
}
