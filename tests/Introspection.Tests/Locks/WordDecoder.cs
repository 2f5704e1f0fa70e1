using System;
using System.Collections.Generic;
using Introspection.State;
using Replay.Queries;
using Replay.Timelines;
using Vmm.Platform;
using Vmm.Time;

namespace Introspection.Tests.Locks;

/// <summary>One change of a word in memory.</summary>
/// <param name="At">Behind the instruction that changes it.</param>
/// <param name="CpuIndex">Whose.</param>
/// <param name="Task">What the vCPU ran then, as the test says; 0: unknown.</param>
/// <param name="Old">Before.</param>
/// <param name="New">After.</param>
internal sealed record WordChange(Position At, int CpuIndex, ulong Task, ulong Old, ulong New);

/// <summary>Replays a stretch with a watch on one word and writes down each of its changes: a decoding of a lock that knows nothing of how the debugger makes its own.</summary>
internal static class WordDecoder
{
    public static List<WordChange> Changes(Timeline timeline, ulong address, int sizeBytes, Position from, Position before, Func<GuestView, ulong>? taskOf = null)
    {
        var all = new List<WordChange>();
        timeline.Intervals.RunAll<WordChange>(from, before, () => new Visitor(address, sizeBytes, taskOf), all.Add, null, default);
        return all;
    }

    private sealed class Visitor(ulong address, int sizeBytes, Func<GuestView, ulong>? taskOf) : IIntervalVisitor<List<WordChange>>, IMachineObserver
    {
        private Machine _machine = null!;
        private ReplayInterval _interval;
        private List<WordChange> _found = [];

        public uint WantedKinds => 1u << (int)MachineEventKind.Write;

        public void Begin(Machine machine, int index, in ReplayInterval interval)
        {
            (_machine, _interval, _found) = (machine, interval, []);
            machine.Observer = this;
            machine.SetWatches([new Watch(false, address, sizeBytes, Reads: false, Writes: true)]);
        }

        public bool GoOn() => true;

        public List<WordChange> End()
        {
            _machine.Observer = null;
            _machine.SetWatches([]);
            return _found;
        }

        public void OnEvent(in MachineEvent e)
        {
            if (e.At < _interval.From || e.At >= _interval.To || e.CpuIndex < 0) return;
            var view = new GuestView(_machine, _machine.Vcpus[e.CpuIndex]);
            ulong old = view.ReadNumber(address, sizeBytes) ?? throw new InvalidOperationException("the word is not in memory"), changed = old;
            for (int i = 0; i < Math.Min(e.SizeBytes, 8); i++)
            {
                long at = (long)(e.Address + (ulong)i - address);
                if (at >= 0 && at < sizeBytes) changed = changed & ~(0xFFUL << (int)(8 * at)) | (e.Value >> (8 * i) & 0xFF) << (int)(8 * at);
            }
            if (old != changed) _found.Add(new WordChange(new Position(e.At.InstructionCount + 1), e.CpuIndex, taskOf?.Invoke(view) ?? 0, old, changed));
        }
    }
}
