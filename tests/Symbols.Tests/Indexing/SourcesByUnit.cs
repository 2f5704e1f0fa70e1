using System;
using System.Collections.Generic;
using Symbols.Dwarf;
using Symbols.Dwarf.Entries;
using Symbols.Dwarf.Indexing;
using Symbols.Dwarf.Lines;

namespace Symbols.Tests.Indexing;

/// <summary>From source files and lines to addresses by reading every unit's line program: what the index must say, too.</summary>
internal sealed class SourcesByUnit
{
    private readonly IReadOnlyList<DebugUnit> _units;
    private readonly Func<ulong, bool> _isMapped;
    private readonly Dictionary<string, List<int>> _byFileName = new(StringComparer.Ordinal);
    private readonly List<string> _paths = [];
    private readonly List<List<(DebugUnit Unit, uint File)>> _uses = [];

    internal SourcesByUnit(DwarfSections sections, IReadOnlyList<DebugUnit> units)
    {
        _units = units;
        _isMapped = sections.Image.IsMapped;
        var known = new Dictionary<string, int>(StringComparer.Ordinal);
        byte[] buffer = [];
        var seen = new HashSet<ulong>();
        foreach (DebugUnit unit in _units)
        {
            // Type and partial units share the program of the unit that they were taken from.
            if (unit.Attributes.LineOffset is not { } offset || !seen.Add(offset)) continue;
            LineHeader? header = LineHeaderParser.Read(sections, offset, unit.Header.AddressSizeBytes, true, ref buffer, out _, out _);
            for (int file = 0; file < (header?.Files.Count ?? 0); file++)
            {
                if (header!.Files[file].Name.Length == 0) continue;
                AddUse(known, SourcePath.Normalize(header.Path((uint)file, unit.CompileDirectory)), unit, (uint)file);
            }
        }
    }

    public IReadOnlyList<string> Paths => _paths;

    public List<LineAddress> Rows(string path, uint line)
    {
        var found = new List<LineAddress>();
        string normalized = SourcePath.Normalize(path);
        if (!_byFileName.TryGetValue(SourcePath.FileName(normalized), out List<int>? candidates)) return found;
        bool hasExact = false;
        foreach (int candidate in candidates) hasExact |= _paths[candidate] == normalized;
        foreach (int candidate in candidates)
        {
            if (hasExact ? _paths[candidate] != normalized : !SourcePath.Matches(_paths[candidate], normalized)) continue;
            foreach ((DebugUnit unit, uint file) in _uses[candidate]) AddRows(unit, file, line, found);
        }
        // One file may have several indices in a program (version 5 repeats entry 0), and one program several units.
        found.Sort(IndexedSources.Compare);
        return found;
    }

    private void AddUse(Dictionary<string, int> known, string path, DebugUnit unit, uint file)
    {
        if (!known.TryGetValue(path, out int id))
        {
            known[path] = id = _paths.Count;
            _paths.Add(path);
            _uses.Add([]);
            string name = SourcePath.FileName(path);
            if (!_byFileName.TryGetValue(name, out List<int>? sameName)) _byFileName[name] = sameName = [];
            sameName.Add(id);
        }
        _uses[id].Add((unit, file));
    }

    private void AddRows(DebugUnit unit, uint file, uint line, List<LineAddress> found)
    {
        if (unit.LineTable is not { } table || table.FilePath(file) is not { } path) return;
        ReadOnlySpan<LineRow> rows = table.Rows;
        foreach (LineSequence sequence in table.Sequences)
        {
            if (!_isMapped(sequence.Range.Start)) continue;
            for (int i = sequence.FirstRow; i < sequence.FirstRow + sequence.RowCount - 1; i++)
            {
                if (rows[i].File != file || rows[i].Line == 0 || (line != 0 && rows[i].Line != line)) continue;
                bool hasCode = rows[i + 1].Address > rows[i].Address;
                found.Add(new LineAddress(rows[i].Address, path, rows[i].Line, rows[i].Column, rows[i].Flags, hasCode));
            }
        }
    }
}
