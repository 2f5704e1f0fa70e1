using System;
using System.Collections.Generic;

namespace Symbols.Dwarf.Entries;

/// <summary>All units of one set of sections: of a program, of its supplementary file, of a .dwo file, or of one unit's part of a package.</summary>
internal sealed class UnitSet
{
    private readonly DecodedBudget _budget;
    private List<DebugUnit>? _units;
    private int _infoCount;
    private Dictionary<ulong, DebugUnit>? _typeUnits;

    internal UnitSet(DwarfSections sections, DecodedBudget budget)
    {
        Sections = sections;
        _budget = budget;
    }

    internal DwarfSections Sections { get; }

    internal DecodedBudget Budget => _budget;

    /// <summary>The units of the file that DW_FORM_*_sup and dwz's forms refer to; null: there is none.</summary>
    internal UnitSet? Supplementary { get; init; }

    /// <summary>Finds the other half of a skeleton; null: it cannot be found.</summary>
    internal ISplitUnits? Splits { get; init; }

    /// <summary>Of split units: the unit of the program that they belong to.</summary>
    internal DebugUnit? Skeleton { get; init; }

    /// <summary>Those of <c>.debug_info</c>, then the type units of <c>.debug_types</c>.</summary>
    internal IReadOnlyList<DebugUnit> Units => _units ??= ReadUnits();

    /// <summary>The unit of <c>.debug_info</c> that has the offset in it.</summary>
    internal DebugUnit? UnitContaining(ulong offset)
    {
        IReadOnlyList<DebugUnit> units = Units;
        int low = 0, high = _infoCount;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (units[middle].Header.Offset <= offset) low = middle + 1;
            else high = middle;
        }
        return low > 0 && units[low - 1].Header.Contains(offset) ? units[low - 1] : null;
    }

    /// <summary>The type unit with that signature (DWARF 5, 7.32); null: there is none.</summary>
    internal DebugUnit? TypeUnit(ulong signature)
    {
        if (_typeUnits is null)
        {
            _typeUnits = [];
            foreach (DebugUnit unit in Units)
                if (unit.Header.IsType) _typeUnits.TryAdd(unit.Header.Signature, unit);
        }
        return _typeUnits.TryGetValue(signature, out DebugUnit? found) ? found : Splits?.TypeUnit(signature);
    }

    /// <summary>The same units for another thread, which need not be looked for again.</summary>
    internal UnitSet Fork(DwarfSections sections, DecodedBudget budget, UnitSet? supplementary, ISplitUnits? splits)
    {
        var fork = new UnitSet(sections, budget) { Supplementary = supplementary, Splits = splits, Skeleton = Skeleton };
        var units = new List<DebugUnit>(Units.Count);
        foreach (DebugUnit unit in Units)
            units.Add(new DebugUnit(fork, unit.Header, unit.Index, unit.Index < _infoCount ? sections.Info : sections.Types) { Skeleton = Skeleton });
        (fork._units, fork._infoCount) = (units, _infoCount);
        return fork;
    }

    private List<DebugUnit> ReadUnits()
    {
        var units = new List<DebugUnit>();
        foreach (UnitHeader header in UnitHeaderParser.ReadAll(Sections.Info, Sections.Diagnostics))
            units.Add(new DebugUnit(this, header, units.Count, Sections.Info) { Skeleton = Skeleton });
        _infoCount = units.Count;
        if (Sections.Types.IsEmpty) return units;
        foreach (UnitHeader header in UnitHeaderParser.ReadAll(Sections.Types, Sections.Diagnostics, areTypes: true))
            units.Add(new DebugUnit(this, header, units.Count, Sections.Types) { Skeleton = Skeleton });
        return units;
    }
}

/// <summary>Where the other halves of split units are: in .dwo files, or in a package of them.</summary>
internal interface ISplitUnits
{
    /// <summary>The split unit that belongs to a skeleton; null: not found, which is told.</summary>
    DebugUnit? SplitOf(DebugUnit skeleton);

    /// <summary>A type unit that is not in the same set.</summary>
    DebugUnit? TypeUnit(ulong signature);
}
