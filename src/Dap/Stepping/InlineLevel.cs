using System;
using System.Collections.Generic;
using Symbols.Dwarf.Functions;

namespace Dap.Stepping;

/// <summary>How a place's inlined calls stand to those of the frame that is stepped.</summary>
internal enum InlineRelation
{
    /// <summary>It is in the same copy.</summary>
    Same,
    /// <summary>It is in something that was inlined into it: a call to step over.</summary>
    Deeper,
    /// <summary>The copy was left for what it was inlined into.</summary>
    Left,
    /// <summary>The copy was left, for another one that was inlined beside it.</summary>
    LeftForDeeper,
}

/// <summary>Inlined copies as frames: a step over lines goes over them, and out of them, as over calls.</summary>
internal static class InlineLevel
{
    public static InlineRelation Compare(IReadOnlyList<InlinedCall> frame, IReadOnlyList<InlinedCall> place)
    {
        int common = CommonCount(frame, place);
        if (common == frame.Count) return place.Count == common ? InlineRelation.Same : InlineRelation.Deeper;
        return place.Count == common ? InlineRelation.Left : InlineRelation.LeftForDeeper;
    }

    /// <summary>What both have in common, from the outermost on.</summary>
    public static List<InlinedCall> Common(IReadOnlyList<InlinedCall> a, IReadOnlyList<InlinedCall> b)
    {
        var common = new List<InlinedCall>();
        int count = CommonCount(a, b);
        for (int i = 0; i < count; i++) common.Add(a[i]);
        return common;
    }

    private static int CommonCount(IReadOnlyList<InlinedCall> a, IReadOnlyList<InlinedCall> b)
    {
        int count = 0;
        while (count < Math.Min(a.Count, b.Count) && a[count].IsSame(b[count])) count++;
        return count;
    }
}
