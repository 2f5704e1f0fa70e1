using System.Collections.Generic;

namespace Symbols;

/// <summary>What was found wrong in one file. Keeps the first ones and counts the rest: a broken file may have millions.</summary>
public sealed class DiagnosticLog
{
    /// <summary>At most so many are kept.</summary>
    public const int KeptCount = 100;

    private readonly List<SymbolDiagnostic> _entries = [];
    private readonly HashSet<(string Section, ulong Offset)> _places = [];

    /// <summary>The first <see cref="KeptCount"/> diagnostics, at most one for each place.</summary>
    public IReadOnlyList<SymbolDiagnostic> Entries => _entries;

    /// <summary>How often something was found wrong, those not kept included.</summary>
    public long Count { get; private set; }

    internal void Add(string section, ulong offset, string message)
    {
        Count++;
        if (_entries.Count < KeptCount && _places.Add((section, offset))) _entries.Add(new SymbolDiagnostic(section, offset, message));
    }
}
