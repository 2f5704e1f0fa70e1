using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Vmm;
using Vmm.Platform;

namespace Replay.Exploration;

/// <summary>A forced switch and what it interrupts.</summary>
/// <param name="Switch">Where, and who gets the turn.</param>
/// <param name="From">Whose turn it ends.</param>
/// <param name="Address">Linear address of the instruction that this vCPU executes next.</param>
/// <param name="Interrupts">That vCPU would have gone on; else it waited, and only who comes next is forced.</param>
public readonly record struct ExploredSwitch(ForcedSwitch Switch, int From, ulong Address, bool Interrupts);

/// <summary>A schedule with as few forced switches as could be found that makes the guest fail.</summary>
/// <param name="Switches">The switches; leaving any one out makes the failure go away, unless <paramref name="IsMinimal"/> is false.</param>
/// <param name="Verdict">How it fails.</param>
/// <param name="OriginalCount">How often a turn ended in the schedule that it came from while its vCPU would have gone on.</param>
/// <param name="TrialCount">How many schedules were tried.</param>
/// <param name="IsMinimal">False: the trials ran out.</param>
public sealed record ExploredSchedule(IReadOnlyList<ExploredSwitch> Switches, Verdict Verdict, int OriginalCount, int TrialCount, bool IsMinimal)
{
    /// <summary>The machine that follows it.</summary>
    public MachineConfiguration Apply(MachineConfiguration configuration) => ScheduleShrinker.WithSwitches(configuration, [.. Switches.Select(static one => one.Switch)]);
}

/// <summary>
/// Makes a failing schedule short. Where nothing is forced, a vCPU runs until it waits; so what is left are the moments at which it must not go on. Switches are first left
/// out by their places in the code of their vCPUs, which stay the same when others go; if the failure does not show in this form, by position. In the end the last of
/// them are tried alone, at other moments.
/// </summary>
public sealed class ScheduleShrinker
{
    private const int MostTrials = 4000, MostSingles = 400;
    private const ulong LongestStretch = 3, ShortestLimit = 1_000_000;
    private readonly MachineConfiguration _configuration;
    private readonly FailureCriteria _criteria;
    private readonly CancellationToken _cancellation;
    private FailureCriteria _bounded;
    private int _trialCount;

    /// <param name="configuration">The machine; its own schedule is ignored.</param>
    /// <param name="criteria">What a failure is.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>.</param>
    public ScheduleShrinker(MachineConfiguration configuration, FailureCriteria criteria, CancellationToken cancellation = default)
    {
        Invariant.Check(configuration.Clock == ClockKind.Virtual);
        _configuration = configuration;
        _criteria = _bounded = criteria;
        _cancellation = cancellation;
    }

    /// <summary>The machine with forced switches.</summary>
    public static MachineConfiguration WithSwitches(MachineConfiguration configuration, IReadOnlyList<ForcedSwitch> switches) =>
        configuration with { ChaosSeed = null, TurnPolicy = TurnPolicy.Forced, ForcedSwitches = switches };

    /// <summary>Shrinks the schedule of a seed that fails.</summary>
    public ExploredSchedule Shrink(FailingSeed failing)
    {
        VerdictKind kind = failing.Verdict.Kind;
        // Other schedules may hang in ways that nobody asked for: no need to wait for long.
        ulong longest = failing.Verdict.InstructionCount * LongestStretch + ShortestLimit;
        _bounded = kind == VerdictKind.Hang ? _criteria : _criteria with { MaximumInstructions = Math.Min(_criteria.MaximumInstructions, longest) };
        _trialCount = 0;
        MachineConfiguration seeded = ScheduleExplorer.WithSeed(_configuration, failing.Seed);
        var original = new ScheduleTrial(seeded, _bounded) { KeepsTurns = true };
        original.Run(_cancellation);
        int originalCount = original.Turns.Count(IsPreemption);
        IReadOnlyList<ForcedSwitch>? switches = ShrinkAnchored(seeded, original, kind);
        switches = switches is null ? ShrinkPositions(original, kind) : Minimize(switches, kind);
        (Verdict verdict, IReadOnlyList<ExploredSwitch> explored) = RunForced(switches);
        var search = new ShortChainSearch(WithSwitches(_configuration, []), _bounded, _cancellation);
        if (search.Find(explored, kind) is { } shorter && Fails(shorter, kind)) (verdict, explored) = RunForced(Minimize(shorter, kind));
        _trialCount += search.TrialCount;
        Invariant.Check(verdict.Kind == kind);
        return new ExploredSchedule(explored, verdict, originalCount, _trialCount, _trialCount - search.TrialCount < MostTrials);
    }

    private (Verdict Verdict, IReadOnlyList<ExploredSwitch> Explored) RunForced(IReadOnlyList<ForcedSwitch> switches)
    {
        var trial = new ScheduleTrial(WithSwitches(_configuration, switches), _bounded) { KeepsTurns = true };
        Verdict verdict = trial.Run(_cancellation);
        return (verdict, [.. trial.Turns.Where(static one => one.Turn.Reason == TurnEndReason.Forced)
            .Select(static one => new ExploredSwitch(new ForcedSwitch(one.Turn.InstructionCount, one.Turn.To), one.Turn.From, one.Address, one.Turn.Interrupts))]);
    }

    private static bool IsPreemption(TrialTurn one) => one.Turn.Interrupts && one.Turn.From != one.Turn.To;

    // Null: the failure does not show in this form.
    private IReadOnlyList<ForcedSwitch>? ShrinkAnchored(MachineConfiguration seeded, ScheduleTrial original, VerdictKind kind)
    {
        var counted = new ScheduleTrial(seeded, _bounded) { KeepsTurns = true };
        counted.Count(original.Turns.Where(IsPreemption).Select(static one => one.Address));
        counted.Run(_cancellation);
        AnchoredSwitch[] anchors = [.. counted.Turns.Where(IsPreemption)
            .Select(static one => new AnchoredSwitch(one.Turn.From, one.Address, one.Pass, one.Turn.To)).Distinct()];

        bool ShowsAnchored(IReadOnlyList<AnchoredSwitch> some) => RunAnchored(some).Verdict.Kind == kind;
        var search = new DeltaDebugging<AnchoredSwitch>(ShowsAnchored, MostTrials - _trialCount);
        // Most bugs need one switch, and it is near the end.
        IReadOnlyList<IReadOnlyList<AnchoredSwitch>> singles = [[], .. anchors.Reverse().Take(MostSingles).Select(static one => (IReadOnlyList<AnchoredSwitch>)[one])];
        IReadOnlyList<AnchoredSwitch>? found = search.FirstFailing(singles) ?? search.FirstFailing([anchors]);
        if (found is { Count: > 1 }) found = search.Minimize(found);
        _trialCount += search.TrialCount;
        if (found is null) return null;
        IReadOnlyList<ForcedSwitch> switches = RunAnchored(found).Switches;
        return Fails(switches, kind) ? switches : null;
    }

    // Every turn as it was, one by one; those that the guest would have had anyway go first.
    private IReadOnlyList<ForcedSwitch> ShrinkPositions(ScheduleTrial original, VerdictKind kind)
    {
        var switches = new List<ForcedSwitch>();
        foreach (TrialTurn one in original.Turns)
        {
            var next = new ForcedSwitch(one.Turn.InstructionCount, one.Turn.To);
            if (switches.Count > 0 && switches[^1].InstructionCount == next.InstructionCount) switches[^1] = next;
            else switches.Add(next);
        }
        Invariant.Check(Fails(switches, kind));
        return Minimize(switches, kind);
    }

    private IReadOnlyList<ForcedSwitch> Minimize(IReadOnlyList<ForcedSwitch> switches, VerdictKind kind)
    {
        var search = new DeltaDebugging<ForcedSwitch>(some => Fails(some, kind), MostTrials - _trialCount);
        switches = search.Minimize(switches);
        _trialCount += search.TrialCount;
        return switches;
    }

    private bool Fails(IReadOnlyList<ForcedSwitch> switches, VerdictKind kind) =>
        new ScheduleTrial(WithSwitches(_configuration, switches), _bounded).Run(_cancellation).Kind == kind;

    private (Verdict Verdict, IReadOnlyList<ForcedSwitch> Switches) RunAnchored(IReadOnlyList<AnchoredSwitch> anchors)
    {
        var trial = new ScheduleTrial(WithSwitches(_configuration, []), _bounded) { KeepsTurns = true };
        trial.Force(anchors);
        Verdict verdict = trial.Run(_cancellation);
        return (verdict, trial.ForcedSwitches());
    }
}
