using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Vmm.Platform;

namespace Replay.Exploration;

/// <summary>
/// Looks for a failure with one to three switches. What happened last before a failure has caused it, most often; so the places of the last switches are tried in order, each as soon as
/// its vCPU comes there after the one before, and the first of them at many of the times that its vCPU comes there.
/// </summary>
/// <param name="cooperative">The machine without forced switches.</param>
/// <param name="criteria">What a failure is.</param>
/// <param name="cancellation">Ends it.</param>
internal sealed class ShortChainSearch(MachineConfiguration cooperative, FailureCriteria criteria, CancellationToken cancellation)
{
    private const int LongestChain = 3, LastSwitches = 8, MostPasses = 16, MostTrials = 3000;

    /// <summary>So many schedules were tried.</summary>
    public int TrialCount { get; private set; }

    /// <summary>Fewer switches with which it fails in the same way; null: none were found.</summary>
    public IReadOnlyList<ForcedSwitch>? Find(IReadOnlyList<ExploredSwitch> known, VerdictKind kind)
    {
        ExploredSwitch[] interrupting = [.. known.Where(static one => one.Interrupts && one.From != one.Switch.CpuIndex)];
        ExploredSwitch[] last = interrupting[Math.Max(0, interrupting.Length - LastSwitches)..];
        var counted = new ScheduleTrial(cooperative, criteria);
        counted.Count(last.Select(static one => one.Address));
        counted.Run(cancellation);
        var search = new DeltaDebugging<AnchoredSwitch>(chain => Run(chain).Verdict.Kind == kind, MostTrials);
        IReadOnlyList<AnchoredSwitch>? found = null;
        for (int length = 1; length <= LongestChain && length < known.Count && found is null; length++)
            found = search.FirstFailing([.. Chains(last, length, counted)]);
        TrialCount = search.TrialCount;
        return found is null ? null : Run(found).Switches;
    }

    private IEnumerable<IReadOnlyList<AnchoredSwitch>> Chains(ExploredSwitch[] last, int length, ScheduleTrial counted)
    {
        foreach (int[] chosen in Subsets(last.Length, length))
        {
            AnchoredSwitch[] links = [.. chosen.Select(index => new AnchoredSwitch(last[index].From, last[index].Address, 1, last[index].Switch.CpuIndex))];
            AnchoredSwitch[] connected = Connect(links);
            AnchoredSwitch[][] variants = [links, Rename(links), connected, Rename(connected)];
            foreach (AnchoredSwitch[] chain in variants.Where((variant, index) => !variants.Take(index).Any(variant.SequenceEqual)))
                foreach (long pass in Sample(counted.PassesOf(chain[0].From, chain[0].Address)))
                    yield return [chain[0] with { Pass = pass }, .. chain.Skip(1)];
        }
    }

    // Whoever is to be interrupted next gets the turn.
    private static AnchoredSwitch[] Connect(AnchoredSwitch[] links) =>
        [.. links.Select((one, index) => index + 1 < links.Length && links[index + 1].From != one.From ? one with { To = links[index + 1].From } : one)];

    // Where nothing is forced, the vCPUs run one after the other from number 0 on: who is interrupted should be the first, so that the others still have something to do.
    private static AnchoredSwitch[] Rename(AnchoredSwitch[] links)
    {
        var names = new List<int>();
        int Name(int cpu)
        {
            if (!names.Contains(cpu)) names.Add(cpu);
            return names.IndexOf(cpu);
        }
        return [.. links.Select(one => one with { From = Name(one.From), To = Name(one.To) })];
    }

    // The first ones, then evenly spread.
    private static IEnumerable<long> Sample(long passes)
    {
        if (passes <= MostPasses) return Enumerable.Range(1, (int)passes).Select(static pass => (long)pass);
        const int first = MostPasses / 4;
        return Enumerable.Range(1, MostPasses).Select(n => n <= first ? n : first + (passes - first) * (n - first) / (MostPasses - first));
    }

    // Of the indices below a count, in rising order; those with late indices first.
    private static IEnumerable<int[]> Subsets(int count, int size)
    {
        if (size == 0)
        {
            yield return [];
            yield break;
        }
        for (int last = count - 1; last >= size - 1; last--)
            foreach (int[] before in Subsets(last, size - 1)) yield return [.. before, last];
    }

    private (Verdict Verdict, IReadOnlyList<ForcedSwitch> Switches) Run(IReadOnlyList<AnchoredSwitch> chain)
    {
        var trial = new ScheduleTrial(cooperative, criteria) { KeepsTurns = true };
        trial.Follow(chain);
        Verdict verdict = trial.Run(cancellation);
        return (verdict, trial.ForcedSwitches());
    }
}
