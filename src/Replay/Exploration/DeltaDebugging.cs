using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading.Tasks;

namespace Replay.Exploration;

/// <summary>
/// Leaves things out of a list for as long as what is left still fails (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE TSE 28(2), 2002).
/// Several candidates are tried at a time, but the first in order is taken: the result does not depend on how many.
/// </summary>
/// <param name="fails">Whether a list still fails; callable from several threads.</param>
/// <param name="maxTrials">Then it ends with what it has.</param>
internal sealed class DeltaDebugging<T>(Func<IReadOnlyList<T>, bool> fails, int maxTrials)
{
    private readonly int _width = Environment.ProcessorCount;

    /// <summary>So many lists were tried.</summary>
    public int TrialCount { get; private set; }

    /// <summary>A list of which no single thing can be left out, unless the trials ran out. The list as given must fail.</summary>
    public IReadOnlyList<T> Minimize(IReadOnlyList<T> items)
    {
        int parts = 2;
        while (items.Count > 0 && TrialCount < maxTrials)
        {
            parts = Math.Min(parts, items.Count);
            IReadOnlyList<T>[] chunks = Split(items, parts);
            // With two parts the complements are the parts.
            IReadOnlyList<T>[] complements = [.. Enumerable.Range(0, parts).Select(skipped => (IReadOnlyList<T>)[.. Without(chunks, skipped)])];
            if (FirstFailing(complements) is { } found)
            {
                items = found;
                parts = Math.Max(2, parts - 1);
            }
            else if (parts == items.Count) return items;
            else parts = Math.Min(items.Count, parts * 2);
        }
        return items;
    }

    /// <summary>The first of the candidates that fails; null: none does.</summary>
    public IReadOnlyList<T>? FirstFailing(IReadOnlyList<IReadOnlyList<T>> candidates)
    {
        for (int from = 0; from < candidates.Count && TrialCount < maxTrials; from += _width)
        {
            int count = Math.Min(_width, candidates.Count - from);
            var failed = new bool[count];
            int start = from;
            Parallel.For(0, count, i => failed[i] = fails(candidates[start + i]));
            TrialCount += count;
            int first = Array.IndexOf(failed, true);
            if (first >= 0) return candidates[from + first];
        }
        return null;
    }

    private static IEnumerable<T> Without(IReadOnlyList<T>[] chunks, int skipped) => chunks.Where((_, index) => index != skipped).SelectMany(static chunk => chunk);

    private static IReadOnlyList<T>[] Split(IReadOnlyList<T> items, int parts)
    {
        var chunks = new IReadOnlyList<T>[parts];
        for (int i = 0, start = 0; i < parts; i++)
        {
            int end = (int)((long)items.Count * (i + 1) / parts);
            chunks[i] = [.. items.Skip(start).Take(end - start)];
            start = end;
        }
        return chunks;
    }
}
