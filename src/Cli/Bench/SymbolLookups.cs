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
using Symbols.Dwarf.Indexing;
using Symbols.Elf;
using Symbols.Types;

namespace Cli.Bench;

/// <summary>
/// A symbol file, without a guest: until the first answers, with and without a kept index; then random addresses and names, each asked for once. Memory is the most that
/// the process took in each part (VmHWM of proc(5)); what was read by then is still there.
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
        using var file = new SymbolFile(new DebugFileFinder().Find(ElfImage.Open(path)), cache);
        DwarfInfo info = file.Dwarf;
        ElfSymbol[] places = random.GetItems(code.ToArray(), SampleCount);
        _ = info.FindLine(first);
        report.Add($"{_name}: frames with lines at random addresses",
            Distribution(SampleCount, i => info.FramesAt(places[i].Address + (ulong)random.NextInt64((long)places[i].SizeBytes))), Quick);
        string[] sought = random.GetItems(names, SampleCount);
        _ = info.FindGlobals(sought[0]);
        report.Add($"{_name}: variables by random names",
            Distribution(SampleCount, i => Touch(info.FindGlobals(sought[i]).Count > 0 ? info.FindGlobals(sought[i])[0].Type : null)), Quick);
        report.Add($"{_name}: functions by random names", Distribution(SampleCount, i => info.FunctionsByName(sought[i])), Quick);
        var types = new List<string>(info.TypeNames("", int.MaxValue));
        string[] named = types.Count == 0 ? [] : random.GetItems(types.ToArray(), SampleCount);
        if (named.Length > 0) report.Add($"{_name}: types by random names", Distribution(named.Length, i => Touch(info.FindType(named[i], TypeTag.Any))), Quick);
        string size = Words.Size(new FileInfo(path).Length);
        report.Note($"{_name}: {size}, {Words.Plural(info.UnitCount, "unit")}, {Words.Count(code.Count)} functions, {Words.Count(types.Count)} names of types");
    }

    private static void Touch(DebugType? type) => _ = type?.SizeBytes;

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

    private static string Distribution(int count, Action<int> question)
    {
        var microseconds = new double[count];
        for (int i = 0; i < count; i++)
        {
            long start = Stopwatch.GetTimestamp();
            question(i);
            microseconds[i] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        }
        Array.Sort(microseconds);
        int late = count - (~Array.BinarySearch(microseconds, 1000.0000001) is >= 0 and int within ? within : count);
        return $"median {microseconds[count / 2]:F0} us, 99 % within {microseconds[count * 99 / 100]:F0} us, longest {microseconds[^1]:F0} us, {late} over 1 ms (of {count})";
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
