using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Symbols.Dwarf;
using Symbols.Dwarf.Functions;
using Symbols.Dwarf.Variables;
using Symbols.Elf;
using Symbols.Types;
using Xunit;

namespace Symbols.Tests.Types;

/// <summary>Types of every function, of its parameters, and of every global variable, against gdb's <c>whatis</c>.</summary>
public sealed class DeclarationTests
{
    public static TheoryData<string, int, int> Programs() => new() { { "types-c-dwarf5", 2, 20 }, { "types-c++-dwarf5", 3, 5 }, { "libc", 2500, 300 }, { "busybox", 2500, 300 } };

    [Theory]
    [MemberData(nameof(Programs))]
    public void Functions_and_variables_have_the_types_that_gdb_says(string sample, int leastFunctions, int leastVariables)
    {
        string path = sample.StartsWith("types", StringComparison.Ordinal) ? TypeSamples.Get(sample) : Samples.Get(sample);
        using ElfImage image = ElfImage.Open(path);
        DwarfInfo info = DwarfInfo.Open(image);
        var functions = new Dictionary<ulong, DebugFunction>();
        var variables = new Dictionary<string, DebugVariable>();
        for (int unit = 0; unit < info.UnitCount; unit++)
        {
            foreach (DebugFunction function in info.FunctionsOf(unit))
                if (function.EntryPc != 0) functions.TryAdd(function.EntryPc, function);
            // Several of one name have types of their own.
            foreach (DebugVariable variable in info.GlobalsOf(unit))
                if (variable is { IsDeclaration: false, Name: { } name } && info.FindGlobals(name).Count == 1) variables.TryAdd(name, variable);
        }
        Assert.True(functions.Count >= leastFunctions && variables.Count >= leastVariables, $"{functions.Count} functions, {variables.Count} variables");
        Dictionary<string, string> theirs = GdbDeclarations.Ask(path, functions.Keys, variables.Keys);
        var wrong = new List<string>();
        int compared = 0, explained = 0;
        foreach ((ulong entry, DebugFunction function) in functions) Compare(Hexadecimal(entry), function.Name, Describe(function), (_, gdb) => IsOfAssembler(function, gdb));
        foreach ((string name, DebugVariable variable) in variables) Compare(name, name, TypeText.Of(variable.Type) + "|", IsPointerToMember);
        Assert.True(wrong.Count == 0, $"{wrong.Count} of {compared}:\n{string.Join('\n', wrong.Take(20))}");
        Assert.True(compared >= leastFunctions + leastVariables, $"{compared} compared");
        TestContext.Current.TestOutputHelper?.WriteLine($"{sample}: {compared} functions and variables, of which {explained} have another type in gdb for a reason");

        void Compare(string key, string? name, string ours, Func<string, string, bool> isExplained)
        {
            // What gdb has under another name, such as C++'s with a scope, it is not asked for.
            if (!theirs.TryGetValue(key, out string? known) || known == "none") return;
            compared++;
            string plain = GdbTypes.Plain(ours);
            if (plain == known) return;
            if (isExplained(plain, known)) explained++;
            else wrong.Add($"{name}\n  ours {plain}\n  gdb  {known}");
        }
    }

    // What an assembler writes down of its functions has no types at all: gdb takes that for nothing, and we for unknown.
    private static bool IsOfAssembler(DebugFunction function, string gdb) =>
        gdb == "void(void)|" && function.Parameters.Count == 0 && function.UnitName?.EndsWith(".S", StringComparison.Ordinal) == true;

    // The pointer to the object of a function's class is a constant to gdb, whatever the compiler says.
    private static bool IsPointerToMember(string ours, string gdb) => ours.Contains("::*)(", StringComparison.Ordinal) && gdb.Replace("*const,", "*,", StringComparison.Ordinal) == ours;

    private static string Describe(DebugFunction function) =>
        $"{TypeText.Of(function.Type)}|{string.Join(';', function.Parameters.Select(static one => $"{one.Name}:{TypeText.Of(one.Type)}"))}";

    private static string Hexadecimal(ulong number) => number.ToString("x", CultureInfo.InvariantCulture);
}
