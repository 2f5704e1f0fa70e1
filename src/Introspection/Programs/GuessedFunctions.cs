using System;
using System.Collections.Generic;
using System.Globalization;
using Introspection.State;

namespace Introspection.Programs;

/// <summary>
/// Names for code that nobody has a symbol for, as of a stripped kernel: functions are guessed from what is called and from how compilers begin and end them, in the mapped
/// code around the address that is asked about. A name says where the function begins, and ends with a question mark, wherever it is shown.
/// </summary>
/// <param name="view">Memory as it is now; null: there is none to look at.</param>
public sealed class GuessedFunctions(Func<GuestView?> view) : INameSource
{
    private const string Prefix = "sub_";
    private const int MaximumRegions = 32;
    /// <summary>What lies farther behind a beginning is hardly its function: where all memory may be executed, data follow code.</summary>
    private const ulong MaximumFunctionBytes = 1 << 15;

    private readonly Dictionary<(ulong Block, int CodeSize), GuessedRegion> _regions = [];

    /// <summary>The name is a guess of this class.</summary>
    public static bool IsGuess(string name) => AddressIn(name) is not null;

    public string? NameOf(ulong linear, out ulong offset)
    {
        offset = 0;
        if (RegionOf(linear)?.StartBefore(linear) is not { } start) return null;
        offset = linear - start;
        return offset < MaximumFunctionBytes ? NameFor(start) : null;
    }

    public IReadOnlyList<ulong> AddressesOf(string name) =>
        AddressIn(name) is { } start && RegionOf(start)?.StartBefore(start) == start ? [start] : [];

    public ulong? SizeOf(string name) => AddressIn(name) is { } start ? RegionOf(start)?.SizeAt(start) : null;

    /// <summary>Of the code that was asked about so far.</summary>
    public IEnumerable<string> NamesFrom(string prefix, int limit)
    {
        foreach (GuessedRegion region in _regions.Values)
        {
            foreach (ulong start in region.Starts)
            {
                if (limit <= 0) yield break;
                if (!NameFor(start).StartsWith(prefix, StringComparison.Ordinal)) continue;
                limit--;
                yield return NameFor(start);
            }
        }
    }

    private static string NameFor(ulong start) => $"{Prefix}{start:x}?";

    private static ulong? AddressIn(string name) =>
        name.Length > Prefix.Length + 1 && name[^1] == '?' && name.StartsWith(Prefix, StringComparison.Ordinal)
        && ulong.TryParse(name.AsSpan(Prefix.Length, name.Length - Prefix.Length - 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong address)
            ? address : null;

    private GuessedRegion? RegionOf(ulong linear)
    {
        if (view() is not { } now) return null;
        var key = (linear / GuessedRegion.BlockBytes, now.CodeSize);
        if (_regions.TryGetValue(key, out GuessedRegion? known) && known.IsStillAt(now, linear)) return known;
        if (GuessedRegion.Read(now, linear) is not { } read) return null;
        if (_regions.Count >= MaximumRegions) _regions.Clear();
        return _regions[key] = read;
    }
}
