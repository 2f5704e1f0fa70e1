using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text.RegularExpressions;
using Symbols.Dwarf.Lines;
using TestKit;

namespace Symbols.Tests;

/// <summary>
/// The rows of every line program as readelf decodes its opcodes. Addresses and lines are those that readelf prints; only the columns,
/// files and flags that it prints once are carried from one row to the next.
/// </summary>
internal sealed partial class RawLines
{
    private readonly List<LineRow> _rows = [];
    private ulong _address;
    private uint _file, _line, _column, _discriminator;
    private bool _defaultIsStatement = true;
    private LineRowFlags _flags;

    internal static SortedDictionary<ulong, List<LineRow>> Of(string path)
    {
        var programs = new SortedDictionary<ulong, List<LineRow>>();
        RawLines? current = null;
        ToolResult result = HostTool.Run("readelf", ["--debug-dump=rawline", "-W", path], TimeSpan.FromMinutes(5));
        foreach (string line in result.Output.Split('\n'))
        {
            string text = line.Trim();
            if (text.StartsWith("Offset:", StringComparison.Ordinal))
            {
                current = new RawLines();
                programs[Number(text[7..].Trim())] = current._rows;
            }
            else if (text.StartsWith("Initial value of 'is_stmt':", StringComparison.Ordinal))
            {
                current!._defaultIsStatement = text[^1] == '1';
                current.Reset();
            }
            else if (text.StartsWith("[0x", StringComparison.Ordinal) && current is not null)
            {
                current.Opcode(text[(text.IndexOf(']', StringComparison.Ordinal) + 1)..].Trim());
            }
        }
        return programs;
    }

    private void Opcode(string text)
    {
        if (SpecialOpcode().Match(text) is { Success: true } special)
        {
            _address = Number(special.Groups[1].Value);
            _line = (uint)long.Parse(special.Groups[2].Value, CultureInfo.InvariantCulture);
            Emit();
        }
        else if (text.StartsWith("Copy", StringComparison.Ordinal)) Emit();
        else if (text.StartsWith("Advance PC", StringComparison.Ordinal)) _address = Last(text);
        else if (text.StartsWith("Extended opcode 2:", StringComparison.Ordinal)) _address = Last(text);
        else if (text.StartsWith("Advance Line", StringComparison.Ordinal)) _line = (uint)Last(text);
        else if (text.StartsWith("Set column to", StringComparison.Ordinal)) _column = (uint)Last(text);
        else if (text.StartsWith("Set File Name to entry", StringComparison.Ordinal))
            _file = (uint)Number(text["Set File Name to entry ".Length..].Split(' ')[0]);
        else if (text.StartsWith("Set is_stmt", StringComparison.Ordinal)) _flags ^= LineRowFlags.IsStatement;
        else if (text.StartsWith("Set prologue_end", StringComparison.Ordinal)) _flags |= LineRowFlags.PrologueEnd;
        else if (text.StartsWith("Set epilogue_begin", StringComparison.Ordinal)) _flags |= LineRowFlags.EpilogueBegin;
        else if (text.StartsWith("Set basic block", StringComparison.Ordinal)) _flags |= LineRowFlags.BasicBlock;
        else if (text.StartsWith("Extended opcode 4:", StringComparison.Ordinal)) _discriminator = (uint)Last(text);
        else if (text.StartsWith("Extended opcode 1:", StringComparison.Ordinal))
        {
            _flags |= LineRowFlags.EndSequence;
            Emit();
            Reset();
        }
        else throw new FormatException($"readelf printed an opcode that this test does not know: {text}");
    }

    private void Emit()
    {
        _rows.Add(new LineRow(_address, _file, _line, _column, _discriminator, 0, _flags));
        _discriminator = 0;
        _flags &= LineRowFlags.IsStatement;
    }

    private void Reset()
    {
        (_address, _file, _line, _column, _discriminator) = (0, 1, 1, 0, 0);
        _flags = _defaultIsStatement ? LineRowFlags.IsStatement : LineRowFlags.None;
    }

    // "... to 0x1234", perhaps followed by "(reset view)".
    private static ulong Last(string text)
    {
        int to = text.LastIndexOf(" to ", StringComparison.Ordinal);
        return Number(text[(to + 4)..].Split(' ')[0]);
    }

    private static ulong Number(string text) => text.StartsWith("0x", StringComparison.Ordinal)
        ? ulong.Parse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)
        : (ulong)long.Parse(text, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^Special opcode \d+: advance Address by \d+ to (0x[0-9a-f]+) and Line by -?\d+ to (-?\d+)")]
    private static partial Regex SpecialOpcode();
}
