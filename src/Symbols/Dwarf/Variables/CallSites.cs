using System;
using Symbols.Dwarf.Entries;
using Symbols.Dwarf.Expressions;
using Symbols.Dwarf.Functions;
using Symbols.Variables;

namespace Symbols.Dwarf.Variables;

/// <summary>What the debug information says about calls: the values of the parameters (DWARF 5, 3.4; before, GNU's form of the same).</summary>
internal static class CallSites
{
    internal static bool TryValue(DebugFunction function, ulong returnAddress, int register, ILocationContext caller, out ulong value)
    {
        value = 0;
        DebugUnit unit = function.Unit;
        DieCursor cursor = unit.CursorAt(function.DieOffset);
        while (cursor.MoveNext())
        {
            if (cursor.Tag is not (DwTag.CallSite or DwTag.GnuCallSite)) continue;
            AttributeValue behind = cursor.Attribute(cursor.Tag == DwTag.CallSite ? DwAt.CallReturnPc : DwAt.LowPc);
            if (!behind.IsAddress || unit.AddressOf(behind) != returnAddress) continue;
            int depth = cursor.Depth;
            while (cursor.MoveNext() && cursor.Depth > depth)
            {
                if (cursor.Tag is not (DwTag.CallSiteParameter or DwTag.GnuCallSiteParameter)) continue;
                if (!IsRegister(unit.BlockOf(cursor.Attribute(DwAt.Location)).Span, register)) continue;
                AttributeValue passed = cursor.Attribute(DwAt.CallValue);
                if (!passed.IsPresent) passed = cursor.Attribute(DwAt.GnuCallSiteValue);
                ReadOnlyMemory<byte> expression = unit.BlockOf(passed);
                return LocationProgram.TryValue(expression.Span, caller, unit, new DieReference(unit, function.DieOffset), 1, out value);
            }
            return false;
        }
        return false;
    }

    private static bool IsRegister(ReadOnlySpan<byte> location, int register)
    {
        var reader = new Images.DataReader(location);
        byte op = reader.U8();
        ulong number = op switch { >= 0x50 and <= 0x6f => op - 0x50u, 0x90 => reader.Uleb(), _ => ulong.MaxValue };
        return !reader.Failed && number == (ulong)register;
    }
}
