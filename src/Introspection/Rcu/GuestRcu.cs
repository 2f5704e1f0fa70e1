using System;
using System.Collections.Generic;
using System.Linq;
using Introspection.Calls;
using Introspection.Code;
using Introspection.Layouts;
using Introspection.Linux;
using Introspection.Locks.History;
using Introspection.Locks.Queues;
using Introspection.Locks.Tasks;
using Introspection.Programs;
using Introspection.State;
using Vmm.Platform;

namespace Introspection.Rcu;

/// <summary>
/// Read-copy-update of a guest: where its state is and which functions matter, as declared or as Linux has it. Everything about it begins here. Found once; usable on every machine of
/// the recording.
/// </summary>
public sealed class GuestRcu
{
    private readonly List<string> _problems = [];
    private readonly Dictionary<ulong, RcuStep> _functions = [];
    private readonly Dictionary<ulong, LockFunctions> _pointers = [];
    private readonly HashSet<ulong> _exits = [], _breakpoints = [];
    private readonly List<PublishedRow> _published = [];
    private readonly Dictionary<ulong, string> _names = [];
    private IReadOnlyList<(string, ulong)>? _sleepable;

    private GuestRcu(RcuLayout layout, ICurrentTask tasks, bool isLinux) => (Layout, Tasks, IsLinux) = (layout, tasks, isLinux);

    public RcuLayout Layout { get; }

    /// <summary>What vCPUs run.</summary>
    public ICurrentTask Tasks { get; }

    /// <summary>It is Linux's, whose state is read by its own types.</summary>
    public bool IsLinux { get; }

    /// <summary>Readers are tasks, which may lose their vCPU.</summary>
    public bool IsHeldByTask => Layout.HeldBy == "task";

    /// <summary>What is declared and not there, a sentence each.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>The code of its functions was in memory when they were looked for: earlier, nothing is known of where they return.</summary>
    public bool IsLoaded { get; private set; } = true;

    /// <summary>Something of its past can be found by replaying: what is freed too early, or in which version a reader is.</summary>
    public bool HasPast => !IsLinux && (HasReaders || Watches.Count > 0);

    /// <summary>Sections, and what is freed too early, can be found: the functions are there.</summary>
    public bool HasReaders => _functions.ContainsValue(RcuStep.ReadUnlock);

    internal IReadOnlySet<ulong> Breakpoints => _breakpoints;
    internal IReadOnlyList<Watch> Watches { get; private set; } = [];
    internal ulong? State { get; private set; }
    internal ulong? Readers { get; private set; }
    internal ulong ReaderStride { get; private set; }
    internal MemoryField? Current { get; private set; }
    internal MemoryField? Completed { get; private set; }
    internal MemoryField? Sequence { get; private set; }
    internal MemoryField? WaitingFor { get; private set; }
    internal MemoryField? Callbacks { get; private set; }
    internal MemoryField? CallbackCount { get; private set; }
    internal MemoryField? Since { get; private set; }
    internal MemoryField? Nesting { get; private set; }
    internal MemoryField? NextCallback { get; private set; }
    internal MemoryField? CallbackFunction { get; private set; }

    /// <summary>Finds it; null: nothing of the kind is declared, and the guest is no Linux.</summary>
    /// <param name="declared">Layouts of the user's.</param>
    /// <param name="tasks">What vCPUs run.</param>
    /// <param name="symbols">Of the guest, at a moment at which its kernel is there.</param>
    /// <param name="view">A vCPU at that moment.</param>
    public static GuestRcu? Find(IReadOnlyList<GuestLayout> declared, ICurrentTask tasks, SymbolSet symbols, in GuestView view)
    {
        var finder = new FunctionFinder(symbols, []);
        foreach (GuestLayout layout in (IEnumerable<GuestLayout>)[.. declared, .. BuiltInLayouts.All()])
        {
            if (layout.Rcu is not { } rcu || layout.Requires?.All(name => finder.Find(name).Count > 0) == false) continue;
            var guest = new GuestRcu(rcu, tasks, layout.Requires is not null && symbols.KernelAt(view) is not null);
            guest.FindFunctions(finder, view);
            guest.FindState(symbols);
            return guest;
        }
        return null;
    }

    /// <summary>What a published pointer is called; null: it is none.</summary>
    public string? NameOf(ulong pointer)
    {
        if (_names.TryGetValue(pointer, out string? name)) return name;
        foreach (PublishedRow row in _published)
            if (row.IndexOf(pointer) is { } index) return row.NameOf(index);
        return null;
    }

    /// <summary>Where a published pointer of that name is; null: there is none.</summary>
    public ulong? AddressOf(string name)
    {
        foreach (PublishedRow row in _published)
            for (int i = 0; i < row.Count; i++)
                if (row.NameOf(i) == name) return row.First + (ulong)i * row.Stride;
        return null;
    }

    /// <summary>The published pointers at a moment.</summary>
    internal IEnumerable<PublishedPointer> PublishedAt(GuestView view)
    {
        foreach (PublishedRow row in _published)
        {
            for (int i = 0; i < row.Count; i++)
            {
                ulong at = row.First + (ulong)i * row.Stride;
                yield return new PublishedPointer(row.NameOf(i), at, view.ReadNumber(at, PublishedRow.PointerBytes));
            }
        }
    }

    /// <summary>The published pointers that a write touches.</summary>
    internal IEnumerable<ulong> PublishedIn(ulong address, int sizeBytes)
    {
        foreach (PublishedRow row in _published)
        {
            ulong end = address + (ulong)sizeBytes;
            for (int i = row.FirstIndexFrom(address); i < row.Count && row.First + (ulong)i * row.Stride < end; i++) yield return row.First + (ulong)i * row.Stride;
        }
    }

    /// <summary>The kernel's srcu_structs that have names, looked for once.</summary>
    internal IReadOnlyList<(string Name, ulong Address)> SleepableOf(LinuxKernel kernel) => _sleepable ??= LinuxRcuVariants.Sleepable(kernel.Image.Symbols);

    internal bool IsExit(ulong address) => _exits.Contains(address);

    internal RcuStep? StepOf(ulong entry) => _functions.TryGetValue(entry, out RcuStep step) ? step : null;

    internal ulong? PointerOf(ulong entry, in GuestView view) => _pointers.TryGetValue(entry, out LockFunctions? functions) ? LockArgument.Read(view, functions, isAtEntry: true) : null;

    private void FindFunctions(FunctionFinder finder, in GuestView view)
    {
        var exits = new FunctionExits(new Disassembler(view));
        foreach (string name in Layout.ReadLock ?? [])
        {
            foreach (CallTarget target in finder.Find(name))
            {
                IsLoaded &= view.ReadNumber(target.Entry, 1) is not null;
                if (!exits.TryAdd(target.Entry, _exits, [])) _problems.Add($"Where {name} returns is not found: its code is not in memory, or too long.");
            }
        }
        _breakpoints.UnionWith(_exits);
        AddFunctions(Layout.ReadUnlock ?? [], RcuStep.ReadUnlock, finder, null);
        foreach (PointerFunctions functions in Layout.Defer ?? []) AddFunctions(functions.Functions, RcuStep.Defer, finder, functions);
        foreach (PointerFunctions functions in Layout.Free ?? []) AddFunctions(functions.Functions, RcuStep.Free, finder, functions);
        if (_exits.Count == 0 && Layout.ReadLock is { Count: > 0 })
            _problems.Add($"None of the functions that begin a reader's critical section is in the guest ({string.Join(", ", Layout.ReadLock)}): they are inlined, or have other names.");
    }

    private void AddFunctions(IReadOnlyList<string> names, RcuStep step, FunctionFinder finder, PointerFunctions? pointer)
    {
        foreach (string name in names)
        {
            IReadOnlyList<CallTarget> found = finder.Find(name);
            if (found.Count == 0) _problems.Add($"No function of the guest is called '{name}'.");
            foreach (CallTarget target in found)
            {
                _functions.TryAdd(target.Entry, step);
                if (pointer is not null) _pointers.TryAdd(target.Entry, pointer.AsLockFunctions);
                _breakpoints.Add(target.Entry);
            }
        }
    }

    private void FindState(SymbolSet symbols)
    {
        var fields = new DeclaredFields(symbols.Types, _problems);
        var watches = new List<Watch>();
        if (Layout.State is { } state && (State = Resolve(state.At, symbols)) is { } at)
        {
            Current = fields.Place(state.Structure, state.Current);
            Completed = fields.Place(state.Structure, state.Completed);
            Sequence = fields.Place(state.Structure, state.Sequence);
            WaitingFor = fields.Place(state.Structure, state.WaitingFor);
            Callbacks = fields.Place(state.Structure, state.Callbacks);
            CallbackCount = fields.Place(state.Structure, state.CallbackCount);
            foreach (MemoryField? field in (MemoryField?[])[Current, Completed, Sequence])
                if (field is { } there) watches.Add(new Watch(false, at + (ulong)there.OffsetBytes, there.SizeBytes, Reads: false, Writes: true));
        }
        NextCallback = fields.Place(Layout.Callback?.Structure, Layout.Callback?.Next);
        CallbackFunction = fields.Place(Layout.Callback?.Structure, Layout.Callback?.Function);
        if (Layout.Readers is { } readers && (Readers = Resolve(readers.At, symbols)) is not null)
        {
            Since = fields.Place(readers.Structure, readers.Since);
            Nesting = fields.Place(readers.Structure, readers.Nesting);
            ReaderStride = (ulong?)readers.Stride ?? fields.SizeOf(readers.Structure) ?? 0;
            if (ReaderStride == 0) _problems.Add("The readers have no stride, and the size of their structure is not known.");
        }
        foreach (PublishedLayout one in Layout.Published ?? [])
        {
            if (Resolve(one.At, symbols) is not { } first) continue;
            var row = new PublishedRow(one.Called, first, (ulong)(one.Stride ?? PublishedRow.PointerBytes), one.Count ?? 1, one.Count is not null);
            _published.Add(row);
            if (row.Count == 1) _names.TryAdd(first, row.NameOf(0));
            watches.Add(new Watch(false, first, (int)Math.Min(row.Stride * (ulong)(row.Count - 1) + PublishedRow.PointerBytes, int.MaxValue), Reads: false, Writes: true));
        }
        Watches = watches;
    }

    private ulong? Resolve(string text, SymbolSet symbols)
    {
        ulong? address = SymbolPlace.Resolve(text, symbols.AddressOf);
        if (address is null) _problems.Add($"There is no symbol for '{text}': the guest has none of that name.");
        return address;
    }

    // Pointers in a row.
    private sealed record PublishedRow(string Name, ulong First, ulong Stride, int Count, bool IsRow)
    {
        public const int PointerBytes = 8;

        public string NameOf(int index) => IsRow ? $"{Name}[{index}]" : Name;

        public int? IndexOf(ulong address) => address >= First && (address - First) % Stride == 0 && (address - First) / Stride < (ulong)Count ? (int)((address - First) / Stride) : null;

        /// <summary>The first pointer that ends behind an address.</summary>
        public int FirstIndexFrom(ulong address) =>
            address < First + PointerBytes ? 0 : (int)Math.Min((address - First - PointerBytes) / Stride + 1, (ulong)Count);
    }
}
