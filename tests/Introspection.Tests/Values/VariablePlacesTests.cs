using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.RegularExpressions;
using Introspection.Programs;
using Introspection.State;
using Introspection.Unwinding;
using Introspection.Values;
using Replay.Timelines;
using Symbols.Dwarf.Functions;
using Symbols.Elf;
using TestKit;
using Xunit;

namespace Introspection.Tests.Values;

/// <summary>Where variables are as their functions go on, against what gdb's <c>info scope</c> says.</summary>
public sealed partial class VariablePlacesTests(Recordings recordings)
{
    [Theory]
    [InlineData("O0")]
    [InlineData("O2")]
    [InlineData("inlined")]
    public void Variables_are_where_gdb_says(string optimization)
    {
        HostTool.Require("gdb", "gdb");
        string kernel = GuestImages.Own($"tasks-{optimization}.elf");
        using var timeline = new Timeline(recordings.File);
        var view = new GuestView(timeline.Machine, timeline.Machine.Vcpus[0]);
        using var file = new SymbolFile(ElfImage.Open(kernel));
        var symbols = new SymbolSet([new LoadedFile(file)], new SourceLibrary(new SourceFinder(new Dictionary<string, string>(), [])));
        var addresses = new List<ulong>();
        for (int unit = 0; unit < file.Dwarf.UnitCount; unit++)
            foreach (DebugFunction function in file.Dwarf.FunctionsOf(unit)) addresses.Add(file.AfterPrologue(function));
        string[] commands = [.. addresses.SelectMany(address => (string[])["-ex", $"info scope *0x{address:x}"])];
        ToolResult gdb = HostTool.Run("gdb", ["-batch", "-nx", .. commands, kernel], TimeSpan.FromMinutes(2));
        string[] scopes = ScopeStart().Split(gdb.Output + gdb.Error)[1..];
        int compared = 0;
        foreach (string scope in scopes)
        {
            string[] lines = scope.Split('\n');
            if (!lines[0].EndsWith(':')) continue;
            ulong address = ulong.Parse(lines[0].TrimEnd(':')[3..], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (CallStack.At(address, symbols) is not { } level) continue;
            // Of a name that several blocks have, gdb means another one than the innermost.
            var own = VariablePlaces.Of(level, view).GroupBy(places => places.Name).Where(group => group.Count() == 1).ToDictionary(group => group.Key, group => group.Single());
            foreach ((string name, List<string> all) in Said(lines))
            {
                // gdb also lists ranges of no instruction.
                List<string> expected = all.FindAll(each => !EmptyRange().IsMatch(each));
                // gdb also tells of blocks around the function: what is not the function's own is not compared.
                if (!own.TryGetValue(name, out VariablePlaces? places)) continue;
                Assert.Equal(expected, places.Places.Select(Shortened));
                compared++;
            }
        }
        // Where functions are inlined there are few left.
        Assert.InRange(compared, optimization == "inlined" ? 20 : 40, int.MaxValue);
    }

    // Register names, ranges and whether it is computed or on the stack: the wording of the rest differs.
    private static string Shortened(VariablePlace place)
    {
        string where = place.Where.StartsWith("in memory at the frame base", StringComparison.Ordinal) ? "frame " + place.Where["in memory at the frame base".Length..]
            : place.Where.StartsWith("in ", StringComparison.Ordinal) && !place.Where[3..].Contains(' ', StringComparison.Ordinal) ? place.Where : "complex";
        return place.Range is { } range ? $"{range.Start:x}-{range.End:x} {where}" : where;
    }

    private static string Signed(string number) => number.StartsWith('-') ? number : "+" + number;

    private static Dictionary<string, List<string>> Said(string[] lines)
    {
        var said = new Dictionary<string, List<string>>();
        List<string> current = [];
        foreach (string line in lines)
        {
            if (Symbol().Match(line) is { Success: true } symbol)
            {
                said[symbol.Groups[1].Value] = current = [];
                if (line.Contains("optimized out", StringComparison.Ordinal) || line.Contains("multi-location", StringComparison.Ordinal)) continue;
                current.Add(InRegister().Match(line) is { Success: true } at ? $"in {at.Groups[1].Value}" : "complex");
            }
            else if (Range().Match(line) is { Success: true } range)
            {
                string where = InRegister().Match(line) is { Success: true } register ? $"in {register.Groups[1].Value}" : "complex";
                current.Add($"{range.Groups[1].Value}-{range.Groups[2].Value} {where}");
            }
            else if (Operation().Match(line) is { Success: true } operation && current.Count > 0)
            {
                // A place in the frame is the only thing that one operation alone says.
                bool isFirst = operation.Groups[1].Value == "0";
                current[^1] = isFirst && operation.Groups[2].Success ? current[^1].Replace("complex", $"frame {Signed(operation.Groups[2].Value)}", StringComparison.Ordinal)
                    : current[^1].Split("frame")[0] + (current[^1].Contains("frame", StringComparison.Ordinal) ? "complex" : "");
            }
        }
        return said;
    }

    [GeneratedRegex("Scope for |Symbol table|No function contains")]
    private static partial Regex ScopeStart();

    [GeneratedRegex(@"^Symbol (\w+) is ")]
    private static partial Regex Symbol();

    [GeneratedRegex(@"^  Range 0x([0-9a-f]+)-0x([0-9a-f]+): ")]
    private static partial Regex Range();

    [GeneratedRegex("^([0-9a-f]+)-\\1 ")]
    private static partial Regex EmptyRange();

    [GeneratedRegex(@"a variable in \$(\w+)")]
    private static partial Regex InRegister();

    [GeneratedRegex(@"^ +(\d+): DW_OP_(?:fbreg (-?\d+)|\w+)")]
    private static partial Regex Operation();
}
