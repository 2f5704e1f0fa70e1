using System;
using System.Collections.Generic;
using Introspection.Linux;
using Introspection.Linux.Initrd;
using Introspection.State;
using Symbols.Elf;
using Vmm.Platform;
using Vmm.Time;

namespace Introspection.Programs;

/// <summary>
/// What is known about the programs of a guest at any moment: symbol files, at the places where the guest has loaded them; and for a Linux kernel what its own memory
/// says, of itself and of the programs of its processes. Which symbols hold depends on the moment and on the address space, so that everyone asks for those of a view.
/// Belongs to one thread.
/// </summary>
public sealed class GuestPrograms : IDisposable
{
    /// <summary>Where there was no kernel, none is looked for again within so many instructions: looking goes over all that is mapped.</summary>
    private const ulong RetryDistance = 4_000_000;
    private const int MaximumCachedSets = 64;

    private readonly IReadOnlyList<SymbolFile> _files;
    private readonly bool _mayBeLinux;
    private readonly SymbolSet _static;
    private readonly UserPrograms _users;
    private readonly GuessedFunctions _guesses;
    private readonly Dictionary<ulong, SymbolSet> _byProcess = [];
    private readonly List<SymbolSet> _sets = [];
    private KernelImage? _image;
    private Position? _foundNothingAt;
    private GuestView? _view;
    private (Machine Machine, Position At, int Cpu, ulong Root, SymbolSet Set)? _last;

    /// <param name="files">Belong to this from now on; those of the user's choice first.</param>
    /// <param name="sources">Where sources are.</param>
    /// <param name="configuration">The machine with its images, which may have the programs; null: they are not looked at.</param>
    /// <param name="mayBeLinux">A Linux kernel is looked for in memory.</param>
    /// <param name="indexing">Sees to the names of files that are found on the way; null: they are read when they are needed.</param>
    /// <param name="tell">Takes what the user should know about what is found on the way; null: nobody.</param>
    public GuestPrograms(IReadOnlyList<SymbolFile> files, SourceLibrary sources, MachineConfiguration? configuration, bool mayBeLinux,
        SymbolIndexing? indexing = null, Action<string>? tell = null)
    {
        _files = files;
        Sources = sources;
        _mayBeLinux = mayBeLinux;
        _users = new UserPrograms(files, configuration, indexing, tell);
        var loaded = new List<LoadedFile>();
        foreach (SymbolFile file in files) loaded.Add(new LoadedFile(file));
        _guesses = new GuessedFunctions(() => _view);
        _static = new SymbolSet(loaded, sources, guesses: _guesses);
    }

    /// <summary>No file: nothing is known.</summary>
    public GuestPrograms() : this([], new SourceLibrary(new SourceFinder(new Dictionary<string, string>(), [])), null, false) { }

    /// <summary>All symbol files.</summary>
    public IReadOnlyList<SymbolFile> Files => _files;

    /// <summary>Where the sources are that symbol files name.</summary>
    public SourceLibrary Sources { get; }

    /// <summary>The Linux kernel at the view that was asked about last; null: there is none.</summary>
    public LinuxKernel? Kernel { get; private set; }

    /// <summary>The guest may be Linux, which maps programs as time goes on; else all that there is lies where its files say.</summary>
    public bool MayLoadPrograms => _mayBeLinux;

    /// <summary>The symbols of all files as they are linked: those of a guest whose programs lie where their files say, at any moment.</summary>
    public SymbolSet AsLinked => _static;

    /// <summary>The compiler's paths of all source files that any of the symbol files names.</summary>
    public IEnumerable<string> AllSources() => _static.AllSources();

    /// <summary>Names will be asked for: see <see cref="SymbolFile.BeginIndexing"/>.</summary>
    public void BeginIndexing()
    {
        foreach (SymbolFile file in _files) file.BeginIndexing();
    }

    /// <summary>As <see cref="BeginIndexing"/>, and waits as a question would: before the machine is there, as the two together take the memory of both.</summary>
    public void MakeIndices()
    {
        foreach (SymbolFile file in _files) file.MakeIndex();
    }

    /// <summary>The guest stopped, or its memory was changed: what its processes have mapped may be something else.</summary>
    public void Refresh()
    {
        _byProcess.Clear();
        _last = null;
    }

    /// <summary>A kernel that was found elsewhere, so that it needs not be looked for if it is here. Where the same was found here before, it takes its place: one is enough.</summary>
    /// <param name="image">The kernel.</param>
    /// <param name="initrd">What the recording's initrd has; null: it has none, or was not read.</param>
    public void Adopt(KernelImage image, InitrdFiles? initrd = null)
    {
        if (_image is { } known && !ReferenceEquals(known, image) && known.IsSame(image))
        {
            _byProcess.Clear();
            _sets.Clear();
            (_image, _last) = (image, null);
        }
        _image ??= image;
        if (initrd is not null) _users.Adopt(initrd);
    }

    /// <summary>The symbols of a vCPU's address space, now.</summary>
    public SymbolSet At(GuestView view)
    {
        _view = view;
        if (!_mayBeLinux) return _static;
        Position now = view.Machine.Position;
        if (_last is { } last && ReferenceEquals(last.Machine, view.Machine) && (last.At, last.Cpu, last.Root) == (now, view.Vcpu.Index, view.Paging.Root)) return last.Set;
        if (_foundNothingAt is { } nothing && Distance(nothing, now) < RetryDistance) return _static;
        Kernel = LinuxKernel.TryFind(view, _image);
        if (Kernel is null)
        {
            _foundNothingAt = now;
            return _static;
        }
        _foundNothingAt = null;
        if (!ReferenceEquals(Kernel.Image, _image))
        {
            _image = Kernel.Image;
            _byProcess.Clear();
            _sets.Clear();
        }
        LinuxTask? task = Kernel.Tasks.Current(view.Vcpu);
        ulong process = task?.Mm ?? 0;
        if (!_byProcess.TryGetValue(process, out SymbolSet? set)) _byProcess[process] = set = SetOf(FilesAt(Kernel, task));
        _last = (view.Machine, now, view.Vcpu.Index, view.Paging.Root, set);
        return set;
    }

    public void Dispose()
    {
        foreach (SymbolFile file in _files) file.Dispose();
        _users.Dispose();
    }

    private static ulong Distance(Position a, Position b) =>
        a.InstructionCount > b.InstructionCount ? a.InstructionCount - b.InstructionCount : b.InstructionCount - a.InstructionCount;

    private List<LoadedFile> FilesAt(LinuxKernel kernel, LinuxTask? task)
    {
        var loaded = new List<LoadedFile>();
        foreach (SymbolFile file in _files)
        {
            if (!IsOf(kernel, file.Image)) continue;
            if (kernel.BiasOf(file.Image) is { } bias) loaded.Add(new LoadedFile(file, bias));
        }
        if (task is null) return loaded;
        foreach (MappedProgram program in kernel.ProgramsOf(task)) loaded.AddRange(_users.FilesOf(program));
        return loaded;
    }

    // What is known about places is kept in a set: the same files at the same places are the same set.
    private SymbolSet SetOf(List<LoadedFile> files)
    {
        foreach (SymbolSet known in _sets)
            if (AreEqual(known.Files, files)) return known;
        if (_sets.Count >= MaximumCachedSets) _sets.Clear();
        var set = new SymbolSet(files, Sources, [new KernelNames(this)], () => Kernel, _guesses);
        _sets.Add(set);
        return set;
    }

    private static bool AreEqual(IReadOnlyList<LoadedFile> a, List<LoadedFile> b)
    {
        if (a.Count != b.Count) return false;
        for (int i = 0; i < b.Count; i++)
            if (a[i] != b[i]) return false;
        return true;
    }

    // By build ID; where one of them has none, a file with the kernel's own first symbol is taken for its own.
    private static bool IsOf(LinuxKernel kernel, ElfImage image) => kernel.Image.BuildId is not { } id || image.BuildId.IsEmpty || id == image.BuildIdText;

    // A kernel's names depend on the moment, as modules come and go: the one of now is asked.
    private sealed class KernelNames(GuestPrograms programs) : INameSource
    {
        public string? NameOf(ulong linear, out ulong offset)
        {
            offset = 0;
            return programs.Kernel?.NameOf(linear, out offset);
        }

        public IReadOnlyList<ulong> AddressesOf(string name) => programs.Kernel?.AddressesOf(name) ?? [];

        public ulong? SizeOf(string name) => programs.Kernel?.SizeOf(name);

        public IEnumerable<string> NamesFrom(string prefix, int limit) => programs.Kernel?.NamesFrom(prefix, limit) ?? [];
    }
}
