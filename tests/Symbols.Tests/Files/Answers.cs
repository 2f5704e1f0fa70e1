using System;
using System.Collections.Generic;
using System.Linq;
using Symbols.Dwarf;
using Symbols.Dwarf.Entries;
using Symbols.Dwarf.Functions;
using Symbols.Dwarf.Lines;
using Xunit;

namespace Symbols.Tests.Files;

/// <summary>Everything that is known about a program's code, as text: two descriptions of one program are compared by it.</summary>
internal static class Answers
{
    /// <summary>For each address of the line tables: frames with names, files, lines; lines back to addresses; functions by name.</summary>
    internal static List<string> Of(DwarfInfo info)
    {
        var addresses = new SortedSet<ulong>();
        foreach (LineTable table in info.LineTables())
            foreach (LineRow row in table.Rows)
                if (info.FindLine(row.Address) is not null) addresses.UnionWith([row.Address, row.Address + 1]);
        var answers = new List<string>();
        var names = new SortedSet<string>(StringComparer.Ordinal);
        foreach (ulong address in addresses)
        {
            answers.Add($"0x{address:x} {info.FindLine(address)} {info.FindLine(address)?.Range}");
            foreach (SourceFrame frame in info.FramesAt(address))
            {
                answers.Add($"  {frame.FunctionName} {frame.LinkageName} {frame.Path}:{frame.Line}:{frame.Column} {frame.IsInlined}");
                if (frame.FunctionName is not null) names.Add(frame.FunctionName);
                if (frame.LinkageName is not null) names.Add(frame.LinkageName);
            }
            if (info.FindFunction(address) is not { } function) continue;
            answers.Add($"  {string.Join(' ', function.Ranges)} {function.EntryPc:x} {function.DeclarationFile}:{function.DeclarationLine} {function.IsExternal} {function.UnitName}");
            answers.Add($"  {info.AfterPrologue(function):x}");
        }
        foreach (string name in names)
            answers.Add($"{name}: {string.Join(' ', info.FunctionsByName(name).Select(function => $"{function.EntryPc:x}").Order(StringComparer.Ordinal))}");
        foreach (string file in info.SourceFiles.Order(StringComparer.Ordinal))
        {
            foreach (uint line in info.StatementLines(file))
                answers.Add($"{file}:{line}: {string.Join(' ', info.FindAddresses(file, line))} to {string.Join(' ', info.BreakpointAddresses(file, line).Select(place => place.Address))}");
        }
        Assert.True(answers.Count > 100, $"only {answers.Count} answers");
        return answers;
    }

    /// <summary>How many references of all forms lead somewhere; every one must.</summary>
    internal static int ReferencesOf(DebugUnit unit)
    {
        int count = 0;
        DebugUnit full = unit.Full;
        var cursor = new DieCursor(full.Header, full.Abbreviations, full.Bytes.Span, full.Header.HeaderSizeBytes);
        while (cursor.MoveNext())
        {
            foreach (DwAt name in (DwAt[])[DwAt.Specification, DwAt.AbstractOrigin, (DwAt)0x49, (DwAt)0x18, DwAt.Signature])
            {
                AttributeValue value = cursor.Attribute(name);
                if (!value.IsPresent || value.Form is DwForm.SectionOffset) continue;
                (DebugUnit? target, ulong offset) = full.Resolve(value);
                Assert.True(target is not null, $"{name} {value} at 0x{full.Header.Offset + (ulong)cursor.Position:x} leads nowhere");
                var there = new DieCursor(target.Header, target.Abbreviations, target.Bytes.Span, (int)(offset - target.Header.Offset));
                Assert.True(there.MoveNext());
                Assert.NotEqual(DwTag.None, there.Tag);
                count++;
            }
        }
        Assert.Null(cursor.Problem);
        return count;
    }
}
