using System;
using System.Collections.Generic;
using System.Threading;
using Replay.Timelines;
using Vmm.Platform;

namespace Cli.Comparison;

/// <summary>The first turn that differs.</summary>
/// <param name="A">In the first recording; null: it has no more.</param>
/// <param name="B">In the second one.</param>
internal sealed record TurnDifference(Turn? A, Turn? B);

/// <summary>The first call that differs, on one vCPU.</summary>
/// <param name="CpuIndex">The vCPU.</param>
/// <param name="Before">The last one that both have; null: none since the comparison began.</param>
/// <param name="A">From the first difference on, in the first recording: a few.</param>
/// <param name="B">In the second one.</param>
internal sealed record CallDifference(int CpuIndex, EnteredFunction? Before, IReadOnlyList<EnteredFunction> A, IReadOnlyList<EnteredFunction> B);

/// <summary>Follows two recordings side by side from a position on, and finds the first instruction, turn and call in which they differ.</summary>
internal sealed class PathComparison(ExecutionPath a, ExecutionPath b)
{
    private const int Piece = 100_000, CallsShown = 8;

    /// <summary>Instructions that were compared.</summary>
    public ulong ComparedCount { get; private set; }

    /// <summary>The first instruction that differs, as each recording has it; null: none of those compared.</summary>
    public (ExecutedInstruction? A, ExecutedInstruction? B)? Instruction { get; private set; }

    public TurnDifference? Turn { get; private set; }

    public CallDifference? Call { get; private set; }

    /// <param name="reach">At most so many instructions.</param>
    /// <param name="progress">Of these.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>.</param>
    public void Run(ulong reach, IProgress<TimelineProgress>? progress, CancellationToken cancellation)
    {
        while (ComparedCount < reach && !(a.IsAtEnd && b.IsAtEnd))
        {
            cancellation.ThrowIfCancellationRequested();
            progress?.Report(new TimelineProgress(ComparedCount, reach));
            int piece = (int)Math.Min(Piece, reach - ComparedCount);
            a.Follow(piece);
            b.Follow(piece);
            Instruction ??= CompareInstructions();
            ComparedCount += (ulong)Math.Max(a.Instructions.Count, b.Instructions.Count);
            Turn = CompareTurns();
            Call = FirstCall();
            bool hasCalls = Call is { } call && (call.A.Count == CallsShown || a.IsAtEnd) && (call.B.Count == CallsShown || b.IsAtEnd);
            if (Instruction is not null && (Turn is not null || a.CpuCount == 1) && hasCalls) return;
        }
    }

    private (ExecutedInstruction?, ExecutedInstruction?)? CompareInstructions()
    {
        List<ExecutedInstruction> first = a.Instructions, second = b.Instructions;
        for (int i = 0; i < Math.Max(first.Count, second.Count); i++)
        {
            ExecutedInstruction? one = i < first.Count ? first[i] : null, other = i < second.Count ? second[i] : null;
            if (one is null || other is null || one.Value.Address != other.Value.Address || one.Value.CpuIndex != other.Value.CpuIndex) return (one, other);
        }
        return null;
    }

    // What is missing on one side only may come yet.
    private TurnDifference? CompareTurns()
    {
        for (int i = 0; i < Math.Max(a.Turns.Count, b.Turns.Count); i++)
        {
            Turn? one = i < a.Turns.Count ? a.Turns[i] : null, other = i < b.Turns.Count ? b.Turns[i] : null;
            if (one == other) continue;
            return (one is null && !a.IsAtEnd) || (other is null && !b.IsAtEnd) ? null : new TurnDifference(one, other);
        }
        return null;
    }

    // Of all vCPUs' first differences, the one that comes first.
    private CallDifference? FirstCall()
    {
        CallDifference? first = null;
        for (int cpu = 0; cpu < Math.Min(a.CpuCount, b.CpuCount); cpu++)
        {
            IReadOnlyList<EnteredFunction> one = a.CallsOf(cpu), other = b.CallsOf(cpu);
            int same = 0;
            while (same < one.Count && same < other.Count && one[same].Name == other[same].Name) same++;
            bool isKnown = (same < one.Count || a.IsAtEnd) && (same < other.Count || b.IsAtEnd) && (same < one.Count || same < other.Count);
            if (!isKnown) continue;
            var difference = new CallDifference(cpu, same > 0 ? one[same - 1] : null, From(one, same), From(other, same));
            if (first is null || PositionOf(difference) < PositionOf(first)) first = difference;
        }
        return first;
    }

    private static Vmm.Time.Position PositionOf(CallDifference difference) => (difference.A.Count > 0 ? difference.A[0] : difference.B[0]).At;

    private static List<EnteredFunction> From(IReadOnlyList<EnteredFunction> all, int first)
    {
        var some = new List<EnteredFunction>();
        for (int i = first; i < all.Count && some.Count < CallsShown; i++) some.Add(all[i]);
        return some;
    }
}
