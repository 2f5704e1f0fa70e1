using System;
using System.Collections.Generic;
using Symbols;
using Symbols.Dwarf;
using Symbols.Dwarf.Functions;

namespace Introspection.Programs;

/// <summary>Where a function was inlined.</summary>
public static class InlinedCopies
{
    /// <summary>First address of each inlined copy.</summary>
    public static List<ulong> Of(DwarfInfo dwarf, string name)
    {
        var entries = new List<ulong>();
        foreach (DebugFunction function in dwarf.FunctionsWithCopiesOf(name)) Collect(function.Calls, name, entries);
        return entries;
    }

    private static void Collect(IReadOnlyList<InlinedCall> calls, string name, List<ulong> entries)
    {
        foreach (InlinedCall call in calls)
        {
            if (call.Name == name || call.LinkageName == name)
            {
                ulong first = ulong.MaxValue;
                foreach (Symbols.AddressRange range in call.Ranges) first = Math.Min(first, range.Start);
                if (first != ulong.MaxValue) entries.Add(first);
            }
            Collect(call.Calls, name, entries);
        }
    }
}
