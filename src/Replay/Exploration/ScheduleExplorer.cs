using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Vmm;
using Vmm.Platform;

namespace Replay.Exploration;

/// <summary>A seed whose schedule makes the guest fail.</summary>
/// <param name="Seed">Of the chaos.</param>
/// <param name="Verdict">How it failed.</param>
public sealed record FailingSeed(ulong Seed, Verdict Verdict);

/// <summary>What trying seeds has given.</summary>
/// <param name="SeedCount">How many seeds count: up to the last failure that was wanted, or all.</param>
/// <param name="InstructionCount">What they executed together.</param>
/// <param name="Failures">By seed, rising.</param>
public sealed record Exploration(ulong SeedCount, ulong InstructionCount, IReadOnlyList<FailingSeed> Failures);

/// <summary>How far it is. Seeds that have ended, and how many of them failed.</summary>
public readonly record struct ExplorationProgress(ulong DoneSeeds, ulong TotalSeeds, int FailureCount);

/// <summary>
/// Runs a machine under one chaos seed after the other, several at a time, unrecorded. What it finds depends on the machine and the seeds only, not on how many run at a
/// time. Threads: each worker has a machine of its own; the lists below are under the lock.
/// </summary>
public sealed class ScheduleExplorer
{
    private readonly MachineConfiguration _configuration;
    private readonly FailureCriteria _criteria;

    /// <param name="configuration">The machine; on the virtual clock, and with more than one vCPU to be of use. Its own schedule is ignored.</param>
    /// <param name="criteria">What a failure is.</param>
    public ScheduleExplorer(MachineConfiguration configuration, FailureCriteria criteria)
    {
        Invariant.Check(configuration.Clock == ClockKind.Virtual);
        _configuration = configuration;
        _criteria = criteria;
    }

    /// <summary>The machine with a seed.</summary>
    public static MachineConfiguration WithSeed(MachineConfiguration configuration, ulong seed) =>
        configuration with { ChaosSeed = seed, TurnPolicy = TurnPolicy.Standard, ForcedSwitches = [] };

    /// <summary>Tries seeds in rising order until enough of them have failed.</summary>
    /// <param name="firstSeed">The first.</param>
    /// <param name="seedCount">At most so many.</param>
    /// <param name="wanted">Stops after so many failures; 0: tries all.</param>
    /// <param name="maxParallelism">At most so many at a time; 0: one for each processor.</param>
    /// <param name="progress">Is told after each seed, on any thread.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="BootImageException">An image cannot be booted.</exception>
    public Exploration Run(ulong firstSeed, ulong seedCount, int wanted, int maxParallelism = 0, IProgress<ExplorationProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        var gate = new Lock();
        var verdicts = new SortedDictionary<ulong, Verdict>();
        ulong next = 0, limit = seedCount;
        int failureCount = 0, workers = maxParallelism > 0 ? maxParallelism : Environment.ProcessorCount;
        Exception? problem = null;

        void Work()
        {
            while (true)
            {
                ulong index;
                lock (gate)
                {
                    if (next >= limit || problem is not null) return;
                    index = next++;
                }
                try
                {
                    Verdict verdict = new ScheduleTrial(WithSeed(_configuration, unchecked(firstSeed + index)), _criteria).Run(cancellation);
                    lock (gate)
                    {
                        verdicts[index] = verdict;
                        if (verdict.IsFailure && ++failureCount >= wanted && wanted > 0) limit = Math.Min(limit, next);
                        progress?.Report(new ExplorationProgress((ulong)verdicts.Count, seedCount, failureCount));
                    }
                }
                catch (Exception e) when (e is OperationCanceledException or BootImageException)
                {
                    lock (gate) problem ??= e;
                    return;
                }
            }
        }

        Task[] tasks = [.. Enumerable.Range(0, workers).Select(_ => Task.Factory.StartNew(Work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
        Task.WhenAll(tasks).GetAwaiter().GetResult();
        if (problem is not null) throw problem;
        return Collect(verdicts, firstSeed, wanted);
    }

    // Some that came after the last wanted failure were run as well, on other processors: they do not count.
    private static Exploration Collect(SortedDictionary<ulong, Verdict> verdicts, ulong firstSeed, int wanted)
    {
        var failures = new List<FailingSeed>();
        ulong seeds = 0, instructions = 0;
        foreach ((ulong index, Verdict verdict) in verdicts)
        {
            seeds++;
            instructions += verdict.InstructionCount;
            if (verdict.IsFailure) failures.Add(new FailingSeed(unchecked(firstSeed + index), verdict));
            if (wanted > 0 && failures.Count >= wanted) break;
        }
        return new Exploration(seeds, instructions, failures);
    }
}
