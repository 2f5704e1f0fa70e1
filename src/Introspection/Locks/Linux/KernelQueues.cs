using System;
using System.Collections.Generic;
using Introspection.Linux;
using Introspection.Locks.Queues;
using Introspection.State;
using Vmm.Cpu;

namespace Introspection.Locks.Linux;

/// <summary>
/// Locks on which CPUs of a Linux kernel spin: <c>qspinlock</c> (include/asm-generic/qspinlock_types.h: locked in bits 0 to 7, pending in 8 to 15, the index of the last node in 16 and
/// 17, its CPU plus one from 18 on; kernel/locking/qspinlock.c for the per-CPU nodes) and <c>qrwlock</c> (include/asm-generic/qrwlock.h).
/// </summary>
internal sealed class KernelQueues
{
    private const int NodesOfCpu = 4, MaximumCpus = 64;
    private const uint WriterMask = 0xFF, WriterWaits = 0x100;
    private const int ReaderShift = 9, StackRegister = 4;

    private readonly LinuxKernel _kernel;
    private readonly GuestView _view;
    private readonly int?[] _vcpuOf;
    private readonly List<Node> _nodes = [];

    /// <summary>A CPU's queue node that is in use.</summary>
    private readonly record struct Node(ulong Address, int Cpu, int Index, ulong Next, bool IsHead);

    public KernelQueues(LinuxKernel kernel, in GuestView view)
    {
        (_kernel, _view) = (kernel, view);
        _vcpuOf = new int?[MaximumCpus];
        foreach (Vcpu vcpu in view.Machine.Vcpus)
            if (kernel.Tasks.CpuOf(vcpu) is { } cpu and < MaximumCpus) _vcpuOf[cpu] = vcpu.Index;
        ReadNodes();
    }

    /// <summary>vCPU of a CPU by the kernel's number; null: none.</summary>
    public int? VcpuOf(int cpu) => (uint)cpu < MaximumCpus ? _vcpuOf[cpu] : null;

    public LockView ReadSpinLock(string name, ulong address)
    {
        if (_kernel.Memory.ReadNumber(address, 4) is not { } number) return Missing(name, "qspinlock", address);
        uint word = (uint)number, tail = word >> 16;
        int locked = (int)(word & 0xFF), pending = (int)(word >> 8 & 0xFF);
        var queue = new List<LockWaiter>();
        if (locked != 0) queue.Add(new LockWaiter(true, null, null, "somebody holds it: the lock does not keep who"));
        if (pending != 0) queue.Add(PendingWaiter(address));
        string words = $"locked {locked}, pending {pending}, {(tail == 0 ? "no tail" : $"tail CPU {(int)(tail >> 2) - 1} node {tail & 3}")}";
        string? problem = locked > 1 || pending > 1 ? "Its word is no spin lock's: locked and pending are 0 or 1." : AddQueue(address, tail, queue);
        LockState state = problem is not null && !problem.Contains("not linked", StringComparison.Ordinal) ? LockState.Corrupt : StateOf(queue);
        return new LockView(name, "qspinlock", address, state, queue, problem) { Words = words };
    }

    public LockView ReadReaderWriterLock(string name, ulong address)
    {
        ulong waitLock = address + (_kernel.Layout?.Offset("qrwlock", "wait_lock") ?? 4);
        if (_kernel.Memory.ReadNumber(address, 4) is not { } number || _kernel.Memory.ReadNumber(waitLock, 4) is not { } waitWord) return Missing(name, "qrwlock", address);
        uint word = (uint)number, readers = word >> ReaderShift;
        var queue = new List<LockWaiter>();
        bool isWritten = (word & WriterMask) == WriterMask;
        if (isWritten) queue.Add(new LockWaiter(true, null, null, "a writer holds it: the lock does not keep who"));
        // Readers that wait are counted already; they hold it only when no writer does.
        else if (readers > 0) queue.Add(new LockWaiter(true, null, null, $"{readers} {(readers == 1 ? "reader holds" : "readers hold")} it: the lock does not keep who") { IsShared = true });
        string? problem = (word & WriterMask) is not (0 or WriterMask) ? "Its word is no reader-writer lock's: the writer's byte is 0 or 0xff."
            : AddQueue(waitLock, (uint)waitWord >> 16, queue);
        if ((word & WriterWaits) != 0) queue.Add(new LockWaiter(false, null, null, "a writer waits at the head of the queue, for the readers to leave"));
        return new LockView(name, "qrwlock", address, problem is null ? StateOf(queue) : LockState.Corrupt, queue, problem)
        {
            Words = $"writer {(isWritten ? 1 : 0)}, writer waiting {(word & WriterWaits) / WriterWaits}, readers {readers}",
        };
    }

    /// <summary>A register of the vCPU holds the address: code that waits for a lock keeps it in one.</summary>
    public bool HasInRegister(int vcpu, ulong address)
    {
        ref VcpuState state = ref _view.Machine.Vcpus[vcpu].State;
        for (int i = 0; i < 16; i++)
            if (state.General[i] == address) return true;
        return false;
    }

    /// <summary>The lock that a vCPU spins on, by a register that points to a word which says that it waits there; null: none is found.</summary>
    public ulong? SpunOnBy(int vcpu)
    {
        ref VcpuState state = ref _view.Machine.Vcpus[vcpu].State;
        for (int i = 0; i < 16; i++)
        {
            ulong address = state.General[i];
            if (address >> 63 == 0 || (address & 3) != 0 || i == StackRegister || _kernel.Memory.ReadNumber(address, 4) is not { } word) continue;
            uint tail = (uint)word >> 16;
            bool isWord = (word & 0xFF) <= 1 && (word >> 8 & 0xFF) <= 1 && word != 0;
            if (!isWord) continue;
            Node? own = _nodes.FindLast(node => VcpuOf(node.Cpu) == vcpu) is { Address: not 0 } found ? found : null;
            if (own is { } mine ? tail != 0 && Chain(tail).Exists(node => node.Address == mine.Address) : tail == 0 || NodeOf(tail) is not null) return address;
        }
        return null;
    }

    private LockWaiter PendingWaiter(ulong address)
    {
        foreach (Vcpu vcpu in _view.Machine.Vcpus)
        {
            // It has no node: it waits beside the queue.
            if (_nodes.Exists(node => VcpuOf(node.Cpu) == vcpu.Index) || !HasInRegister(vcpu.Index, address) || !IsInSlowPath(vcpu)) continue;
            return new LockWaiter(false, vcpu.Index, null, $"vCPU {vcpu.Index} is next (pending bit)") { Task = TaskOf(vcpu.Index), MustWait = true };
        }
        return new LockWaiter(false, null, null, "somebody is next (pending bit)") { MustWait = true };
    }

    public bool IsInSlowPath(Vcpu vcpu) =>
        vcpu.State.Cpl == 0 && _kernel.NameOf(vcpu.State.Rip, out _) is { } name
        && (name.EndsWith("_lock_slowpath", StringComparison.Ordinal) || name.StartsWith("_raw_", StringComparison.Ordinal));

    // Null: the queue is as it should be.
    private string? AddQueue(ulong address, uint tail, List<LockWaiter> queue)
    {
        if (tail == 0) return null;
        if (NodeOf(tail) is null) return $"Its tail is node {tail & 3} of CPU {(int)(tail >> 2) - 1}, which is not in use.";
        List<Node> chain = Chain(tail);
        if (chain.Count > NodesOfCpu * MaximumCpus) return "The queue is a cycle.";
        foreach (Node node in chain)
        {
            int? vcpu = VcpuOf(node.Cpu);
            string who = vcpu is { } index ? $"vCPU {index}" : $"CPU {node.Cpu}";
            bool isFirst = node.Address == chain[0].Address;
            queue.Add(new LockWaiter(false, vcpu, node.Address, $"{who} waits{(isFirst ? " at the head of the queue" : "")}")
            {
                Next = node.Next, MustWait = !node.IsHead && !isFirst, Task = vcpu is { } v ? TaskOf(v) : 0,
            });
        }
        // Between the exchange of the tail and the store to next.
        foreach (Node node in _nodes)
        {
            if (node.Next != 0 || chain.Contains(node) || VcpuOf(node.Cpu) is not { } vcpu || !HasInRegister(vcpu, address)) continue;
            return $"The node of vCPU {vcpu} at 0x{node.Address:x} is in the queue, and not linked yet to the one behind it.";
        }
        return null;
    }

    // From the head to the tail: the node before is the one whose next is this one.
    private List<Node> Chain(uint tail)
    {
        var chain = new List<Node>();
        Node? at = NodeOf(tail);
        while (at is { } node && chain.Count <= NodesOfCpu * MaximumCpus)
        {
            chain.Insert(0, node);
            if (node.IsHead) break;
            at = _nodes.FindIndex(other => other.Next == node.Address) is >= 0 and int index ? _nodes[index] : null;
        }
        return chain;
    }

    private Node? NodeOf(uint tail)
    {
        int cpu = (int)(tail >> 2) - 1, number = (int)(tail & 3);
        int index = _nodes.FindIndex(node => node.Cpu == cpu && node.Index == number);
        return index < 0 ? null : _nodes[index];
    }

    private ulong TaskOf(int vcpu) => _kernel.Tasks.Current(_view.Machine.Vcpus[vcpu])?.Address ?? 0;

    private void ReadNodes()
    {
        if (_kernel.Layout is not { } layout || layout.SizeOf("qnode") is not { } size || layout.Offset("mcs_spinlock", "next") is not { } next) return;
        for (int cpu = 0; cpu < Math.Min(_kernel.Tasks.CpuCount, MaximumCpus); cpu++)
        {
            if (_kernel.Tasks.PerCpuAddress("qnodes", cpu) is not { } first) return;
            // The first one's count says how many are in use: a CPU may wait in an interrupt while it waits.
            ulong count = layout.Number(_kernel.Memory, first, "mcs_spinlock", "count") ?? 0;
            for (int i = 0; i < (int)Math.Min(count, NodesOfCpu); i++)
            {
                ulong node = first + (ulong)i * size;
                if (_kernel.Memory.ReadNumber(node + next, 8) is not { } link) continue;
                _nodes.Add(new Node(node, cpu, i, link, layout.Number(_kernel.Memory, node, "mcs_spinlock", "locked") is > 0));
            }
        }
    }

    private static LockState StateOf(List<LockWaiter> queue) =>
        queue.Count == 0 ? LockState.Free : queue.Exists(static one => !one.IsOwner) ? LockState.Contended : LockState.Held;

    private static LockView Missing(string name, string kind, ulong address) => new(name, kind, address, LockState.Corrupt, [], "Its memory is not mapped at this position.");
}
