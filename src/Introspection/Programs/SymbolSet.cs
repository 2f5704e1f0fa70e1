using System;
using System.Collections.Generic;
using Introspection.Linux;
using Introspection.State;
using Symbols.Dwarf.Functions;
using Symbols.Dwarf.Lines;
using Symbols.Elf;
using Symbols.Types;

namespace Introspection.Programs;

/// <summary>All symbol files of a session: what is known about an address, a name or a source line. Of several files that know something, the first counts.</summary>
public sealed class SymbolSet : ISymbolSource
{
    private const int MaximumCachedPlaces = 1 << 16;

    private readonly IReadOnlyList<LoadedFile> _files;
    private readonly IReadOnlyList<INameSource> _names;
    private readonly INameSource? _guesses;
    private readonly Func<LinuxKernel?>? _kernel;
    private ITypeCatalog? _types;
    private readonly Dictionary<ulong, CodePlace> _places = [];

    /// <param name="files">They must live as long as this.</param>
    /// <param name="sources">Where sources are.</param>
    /// <param name="names">Who is asked for names that no file has, the best first.</param>
    /// <param name="kernel">The Linux kernel of the moment; null: there is none.</param>
    /// <param name="guesses">Asked for names where nobody who knows has any; null: nothing is guessed.</param>
    public SymbolSet(IReadOnlyList<LoadedFile> files, SourceLibrary sources, IReadOnlyList<INameSource>? names = null, Func<LinuxKernel?>? kernel = null, INameSource? guesses = null)
    {
        _guesses = guesses;
        _kernel = kernel;
        _files = files;
        _names = names ?? [];
        Sources = sources;
    }

    /// <summary>No file: nothing is known.</summary>
    public SymbolSet() : this([], new SourceLibrary(new SourceFinder(new Dictionary<string, string>(), []))) { }

    /// <summary>The Linux kernel of the moment; null: there is none.</summary>
    public LinuxKernel? Kernel => _kernel?.Invoke();

    /// <summary>The same kernel as a view has it, which may be of another machine, such as a scan's or a diversion's; null: it is not there.</summary>
    public LinuxKernel? KernelAt(GuestView view) => Kernel is { } known ? LinuxKernel.TryFindKnown(view, known.Image) : null;

    /// <summary>Types and constants of all files, then the kernel's; null: there are none.</summary>
    public ITypeCatalog? Types => _types ??= TypesOf();

    /// <summary>Where the sources are that the files name.</summary>
    public SourceLibrary Sources { get; }

    public bool IsEmpty => _files.Count == 0 && _names.Count == 0;

    public IReadOnlyList<LoadedFile> Files => _files;

    /// <summary>Who is asked for names that no file has.</summary>
    public IReadOnlyList<INameSource> Names => _names;

    // ---- Addresses.

    /// <summary>The first file that has debug information or unwind information for an address, else that has a section there; null: none.</summary>
    public LoadedFile? FileOf(ulong linear)
    {
        foreach (LoadedFile file in _files)
            if (file.Covers(linear)) return file;
        return null;
    }

    /// <summary>What the debug information says about an instruction.</summary>
    public CodePlace PlaceOf(ulong linear)
    {
        if (_places.TryGetValue(linear, out CodePlace? known)) return known;
        CodePlace place = CodePlace.Unknown;
        foreach (LoadedFile file in _files)
        {
            if (!file.Covers(linear)) continue;
            place = file.PlaceOf(linear);
            if (place != CodePlace.Unknown) break;
        }
        if (_places.Count >= MaximumCachedPlaces) _places.Clear();
        return _places[linear] = place;
    }

    /// <summary>The functions that an address is in, the innermost inlined one first; empty: unknown.</summary>
    /// <param name="linear">Of an instruction.</param>
    /// <param name="found">Who says so; null: nobody.</param>
    public IReadOnlyList<SourceFrame> FramesAt(ulong linear, out LoadedFile? found)
    {
        foreach (LoadedFile file in _files)
        {
            found = file;
            if (file.Covers(linear) && file.Dwarf.FramesAt(linear - file.Bias) is { Count: > 0 } frames) return frames;
        }
        found = null;
        return [];
    }

    public string? NameOf(ulong linear, out ulong offset) => KnownNameOf(linear, out offset) ?? GuessedNameOf(linear, out offset);

    /// <summary>The same without guesses.</summary>
    public string? KnownNameOf(ulong linear, out ulong offset)
    {
        foreach (LoadedFile file in _files)
        {
            if (file.File.Image.Symbols.Find(linear - file.Bias) is not { } hit) continue;
            offset = hit.OffsetBytes;
            return hit.Name;
        }
        foreach (INameSource names in _names)
            if (names.NameOf(linear, out offset) is { } name) return name;
        offset = 0;
        return null;
    }

    // A file with all its symbols has said by its silence that no function is there.
    private string? GuessedNameOf(ulong linear, out ulong offset)
    {
        offset = 0;
        if (_guesses is null) return null;
        foreach (LoadedFile file in _files)
            if (file.File.HasFunctions && file.Covers(linear)) return null;
        return _guesses.NameOf(linear, out offset);
    }

    public SourcePosition? LineOf(ulong linear) =>
        PlaceOf(linear) is { HasLine: true, Location: { } location } ? new SourcePosition(location.Path!, (int)location.Line, (int)location.Column) : null;

    // ---- Names.

    public ulong? AddressOf(string name)
    {
        if (SymbolOf(name) is { } found) return found.Symbol.Address + found.File.Bias;
        foreach (INameSource names in _names)
            if (names.AddressesOf(name) is [ulong first, ..]) return first;
        return _guesses?.AddressesOf(name) is [ulong guess, ..] ? guess : null;
    }

    /// <summary>Symbols that begin so, for completion, at most <paramref name="limit"/>.</summary>
    public IEnumerable<string> NamesFrom(string prefix, int limit)
    {
        foreach (LoadedFile file in _files)
        {
            foreach (ElfSymbol symbol in file.File.Image.Symbols.Symbols)
            {
                if (!symbol.IsDefined || file.File.Image.Symbols.NameOf(symbol) is not { } name || !name.StartsWith(prefix, StringComparison.Ordinal)) continue;
                if (limit-- <= 0) yield break;
                yield return name;
            }
        }
        foreach (INameSource names in _names)
        {
            foreach (string name in names.NamesFrom(prefix, limit))
            {
                if (limit-- <= 0) yield break;
                yield return name;
            }
        }
        foreach (string name in _guesses?.NamesFrom(prefix, limit) ?? []) yield return name;
    }

    public ulong? SizeOf(string name)
    {
        if (SymbolOf(name) is { } found) return found.Symbol.SizeBytes > 0 ? found.Symbol.SizeBytes : null;
        foreach (INameSource names in _names)
            if (names.SizeOf(name) is { } size) return size;
        return _guesses?.SizeOf(name);
    }

    private (ElfSymbol Symbol, LoadedFile File)? SymbolOf(string name)
    {
        foreach (LoadedFile file in _files)
            foreach (ElfSymbol symbol in file.File.Image.Symbols.ByName(name))
                if (symbol.IsDefined) return (symbol, file);
        return null;
    }

    /// <summary>Where a breakpoint on a function goes: behind its prologue, in each function of that name, and at the beginning of each inlined copy.</summary>
    public IReadOnlyList<ulong> FunctionAddresses(string name)
    {
        var addresses = new List<ulong>();
        foreach (LoadedFile file in _files)
        {
            int before = addresses.Count;
            foreach (DebugFunction function in file.Dwarf.FunctionsByName(name)) Add(addresses, file.AfterPrologue(function));
            foreach (ulong entry in InlinedCopies.Of(file.Dwarf, name)) Add(addresses, entry + file.Bias);
            // Code without debug information, as from an assembler, has a symbol only.
            if (addresses.Count == before)
                foreach (ElfSymbol symbol in file.File.Image.Symbols.ByName(name))
                    if (symbol.IsDefined) Add(addresses, symbol.Address + file.Bias);
        }
        if (addresses.Count > 0) return addresses;
        foreach (INameSource names in _names)
            foreach (ulong address in names.AddressesOf(name)) Add(addresses, address);
        return addresses.Count > 0 || _guesses is null ? addresses : _guesses.AddressesOf(name);
    }

    // ---- Source lines.

    /// <summary>Where a breakpoint on a line of a file of this machine goes; empty: the line, and those below it, have no code.</summary>
    public IReadOnlyList<LineAddress> BreakpointAddresses(string path, uint line)
    {
        var found = new List<LineAddress>();
        foreach (LoadedFile file in _files)
        {
            foreach (string compilerPath in CompilerPaths(file.File, path))
                foreach (LineAddress address in file.Dwarf.BreakpointAddresses(compilerPath, line)) AddNearest(found, address with { Address = address.Address + file.Bias });
        }
        return found;
    }

    /// <summary>The lines of a file of this machine that have statements, in order.</summary>
    public IReadOnlyCollection<uint> StatementLines(string path)
    {
        var lines = new SortedSet<uint>();
        foreach (LoadedFile file in _files)
            foreach (string compilerPath in CompilerPaths(file.File, path)) lines.UnionWith(file.Dwarf.StatementLines(compilerPath));
        return lines;
    }

    /// <summary>A symbol file names that file.</summary>
    public bool KnowsSource(string path)
    {
        foreach (LoadedFile file in _files)
            if (CompilerPaths(file.File, path).Count > 0) return true;
        return false;
    }

    /// <summary>The compiler's paths of all source files that the symbol files name.</summary>
    public IEnumerable<string> AllSources()
    {
        foreach (LoadedFile file in _files)
            foreach (string path in file.Dwarf.SourceFiles) yield return path;
    }

    private ProgramTypes? TypesOf()
    {
        var catalogs = new List<ITypeCatalog>();
        foreach (LoadedFile file in _files)
            if (file.Dwarf.HasUnits) catalogs.Add(file.Dwarf);
        if (Kernel?.Types is { } own) catalogs.Add(own);
        return catalogs.Count == 0 ? null : new ProgramTypes(catalogs, catalogs[0].AddressSizeBytes);
    }

    // What the compiler called a file of this machine. Where none is found here under this very path, one may still be spelled otherwise.
    private List<string> CompilerPaths(SymbolFile file, string path)
    {
        string normalized = SourcePath.Normalize(path);
        var exact = new List<string>();
        var similar = new List<string>();
        foreach (string candidate in file.PathsOf(SourcePath.FileName(normalized)))
        {
            if (Sources.Find(candidate) is { } here && SourcePath.Normalize(here) == normalized) exact.Add(candidate);
            else if (SourcePath.Matches(candidate, normalized)) similar.Add(candidate);
        }
        return exact.Count > 0 ? exact : similar;
    }

    // Files of several units may have their next line with code at different places: the nearest counts.
    private static void AddNearest(List<LineAddress> found, in LineAddress address)
    {
        if (found.Count > 0 && address.Line > found[0].Line) return;
        if (found.Count > 0 && address.Line < found[0].Line) found.Clear();
        foreach (LineAddress known in found)
            if (known.Address == address.Address) return;
        found.Add(address);
    }

    private static void Add(List<ulong> addresses, ulong address)
    {
        if (!addresses.Contains(address)) addresses.Add(address);
    }
}
