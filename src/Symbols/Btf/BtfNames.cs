using System;
using System.Collections.Generic;
using Symbols.Types;

namespace Symbols.Btf;

/// <summary>The records of one BTF section by name. C has names of their own for tags; functions, variables and enumerators are looked for by themselves.</summary>
internal sealed class BtfNames
{
    private readonly Dictionary<string, uint> _plain = new(StringComparer.Ordinal), _structures = new(StringComparer.Ordinal), _unions = new(StringComparer.Ordinal),
        _enumerations = new(StringComparer.Ordinal), _functions = new(StringComparer.Ordinal), _variables = new(StringComparer.Ordinal), _constants = new(StringComparer.Ordinal),
        _declaredStructures = new(StringComparer.Ordinal), _declaredUnions = new(StringComparer.Ordinal);
    private List<string>? _sorted;

    internal BtfNames(BtfRecords records)
    {
        for (uint id = records.FirstId; id < records.EndId; id++)
        {
            BtfRecord record = records[id]!.Value;
            if (record.Kind is BtfKind.Enumeration or BtfKind.Enumeration64) NoteConstants(records, record);
            if (record.NameOffset == 0 || NamesOf(record) is not { } names) continue;
            string name = records.Text(record.NameOffset);
            if (name.Length > 0) names.TryAdd(name, id);
        }
    }

    internal uint? Find(string name, TypeTag tag) => tag switch
    {
        TypeTag.Struct => In(_structures, name) ?? In(_declaredStructures, name),
        TypeTag.Union => In(_unions, name) ?? In(_declaredUnions, name),
        TypeTag.Enum => In(_enumerations, name),
        // Tags are found without their word too where no plain name is in the way.
        _ => In(_plain, name) ?? In(_structures, name) ?? In(_unions, name) ?? In(_enumerations, name) ?? In(_declaredStructures, name) ?? In(_declaredUnions, name),
    };

    internal uint? Function(string name) => In(_functions, name);

    internal uint? Variable(string name) => In(_variables, name);

    /// <summary>The enumeration that has an enumerator.</summary>
    internal uint? Constant(string name) => In(_constants, name);

    /// <summary>In ordinal order; a name may come more than once.</summary>
    internal IEnumerable<string> TypesFrom(string prefix)
    {
        List<string> sorted = _sorted ??= Sorted();
        int index = sorted.BinarySearch(prefix, StringComparer.Ordinal);
        if (index < 0) index = ~index;
        while (index > 0 && sorted[index - 1].StartsWith(prefix, StringComparison.Ordinal)) index--;
        for (; index < sorted.Count && sorted[index].StartsWith(prefix, StringComparison.Ordinal); index++) yield return sorted[index];
    }

    private List<string> Sorted()
    {
        var names = new List<string>();
        foreach (Dictionary<string, uint> each in (Dictionary<string, uint>[])[_plain, _structures, _unions, _enumerations]) names.AddRange(each.Keys);
        names.Sort(StringComparer.Ordinal);
        return names;
    }

    private Dictionary<string, uint>? NamesOf(in BtfRecord record) => record.Kind switch
    {
        BtfKind.Integer or BtfKind.Float or BtfKind.Typedef => _plain,
        BtfKind.Structure => _structures,
        BtfKind.Union => _unions,
        BtfKind.Enumeration or BtfKind.Enumeration64 => _enumerations,
        BtfKind.Forward => record.Flag ? _declaredUnions : _declaredStructures,
        BtfKind.Function => _functions,
        BtfKind.Variable => _variables,
        _ => null,
    };

    private void NoteConstants(BtfRecords records, in BtfRecord record)
    {
        int step = record.Kind == BtfKind.Enumeration64 ? 3 : 2;
        for (int i = 0; i < record.Count; i++) _constants.TryAdd(records.Text(record.Number(i * step)), record.Id);
    }

    private static uint? In(Dictionary<string, uint> names, string name) => names.TryGetValue(name, out uint id) ? id : null;
}
