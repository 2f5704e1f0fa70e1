using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Threading;
using Cli.Presentation;
using Introspection.Programs;
using Symbols;
using Symbols.Dwarf;
using Symbols.Dwarf.Functions;
using Symbols.Dwarf.Indexing;
using Symbols.Dwarf.Variables;
using Symbols.Elf;
using Symbols.Types;

namespace Cli.Bench;

/// <summary>
/// A symbol file, without a guest: until the first answers, with and without a kept index; then random addresses and names, each asked for once, with all that a user reads
/// of the answer. Memory is the most that the process took in each part (VmHWM of proc(5)); what was read by then is still there.
/// </summary>
internal sealed class SymbolLookups(string path, string folder, CancellationToken cancellation)
{
    private const int SampleCount = 10_000;
    private const string Ready = "within 2 s and 300 MiB", Quick = "all within 1 ms";

    private readonly string _name = Path.GetFileName(path);

    public void Run(BenchReport report)
    {
        // As many places in the file's code, the same ones every time.
        var random = new Random(1);
        List<ElfSymbol> code = Functions(out string[] names);
        if (code.Count == 0) throw CommandException.BadFile($"{path} has no symbols of functions");
        ulong first = code[0].Address;
        var cache = new SymbolIndexing(new DebugIndexCache(Path.Combine(folder, "cache")), null);
        string MeasureOpening(Action<DwarfInfo> question) => Measure(() =>
        {
            using var file = new SymbolFile(new DebugFileFinder().Find(ElfImage.Open(path)), cache);
            question(file.Dwarf);
        });
        report.Add($"{_name}: first line of an address, no index yet", MeasureOpening(dwarf => dwarf.FramesAt(first)), Ready);
        cancellation.ThrowIfCancellationRequested();
        report.Add($"{_name}: first variable by name, no index yet: it is made", MeasureOpening(dwarf => dwarf.FindGlobals(names[0])), Ready);
        report.Add($"{_name}: first line of an address, with the kept index", MeasureOpening(dwarf => dwarf.FramesAt(first)), Ready);
        report.Add($"{_name}: first variable by name, with the kept index", MeasureOpening(dwarf => dwarf.FindGlobals(names[0])), Ready);
        cancellation.ThrowIfCancellationRequested();
        report.Add($"{_name}: opened as by a debugger, with the kept index, until its look-ups are rehearsed", Measure(() =>
        {
            using SymbolFile ready = Open(cache);
            ready.WaitUntilReady();
        }), Ready);
        using SymbolFile file = Open(cache);
        file.WaitUntilReady();
        DwarfInfo info = file.Dwarf;
        ElfSymbol[] places = random.GetItems(code.ToArray(), SampleCount);
        ulong[] addresses = Array.ConvertAll(places, place => place.Address + (ulong)random.NextInt64((long)place.SizeBytes));
        string[] sought = random.GetItems(names, SampleCount);
        var types = new List<string>(info.TypeNames("", int.MaxValue));
        string[] named = types.Count == 0 ? [] : random.GetItems(types.ToArray(), SampleCount);
        var times = new LookupTimes(SampleCount);
        // What was made to ask with, as all these names, is not the look-ups'.
        GC.Collect();
        report.Add($"{_name}: first look-up of an address after that", First(() => Touch(info.FramesAt(first))));
        report.Add($"{_name}: first look-up of a name after that", First(() => Touch(info.FindGlobals(sought[0]))));
        report.Add($"{_name}: frames with lines and inlined calls at random addresses", times.Of(i => Touch(info.FramesAt(addresses[i]))), Quick);
        report.Add($"{_name}: variables by random names, with type, size, place and declaration", times.Of(i => Touch(info.FindGlobals(sought[i]))), Quick);
        report.Add($"{_name}: functions by random names, with entry and declaration", times.Of(i => Touch(info.FunctionsByName(sought[i]))), Quick);
        if (named.Length > 0) report.Add($"{_name}: types by random names, with their members' types", times.Of(i => Touch(TypeOf(info, named[i]))), Quick);
        report.Add($"{_name}: stops at random addresses: frames, and all variables of the innermost, with types and places",
            times.Of(i => TouchVariables(info, addresses[i])), Quick);
        string size = Words.Size(new FileInfo(path).Length);
        report.Note($"{_name}: {size}, {Words.Plural(info.UnitCount, "unit")}, {Words.Count(code.Count)} functions, {Words.Count(types.Count)} names of types");
    }

    private SymbolFile Open(SymbolIndexing indexing)
    {
        var file = new SymbolFile(new DebugFileFinder().Find(ElfImage.Open(path)), indexing);
        file.BeginIndexing();
        return file;
    }

    private static string First(Action question)
    {
        long start = Stopwatch.GetTimestamp();
        question();
        return $"{Stopwatch.GetElapsedTime(start).TotalMicroseconds:F0} us";
    }

    private static void Touch(IReadOnlyList<SourceFrame> frames)
    {
        foreach (SourceFrame frame in frames) _ = (frame.FunctionName, frame.Path, frame.Line);
    }

    // Of several of one name, the first is the one that an expression means.
    private static void Touch(IReadOnlyList<DebugVariable> variables)
    {
        if (variables.Count > 0) Touch(variables[0]);
    }

    private static void Touch(DebugVariable variable) =>
        _ = (variable.Name, variable.Type.ToString(), variable.Type.SizeBytes, variable.Locations.Count, variable.DeclarationFile, variable.DeclarationLine);

    // A breakpoint goes to all of one name.
    private static void Touch(IReadOnlyList<DebugFunction> functions)
    {
        foreach (DebugFunction function in functions) _ = (function.Name, function.EntryPc);
        if (functions.Count > 0) _ = (functions[0].DeclarationFile, functions[0].DeclarationLine);
    }

    private static DebugType? TypeOf(DwarfInfo info, string name) =>
        info.FindType(name, TypeTag.Any) ?? info.FindType(name, TypeTag.Struct) ?? info.FindType(name, TypeTag.Union) ?? info.FindType(name, TypeTag.Enum);

    private static void Touch(DebugType? type)
    {
        _ = (type?.ToString(), type?.SizeBytes);
        if (type?.Stripped is RecordType record)
            foreach (RecordMember member in record.Members) _ = (member.Name, member.Type.ToString());
        if (type?.Stripped is EnumerationType enumeration) _ = enumeration.Enumerators.Count;
    }

    private static void TouchVariables(DwarfInfo info, ulong address)
    {
        IReadOnlyList<SourceFrame> frames = info.FramesAt(address);
        Touch(frames);
        if (frames.Count == 0) return;
        foreach (DebugVariable variable in info.VariablesOf(frames[0], address)) Touch(variable);
    }

    private List<ElfSymbol> Functions(out string[] names)
    {
        using ElfImage image = ElfImage.Open(path);
        var code = new List<ElfSymbol>();
        var all = new List<string>();
        foreach (ElfSymbol symbol in image.Symbols.Symbols)
        {
            if (!symbol.HasAddress || symbol.SizeBytes == 0) continue;
            all.Add(image.Symbols.NameOf(symbol));
            if (symbol.IsFunction) code.Add(symbol);
        }
        names = [.. all];
        return code;
    }

    private static string Measure(Action action)
    {
        GC.Collect();
        bool isCounted = TryResetPeak();
        var watch = Stopwatch.StartNew();
        action();
        string time = Words.Duration(watch.Elapsed);
        return isCounted && Peak() is { } peak ? $"{time}, {Words.Size(peak)}" : time;
    }

    // proc(5): 5 to clear_refs sets the peak to what is used now.
    private static bool TryResetPeak()
    {
        try
        {
            File.WriteAllText("/proc/self/clear_refs", "5");
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static long? Peak()
    {
        foreach (string line in File.ReadLines("/proc/self/status"))
            if (line.StartsWith("VmHWM:", StringComparison.Ordinal)) return long.Parse(line.AsSpan(6, line.Length - 8).Trim(), CultureInfo.InvariantCulture) << 10;
        return null;
    }
}
