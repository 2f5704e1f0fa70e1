using System.Collections.Generic;

namespace Introspection.Programs;

/// <summary>Names of addresses where no symbol file has any: a kernel's own table, a loader's map, guesses. All addresses are linear.</summary>
public interface INameSource
{
    /// <summary>The function or object that holds an address, with the address's distance from its beginning; null: none.</summary>
    string? NameOf(ulong linear, out ulong offset);

    /// <summary>The beginnings of everything of that name, in order; empty: there is nothing.</summary>
    IReadOnlyList<ulong> AddressesOf(string name);

    /// <summary>How many bytes the first of that name takes; null: unknown.</summary>
    ulong? SizeOf(string name);

    /// <summary>Names that begin so, for completion, at most <paramref name="limit"/>.</summary>
    IEnumerable<string> NamesFrom(string prefix, int limit);
}
