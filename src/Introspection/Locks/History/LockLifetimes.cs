using System;
using System.Collections.Generic;
using System.Linq;
using Iced.Intel;
using Introspection.Code;
using Introspection.State;
using Replay.Queries;
using Vmm.Platform;
using Vmm.Time;

namespace Introspection.Locks.History;

/// <summary>
/// Tells locks apart that had the same memory one after the other. Memory that is allocated anew is initialised: a plain store to the lock from code that is not a lock's. Two orders of
/// taking are only then opposite if no such store lies between them.
/// </summary>
internal static class LockLifetimes
{
    private const int MaximumWatched = 1024;

    /// <summary>A plain store to a lock.</summary>
    /// <param name="Lock">Its address.</param>
    /// <param name="At">When.</param>
    /// <param name="Code">The instruction; 0: one that fills memory, whatever is in it.</param>
    /// <param name="Top">What is on top of the stack: the return address, at the beginning of a function.</param>
    public readonly record struct Rebirth(ulong Lock, Position At, ulong Code, ulong Top);

    /// <summary>Replays a stretch, and hands on what its visitors find, in order.</summary>
    public delegate void Scan(Position from, Position before, Func<IIntervalVisitor<List<Rebirth>>> createVisitor, Action<List<Rebirth>> take);

    /// <summary>Removes inversions of orders that are of different locks. Replays the stretch that they lie in, if there are any.</summary>
    public static void RemoveUnrelated(List<LockFinding> findings, LockFunctionTable table, Scan scan)
    {
        var locks = new HashSet<ulong>();
        Position from = new(ulong.MaxValue, 0), before = Position.Start;
        foreach (LockFinding finding in findings)
        {
            if (finding.Kind != LockFindingKind.OrderInversion || locks.Count + finding.Uses.Count > MaximumWatched) continue;
            foreach (LockUse use in finding.Uses)
            {
                locks.Add(use.Lock.Address);
                if (use.Wanted < from) from = use.Wanted;
                if (use.Wanted > before) before = use.Wanted;
            }
        }
        if (locks.Count == 0) return;
        Dictionary<ulong, List<Rebirth>> births = Births(locks, from, before, table, scan);
        findings.RemoveAll(finding => finding.Kind == LockFindingKind.OrderInversion && !IsOfSameLocks(finding, births));
    }

    /// <summary>The plain stores to locks in a stretch, in order; only the first of so many locks are looked at.</summary>
    public static Dictionary<ulong, List<Rebirth>> Births(IReadOnlyCollection<ulong> locks, Position from, Position before, LockFunctionTable table, Scan scan)
    {
        // Plain stores to a lock whose functions are inlined are its releases; it has a place of its own, where no other one comes to be.
        HashSet<ulong> watched = [.. locks.Where(one => !table.Words.Contains(one)).Take(MaximumWatched)];
        var births = new Dictionary<ulong, List<Rebirth>>();
        scan(from, before, () => new Visitor(table, watched), found =>
        {
            foreach (Rebirth one in found)
            {
                if (!births.TryGetValue(one.Lock, out List<Rebirth>? all)) births[one.Lock] = all = [];
                all.Add(one);
            }
        });
        return births;
    }

    // In pairs of held and wanted; what one pair wants, the next one holds.
    private static bool IsOfSameLocks(LockFinding finding, Dictionary<ulong, List<Rebirth>> births)
    {
        for (int i = 1; i < finding.Uses.Count; i += 2)
        {
            LockUse wanted = finding.Uses[i], held = finding.Uses[(i + 1) % finding.Uses.Count];
            if (!births.TryGetValue(wanted.Lock.Address, out List<Rebirth>? all)) continue;
            Position a = wanted.Wanted < held.Wanted ? wanted.Wanted : held.Wanted, b = wanted.Wanted < held.Wanted ? held.Wanted : wanted.Wanted;
            if (all.Exists(one => one.At > a && one.At < b)) return false;
        }
        return true;
    }

    private sealed class Visitor(LockFunctionTable table, HashSet<ulong> locks) : IIntervalVisitor<List<Rebirth>>, IMachineObserver
    {
        private Machine _machine = null!;
        private ReplayInterval _interval;
        private List<Rebirth> _found = [];

        public uint WantedKinds => 1u << (int)MachineEventKind.Write;

        public void Begin(Machine machine, int index, in ReplayInterval interval)
        {
            (_machine, _interval, _found) = (machine, interval, []);
            var watches = new List<Watch>();
            foreach (ulong address in locks) watches.Add(new Watch(false, address, 1, Reads: false, Writes: true));
            machine.Observer = this;
            machine.SetWatches(watches);
        }

        public bool GoOn() => true;

        public List<Rebirth> End()
        {
            _machine.Observer = null;
            _machine.SetWatches([]);
            return _found;
        }

        public void OnEvent(in MachineEvent e)
        {
            if (e.At < _interval.From || e.At >= _interval.To || e.CpuIndex < 0 || table.IsLockCode(e.Rip)) return;
            var view = new GuestView(_machine, _machine.Vcpus[e.CpuIndex]);
            Instruction i = new Disassembler(view).Decode(e.Rip);
            // Counters beside a lock are changed together with it, atomically; nobody initialises like that.
            if (i.HasLockPrefix || i.Mnemonic == Mnemonic.Xchg) return;
            foreach (ulong address in locks)
            {
                if (address - e.Address >= (ulong)Math.Max(1, e.SizeBytes)) continue;
                _found.Add(new Rebirth(address, e.At, i.IsStringInstruction ? 0 : e.Rip, view.ReadNumber(view.StackAddress, view.CodeSize / 8) ?? 0));
            }
        }
    }
}
