using System;
using System.Diagnostics;
using System.Linq;
using Symbols.Dwarf;
using Symbols.Elf;
using Xunit;

namespace Symbols.Tests;

/// <summary>Prints how long look-ups take; nothing about time is asserted, as machines differ.</summary>
public sealed class SpeedTests
{
    [Theory]
    [InlineData("prebuilt")]
    [InlineData("libc")]
    public void Look_ups_are_measured(string sample)
    {
        using ElfImage image = ElfImage.Open(Samples.Get(sample));
        DwarfInfo info = DwarfInfo.Open(image);
        ElfSymbol[] functions = [.. image.Symbols.Symbols.Where(symbol => symbol is { IsFunction: true, SizeBytes: > 0, IsDefined: true })];
        string[] names = Array.ConvertAll(functions, symbol => image.Symbols.NameOf(symbol));
        Measure(sample, "index symbols by address", 1, _ => image.Symbols.Find(functions[0].Address));
        Measure(sample, "index symbols by name", 1, _ => image.Symbols.ByName(names[0]));
        Measure(sample, "index units", 1, _ => info.FindLine(functions[0].Address));
        Measure(sample, "index functions by name", 1, _ => info.FunctionsByName(names[0]));
        Measure(sample, "index source files", 1, _ => info.FindAddresses("main.c", 1));
        Measure(sample, "symbol by address", 20_000, i => image.Symbols.Find(functions[i % functions.Length].Address + 1));
        Measure(sample, "symbol by name", 20_000, i => image.Symbols.ByName(names[i % names.Length]));
        Measure(sample, "first line by address in a unit", functions.Length, i => info.FindLine(functions[i].Address + 1));
        Measure(sample, "line by address", 20_000, i => info.FindLine(functions[i % functions.Length].Address + 1));
        Measure(sample, "frames by address", 20_000, i => info.FramesAt(functions[i % functions.Length].Address + 1));
        Measure(sample, "function by name", 20_000, i => info.FunctionsByName(names[i % names.Length]));
        Assert.NotEmpty(functions);
    }

    private static void Measure(string sample, string what, int count, Action<int> action)
    {
        double longest = 0;
        long before = GC.GetAllocatedBytesForCurrentThread();
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++)
        {
            long one = Stopwatch.GetTimestamp();
            action(i);
            longest = Math.Max(longest, Stopwatch.GetElapsedTime(one).TotalMicroseconds);
        }
        double total = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        TestContext.Current.TestOutputHelper?.WriteLine($"{sample}: {what}: {total / count:F1} us each, longest {longest:F0} us, "
            + $"{(GC.GetAllocatedBytesForCurrentThread() - before) / 1024 / count} KiB each");
    }
}
