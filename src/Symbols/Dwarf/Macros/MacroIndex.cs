using System.Collections.Generic;
using Symbols.Dwarf.Entries;
using Symbols.Dwarf.Lines;
using Symbols.Images;
using Symbols.Types;

namespace Symbols.Dwarf.Macros;

/// <summary>The macros of a file, each unit's when it is asked for; those of all units together when a name is in none that was asked.</summary>
internal sealed class MacroIndex(DwarfInfo owner)
{
    private const int CachedUnits = 8;

    // Names and where their definitions are: some 50 MB.
    private const int MaximumNames = 1 << 18;

    private readonly Dictionary<DebugUnit, UnitMacros> _units = [];
    private Dictionary<string, (MacroDirective Directive, LineTable? Files)>? _all;

    private bool IsEmpty => owner.Sections.Macros.IsEmpty && owner.Sections.MacroInformation.IsEmpty && (owner.Set.Splits is null || owner.Sections.Addresses.IsEmpty);

    internal UnitMacros Of(DebugUnit unit)
    {
        unit = unit.Skeleton ?? unit;
        if (_units.TryGetValue(unit, out UnitMacros? macros)) return macros;
        if (_units.Count >= CachedUnits) _units.Clear();
        return _units[unit] = UnitMacros.Read(unit);
    }

    /// <summary>The first definition of a name in any unit; null: there is none.</summary>
    internal MacroDefinition? Find(string name)
    {
        if (IsEmpty) return null;
        _all ??= ReadAll();
        return _all.TryGetValue(name, out (MacroDirective Directive, LineTable? Files) found) ? UnitMacros.Definition(found.Directive, found.Files) : null;
    }

    private Dictionary<string, (MacroDirective Directive, LineTable? Files)> ReadAll()
    {
        var all = new Dictionary<string, (MacroDirective, LineTable?)>();
        // What several units import is the same in all.
        var seen = new HashSet<(SectionData, ulong)>();
        foreach (DebugUnit unit in owner.Units)
        {
            DebugUnit holder = UnitMacros.Holder(unit);
            if (!UnitMacros.Has(holder)) continue;
            var reader = new MacroReader(holder, (section, offset) => !seen.Add((section, offset)));
            List<MacroDirective> directives = reader.Read();
            LineTable? files = UnitMacros.FilesOf(holder, reader.LineOffset);
            foreach (MacroDirective directive in directives)
                if (directive.Kind == MacroDirectiveKind.Define && all.Count < MaximumNames) all.TryAdd(directive.Name, (directive, files));
        }
        return all;
    }
}
