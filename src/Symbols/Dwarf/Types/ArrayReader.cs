using System;
using System.Collections.Generic;
using Symbols.Dwarf.Entries;
using Symbols.Dwarf.Expressions;
using Symbols.Dwarf.Variables;
using Symbols.Images;
using Symbols.Types;
using Symbols.Variables;

namespace Symbols.Dwarf.Types;

/// <summary>Arrays and their dimensions (DWARF 5, 5.5 and 5.13).</summary>
internal static class ArrayReader
{
    private const int MaximumDimensions = 16;

    /// <summary>The array at the cursor; of several dimensions, an array of arrays, the first dimension outermost.</summary>
    internal static DebugType Read(ref DieCursor cursor, DebugUnit unit, Func<DebugType> element)
    {
        bool isVector = cursor.Attribute(DwAt.GnuVector).Value != 0;
        var dimensions = new List<(long LowerBound, ulong? Count, Func<ILocationContext, DieReference?, ulong?>? InFrame)>();
        for (bool isThere = cursor.HasChildren && cursor.MoveNext(); isThere; isThere = cursor.MoveNextSibling())
        {
            if (dimensions.Count == MaximumDimensions) break;
            if (cursor.Tag is DwTag.SubrangeType or DwTag.GenericSubrange) dimensions.Add(Dimension(ref cursor, unit));
            // Ada and Pascal: as many elements as there are enumerators.
            else if (cursor.Tag == DwTag.EnumerationType)
                dimensions.Add((0, (ulong)EnumerationReader.Read(new DieReference(unit, unit.Header.Offset + (ulong)cursor.Position), out _).Count, null));
        }
        if (dimensions.Count == 0) dimensions.Add((0, null, null));
        ArrayType? inner = null;
        for (int i = dimensions.Count - 1; i >= 0; i--)
        {
            ArrayType? made = inner;
            inner = new ArrayType(made is null ? element : () => made, dimensions[i].LowerBound, dimensions[i].Count, isVector) { CountInFrame = dimensions[i].InFrame };
        }
        return inner!;
    }

    private static (long LowerBound, ulong? Count, Func<ILocationContext, DieReference?, ulong?>? InFrame) Dimension(ref DieCursor cursor, DebugUnit unit)
    {
        AttributeValue lower = cursor.Attribute(DwAt.LowerBound);
        long first = lower.IsConstant ? SignedBound(lower) : unit.Attributes.Language.LowerBound();
        if (cursor.Attribute(DwAt.Count) is { IsConstant: true } count) return (first, count.Value, null);
        AttributeValue upper = cursor.Attribute(DwAt.UpperBound);
        // Absent: int a[].
        if (!upper.IsPresent) return (first, null, null);
        if (!upper.IsConstant) return (first, null, (context, function) => Number(unit, upper, context, function) is { } bound ? CountOf(first, bound) : null);
        return (first, CountOf(first, SignedBound(upper)), null);
    }

    private static ulong CountOf(long first, long last) => last < first ? 0 : (ulong)(last - first) + 1;

    // An expression, or a variable that the compiler made: its value is in the frame (DWARF 5, 2.19).
    private static long? Number(DebugUnit unit, in AttributeValue bound, ILocationContext context, DieReference? function)
    {
        if (bound.IsBlock) return LocationProgram.TryValue(unit.BlockOf(bound).Span, context, unit, function, 1, out ulong number) ? (long)number : null;
        if (unit.Resolve(bound) is not ({ } target, var offset)) return null;
        var variable = new DebugVariable(new DieReference(target, offset), function);
        ulong size = variable.Type.SizeBytes ?? 0;
        if (size is 0 or > 8) return null;
        ValueBytes value = ValueReader.Read(variable.Locate(context, 1), size, context);
        return value.IsComplete ? new DataReader(value.Bytes).Signed((int)size) : null;
    }

    // GCC writes the upper bound of int a[0], which is -1, as wide as its type.
    private static long SignedBound(in AttributeValue bound) => bound is { Form: DwForm.Data4, Value: uint.MaxValue } ? -1 : (long)bound.Value;
}
