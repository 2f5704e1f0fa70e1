using System;
using System.Collections.Generic;
using System.Threading;
using Introspection.Layouts;
using Introspection.Locks.History;
using Introspection.Locks.Linux;
using Introspection.Locks.Queues;
using Introspection.Locks.Tasks;
using Introspection.Programs;
using Introspection.State;
using Replay.Timelines;
using Vmm.Cpu;
using Vmm.Time;

namespace Introspection.Locks;

/// <summary>The locks of a guest: which layouts hold for it, what functions take its locks, what its tasks are. Everything about locks begins here.</summary>
public sealed class GuestLocks
{
    private readonly IReadOnlyList<GuestLayout> _layouts;
    private readonly Dictionary<ulong, string> _declaredNames = [];

    private GuestLocks(IReadOnlyList<GuestLayout> layouts, LockFunctionTable functions, ICurrentTask tasks, IReadOnlyList<string> problems) =>
        (_layouts, Functions, Tasks, Problems) = (layouts, functions, tasks, problems);

    /// <summary>What is declared and does not agree with the guest, a sentence each.</summary>
    public IReadOnlyList<string> Problems { get; }

    /// <summary>The functions that take locks and give them back.</summary>
    public LockFunctionTable Functions { get; }

    /// <summary>What vCPUs run.</summary>
    public ICurrentTask Tasks { get; }

    /// <summary>Nothing is known of any lock of this guest.</summary>
    public bool IsEmpty => Functions.IsEmpty && _declaredNames.Count == 0;

    /// <summary>Finds them.</summary>
    /// <param name="declared">Layouts of the user's.</param>
    /// <param name="symbols">Of the guest, at a moment at which its kernel is there.</param>
    /// <param name="view">A vCPU at that moment.</param>
    public static GuestLocks Find(IReadOnlyList<GuestLayout> declared, SymbolSet symbols, in GuestView view)
    {
        var resolver = new LayoutResolver(symbols, view);
        List<GuestLayout> layouts = Resolve(declared, symbols, resolver);
        LockFunctionTable functions = LockFunctionTable.Find(layouts, symbols, view);
        var locks = new GuestLocks(layouts, functions, TasksBy(layouts, symbols, view), [.. resolver.Problems, .. functions.Problems]);
        foreach (GuestLayout layout in layouts)
        {
            foreach (LockDeclaration one in layout.Locks)
            {
                if (SymbolPlace.Resolve(one.At, symbols.AddressOf) is not { } address) continue;
                locks._declaredNames.TryAdd(address, one.Name);
                if (one.InterruptsOff == true) functions.KeepInterruptsOff(address);
            }
        }
        return locks;
    }

    /// <summary>What a lock is called: as declared, or by its symbol, or its address.</summary>
    public string NameOf(ulong address, SymbolSet symbols)
    {
        if (_declaredNames.TryGetValue(address, out string? name)) return name;
        // Behind a symbol without a size anything may lie.
        if (symbols.NameOf(address, out ulong offset) is not { } symbol || offset >= (symbols.SizeOf(symbol) ?? 1)) return $"0x{address:x}";
        return offset == 0 ? symbol : $"{symbol}+0x{offset:x}";
    }

    /// <summary>The address of a lock as the user names it: as declared, a symbol with an offset, or a number; null: there is none.</summary>
    public ulong? AddressOf(string name, SymbolSet symbols)
    {
        foreach ((ulong address, string declared) in _declaredNames)
            if (declared == name) return address;
        return SymbolPlace.Resolve(name, symbols.AddressOf);
    }

    /// <summary>The past of all locks: see <see cref="LockHistory.Read"/>.</summary>
    public LockHistory History(Timeline timeline, Position from, Position before, LockHistoryOptions? options = null, IProgress<TimelineProgress>? progress = null,
        CancellationToken cancellation = default) => LockHistory.Read(timeline, Functions, Tasks, from, before, options, progress, cancellation);

    /// <summary>What is done with locks in a part of a recording, to be put together with the other parts.</summary>
    public LockEventLog Events(Timeline timeline, Position from, Position before, IProgress<TimelineProgress>? progress = null, CancellationToken cancellation = default) =>
        LockEventLog.Read(timeline, Functions, Tasks, from, before, progress, cancellation);

    /// <summary>The past of all locks, of the parts of a stretch in their order.</summary>
    public LockHistory History(Timeline timeline, IReadOnlyList<LockEventLog> parts, Position from, Position before, LockHistoryOptions options,
        IProgress<TimelineProgress>? progress = null, CancellationToken cancellation = default) => LockHistory.Of(timeline, Functions, parts, from, before, options, progress, cancellation);

    /// <summary>
    /// The locks that are held or waited for at the view's moment, those that are declared first: what their memory says, and with a history that covers it, who has had them since when.
    /// Without one, only what memory says itself is known, which for a spin lock is not much.
    /// </summary>
    /// <param name="view">Any vCPU at that moment.</param>
    /// <param name="symbols">Of the guest at that moment.</param>
    /// <param name="at">The moment.</param>
    /// <param name="history">What is known of the past; null: nothing.</param>
    public IReadOnlyList<LockView> Read(in GuestView view, SymbolSet symbols, Position at, LockHistory? history)
    {
        GuestView moment = view;
        var views = new List<LockView>();
        var known = new HashSet<ulong>();
        var names = new LockSymbols(symbols.AddressOf, address => symbols.NameOf(address, out _));
        LinuxLockReader? linux = symbols.KernelAt(view) is { } kernel ? new LinuxLockReader(kernel, view) : null;
        foreach (GuestLayout layout in _layouts)
            foreach (LockView one in new LockReader(view, layout, names).Read())
                if (known.Add(one.Address)) views.Add((one.Address == 0 ? null : linux?.Read(one.Name, one.Kind, one.Address)) ?? one);
        if (history is not null && at >= history.From && at <= history.Before)
        {
            var running = new Dictionary<ulong, int>();
            foreach (Vcpu vcpu in view.Machine.Vcpus) running.TryAdd(Tasks.Of(new GuestView(view.Machine, vcpu)), vcpu.Index);
            var overlay = new LockOverlay(history, at, task => Tasks.NameOf(moment, task), task => running.TryGetValue(task, out int cpu) ? cpu : null);
            foreach (LockRecord record in overlay.InUse)
            {
                if (!known.Add(record.Address)) continue;
                string name = NameOf(record.Address, symbols);
                views.Add(linux?.Read(name, record.Type.Kind, record.Address) ?? new LockReader(view, _layouts[0], names).Read(name, record.Type, record.Address));
            }
            for (int i = 0; i < views.Count; i++) views[i] = overlay.Complete(views[i]);
        }
        foreach ((ulong address, string kind) in linux?.Waited() ?? [])
            if (known.Add(address)) views.Add(linux!.Read(NameOf(address, symbols), kind, address)!);
        return views;
    }

    /// <summary>Reads locks that are made up, so that the code for it is compiled: one of each type, that is held and waited for. What is read does not matter.</summary>
    /// <param name="view">Any vCPU.</param>
    /// <param name="symbols">Of the guest.</param>
    /// <param name="at">The moment.</param>
    public void Rehearse(in GuestView view, SymbolSet symbols, Position at)
    {
        var tracker = new LockTracker(Functions, new LockHistoryOptions(), isFromStart: true);
        foreach (LockFunction function in Functions.Functions)
        {
            // Any memory will do.
            LockRecord record = tracker.RecordOf(function.Entry, function.TypeName, function.Type);
            for (int cpu = 0; cpu < 2; cpu++)
            {
                LockUse use = tracker.Want(record, new LockUser(cpu, Tasks.Of(view)), function.Entry, function.Name, function.Functions, at, false, false);
                if (cpu == 0) tracker.Take(use, at);
            }
        }
        Read(view, symbols, at, new LockHistory(tracker, [], Position.Start, at));
    }

    /// <summary>What vCPUs run, for those who do not ask for locks.</summary>
    /// <param name="declared">Layouts of the user's.</param>
    /// <param name="symbols">Of the guest, at a moment at which its kernel is there.</param>
    /// <param name="view">A vCPU at that moment.</param>
    public static ICurrentTask TasksOf(IReadOnlyList<GuestLayout> declared, SymbolSet symbols, in GuestView view) =>
        TasksBy(Resolve(declared, symbols, new LayoutResolver(symbols, view)), symbols, view);

    // Two layouts may declare one type: the user's comes first.
    private static List<GuestLayout> Resolve(IReadOnlyList<GuestLayout> declared, SymbolSet symbols, LayoutResolver resolver)
    {
        List<GuestLayout> layouts = [];
        foreach (GuestLayout layout in declared) layouts.Add(resolver.Resolve(layout));
        foreach (GuestLayout layout in BuiltInLayouts.All())
            if (LockFunctionTable.IsMeant(layout, symbols)) layouts.Add(resolver.Resolve(layout));
        return layouts;
    }

    private static ICurrentTask TasksBy(IReadOnlyList<GuestLayout> layouts, SymbolSet symbols, in GuestView view)
    {
        foreach (GuestLayout layout in layouts)
        {
            if (layout.Cpus is not { } cpus || SymbolPlace.Resolve(cpus.At, symbols.AddressOf) is not { } first) continue;
            QueueNode? node = null;
            foreach (LockType type in layout.Types.Values) node ??= type.Node;
            return new DeclaredTasks(cpus, first, cpus.Id ?? node?.Id, cpus.Called ?? node?.Called);
        }
        return symbols.KernelAt(view) is { } kernel ? new LinuxCurrentTask(kernel) : new NoTasks();
    }
}
