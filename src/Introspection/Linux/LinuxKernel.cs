using System;
using System.Collections.Generic;
using Introspection.Paging;
using Introspection.Programs;
using Introspection.State;
using Symbols;
using Symbols.Elf;
using Symbols.Kallsyms;
using Symbols.Types;
using Vmm.Paging;
using Vmm.Platform;

namespace Introspection.Linux;

/// <summary>
/// The Linux kernel that a guest runs, at one moment: what its own tables say in its memory, without any file. 64-bit kernels since 4.6. What depends on the moment is read
/// when it is asked for; what does not is in <see cref="Image"/>, which the next moment takes over.
/// </summary>
public sealed class LinuxKernel : INameSource
{
    private KernelModules? _modules;
    private LinuxTasks? _tasks;
    private OrcUnwinder? _orc;
    private LinuxMappings? _mappings;

    private LinuxKernel(KernelImage image, AddressSpaceReader memory)
    {
        Image = image;
        Memory = memory;
        Layout = image.Types is { } types ? new KernelLayout(types) : null;
    }

    public KernelImage Image { get; }

    /// <summary>The kernel's address space.</summary>
    public AddressSpaceReader Memory { get; }

    /// <summary>The kernel's types; null: it was built without BTF.</summary>
    public ITypeCatalog? Types => Image.Types;

    /// <summary>Its modules with their names, read at first use.</summary>
    public KernelModules Modules => _modules ??= KernelModules.Read(this);

    /// <summary>Its threads, and its per-CPU variables.</summary>
    public LinuxTasks Tasks => _tasks ??= new LinuxTasks(this);

    /// <summary>Callers by the kernel's own unwind tables; null: it has none.</summary>
    public OrcUnwinder? Orc => _orc ??= OrcUnwinder.TryMake(this);

    /// <summary>The user-mode mappings of a thread's process, by address; empty: a kernel thread has none.</summary>
    public IReadOnlyList<LinuxMapping> MappingsOf(LinuxTask task) => task.Mm == 0 || Layout is null ? [] : Mappings(Layout).Of(task.Mm);

    /// <summary>The programs and libraries whose code a thread's process has mapped, by address.</summary>
    public IReadOnlyList<MappedProgram> ProgramsOf(LinuxTask task) => task.Mm == 0 || Layout is null ? [] : Mappings(Layout).Programs(task.Mm);

    /// <summary>The address space of a thread's process, whether it runs or not; null: it is a kernel thread.</summary>
    public AddressSpaceReader? UserMemoryOf(LinuxTask task) => task.Mm == 0 || Layout is null ? null : Mappings(Layout).UserMemory(task.Mm);

    /// <summary>Where a CPU's own pointer to what it runs is, less the base of its per-CPU variables; null: unknown.</summary>
    public ulong? CurrentTaskVariable
    {
        get
        {
            // A variable of its own before 6.2, then a member of pcpu_hot, then of its own again.
            if (Image.Symbols.AddressOf("current_task") is { } own) return own;
            return Layout?.Offset("pcpu_hot", "current_task") is { } member && Image.Symbols.AddressOf("pcpu_hot") is { } hot ? hot + member : null;
        }
    }

    internal KernelLayout? Layout { get; }

    /// <summary>
    /// The kernel at the moment at which the view's machine stands; null: there is none, or none yet, as before it is decompressed. Costs microseconds where
    /// <paramref name="known"/> is still there, else a look through what is mapped where kernels are.
    /// </summary>
    /// <param name="view">Any vCPU of the guest.</param>
    /// <param name="known">What was found at another moment.</param>
    public static LinuxKernel? TryFind(GuestView view, KernelImage? known = null)
    {
        if (known is not null && TryFindKnown(view, known) is { } there) return there;
        foreach (AddressSpaceReader memory in Candidates(view))
        {
            IReadOnlyList<AddressRange> ranges = memory.MappedRanges(KernelImage.Window.Start, KernelImage.Window.End);
            if (ranges.Count > 0 && KernelImage.Find(memory, ranges) is { } image) return At(image, memory);
        }
        return null;
    }

    /// <summary>A kernel that was found at another moment; null: it is not there.</summary>
    internal static LinuxKernel? TryFindKnown(GuestView view, KernelImage known)
    {
        foreach (AddressSpaceReader memory in Candidates(view))
            if (known.IsAt(memory)) return At(known, memory);
        return null;
    }

    /// <summary>
    /// What may map the kernel: the page tables that the vCPU has loaded; with page-table isolation the kernel's are the page before user mode's.
    /// </summary>
    internal static IEnumerable<AddressSpaceReader> Candidates(GuestView view)
    {
        PagingControls controls = view.Paging;
        if (controls.Mode != PagingMode.FourLevel) yield break;
        yield return new AddressSpaceReader(view.Machine, controls);
        if ((controls.Root & IsolatedTables.UserTable) != 0) yield return new AddressSpaceReader(view.Machine, controls with { Root = controls.Root & ~IsolatedTables.UserTable });
    }

    /// <summary>Where the kernel was loaded less where its file was linked, for the file that it was made from (by its symbol <c>_text</c>); null: the file has none.</summary>
    public ulong? BiasOf(ElfImage vmlinux)
    {
        foreach (ElfSymbol symbol in vmlinux.Symbols.ByName("_text"))
            if (symbol.IsDefined) return Image.TextAddress - symbol.Address;
        return null;
    }

    /// <summary>A symbol's address is a distance in each CPU's area (include/asm-generic/percpu.h).</summary>
    public bool IsPerCpu(ulong symbolAddress) => Image.Symbols.AddressOf("__per_cpu_end") is { } end && end >> 63 == 0 && symbolAddress < end;

    public string? NameOf(ulong linear, out ulong offset) => Image.Symbols.Find(linear, out offset)?.Name ?? Modules.NameOf(linear, out offset);

    public IReadOnlyList<ulong> AddressesOf(string name)
    {
        var addresses = new List<ulong>();
        foreach (KernelSymbol symbol in Image.Symbols.ByName(name))
            if (symbol.Address >> 63 != 0) addresses.Add(symbol.Address);
        foreach (ulong address in Modules.AddressesOf(name)) addresses.Add(address);
        return addresses;
    }

    public ulong? SizeOf(string name)
    {
        foreach (KernelSymbol symbol in Image.Symbols.ByName(name))
            if (symbol.Address >> 63 != 0) return Image.Symbols.SizeAt(symbol.Address);
        return Modules.SizeOf(name);
    }

    public IEnumerable<string> NamesFrom(string prefix, int limit)
    {
        foreach (string name in Image.Symbols.NamesFrom(prefix, limit))
        {
            limit--;
            yield return name;
        }
        foreach (string name in Modules.NamesFrom(prefix, limit)) yield return name;
    }

    private LinuxMappings Mappings(KernelLayout layout) => _mappings ??= new LinuxMappings(this, layout);

    // The kernel's own tables map all of it, whatever a vCPU has loaded: with page-table isolation user mode sees hardly anything of the kernel.
    private static LinuxKernel At(KernelImage image, AddressSpaceReader memory)
    {
        if (image.Symbols.AddressOf("init_top_pgt") is { } tables && memory.Translate(tables) is { } root && root != memory.Controls.Root)
        {
            var own = new AddressSpaceReader(memory.Machine, memory.Controls with { Root = root });
            // Early in the boot they are empty.
            if (image.IsAt(own)) return new LinuxKernel(image, own);
        }
        return new LinuxKernel(image, memory);
    }
}
