using System;
using System.Globalization;

namespace Cli.Ci;

/// <summary>One part of work that several machines do: number <see cref="Index"/> of <see cref="Count"/>, from 1.</summary>
internal readonly record struct Shard(int Index, int Count)
{
    private const int MaximumCount = 1_000_000;

    /// <summary>What a CI system calls its parts.</summary>
    /// <param name="Index">Variable with the number of this part.</param>
    /// <param name="Count">Variable with how many there are.</param>
    /// <param name="First">What the first one's number is.</param>
    /// <param name="Minimum">Variable that says so instead; null: none does.</param>
    /// <param name="Step">Variable with the distance of two numbers; null: 1.</param>
    private readonly record struct Names(string Index, string Count, int First, string? Minimum = null, string? Step = null);

    // GitLab, CircleCI, Buildkite, Azure Pipelines and Bitbucket, AWS Batch, Slurm: as their manuals have them. Kubernetes says nothing of the number of an indexed
    // job's completions: JOB_COMPLETIONS is set in the job.
    private static readonly Names[] s_names =
    [
        new("CI_NODE_INDEX", "CI_NODE_TOTAL", 1), new("CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL", 0), new("BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT", 0),
        new("SYSTEM_JOBPOSITIONINPHASE", "SYSTEM_TOTALJOBSINPHASE", 1), new("BITBUCKET_PARALLEL_STEP", "BITBUCKET_PARALLEL_STEP_COUNT", 0),
        new("AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE", 0),
        new("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", 0, "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_STEP"),
        new("JOB_COMPLETION_INDEX", "JOB_COMPLETIONS", 0),
    ];

    /// <summary>For help texts: where a number is looked for.</summary>
    public const string EnvironmentHelp = """
        Without --shard, the number of this job is taken from where the CI system puts it, if it says both:
          CI_NODE_INDEX and CI_NODE_TOTAL                                GitLab (parallel: N)
          CIRCLE_NODE_INDEX and CIRCLE_NODE_TOTAL                        CircleCI
          BUILDKITE_PARALLEL_JOB and BUILDKITE_PARALLEL_JOB_COUNT        Buildkite
          SYSTEM_JOBPOSITIONINPHASE and SYSTEM_TOTALJOBSINPHASE          Azure Pipelines
          BITBUCKET_PARALLEL_STEP and BITBUCKET_PARALLEL_STEP_COUNT      Bitbucket
          AWS_BATCH_JOB_ARRAY_INDEX and AWS_BATCH_JOB_ARRAY_SIZE         AWS Batch
          SLURM_ARRAY_TASK_ID and SLURM_ARRAY_TASK_COUNT                 Slurm (--array=0-9)
          JOB_COMPLETION_INDEX and JOB_COMPLETIONS                       Kubernetes: set JOB_COMPLETIONS to the job's .spec.completions
        --shard 1/1 does all of it in any case.
        """;

    /// <summary>All of the work.</summary>
    public static Shard Whole => new(1, 1);

    public bool IsWhole => Count == 1;

    public override string ToString() => $"{Index}/{Count}";

    /// <summary>Whether a piece of work is this shard's: pieces are dealt out in turn.</summary>
    /// <param name="piece">Its number, from 0.</param>
    public bool Has(int piece) => piece % Count == Index - 1;

    /// <summary>The stretch of a list of pieces that is this shard's, in order: from the first on, before the second.</summary>
    public (int From, int Before) StretchOf(int pieceCount) => ((int)((long)pieceCount * (Index - 1) / Count), (int)((long)pieceCount * Index / Count));

    /// <summary>i/n.</summary>
    /// <exception cref="CommandException">It is not.</exception>
    public static Shard Parse(string text)
    {
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash > 0 && TryNumber(text[..slash], out int index) && TryNumber(text[(slash + 1)..], out int count) && count is > 0 and <= MaximumCount && index > 0 && index <= count)
            return new Shard(index, count);
        throw CommandException.Usage($"--shard: '{text}' is not i/n, such as 1/4 to 4/4");
    }

    /// <summary>What the CI system says that this process is.</summary>
    /// <param name="read">Reads an environment variable.</param>
    /// <param name="source">The variable that said so; empty: none.</param>
    /// <exception cref="CommandException">What is said makes no sense.</exception>
    public static Shard FromEnvironment(Func<string, string?> read, out string source)
    {
        foreach (Names names in s_names)
        {
            if (read(names.Index) is not { Length: > 0 } indexText || read(names.Count) is not { Length: > 0 } countText) continue;
            source = names.Index;
            int first = names.First, step = 1;
            bool isGood = TryNumber(indexText, out int number) & TryNumber(countText, out int count)
                & (names.Minimum is null || read(names.Minimum) is not { Length: > 0 } minimum || TryNumber(minimum, out first))
                & (names.Step is null || read(names.Step) is not { Length: > 0 } distance || TryNumber(distance, out step));
            if (isGood && count is > 0 and <= MaximumCount && step > 0 && number >= first && (number - first) % step == 0 && (number - first) / step < count)
                return new Shard((number - first) / step + 1, count);
            throw CommandException.Usage($"{names.Index}={indexText} and {names.Count}={countText} do not name one of several jobs: say --shard i/n, or --shard 1/1 for everything");
        }
        source = "";
        return Whole;
    }

    private static bool TryNumber(string text, out int number) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
