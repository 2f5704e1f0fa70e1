using System.Collections.Generic;
using System.Threading;

namespace Introspection.Calls;

/// <summary>
/// Return addresses of calls that were found, for all threads of a search: intervals that begin later watch them from their start, and so see returns of calls that
/// began in earlier ones.
/// </summary>
internal sealed class ReturnSites
{
    /// <summary>A guest that makes up return addresses has no more of them watched.</summary>
    public const int MaximumCount = 1 << 16;

    private readonly Lock _gate = new();
    private readonly HashSet<ulong> _all = [];

    public HashSet<ulong> Snapshot()
    {
        lock (_gate) return [.. _all];
    }

    public void Add(ulong address)
    {
        lock (_gate)
            if (_all.Count < MaximumCount) _all.Add(address);
    }
}
