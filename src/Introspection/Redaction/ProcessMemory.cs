using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Introspection.Linux;
using Introspection.Paging;
using Introspection.State;
using Replay.Queries;
using Replay.Redaction;
using Replay.Timelines;
using Vmm.Cpu;
using Vmm.Memory;
using Vmm.Paging;
using Vmm.Platform;
using Vmm.Time;

namespace Introspection.Redaction;

/// <summary>
/// What processes of a Linux guest have for themselves: pages that are mapped in user mode by them and by no other process. What they share (the pages of programs and libraries that others
/// have mapped too, the kernel's own pages such as the vDSO's) stays.
/// </summary>
/// <param name="image">The guest's kernel.</param>
/// <param name="names">Names of processes, or their numbers.</param>
public sealed class ProcessMemory(KernelImage image, IReadOnlyCollection<string> names)
{
    /// <summary>Whether a thread is of a process that is wanted.</summary>
    public bool IsWanted(LinuxTask task) => !task.IsKernelThread && (names.Contains(task.Name) || names.Contains(task.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture)));

    /// <summary>Their pages at a moment, one by one.</summary>
    public IEnumerable<SelectedMemory> Select(Machine machine)
    {
        if (KernelAt(machine) is not { Types: not null } kernel) yield break;
        var mine = new Dictionary<ulong, LinuxTask>();
        var others = new Dictionary<ulong, LinuxTask>();
        foreach (LinuxTask task in kernel.Tasks.All)
            if (task.Mm != 0 && !task.IsKernelThread) (IsWanted(task) ? mine : others).TryAdd(task.Mm, task);
        if (mine.Count == 0) yield break;
        var shared = new HashSet<ulong>();
        foreach ((ulong mm, LinuxTask task) in others)
            if (!mine.ContainsKey(mm)) shared.UnionWith(PagesOf(kernel, task));
        foreach (LinuxTask task in mine.Values)
            foreach (ulong page in PagesOf(kernel, task))
                if (shared.Add(page)) yield return new SelectedMemory([(page, PagedMemory.PageSizeBytes)]);
    }

    /// <summary>The first position in each stretch between checkpoints from which on one of them may run.</summary>
    public IReadOnlyList<Position> Barriers(Timeline timeline, IProgress<TimelineProgress>? progress, CancellationToken cancellation)
    {
        var barriers = new List<Position>();
        timeline.Intervals.RunAll(timeline.Start, timeline.End, () => new Visitor(this), barriers.Add, progress, cancellation);
        return barriers;
    }

    private LinuxKernel? KernelAt(Machine machine) =>
        machine.Vcpus.Select(vcpu => LinuxKernel.TryFindKnown(new GuestView(machine, vcpu), image)).FirstOrDefault(static found => found is not null);

    private static IEnumerable<ulong> PagesOf(LinuxKernel kernel, LinuxTask task)
    {
        if (kernel.UserMemoryOf(task) is not { } memory) yield break;
        IReadOnlyList<LinuxMapping> mappings = kernel.MappingsOf(task);
        int next = 0;
        foreach (MappedRange range in new PageTree(memory.Machine, memory.Controls).Collect(PageFilter.User))
        {
            for (ulong offset = 0; offset < range.SizeBytes; offset += PagedMemory.PageSizeBytes)
            {
                ulong linear = range.Linear + offset;
                while (next < mappings.Count && mappings[next].End <= linear) next++;
                // The kernel's own, which every process has.
                if (next < mappings.Count && mappings[next].Start <= linear && mappings[next].Label is "[vdso]" or "[vvar]" or "[vvar_vclock]" or "[vsyscall]") continue;
                yield return range.Physical + offset;
            }
        }
    }

    // Whoever ran up to a change of CR3 has run since the one before: a new program has its name only after it has got its address space.
    private sealed class Visitor(ProcessMemory processes) : IIntervalVisitor<IReadOnlyList<Position>>, IMachineObserver
    {
        private readonly Dictionary<int, Position> _since = [];
        private Machine _machine = null!;
        private Position _start;
        private Position? _first;

        public uint WantedKinds => 1u << (int)MachineEventKind.ControlRegisterWrite;

        public void Begin(Machine machine, int index, in ReplayInterval interval)
        {
            (_machine, _start, _first) = (machine, interval.Start, null);
            _since.Clear();
            machine.Observer = this;
        }

        public void OnEvent(in MachineEvent machineEvent)
        {
            if (machineEvent.Number != 3 || machineEvent.CpuIndex < 0) return;
            Look(machineEvent.CpuIndex);
            _since[machineEvent.CpuIndex] = machineEvent.At;
        }

        public bool GoOn() => _first is null;

        public IReadOnlyList<Position> End()
        {
            _machine.Observer = null;
            for (int cpu = 0; cpu < _machine.Vcpus.Count; cpu++) Look(cpu);
            return _first is { } barrier ? [barrier] : [];
        }

        private void Look(int cpu)
        {
            Vcpu vcpu = _machine.Vcpus[cpu];
            if (LinuxKernel.TryFindKnown(new GuestView(_machine, vcpu), processes.Image) is not { Types: not null } kernel) return;
            if (kernel.Tasks.Current(vcpu) is not { } task || !processes.IsWanted(task)) return;
            Position since = _since.TryGetValue(cpu, out Position at) ? at : _start;
            if (_first is null || since < _first) _first = since;
        }
    }

    private KernelImage Image => image;
}
