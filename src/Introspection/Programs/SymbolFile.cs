using System;
using System.Collections.Generic;
using Symbols;
using Symbols.Dwarf;
using Symbols.Dwarf.Expressions;
using Symbols.Dwarf.Frames;
using Symbols.Dwarf.Functions;
using Symbols.Dwarf.Lines;
using Symbols.Elf;

namespace Introspection.Programs;

/// <summary>One ELF file that tells about a guest's code. Opening it reads its headers; everything else is read when it is first asked for.</summary>
public sealed class SymbolFile : IDisposable
{
    private DwarfInfo? _dwarf;
    private FrameUnwinder? _unwinder;
    private Dictionary<string, List<string>>? _pathsByFileName;
    private readonly Dictionary<ulong, ulong> _afterPrologues = [];

    /// <param name="image">Belongs to this from now on.</param>
    /// <param name="bias">What is added to the file's addresses to get the guest's.</param>
    public SymbolFile(ElfImage image, ulong bias = 0)
    {
        Image = image;
        Bias = bias;
    }

    /// <summary>The file; its addresses, and those of everything below, are the linker's.</summary>
    public ElfImage Image { get; }

    /// <summary>Guest-linear address less the linker's: 0 unless what it describes was loaded elsewhere, as by KASLR.</summary>
    public ulong Bias { get; }

    public bool Is64 => Image.Header.Is64;

    public DwarfInfo Dwarf => _dwarf ??= DwarfInfo.Open(Image);

    private FrameUnwinder Unwinder => _unwinder ??= new FrameUnwinder(Image);

    /// <summary>It has something at a guest's address.</summary>
    public bool Covers(ulong linear) => Image.IsMapped(linear - Bias);

    /// <summary>What it says about an instruction of the guest.</summary>
    public CodePlace PlaceOf(ulong linear)
    {
        ulong address = linear - Bias;
        DebugFunction? function = Dwarf.FindFunction(address);
        SourceLocation? location = Dwarf.FindLine(address);
        if (location is { } found) location = found with { Range = new AddressRange(found.Range.Start + Bias, found.Range.End + Bias) };
        return function is null && location is null ? CodePlace.Unknown : new CodePlace(location, function, function?.CallsAt(address) ?? [], this);
    }

    /// <summary>The caller of a frame of the guest, by call frame information.</summary>
    public UnwoundFrame Unwind(ulong linear, IUnwindContext context) => Unwinder.Unwind(linear - Bias, context);

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

    /// <summary>The first address behind a function's prologue, the linker's.</summary>
    public ulong AfterPrologue(DebugFunction function)
    {
        if (_afterPrologues.TryGetValue(function.EntryPc, out ulong known)) return known;
        return _afterPrologues[function.EntryPc] = Dwarf.AfterPrologue(function);
    }

    public void Dispose() => Image.Dispose();
}
