using System;
using System.Collections.Generic;
using Introspection.Linux;
using Introspection.Locks.Queues;

namespace Introspection.Locks.Linux;

/// <summary>
/// Locks for which tasks of a Linux kernel sleep: <c>mutex</c> (include/linux/mutex.h; the owner's low bits are flags: MUTEX_FLAG_WAITERS, HANDOFF, PICKUP) and <c>rw_semaphore</c>
/// (kernel/locking/rwsem.c: bit 0 of the count is a writer, bit 1 waiters, bit 2 hand-off, readers from bit 8 on), with their lists of waiters and those who spin optimistically
/// (kernel/locking/osq_lock.c).
/// </summary>
internal sealed class SleepingLocks(LinuxKernel kernel, KernelQueues queues)
{
    private const ulong OwnerFlags = 7;
    private const int MaximumWaiters = 4096, ReaderShift = 8, StackBytes = 16 << 10, ScannedBytes = 1 << 10, ScannedFrames = 5;

    private readonly KernelLayout? _layout = kernel.Layout;

    public LockView ReadMutex(string name, ulong address)
    {
        if (Number(address, "mutex", "owner") is not { } owner) return Missing(name, "mutex", address);
        var queue = new List<LockWaiter>();
        ulong task = owner & ~OwnerFlags;
        string? problem = null;
        if (task != 0 && !TryAddOwner(queue, task, isShared: false)) problem = $"Its owner 0x{task:x} is no task.";
        problem ??= AddWaiters(queue, address, "mutex", "mutex_waiter");
        AddSpinners(queue, address, "mutex");
        return new LockView(name, "mutex", address, problem is null ? StateOf(queue) : LockState.Corrupt, queue, problem)
        {
            Words = $"owner 0x{task:x}{((owner & 1) != 0 ? ", has waiters" : "")}{((owner & 2) != 0 ? ", is handed over" : "")}",
        };
    }

    public LockView ReadSemaphore(string name, ulong address)
    {
        if (Number(address, "rw_semaphore", "count") is not { } count || Number(address, "rw_semaphore", "owner") is not { } owner) return Missing(name, "rw_semaphore", address);
        var queue = new List<LockWaiter>();
        bool isWritten = (count & 1) != 0;
        long readers = (long)count >> ReaderShift;
        string? problem = null;
        if (isWritten && !TryAddOwner(queue, owner & ~OwnerFlags, isShared: false)) queue.Add(new LockWaiter(true, null, null, "a writer holds it, and has not said who it is yet"));
        else if (!isWritten && readers > 0)
            queue.Add(new LockWaiter(true, null, null, $"{readers} {(readers == 1 ? "reader holds" : "readers hold")} it: it does not keep who") { IsShared = true });
        problem ??= AddWaiters(queue, address, "rw_semaphore", "rwsem_waiter");
        AddSpinners(queue, address, "rw_semaphore");
        return new LockView(name, "rw_semaphore", address, problem is null ? StateOf(queue) : LockState.Corrupt, queue, problem)
        {
            Words = $"writer {(isWritten ? 1 : 0)}, readers {Math.Max(0, readers)}{((count & 2) != 0 ? ", has waiters" : "")}{((count & 4) != 0 ? ", is handed over" : "")}",
        };
    }

    /// <summary>The locks for which tasks sleep now: a waiter lies on its task's stack, and the list that it is in begins in the lock.</summary>
    public IEnumerable<(ulong Address, string Kind)> SleptFor()
    {
        if (_layout is null || kernel.Orc is not { } orc) yield break;
        var found = new HashSet<ulong>();
        foreach (LinuxTask task in kernel.Tasks.All)
        {
            if (task.IsRunning || task.State is not ('D' or 'S') || kernel.Tasks.FrameOf(task) is not { } saved) continue;
            OrcFrame? frame = new OrcFrame(saved.Rip, saved.Rsp, saved.Rbp, IsInterrupted: false);
            for (int i = 0; i < ScannedFrames && frame is { } at; i++, frame = orc.Caller(at))
            {
                string? function = kernel.NameOf(at.Rip - 1, out _);
                // Whoever sleeps for anything else is seen at the first function that is not the scheduler's.
                if (KindOf(function) is not { } kind)
                {
                    if (function?.Contains("schedule", StringComparison.Ordinal) != true) break;
                    continue;
                }
                if (LockOf(task, kind) is { } address && found.Add(address)) yield return (address, kind);
                break;
            }
        }
    }

    private static string? KindOf(string? function) => function is null ? null
        : function.StartsWith("__mutex_lock", StringComparison.Ordinal) ? "mutex" : function.StartsWith("rwsem_down_", StringComparison.Ordinal) ? "rw_semaphore" : null;

    private ulong? LockOf(LinuxTask task, string kind)
    {
        string waiter = kind == "mutex" ? "mutex_waiter" : "rwsem_waiter";
        if (_layout!.Offset(waiter, "task") is not { } pointer || _layout.Offset(waiter, "list") is not { } list || _layout.Offset(kind, "wait_list") is not { } head) return null;
        for (ulong at = task.SavedStackPointer; at < task.SavedStackPointer + ScannedBytes; at += 8)
        {
            if (Read(at) != task.Address) continue;
            ulong link = at - pointer + list;
            if (Read(link) is not { } next || Read(next + 8) != link) continue;
            // The only link that is on nobody's stack is in the lock.
            ulong current = next;
            for (int i = 0; i < MaximumWaiters && current != link; i++)
            {
                if (!IsOnStackOfItsTask(current, pointer, list)) return current - head;
                if (Read(current) is not { } following) break;
                current = following;
            }
        }
        return null;
    }

    private bool IsOnStackOfItsTask(ulong link, ulong pointer, ulong list) =>
        Read(link - list + pointer) is { } task && task >> 63 != 0 && _layout!.Number(kernel.Memory, task, "task_struct", "stack") is { } stack && link - stack < StackBytes;

    // Null: the list is as it should be.
    private string? AddWaiters(List<LockWaiter> queue, ulong address, string kind, string waiter)
    {
        if (_layout?.Offset(kind, "wait_list") is not { } offset || _layout.Offset(waiter, "task") is not { } pointer || _layout.Offset(waiter, "list") is not { } list) return null;
        ulong head = address + offset, link = head;
        for (int i = 0; i < MaximumWaiters; i++)
        {
            if (Read(link) is not { } next || Read(next + 8) is not { } back) return $"Its list of waiters leads to 0x{link:x}, which is not in memory.";
            if (back != link) return $"Its list of waiters is torn at 0x{next:x}: what is behind it does not point back.";
            if (next == head) return null;
            ulong node = next - list;
            ulong task = Read(node + pointer) ?? 0;
            string? who = kernel.Tasks.Read(task) is { } found ? $"{found.Name} ({found.Pid})" : null;
            if (who is null) return $"The waiter at 0x{node:x} belongs to no task.";
            bool isReader = kind == "rw_semaphore" && _layout.Number(kernel.Memory, node, waiter, "type") == 1;
            queue.Add(new LockWaiter(false, VcpuRunning(task), node, $"{who} waits{(isReader ? " to read" : kind == "rw_semaphore" ? " to write" : "")}")
            {
                Task = task, Next = Read(next), MustWait = true, IsShared = isReader,
            });
            link = next;
        }
        return "Its list of waiters does not end.";
    }

    // osq: the CPU of the last one plus one, from which prev leads to the first.
    private void AddSpinners(List<LockWaiter> queue, ulong address, string kind)
    {
        if (Number(address, kind, "osq.tail") is not { } tail || tail == 0 || tail > (ulong)kernel.Tasks.CpuCount) return;
        var spinners = new List<LockWaiter>();
        ulong? node = kernel.Tasks.PerCpuAddress("osq_node", (int)tail - 1);
        while (node is { } at && at != 0 && spinners.Count < kernel.Tasks.CpuCount)
        {
            // A CPU is encoded as its number plus one.
            int cpu = (int)(Number(at, "optimistic_spin_node", "cpu") ?? 0) - 1;
            ulong task = kernel.Tasks.CurrentOf(cpu)?.Address ?? 0;
            int? vcpu = queues.VcpuOf(cpu);
            spinners.Insert(0, new LockWaiter(false, vcpu, at, $"{(vcpu is { } index ? $"vCPU {index}" : $"CPU {cpu}")} spins for it, as its owner runs")
            {
                Task = task, Next = Number(at, "optimistic_spin_node", "next"), MustWait = Number(at, "optimistic_spin_node", "locked") == 0,
            });
            if (Number(at, "optimistic_spin_node", "locked") is > 0) break;
            node = Number(at, "optimistic_spin_node", "prev");
        }
        queue.AddRange(spinners);
    }

    private bool TryAddOwner(List<LockWaiter> queue, ulong task, bool isShared)
    {
        if (task == 0 || kernel.Tasks.Read(task) is not { } found) return false;
        queue.Add(new LockWaiter(true, VcpuRunning(task), null, $"{found.Name} ({found.Pid}) holds it") { Task = task, IsShared = isShared });
        return true;
    }

    private int? VcpuRunning(ulong task)
    {
        for (int cpu = 0; cpu < kernel.Tasks.CpuCount; cpu++)
            if (queues.VcpuOf(cpu) is { } vcpu && kernel.Tasks.CurrentOf(cpu)?.Address == task) return vcpu;
        return null;
    }

    private ulong? Read(ulong address) => kernel.Memory.ReadNumber(address, 8);

    private ulong? Number(ulong address, string structure, string path) => _layout?.Number(kernel.Memory, address, structure, path);

    private static LockState StateOf(List<LockWaiter> queue) =>
        queue.Count == 0 ? LockState.Free : queue.Exists(static one => !one.IsOwner) ? LockState.Contended : LockState.Held;

    private static LockView Missing(string name, string kind, ulong address) =>
        new(name, kind, address, LockState.Corrupt, [], "It cannot be read: its memory is not mapped at this position, or the kernel has no type information.");
}
