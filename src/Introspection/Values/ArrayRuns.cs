using System;
using Symbols.Expressions;
using Symbols.Types;

namespace Introspection.Values;

/// <summary>Equal elements of arrays.</summary>
internal static class ArrayRuns
{
    private const int MaximumElementBytes = 256, ChunkBytes = 4096;
    private const ulong MaximumRun = 1 << 16;

    /// <summary>How many elements from one on have the same bytes, itself included.</summary>
    public static ulong Length(TypedValue value, ArrayType array, ulong from, IExpressionEnvironment environment)
    {
        if (array.Count is not { } count || array.Element.SizeBytes is not (> 0 and <= MaximumElementBytes and var size)) return 1;
        var first = new byte[(int)size];
        if (!value.TryRead(environment, first, from * size)) return 1;
        int perChunk = Math.Max(1, ChunkBytes / (int)size);
        ulong same = 1;
        while (from + same < count && same < MaximumRun)
        {
            int elements = (int)Math.Min((ulong)perChunk, count - from - same);
            // A first look at one element, as most differ at once.
            if (same == 1) elements = 1;
            var chunk = new byte[elements * (int)size];
            if (!value.TryRead(environment, chunk, (from + same) * size))
            {
                if (elements == 1) return same;
                perChunk = 1;
                continue;
            }
            for (int i = 0; i < elements; i++, same++)
                if (!chunk.AsSpan(i * (int)size, (int)size).SequenceEqual(first)) return same;
        }
        return same;
    }
}
