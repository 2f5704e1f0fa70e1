using System;
using System.Collections.Generic;
using Symbols.Dwarf.Entries;
using Symbols.Types;

namespace Symbols.Dwarf.Types;

/// <summary>Arrays and their dimensions (DWARF 5, 5.5 and 5.13).</summary>
internal static class ArrayReader
{
    private const int MaximumDimensions = 16;

    /// <summary>The array at the cursor; of several dimensions, an array of arrays, the first dimension outermost.</summary>
    internal static DebugType Read(ref DieCursor cursor, DebugUnit unit, Func<DebugType> element)
    {
        bool isVector = cursor.Attribute(DwAt.GnuVector).Value != 0;
        var dimensions = new List<(long LowerBound, ulong? Count)>();
        for (bool isThere = cursor.HasChildren && cursor.MoveNext(); isThere; isThere = cursor.MoveNextSibling())
        {
            if (dimensions.Count == MaximumDimensions) break;
            if (cursor.Tag is DwTag.SubrangeType or DwTag.GenericSubrange) dimensions.Add(Dimension(ref cursor, unit));
            // Ada and Pascal: as many elements as there are enumerators.
            else if (cursor.Tag == DwTag.EnumerationType)
                dimensions.Add((0, (ulong)EnumerationReader.Read(new DieReference(unit, unit.Header.Offset + (ulong)cursor.Position), out _).Count));
        }
        if (dimensions.Count == 0) dimensions.Add((0, null));
        ArrayType? inner = null;
        for (int i = dimensions.Count - 1; i >= 0; i--)
        {
            ArrayType? made = inner;
            inner = new ArrayType(made is null ? element : () => made, dimensions[i].LowerBound, dimensions[i].Count, isVector);
        }
        return inner!;
    }

    private static (long LowerBound, ulong? Count) Dimension(ref DieCursor cursor, DebugUnit unit)
    {
        AttributeValue lower = cursor.Attribute(DwAt.LowerBound);
        long first = lower.IsConstant ? SignedBound(lower) : unit.Attributes.Language.LowerBound();
        if (cursor.Attribute(DwAt.Count) is { IsConstant: true } count) return (first, count.Value);
        // Absent: int a[]. An expression or a reference: its value is in the frame.
        if (cursor.Attribute(DwAt.UpperBound) is not { IsConstant: true } upper) return (first, null);
        long last = SignedBound(upper);
        return (first, last < first ? 0 : (ulong)(last - first) + 1);
    }

    // GCC writes the upper bound of int a[0], which is -1, as wide as its type.
    private static long SignedBound(in AttributeValue bound) => bound is { Form: DwForm.Data4, Value: uint.MaxValue } ? -1 : (long)bound.Value;
}
