using System;
using System.Collections.Generic;
using Introspection.Linux;
using Introspection.State;
using Symbols.Elf;
using Vmm.Time;

namespace Introspection.Programs;

/// <summary>
/// What is known about the programs of a guest at any moment: symbol files, at the places where the guest has loaded them; and for a Linux kernel what its own memory
/// says. Which symbols hold depends on the moment and on the address space, so that everyone asks for those of a view. Belongs to one thread.
/// </summary>
public sealed class GuestPrograms : IDisposable
{
    /// <summary>Where there was no kernel, none is looked for again within so many instructions: looking goes over all that is mapped.</summary>
    private const ulong RetryDistance = 4_000_000;

    private readonly IReadOnlyList<SymbolFile> _files;
    private readonly bool _mayBeLinux;
    private readonly SymbolSet _static;
    private KernelImage? _image;
    private SymbolSet? _kernelSet;
    private LinuxKernel? _kernel;
    private Position? _foundNothingAt;

    /// <param name="files">Belong to this from now on; those of the user's choice first.</param>
    /// <param name="sources">Where sources are.</param>
    /// <param name="mayBeLinux">A Linux kernel is looked for in memory.</param>
    public GuestPrograms(IReadOnlyList<SymbolFile> files, SourceLibrary sources, bool mayBeLinux)
    {
        _files = files;
        Sources = sources;
        _mayBeLinux = mayBeLinux;
        var loaded = new List<LoadedFile>();
        foreach (SymbolFile file in files) loaded.Add(new LoadedFile(file));
        _static = new SymbolSet(loaded, sources);
    }

    /// <summary>No file: nothing is known.</summary>
    public GuestPrograms() : this([], new SourceLibrary(new SourceFinder(new Dictionary<string, string>(), [])), false) { }

    /// <summary>All symbol files.</summary>
    public IReadOnlyList<SymbolFile> Files => _files;

    /// <summary>Where the sources are that symbol files name.</summary>
    public SourceLibrary Sources { get; }

    /// <summary>The Linux kernel at the view that was asked about last; null: there is none.</summary>
    public LinuxKernel? Kernel => _kernel;

    /// <summary>The compiler's paths of all source files that any of the symbol files names.</summary>
    public IEnumerable<string> AllSources() => _static.AllSources();

    /// <summary>The symbols of a vCPU's address space, now.</summary>
    public SymbolSet At(GuestView view)
    {
        if (!_mayBeLinux) return _static;
        Position now = view.Machine.Position;
        if (_foundNothingAt is { } nothing && Distance(nothing, now) < RetryDistance) return _static;
        _kernel = LinuxKernel.TryFind(view, _image);
        if (_kernel is null)
        {
            _foundNothingAt = now;
            return _static;
        }
        _foundNothingAt = null;
        if (_kernelSet is not null && ReferenceEquals(_kernel.Image, _image)) return _kernelSet;
        _image = _kernel.Image;
        return _kernelSet = new SymbolSet(FilesAt(_kernel), Sources, [new CurrentKernelNames(this)]);
    }

    public void Dispose()
    {
        foreach (SymbolFile file in _files) file.Dispose();
    }

    private static ulong Distance(Position a, Position b) =>
        a.InstructionCount > b.InstructionCount ? a.InstructionCount - b.InstructionCount : b.InstructionCount - a.InstructionCount;

    private List<LoadedFile> FilesAt(LinuxKernel kernel)
    {
        var loaded = new List<LoadedFile>();
        foreach (SymbolFile file in _files) loaded.Add(new LoadedFile(file, IsOf(kernel, file.Image) ? kernel.BiasOf(file.Image) ?? 0 : 0));
        return loaded;
    }

    // By build ID; where one of them has none, a file with the kernel's own first symbol is taken for its own.
    private static bool IsOf(LinuxKernel kernel, ElfImage image) =>
        kernel.Image.BuildId is not { } id || image.BuildId.IsEmpty || id == image.BuildIdText;

    // A kernel's names depend on the moment, as modules come and go: whoever is asked now.
    private sealed class CurrentKernelNames(GuestPrograms programs) : INameSource
    {
        public string? NameOf(ulong linear, out ulong offset)
        {
            offset = 0;
            return programs._kernel?.NameOf(linear, out offset);
        }

        public IReadOnlyList<ulong> AddressesOf(string name) => programs._kernel?.AddressesOf(name) ?? [];

        public ulong? SizeOf(string name) => programs._kernel?.SizeOf(name);

        public IEnumerable<string> NamesFrom(string prefix, int limit) => programs._kernel?.NamesFrom(prefix, limit) ?? [];
    }
}
