using System;
using System.Collections.Generic;
using Vmm.Cpu;

namespace Introspection.Linux;

/// <summary>The threads of a Linux guest at one moment, read through its types; all walks are bounded. Without type information there are none.</summary>
public sealed class LinuxTasks
{
    private const int MaximumTasks = 1 << 16;
    private const int MaximumCpus = 8192;

    private const uint KernelThreadFlag = 0x0020_0000;

    private readonly LinuxKernel _kernel;
    private readonly KernelLayout? _layout;
    private IReadOnlyList<LinuxTask>? _all;

    internal LinuxTasks(LinuxKernel kernel)
    {
        _kernel = kernel;
        _layout = kernel.Layout;
    }

    /// <summary>All, by process and by thread in the order of the kernel's lists, without the idle threads.</summary>
    public IReadOnlyList<LinuxTask> All => _all ??= ReadAll();

    /// <summary>How many CPUs the kernel may have (<c>nr_cpu_ids</c>); 0: unknown.</summary>
    public int CpuCount =>
        _kernel.Image.Symbols.AddressOf("nr_cpu_ids") is { } at && _kernel.Memory.ReadNumber(at, 4) is { } count and <= MaximumCpus ? (int)count : 0;

    /// <summary>Where a CPU has its own copy of per-CPU variables, less where they are in the kernel's image; null: unknown.</summary>
    public ulong? PerCpuOffset(int cpu)
    {
        if (cpu < 0 || cpu >= CpuCount || _kernel.Image.Symbols.AddressOf("__per_cpu_offset") is not { } table) return null;
        return _kernel.Memory.ReadNumber(table + ((ulong)cpu * 8), 8);
    }

    /// <summary>A CPU's copy of a per-CPU variable; null: there is none of that name.</summary>
    public ulong? PerCpuAddress(string variable, int cpu) =>
        _kernel.Image.Symbols.AddressOf(variable) is { } symbol && PerCpuOffset(cpu) is { } offset ? symbol + offset : null;

    /// <summary>The kernel's number of a vCPU, by where its per-CPU variables are; null: it does not say, as early in the boot.</summary>
    public int? CpuOf(Vcpu vcpu)
    {
        // Between SWAPGS and the next, one or the other base is the kernel's, whatever the privilege level is.
        ulong gs = vcpu.State.Segment(SegmentIndex.Gs).Base, other = vcpu.State.KernelGsBase;
        ulong first = _kernel.Image.Symbols.AddressOf("__per_cpu_start") is { } start && start >> 63 == 0 ? start : 0;
        int? found = null;
        for (int cpu = 0; cpu < CpuCount; cpu++)
        {
            if (PerCpuOffset(cpu) is not { } offset) return null;
            if (offset + first == gs) return cpu;
            if (offset + first == other) found ??= cpu;
        }
        return found;
    }

    /// <summary>The thread that a vCPU runs, maybe its idle thread; null: unknown.</summary>
    public LinuxTask? Current(Vcpu vcpu) => CpuOf(vcpu) is { } cpu ? CurrentOf(cpu) : null;

    /// <summary>The same by the kernel's number of the CPU.</summary>
    public LinuxTask? CurrentOf(int cpu)
    {
        ulong? variable = _kernel.CurrentTaskVariable + PerCpuOffset(cpu);
        return variable is { } at && _kernel.Memory.ReadNumber(at, 8) is { } task and not 0 ? Read(task) : null;
    }

    /// <summary>One thread; null: what is there cannot be read.</summary>
    /// <param name="address">Of its <c>task_struct</c>.</param>
    public LinuxTask? Read(ulong address)
    {
        if (Number(address, "pid") is not { } pid || Number(address, "tgid") is not { } process) return null;
        if (_layout!.Text(_kernel.Memory, address, "task_struct", "comm") is not { } name) return null;
        ulong? parent = Number(address, "real_parent");
        return new LinuxTask
        {
            Address = address,
            Pid = (int)pid,
            ProcessId = (int)process,
            // Of the parent of init, and of the first kernel thread, the idle thread.
            ParentId = parent is { } of and not 0 ? (int)(Number(of, "tgid") ?? 0) : 0,
            Name = name,
            State = StateOf(address),
            IsKernelThread = ((Number(address, "flags") ?? 0) & KernelThreadFlag) != 0,
            IsRunning = Number(address, "on_cpu") is { } on and not 0,
            Cpu = (Number(address, "thread_info.cpu") ?? Number(address, "cpu")) is { } cpu and < MaximumCpus ? (int)cpu : -1,
            Mm = Number(address, "mm") ?? 0,
            Stack = Number(address, "stack") ?? 0,
            SavedStackPointer = Number(address, "thread.sp") ?? 0,
        };
    }

    /// <summary>What a thread that does not run goes on with; null: it runs, or its stack cannot be read.</summary>
    public SwitchFrame? FrameOf(LinuxTask task)
    {
        if (task.IsRunning || task.SavedStackPointer == 0 || _layout?.SizeOf("inactive_task_frame") is not { } size) return null;
        if (Saved("ret_addr") is not { } rip || Saved("bp") is not { } rbp || Saved("bx") is not { } rbx) return null;
        return new SwitchFrame(rip, task.SavedStackPointer + size, rbp, rbx, Saved("r12") ?? 0, Saved("r13") ?? 0, Saved("r14") ?? 0, Saved("r15") ?? 0);

        ulong? Saved(string register) => _layout.Number(_kernel.Memory, task.SavedStackPointer, "inactive_task_frame", register);
    }

    /// <summary>Where a thread that does not run waits in the kernel: the innermost code that is not the scheduler's own (/proc/PID/wchan); null: it runs, or unknown.</summary>
    public ulong? WaitsAt(LinuxTask task)
    {
        if (FrameOf(task) is not { } saved) return null;
        ulong start = _kernel.Image.Symbols.AddressOf("__sched_text_start") ?? 0, end = _kernel.Image.Symbols.AddressOf("__sched_text_end") ?? 0;
        foreach (OrcFrame frame in _kernel.Orc?.StackOf(task) ?? [])
            if (frame.Rip < start || frame.Rip >= end) return frame.Rip;
        return saved.Rip;
    }

    private List<LinuxTask> ReadAll()
    {
        var tasks = new List<LinuxTask>();
        if (_layout is null || _kernel.Image.Symbols.AddressOf("init_task") is not { } init || _layout.Offset("task_struct", "tasks") is not { } link) return tasks;
        var seen = new HashSet<ulong>();
        foreach (ulong leader in _layout.List(_kernel.Memory, init + link, "task_struct", "tasks", MaximumTasks))
        {
            if (!seen.Add(leader) || Read(leader) is not { } first) break;
            tasks.Add(first);
            if (Number(leader, "signal") is not { } signal || _layout.Offset("signal_struct", "thread_head") is not { } head) continue;
            foreach (ulong thread in _layout.List(_kernel.Memory, signal + head, "task_struct", "thread_node", MaximumTasks - tasks.Count))
            {
                if (thread == leader) continue;
                if (!seen.Add(thread) || Read(thread) is not { } other) break;
                tasks.Add(other);
            }
        }
        return tasks;
    }

    // include/linux/sched.h, task_index_to_char.
    private char StateOf(ulong address)
    {
        const ulong reported = 0x7f, idle = 0x402, realTimeLock = 0x1000, uninterruptible = 2;
        if ((Number(address, "__state") ?? Number(address, "state")) is not { } state) return '?';
        ulong shown = (state | (Number(address, "exit_state") ?? 0)) & reported;
        if ((state & idle) == idle) return 'I';
        if ((state & realTimeLock) != 0) shown = uninterruptible;
        return "RSDTtXZP"[shown == 0 ? 0 : System.Numerics.BitOperations.Log2(shown) + 1];
    }

    private ulong? Number(ulong task, string path) => _layout?.Number(_kernel.Memory, task, "task_struct", path);
}
