using System;
using System.Collections.Generic;
using Symbols.Dwarf;
using Symbols.Dwarf.Frames;
using Symbols.Dwarf.Functions;
using Symbols.Dwarf.Lines;
using Symbols.Elf;

namespace Introspection.Programs;

/// <summary>One ELF file that tells about code. Opening it reads its headers; everything else is read when it is first asked for.</summary>
public sealed class SymbolFile : IDisposable
{
    private DwarfInfo? _dwarf;
    private FrameUnwinder? _unwinder;
    private bool? _hasFunctions;
    private Dictionary<string, List<string>>? _pathsByFileName;
    private readonly Dictionary<ulong, ulong> _afterPrologues = [];
    private readonly DebugFiles? _files;
    private readonly SymbolIndexing? _indexing;
    private IndexingJob? _job;

    /// <param name="image">Belongs to this from now on.</param>
    /// <param name="indexing">Who sees to the index of its names; null: it is made when it is needed.</param>
    public SymbolFile(ElfImage image, SymbolIndexing? indexing = null)
    {
        _indexing = indexing;
        Image = image;
    }

    /// <param name="files">A program whose debug information may be in other files. They belong to this from now on.</param>
    /// <param name="indexing">Who sees to the index of its names; null: it is made when it is needed.</param>
    public SymbolFile(DebugFiles files, SymbolIndexing? indexing = null) : this(files.SymbolImage, indexing) => _files = files;

    /// <summary>The file with the symbols.</summary>
    public ElfImage Image { get; }

    public bool Is64 => Image.Header.Is64;

    /// <summary>It names its functions: it was not stripped.</summary>
    public bool HasFunctions => _hasFunctions ??= Image.Section(".symtab") is not null || Dwarf.HasUnits;

    public DwarfInfo Dwarf => _dwarf ??= OpenDwarf();

    public FrameUnwinder Unwinder => _unwinder ??= _files is null ? new FrameUnwinder(Image) : new FrameUnwinder(_files);

    /// <summary>The compiler's paths of all source files that have a name, without folders.</summary>
    public IReadOnlyList<string> PathsOf(string fileName)
    {
        if (_pathsByFileName is null)
        {
            _pathsByFileName = new Dictionary<string, List<string>>(StringComparer.Ordinal);
            foreach (string path in Dwarf.SourceFiles)
            {
                string name = SourcePath.FileName(path);
                if (!_pathsByFileName.TryGetValue(name, out List<string>? paths)) _pathsByFileName[name] = paths = [];
                paths.Add(path);
            }
        }
        return _pathsByFileName.TryGetValue(fileName, out List<string>? found) ? found : [];
    }

    /// <summary>The first address behind a function's prologue.</summary>
    public ulong AfterPrologue(DebugFunction function)
    {
        if (_afterPrologues.TryGetValue(function.EntryPc, out ulong known)) return known;
        return _afterPrologues[function.EntryPc] = Dwarf.AfterPrologue(function);
    }

    /// <summary>
    /// Names will be asked for, and addresses: where the index of a large file is not there, it is made in the background from now on; and look-ups are rehearsed there, so
    /// that the first ones are as quick as all others.
    /// </summary>
    public void BeginIndexing()
    {
        _ = Dwarf;
        _job?.Begin();
        _job?.Rehearse();
    }

    /// <summary>Waits for all that <see cref="BeginIndexing"/> has begun.</summary>
    public void WaitUntilReady() => _job?.WaitForRehearsal();

    /// <summary>As <see cref="BeginIndexing"/>, and waits for it as a question for a name would.</summary>
    public void MakeIndex()
    {
        if (!Dwarf.IsIndexed) Dwarf.IndexNeeded?.Invoke();
    }

    public void Dispose()
    {
        _job?.Dispose();
        _dwarf?.Dispose();
        Image.Dispose();
        _files?.Dispose();
    }

    private DwarfInfo OpenDwarf()
    {
        DwarfInfo dwarf = _files is null ? DwarfInfo.Open(Image) : DwarfInfo.Open(_files);
        _job = _indexing?.Attach(dwarf, _files?.Debug.Name ?? Image.Name);
        return dwarf;
    }
}
