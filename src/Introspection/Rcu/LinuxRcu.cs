using System.Collections.Generic;
using Introspection.Linux;
using Introspection.State;
using Vmm.Cpu;

namespace Introspection.Rcu;

/// <summary>
/// Linux's tree RCU (kernel/rcu/tree.h) by the kernel's own types: its grace period and whom that waits for, callbacks per CPU, and, where the kernel counts them
/// (CONFIG_PREEMPT_RCU), readers.
/// </summary>
internal sealed class LinuxRcu(LinuxKernel kernel, GuestRcu rcu, GuestView view)
{
    private const int MaximumNodes = 1024, MaximumBlocked = 4096, MaximumCallbacks = 16, SegmentCount = 4;
    // RCU_SEQ_CTR_SHIFT (kernel/rcu/rcu.h).
    private const int StateBits = 2;

    // RCU_GP_* (kernel/rcu/tree.h).
    private static readonly string[] s_states =
    [
        "idle", "waits for a request", "has a request", "takes CPUs that came and went", "begins", "waits for quiescent states", "forces quiescent states", "ends", "ended",
    ];

    // include/linux/rcu_segcblist.h: RCU_DONE_TAIL and so on.
    private static readonly string[] s_segments = ["done", "waiting", "ready", "unassigned"];

    private readonly KernelLayout? _layout = kernel.Layout;
    private readonly AddressSpaceReader _memory = kernel.Memory;
    private readonly List<string> _problems = [];
    private readonly Dictionary<int, int> _vcpuOf = [];

    public RcuView Read()
    {
        ulong? state = kernel.Image.Symbols.AddressOf("rcu_state");
        if (state is not { } at || _layout is null) return Unknown("The kernel has no 'rcu_state', or no type information.");
        if (Number(at, "rcu_state", "gp_seq") is not { } sequence) return Unknown("The kernel's types do not tell where 'gp_seq' is.");
        foreach (Vcpu vcpu in view.Machine.Vcpus)
            if (kernel.Tasks.CpuOf(vcpu) is { } cpu) _vcpuOf.TryAdd(cpu, vcpu.Index);
        bool isInProgress = (sequence & ((1UL << StateBits) - 1)) != 0;
        long completed = (long)sequence >> StateBits;
        ulong phase = Number(at, "rcu_state", "gp_state") ?? ulong.MaxValue;
        string thread = phase < (ulong)s_states.Length ? $"; its thread {s_states[phase]}" : "";
        var waits = new List<RcuWait>();
        var readers = new List<RcuReader>();
        ReadCurrent(readers);
        if (isInProgress) WaitsForCpus(waits);
        ReadNodes(at, isInProgress, readers, waits);
        long current = completed + (isInProgress ? 1 : 0);
        string text = (isInProgress ? $"grace period {current} is in progress" : $"no grace period is in progress, the last was {completed}") + thread;
        var period = new RcuGracePeriodView(current, completed, isInProgress, text, waits);
        return new RcuView("Linux tree RCU", period, readers, ReadCallbacks(), [.. rcu.PublishedAt(view)], [.. rcu.Problems, .. _problems])
        {
            Others = new LinuxRcuVariants(kernel).Read(at, rcu.SleepableOf(kernel)),
        };
    }

    private RcuView Unknown(string problem) => new("Linux tree RCU", new RcuGracePeriodView(null, null, false, "unknown", []), [], [], [], [.. rcu.Problems, problem]);

    // Tasks that run inside a critical section.
    private void ReadCurrent(List<RcuReader> readers)
    {
        if (_layout!.Field("task_struct", "rcu_read_lock_nesting") is null)
        {
            _problems.Add("This kernel does not count its readers (no CONFIG_PREEMPT_RCU): they are where preemption is off.");
            return;
        }
        foreach (Vcpu vcpu in view.Machine.Vcpus)
        {
            if (kernel.Tasks.Current(vcpu) is { } task && NestingOf(task.Address) is > 0 and int nesting) readers.Add(ReaderOf(task.Address, vcpu.Index, nesting, false));
        }
    }

    private int? NestingOf(ulong task) => (int?)Number(task, "task_struct", "rcu_read_lock_nesting");

    private RcuReader ReaderOf(ulong task, int? vcpu, int? nesting, bool isWaitedFor) => new()
    {
        CpuIndex = vcpu, Task = task, TaskName = kernel.Tasks.Read(task) is { } known ? $"{known.Name} ({known.Pid})" : null, Nesting = nesting, IsWaitedFor = isWaitedFor,
    };

    // CPUs that have not been through a quiescent state yet (rcu_node.qsmask of their leaf).
    private void WaitsForCpus(List<RcuWait> waits)
    {
        for (int cpu = 0; cpu < kernel.Tasks.CpuCount; cpu++)
        {
            if (kernel.Tasks.PerCpuAddress("rcu_data", cpu) is not { } data || _layout!.Pointer(_memory, data, "rcu_data", "mynode") is not { } leaf) continue;
            if (Number(data, "rcu_data", "grpmask") is not { } mask || Number(leaf, "rcu_node", "qsmask") is not { } pending || (mask & pending) == 0) continue;
            waits.Add(new RcuWait(VcpuOf(cpu), 0, $"CPU {cpu} has not been through a quiescent state"));
        }
    }

    private void ReadNodes(ulong state, bool isInProgress, List<RcuReader> readers, List<RcuWait> waits)
    {
        if (_layout!.Field("rcu_state", "node") is not { } nodes || _layout.SizeOf("rcu_node") is not { } size || _layout.Offset("task_struct", "rcu_node_entry") is not { } entry) return;
        if (_layout.Offset("rcu_node", "blkd_tasks") is not { } list) return;
        for (int i = 0; i < System.Math.Min(nodes.Count, MaximumNodes); i++)
        {
            ulong node = state + nodes.Offset + (ulong)i * size;
            // From this task on to the list's end, the grace period waits for them (kernel/rcu/tree_plugin.h).
            ulong? firstWaited = isInProgress ? _layout.Pointer(_memory, node, "rcu_node", "gp_tasks") - entry : null;
            bool isWaitedFor = false;
            foreach (ulong task in _layout.List(_memory, node + list, "task_struct", "rcu_node_entry", MaximumBlocked))
            {
                if (kernel.Tasks.Read(task) is not { } known)
                {
                    _problems.Add($"The list of tasks that lost their CPU inside a critical section has 0x{task:x}, which is no task.");
                    break;
                }
                isWaitedFor |= task == firstWaited;
                int running = readers.FindIndex(reader => reader.Task == task);
                if (running >= 0) readers[running] = readers[running] with { IsWaitedFor = isWaitedFor };
                else readers.Add(ReaderOf(task, known.IsRunning ? VcpuOf(known.Cpu) : null, NestingOf(task), isWaitedFor));
                if (isWaitedFor) waits.Add(new RcuWait(null, task, $"task {known.Name} ({known.Pid}) lost its CPU inside a critical section"));
            }
        }
    }

    private List<RcuCallbacks> ReadCallbacks()
    {
        var all = new List<RcuCallbacks>();
        for (int cpu = 0; cpu < kernel.Tasks.CpuCount; cpu++)
        {
            if (kernel.Tasks.PerCpuAddress("rcu_data", cpu) is { } data && Number(data, "rcu_data", "cblist.len") is { } count)
                all.Add(new RcuCallbacks(VcpuOf(cpu) ?? cpu, count, SegmentsOf(data), FirstCallbacks(data)));
        }
        return all;
    }

    // Those between are assigned to grace periods, by the same numbers as the state's.
    private List<RcuSegment> SegmentsOf(ulong data)
    {
        var segments = new List<RcuSegment>();
        if (_layout!.Field("rcu_data", "cblist.seglen") is not { } lengths) return segments;
        ulong? periods = data + _layout.Offset("rcu_data", "cblist.gp_seq");
        for (int i = 0; i < SegmentCount; i++)
        {
            if (_memory.ReadNumber(data + lengths.Offset + (ulong)i * 8, 8) is not { } length) continue;
            bool isAssigned = length > 0 && i is not (0 or SegmentCount - 1);
            ulong? period = isAssigned && periods is { } first ? _memory.ReadNumber(first + (ulong)i * 8, 8) : null;
            segments.Add(new RcuSegment(s_segments[i], length, (long?)period >> StateBits));
        }
        return segments;
    }

    // A segment ends where its tail points: to the link of its last callback, or of the one before where it is empty.
    private List<RcuCallback> FirstCallbacks(ulong data)
    {
        var first = new List<RcuCallback>();
        if (_layout!.Offset("rcu_data", "cblist.head") is not { } head || _layout.Offset("callback_head", "next") is not { } next) return first;
        ulong? tails = data + _layout.Offset("rcu_data", "cblist.tails");
        ulong link = data + head;
        int segment = 0;
        while (first.Count < MaximumCallbacks && _memory.ReadNumber(link, 8) is { } callback and not 0)
        {
            while (tails is { } ends && segment < SegmentCount - 1 && _memory.ReadNumber(ends + (ulong)segment * 8, 8) == link) segment++;
            first.Add(new RcuCallback(callback, Number(callback, "callback_head", "func") ?? 0, tails is null ? null : s_segments[segment]));
            link = callback + next;
        }
        return first;
    }

    private int? VcpuOf(int cpu) => _vcpuOf.TryGetValue(cpu, out int vcpu) ? vcpu : null;

    private ulong? Number(ulong address, string structure, string path) => _layout?.Number(_memory, address, structure, path);
}
