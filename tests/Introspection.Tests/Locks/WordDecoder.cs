using System;
using System.Collections.Generic;
using System.Linq;
using Introspection.State;
using Replay.Queries;
using Replay.Timelines;
using Vmm.Platform;
using Vmm.Time;

namespace Introspection.Tests.Locks;

/// <summary>One change of a word in memory.</summary>
/// <param name="Address">The word.</param>
/// <param name="At">Behind the instruction that changes it.</param>
/// <param name="CpuIndex">Whose.</param>
/// <param name="Old">Before.</param>
/// <param name="New">After.</param>
internal sealed record WordChange(ulong Address, Position At, int CpuIndex, ulong Old, ulong New);

/// <summary>Replays a stretch with a watch on one word and writes down each of its changes: a decoding of a lock that knows nothing of how the debugger makes its own.</summary>
internal static class WordDecoder
{
    public static List<WordChange> Changes(Timeline timeline, ulong address, int sizeBytes, Position from, Position before) =>
        Changes(timeline, [address], sizeBytes, from, before)[address];

    /// <summary>The same of several words by one replay.</summary>
    public static Dictionary<ulong, List<WordChange>> Changes(Timeline timeline, IReadOnlyCollection<ulong> addresses, int sizeBytes, Position from, Position before)
    {
        var all = new Dictionary<ulong, List<WordChange>>();
        foreach (ulong address in addresses) all[address] = [];
        timeline.Intervals.RunAll<WordChange>(from, before, () => new Visitor(addresses, sizeBytes), one => all[one.Address].Add(one), null, default);
        return all;
    }

    private sealed class Visitor(IReadOnlyCollection<ulong> addresses, int sizeBytes) : IIntervalVisitor<List<WordChange>>, IMachineObserver
    {
        private Machine _machine = null!;
        private ReplayInterval _interval;
        private List<WordChange> _found = [];

        public uint WantedKinds => 1u << (int)MachineEventKind.Write;

        public void Begin(Machine machine, int index, in ReplayInterval interval)
        {
            (_machine, _interval, _found) = (machine, interval, []);
            machine.Observer = this;
            machine.SetWatches([.. addresses.Select(address => new Watch(false, address, sizeBytes, Reads: false, Writes: true))]);
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
            foreach (ulong address in addresses)
            {
                if (e.Address + (ulong)e.SizeBytes <= address || e.Address >= address + (ulong)sizeBytes) continue;
                ulong old = view.ReadNumber(address, sizeBytes) ?? throw new InvalidOperationException("the word is not in memory"), changed = old;
                for (int i = 0; i < Math.Min(e.SizeBytes, 8); i++)
                {
                    long at = (long)(e.Address + (ulong)i - address);
                    if (at >= 0 && at < sizeBytes) changed = changed & ~(0xFFUL << (int)(8 * at)) | (e.Value >> (8 * i) & 0xFF) << (int)(8 * at);
                }
                if (old != changed) _found.Add(new WordChange(address, new Position(e.At.InstructionCount + 1), e.CpuIndex, old, changed));
            }
        }
    }
}
