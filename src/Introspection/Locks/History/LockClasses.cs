using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.RegularExpressions;
using System.Threading;
using Introspection.Programs;
using Replay.Timelines;
using Vmm.Time;

namespace Introspection.Locks.History;

/// <summary>
/// Locks by class, as lockdep has them (Documentation/locking/lockdep-design.rst): elements of an array are of one class, and so are locks in allocated memory that the same instruction
/// initialises. Two classes that are taken in both orders may deadlock, though no two locks ever were. What memory-filling code has made is of no class, and is left out.
/// </summary>
public sealed partial class LockClasses
{
    private const ulong InitialiserBytes = 64;

    private readonly LockHistory _history;
    private readonly Dictionary<LockUse, string> _classes = [];

    private LockClasses(LockHistory history) => _history = history;

    /// <summary>Pairs of locks of one class of which one was taken while the other was held, as parent and child are: these have an order of their own, which is not known here.</summary>
    public int NestedInOwnClassCount { get; private set; }

    /// <summary>Finds the classes of all locks that were held together. Replays the recording up to there, if some are in allocated memory.</summary>
    /// <param name="timeline">The recording.</param>
    /// <param name="history">From its start.</param>
    /// <param name="locks">Whose history it is.</param>
    /// <param name="symbols">Of the guest.</param>
    /// <param name="progress">Of the replay.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>.</param>
    public static LockClasses Find(Timeline timeline, LockHistory history, GuestLocks locks, SymbolSet symbols, IProgress<TimelineProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        var classes = new LockClasses(history);
        var allocated = new List<LockUse>();
        foreach ((LockUse held, LockUse wanted) in history.Nestings)
        {
            foreach (LockUse use in (LockUse[])[held, wanted])
            {
                string name = locks.NameOf(use.Lock.Address, symbols);
                if (!name.StartsWith("0x", StringComparison.Ordinal)) classes._classes[use] = Index().Replace(name, "[]");
                else allocated.Add(use);
            }
        }
        if (allocated.Count == 0) return classes;
        // Whoever was first nested most often first: only so many can be looked at.
        ulong[] addresses = [.. allocated.GroupBy(static use => use.Lock.Address).OrderByDescending(static group => group.Count()).Select(static group => group.Key)];
        Position before = allocated.Max(static use => use.Wanted);
        Dictionary<ulong, List<LockLifetimes.Rebirth>> births = LockLifetimes.Births(addresses, timeline.Start, before, locks.Functions, (from, end, createVisitor, take) =>
            timeline.Intervals.Run(timeline.Intervals.IntervalsOf(from, end), createVisitor, (_, found) =>
            {
                take(found);
                return true;
            }, progress, cancellation));
        foreach (LockUse use in allocated)
        {
            LockLifetimes.Rebirth last = births.GetValueOrDefault(use.Lock.Address)?.LastOrDefault(one => one.At < use.Wanted && !IsRelease(one.Code, symbols)) ?? default;
            if (last.Code != 0) classes._classes[use] = $"{use.Lock.TypeName} of {CodeText.Of(SiteOf(last, symbols), symbols)}";
        }
        return classes;
    }

    /// <summary>Pairs of classes that were taken in both orders, and in none of which the same two locks were: those are inversions already.</summary>
    public IReadOnlyList<LockFinding> Inversions()
    {
        NestedInOwnClassCount = 0;
        var orders = new Dictionary<(string, string), (LockUse Held, LockUse Wanted)>();
        var findings = new List<LockFinding>();
        HashSet<(ulong, ulong)> told = [.. _history.Findings.Where(static one => one.Kind == LockFindingKind.OrderInversion).SelectMany(static one =>
            ((ulong, ulong)[])[(one.Uses[0].Lock.Address, one.Uses[1].Lock.Address), (one.Uses[1].Lock.Address, one.Uses[0].Lock.Address)])];
        foreach ((LockUse held, LockUse wanted) in _history.Nestings.OrderBy(static edge => edge.Wanted.Wanted))
        {
            if (!_classes.TryGetValue(held, out string? outer) || !_classes.TryGetValue(wanted, out string? inner)) continue;
            if (outer == inner)
            {
                NestedInOwnClassCount++;
                continue;
            }
            if (!orders.TryAdd((outer, inner), (held, wanted)) || !orders.TryGetValue((inner, outer), out (LockUse Held, LockUse Wanted) other)) continue;
            if (told.Contains((held.Lock.Address, wanted.Lock.Address))) continue;
            // Readers do not wait for each other.
            if ((held.IsShared && other.Wanted.IsShared) || (wanted.IsShared && other.Held.IsShared)) continue;
            findings.Add(new LockFinding(LockFindingKind.ClassInversion, wanted.Wanted, wanted.User, [held, wanted, other.Held, other.Wanted]) { Classes = [outer, inner] });
        }
        return findings;
    }

    // A kernel that replaces its own instructions while it boots releases locks by functions that are not its lock's any more later.
    private static bool IsRelease(ulong code, SymbolSet symbols) => symbols.NameOf(code, out _)?.Contains("unlock", StringComparison.Ordinal) == true;

    // A function that does nothing but initialise, such as __mutex_init, is called for locks of all classes: who called it counts.
    private static ulong SiteOf(LockLifetimes.Rebirth birth, SymbolSet symbols)
    {
        bool isInitialiser = symbols.NameOf(birth.Code, out ulong offset) is { } name && offset < InitialiserBytes && name.Contains("init", StringComparison.Ordinal);
        return isInitialiser && symbols.NameOf(birth.Top, out _) is not null ? birth.Top : birth.Code;
    }

    [GeneratedRegex(@"\[\d+\]")]
    private static partial Regex Index();
}
