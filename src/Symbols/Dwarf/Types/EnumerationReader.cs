using System.Collections.Generic;
using Symbols.Dwarf.Entries;
using Symbols.Types;

namespace Symbols.Dwarf.Types;

/// <summary>The enumerators of an enumeration (DWARF 5, 5.7).</summary>
internal static class EnumerationReader
{
    internal static List<Enumerator> Read(DieReference place, out bool isAnyNegative)
    {
        var enumerators = new List<Enumerator>();
        isAnyNegative = false;
        DebugUnit unit = place.Unit;
        DieCursor cursor = unit.CursorAt(place.Offset);
        for (bool isThere = cursor.MoveNext() && cursor.HasChildren && cursor.MoveNext(); isThere; isThere = cursor.MoveNextSibling())
        {
            if (cursor.Tag != DwTag.Enumerator || enumerators.Count >= RecordReader.MaximumMembers) continue;
            AttributeValue value = cursor.Attribute(DwAt.ConstantValue);
            if (!value.IsConstant || unit.StringOf(cursor.Attribute(DwAt.Name)) is not { } name) continue;
            isAnyNegative |= value.Form is DwForm.SignedData or DwForm.ImplicitConstant && (long)value.Value < 0;
            enumerators.Add(new Enumerator(name, value.Value));
        }
        return enumerators;
    }
}
