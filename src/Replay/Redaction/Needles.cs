using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;

namespace Replay.Redaction;

/// <summary>Bytes of something.</summary>
/// <param name="Start">The first.</param>
/// <param name="Length">How many.</param>
internal readonly record struct ByteSpan(int Start, int Length)
{
    public int End => Start + Length;

    /// <summary>In ascending order, none touching another.</summary>
    public static List<ByteSpan> Merge(List<ByteSpan> spans)
    {
        spans.Sort(static (a, b) => a.Start.CompareTo(b.Start));
        var merged = new List<ByteSpan>();
        foreach (ByteSpan span in spans)
        {
            if (merged.Count > 0 && span.Start <= merged[^1].End) merged[^1] = merged[^1] with { Length = Math.Max(merged[^1].End, span.End) - merged[^1].Start };
            else merged.Add(span);
        }
        return merged;
    }
}

/// <summary>Finds many byte sequences at once: the first four bytes of a place are looked up, whatever the number of sequences. Immutable when it is searched with.</summary>
internal sealed class Needles
{
    public const int ShortestLength = 4, LongestLength = 4096;

    private readonly Dictionary<uint, List<byte[]>> _byStart = [];
    private readonly ulong[] _filter = new ulong[1024];
    private readonly HashSet<string> _known = [];

    public int Count => _known.Count;

    /// <summary>Of the longest sequence.</summary>
    public int MaximumLength { get; private set; }

    public IEnumerable<byte[]> All
    {
        get
        {
            foreach (List<byte[]> some in _byStart.Values)
                foreach (byte[] one in some) yield return one;
        }
    }

    /// <summary>Adds one; false: it is known.</summary>
    public bool Add(byte[] needle)
    {
        Vmm.Invariant.Check(needle.Length is >= ShortestLength and <= LongestLength);
        if (!_known.Add(Convert.ToHexString(needle))) return false;
        uint start = MemoryMarshal.Read<uint>(needle);
        if (!_byStart.TryGetValue(start, out List<byte[]>? some)) _byStart.Add(start, some = []);
        some.Add(needle);
        _filter[Hash(start) >> 6] |= 1UL << (int)(Hash(start) & 63);
        MaximumLength = Math.Max(MaximumLength, needle.Length);
        return true;
    }

    /// <summary>Appends every occurrence, overlapping ones too.</summary>
    public void Find(ReadOnlySpan<byte> content, List<ByteSpan> found)
    {
        if (_known.Count == 0) return;
        for (int i = 0; i <= content.Length - ShortestLength; i++)
        {
            uint start = MemoryMarshal.Read<uint>(content[i..]);
            if ((_filter[Hash(start) >> 6] & 1UL << (int)(Hash(start) & 63)) == 0 || !_byStart.TryGetValue(start, out List<byte[]>? some)) continue;
            foreach (byte[] needle in some)
                if (content[i..].StartsWith(needle)) found.Add(new ByteSpan(i, needle.Length));
        }
    }

    private static uint Hash(uint start) => start * 2654435761 >> 16;
}
