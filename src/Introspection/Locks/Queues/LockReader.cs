using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Introspection.Layouts;
using Introspection.State;
using Vmm.Cpu;
using Vmm.Platform;

namespace Introspection.Locks.Queues;

/// <summary>What a reader of locks must know of names.</summary>
/// <param name="AddressOf">Linear address of a symbol; null: there is none.</param>
/// <param name="FunctionAt">Name of the function that a linear address is in; null: unknown.</param>
public sealed record LockSymbols(Func<string, ulong?> AddressOf, Func<ulong, string?> FunctionAt);

/// <summary>
/// Reads declared locks out of guest memory. Nothing in there is trusted: pointers are checked against the declared nodes, and every walk has an end.
/// </summary>
public sealed class LockReader
{
    private readonly GuestView _view;
    private readonly GuestLayout _layout;
    private readonly LockSymbols _symbols;
    // What each vCPU runs, read once.
    private ulong?[]? _current;

    /// <param name="view">Memory as the vCPU sees it whose address space has the locks.</param>
    /// <param name="layout">What is declared.</param>
    /// <param name="symbols">What is where.</param>
    public LockReader(in GuestView view, GuestLayout layout, LockSymbols symbols)
    {
        _view = view;
        _layout = layout;
        _symbols = symbols;
    }

    /// <summary>All declared locks, in their order.</summary>
    public List<LockView> Read()
    {
        var locks = new List<LockView>();
        foreach (LockDeclaration one in _layout.Locks) locks.Add(Read(one));
        return locks;
    }

    private LockView Read(LockDeclaration one)
    {
        LockType type = _layout.Types[one.Type];
        return Resolve(one.At) is { } address ? Read(one.Name, type, address)
            : new LockView(one.Name, KindOf(type), 0, LockState.Free, [], $"There is no symbol for '{one.At}': the recording's kernel has none of that name.");
    }

    /// <summary>A lock of a declared type at an address.</summary>
    public LockView Read(string name, LockType type, ulong address)
    {
        if (_view.MemoryAt(new MemoryPlace(address), 0) is null) return new LockView(name, KindOf(type), address, LockState.Free, [], "Its memory is not mapped at this position.");
        if (LockLayoutCheck.MissingIn(type) is { } missing)
            return new LockView(name, KindOf(type), address, LockState.Free, [], $"It cannot be read: where '{missing}' is, is not known.");
        return type.Kind switch
        {
            "mcs" => ReadMcs(name, type, address),
            "ticket" => ReadTicket(name, type, address),
            "rw" => ReadReaderWriter(name, type, address),
            "spin" => ReadSpin(name, type, address),
            _ => new LockView(name, KindOf(type), address, LockState.Free, [], "Its kind is Linux's own, and no Linux kernel is here."),
        };
    }

    private static string KindOf(LockType type) => type.Kind == "mcs" ? "MCS" : type.Kind;

    private LockView ReadReaderWriter(string name, LockType type, ulong address)
    {
        if (Number(address, type.Word!) is not { } word) return new LockView(name, "rw", address, LockState.Corrupt, [], "Its word is not in memory.");
        ulong readers = (word & ~type.WriterMask!.Value) >> type.ReaderShift!.Value;
        bool isWritten = (word & type.WriterMask.Value) != 0;
        var queue = new List<LockWaiter>();
        if (isWritten) queue.Add(new LockWaiter(true, null, null, "a writer holds it"));
        if (readers > 0 && !isWritten) queue.Add(new LockWaiter(true, null, null, $"{readers} {(readers == 1 ? "reader holds" : "readers hold")} it") { IsShared = true });
        bool isCorrupt = readers > (ulong)_view.Machine.Vcpus.Count;
        AddWaiters(type, address, queue);
        LockState state = isCorrupt ? LockState.Corrupt : queue.Exists(static one => !one.IsOwner) ? LockState.Contended : queue.Count > 0 ? LockState.Held : LockState.Free;
        return new LockView(name, "rw", address, state, queue, isCorrupt ? $"{readers} readers are counted, and there are {_view.Machine.Vcpus.Count} vCPUs." : null)
        {
            Words = $"writer {(isWritten ? 1 : 0)}, readers {readers}",
        };
    }

    private LockView ReadMcs(string name, LockType type, ulong address)
    {
        if (Number(address, type.Tail!) is not { } tail) return new LockView(name, "MCS", address, LockState.Corrupt, [], "Its tail is not in memory.");
        if (tail == 0) return new LockView(name, "MCS", address, LockState.Free, []);
        McsQueue queue = McsQueue.Read(this, type.Node!, address, tail);
        var waiters = new List<LockWaiter>();
        foreach (McsNode node in queue.Nodes) waiters.Add(WaiterOf(node, type.Node!, isOwner: waiters.Count == 0 && queue.HasOwner));
        LockState state = queue.IsCorrupt ? LockState.Corrupt : waiters.Count > 1 || !queue.HasOwner ? LockState.Contended : LockState.Held;
        return new LockView(name, "MCS", address, state, waiters, queue.Problem)
        {
            Words = $"tail 0x{tail:x}", PossibleOwners = [.. queue.PossibleOwners.Select(node => WaiterOf(node, type.Node!, isOwner: true))],
        };
    }

    private LockWaiter WaiterOf(McsNode node, QueueNode layout, bool isOwner)
    {
        string cpu = node.CpuIndex is { } index ? $" on vCPU {index}" : "";
        return new LockWaiter(isOwner, node.CpuIndex, node.Address, $"{NameOf(node, layout)}{cpu} {(isOwner ? "holds it" : "waits")}")
        {
            Task = layout.IsPerCpu == true ? 0 : node.Address, Next = Number(node.Address, layout.Next), MustWait = McsQueue.MustWait(this, layout, node.Address),
        };
    }

    private LockView ReadSpin(string name, LockType type, ulong address)
    {
        if (Number(address, type.Locked!) is not { } locked) return new LockView(name, "spin", address, LockState.Corrupt, [], "Its word is not in memory.");
        var queue = new List<LockWaiter>();
        string? problem = null;
        if (locked != 0 && type.Owner is { } field && Number(address, field) is { } owner)
        {
            if (owner < (ulong)_view.Machine.Vcpus.Count) queue.Add(new LockWaiter(true, (int)owner, null, $"vCPU {owner} holds it"));
            else problem = $"Its owner is said to be vCPU {owner}, and there is none of that number.";
        }
        bool isCorrupt = problem is not null;
        AddWaiters(type, address, queue);
        bool anybodyWaits = queue.Exists(static one => !one.IsOwner);
        if (locked != 0 && type.Owner is null) problem = "Who holds it is not known: the lock does not keep it.";
        return new LockView(name, "spin", address, isCorrupt ? LockState.Corrupt : locked == 0 ? LockState.Free : anybodyWaits ? LockState.Contended : LockState.Held, queue, problem);
    }

    private LockView ReadTicket(string name, LockType type, ulong address)
    {
        if (Number(address, type.Serving!) is not { } serving || Number(address, type.Next!) is not { } next)
            return new LockView(name, "ticket", address, LockState.Corrupt, [], "Its tickets are not in memory.");
        ulong mask = type.Next!.SizeBytes == 8 ? ulong.MaxValue : (1UL << (8 * type.Next.SizeBytes)) - 1, given = (next - serving) & mask;
        // Nobody draws two tickets at once.
        if (given > (ulong)_view.Machine.Vcpus.Count)
            return new LockView(name, "ticket", address, LockState.Corrupt, [], $"{given} tickets are out, and there are {_view.Machine.Vcpus.Count} vCPUs to hold them.");
        var queue = new List<LockWaiter>();
        for (ulong i = 0; i < given; i++) queue.Add(new LockWaiter(i == 0, null, null, $"ticket {(serving + i) & mask} {(i == 0 ? "holds it" : "waits")}"));
        return new LockView(name, "ticket", address, given == 0 ? LockState.Free : given == 1 ? LockState.Held : LockState.Contended, queue);
    }

    // vCPUs that are in a function that takes it, and still have the lock's address where they were given it.
    private void AddWaiters(LockType type, ulong address, List<LockWaiter> queue)
    {
        foreach (LockFunctions functions in type.Acquire ?? [])
        {
            foreach (Vcpu vcpu in _view.Machine.Vcpus)
            {
                var view = new GuestView(_view.Machine, vcpu);
                if (LockArgument.Read(view, functions, isAtEntry: false) != address || _symbols.FunctionAt(view.CodeAddress) is not { } function) continue;
                if (!queue.Exists(one => one.CpuIndex == vcpu.Index) && functions.Functions.Contains(function))
                    queue.Add(new LockWaiter(false, vcpu.Index, null, $"vCPU {vcpu.Index} is in {function}"));
            }
        }
    }

    /// <summary>"symbol", "symbol+0x10" or a number; null: the symbol is unknown.</summary>
    internal ulong? Resolve(string text) => SymbolPlace.Resolve(text, _symbols.AddressOf);

    internal ulong? Number(ulong address, MemoryField field) => _view.ReadNumber(address + (ulong)field.OffsetBytes, field.SizeBytes);

    /// <summary>The vCPU that runs a node, by the declared per-CPU data; null: none does.</summary>
    internal int? CpuRunning(ulong node)
    {
        int index = Array.IndexOf(_current ??= ReadCurrent(), node);
        return index < 0 ? null : index;
    }

    private ulong?[] ReadCurrent()
    {
        if (_layout.Cpus is not { } cpus || Resolve(cpus.At) is not { } first) return [];
        var current = new ulong?[_view.Machine.Vcpus.Count];
        for (int i = 0; i < current.Length; i++) current[i] = Number(first + (ulong)((long)i * (cpus.Stride ?? 0)), cpus.Current);
        return current;
    }

    private string NameOf(McsNode node, QueueNode layout)
    {
        string called = layout.Called ?? "node";
        if (layout.Id is { } id && Number(node.Address, id) is { } number) return $"{called} {number}";
        return string.Create(CultureInfo.InvariantCulture, $"{called} at 0x{node.Address:x}");
    }
}
