using System;
using System.Collections.Generic;
using Symbols.Dwarf.Entries;
using Symbols.Dwarf.Lines;
using Symbols.Types;

namespace Symbols.Dwarf.Macros;

/// <summary>The macros of one unit, and which of them hold at a line.</summary>
internal sealed class UnitMacros
{
    private readonly List<MacroDirective> _directives;
    private readonly LineTable? _files;

    // Of each name the last directive; of each directive the one before of the same name, -1 if there is none.
    private readonly Dictionary<string, int> _last = [];
    private readonly int[] _before;

    private UnitMacros(List<MacroDirective> directives, LineTable? files)
    {
        _directives = directives;
        _files = files;
        _before = new int[directives.Count];
        for (int i = 0; i < directives.Count; i++)
        {
            if (directives[i].Kind is not (MacroDirectiveKind.Define or MacroDirectiveKind.Undefine)) continue;
            string name = directives[i].Name;
            _before[i] = _last.GetValueOrDefault(name, -1);
            _last[name] = i;
        }
    }

    internal static UnitMacros Read(DebugUnit unit)
    {
        unit = Holder(unit);
        if (!Has(unit)) return new UnitMacros([], null);
        var reader = new MacroReader(unit);
        List<MacroDirective> directives = reader.Read();
        return new UnitMacros(directives, FilesOf(unit, reader.LineOffset));
    }

    /// <summary>The half of a split unit that has the macros.</summary>
    internal static DebugUnit Holder(DebugUnit unit) => Has(unit.Full) ? unit.Full : unit;

    internal static bool Has(DebugUnit unit) => unit.Attributes.MacroOffset is not null || unit.Attributes.MacroInformationOffset is not null;

    // The files of a split unit's macros are numbered by a line table of its own, not by its skeleton's.
    internal static LineTable? FilesOf(DebugUnit unit, ulong? lineOffset) => lineOffset is null || lineOffset == unit.Attributes.LineOffset ? unit.LineTable
        : LineProgram.Read(unit.Sections, lineOffset.Value, unit.Header.AddressSizeBytes, unit.CompileDirectory, out _);

    /// <summary>All definitions in the order of the source.</summary>
    internal IEnumerable<MacroDefinition> Definitions()
    {
        foreach (MacroDirective directive in _directives)
            if (directive.Kind == MacroDirectiveKind.Define) yield return Definition(directive, _files);
    }

    /// <summary>What a name means at a line of a file of the unit, or at the unit's end where that file is not among them; null: it is no macro there.</summary>
    internal MacroDefinition? Find(string name, string? path, uint line)
    {
        if (!_last.TryGetValue(name, out int index)) return null;
        int end = path is null ? _directives.Count : End(path, line);
        while (index >= end) index = _before[index];
        return index >= 0 && _directives[index].Kind == MacroDirectiveKind.Define ? Definition(_directives[index], _files) : null;
    }

    internal static MacroDefinition Definition(in MacroDirective directive, LineTable? files)
    {
        string? path = directive.File == MacroDirective.NoFile ? null : files?.FilePath(directive.File);
        return MacroDefinition.Read(directive.Text, path, directive.Line);
    }

    // The first directive that comes after the line, where the file is first included.
    private int End(string path, uint line)
    {
        int depth = 0, inside = -1;
        for (int i = 0; i < _directives.Count; i++)
        {
            MacroDirective directive = _directives[i];
            if (inside >= 0 && depth == inside && (directive.Kind == MacroDirectiveKind.EndFile || directive.Line > line)) return i;
            if (directive.Kind == MacroDirectiveKind.EndFile) depth--;
            if (directive.Kind != MacroDirectiveKind.StartFile) continue;
            depth++;
            if (inside < 0 && string.Equals(_files?.FilePath(directive.File), path, StringComparison.Ordinal)) inside = depth;
        }
        return _directives.Count;
    }
}
