using System.Collections.Generic;
using Symbols.Dwarf.Entries;
using Symbols.Dwarf.Types;

namespace Symbols.Dwarf.Variables;

/// <summary>The variables of one unit that are outside of functions.</summary>
internal static class UnitVariables
{
    internal static List<DebugVariable> Read(DebugUnit unit)
    {
        unit = unit.Full;
        var variables = new List<DebugVariable>();
        DieCursor cursor = unit.FirstCursor();
        bool isThere = cursor.MoveNext() && cursor.HasChildren && cursor.MoveNext();
        while (isThere)
        {
            bool isDefinition = cursor.Tag == DwTag.Variable && (cursor.Attribute(DwAt.Location).IsPresent || cursor.Attribute(DwAt.ConstantValue).IsPresent);
            if (isDefinition && variables.Count < RecordReader.MaximumMembers)
                variables.Add(new DebugVariable(new DieReference(unit, unit.Header.Offset + (ulong)cursor.Position), null));
            isThere = cursor.Tag is DwTag.Namespace or DwTag.Module ? cursor.MoveNext() : cursor.MoveNextSibling();
        }
        return variables;
    }
}
