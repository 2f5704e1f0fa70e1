using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using Symbols.Dwarf;
using Symbols.Dwarf.Frames;
using Symbols.Dwarf.Functions;
using Symbols.Dwarf.Indexing;
using Symbols.Dwarf.Lines;
using Symbols.Elf;
using Xunit;

namespace Symbols.Tests;

/// <summary>
/// Damaged files: bytes flipped, numbers made huge, sections cut off, one section at a time. Every reader goes over every one. The only
/// exception there may be is <see cref="SymbolFormatException"/> from opening; time and memory stay bounded.
/// </summary>
public sealed class FuzzTests
{
    private const int CasesPerSection = 250;
    private const long MaximumAllocatedBytes = 600L << 20;
    private static readonly TimeSpan s_maximumTime = TimeSpan.FromSeconds(20);

    public static TheoryData<string> Victims => ["prebuilt", "c-O2-dwarf2", "c-O2-dwarf4", "c-O2-dwarf5", "c-O2-types", "c-O2-zlib", "c-m32-O2", "c-O2-debug-frame", "c++-O2"];

    [Theory]
    [MemberData(nameof(Victims))]
    public void Damaged_sections_give_diagnostics(string sample)
    {
        byte[] good = File.ReadAllBytes(Samples.Get(sample));
        using ElfImage image = ElfImage.Open(good, sample);
        (string Name, int Start, int Size)[] targets =
        [
            ("header", 0, 64),
            ("section headers", good.Length - (image.Sections.Count * 64), image.Sections.Count * 64),
            .. image.Sections.Where(IsRead).Select(section => (section.Name, (int)section.Offset, (int)section.SizeBytes)),
        ];
        int damaged = 0;
        foreach ((string name, int start, int size) in targets)
        {
            for (int seed = 0; seed < CasesPerSection; seed++)
            {
                byte[] bytes = Damage(good, start, size, seed);
                damaged += Survive(bytes, $"{sample}, {name}, seed {seed}") ? 1 : 0;
            }
        }
        Assert.True(damaged > targets.Length, $"only {damaged} cases were noticed: the fuzzer does not damage anything");
    }

    [Fact]
    public void Files_cut_off_anywhere_give_diagnostics()
    {
        byte[] good = File.ReadAllBytes(Samples.Get("prebuilt"));
        for (int size = 0; size < good.Length; size += 997) Survive(good[..size], $"cut off at {size}");
    }

    [Fact]
    public void Entries_that_refer_to_themselves_end()
    {
        // Every reference in the unit points at one entry: chains of origins become cycles.
        byte[] bytes = File.ReadAllBytes(Samples.Get("c-O2-dwarf5"));
        using ElfImage image = ElfImage.Open(bytes, "cycle");
        DwarfInfo info = DwarfInfo.Open(image);
        ElfSection section = image.Section(".debug_info")!;
        DebugFunction function = info.FunctionsOf(0).First(candidate => candidate.Calls.Count > 0);
        // The inlined call's first attribute is DW_AT_abstract_origin, DW_FORM_ref4, behind a code of one byte.
        ulong call = function.Calls[0].DieOffset;
        BitConverter.TryWriteBytes(bytes.AsSpan((int)(section.Offset + call) + 1), (uint)call);
        using ElfImage broken = ElfImage.Open(bytes, "cycle");
        DebugFunction same = DwarfInfo.Open(broken).FunctionsOf(0).First(candidate => candidate.DieOffset == function.DieOffset);
        Assert.Null(same.Calls[0].Name);
        Assert.Contains(broken.Diagnostics.Entries, entry => entry.Message.Contains("refers to itself", StringComparison.Ordinal));
    }

    private static bool IsRead(ElfSection section) => section.Type != ElfSection.NoBitsType && section.SizeBytes > 0
        && (section.Name.StartsWith(".debug", StringComparison.Ordinal) || section.Name.StartsWith(".note", StringComparison.Ordinal)
            || section.Name is ".eh_frame" or ".symtab" or ".strtab" or ".shstrtab" or ".dynsym");

    internal static byte[] Damage(byte[] good, int start, int size, int seed)
    {
        var random = new Random(seed);
        byte[] bytes = [.. good];
        if (seed % 8 == 7) return bytes[..(start + random.Next(size))];
        for (int i = 0; i <= seed % 4; i++)
        {
            int at = start + random.Next(size);
            switch (random.Next(3))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                default:
                    bytes.AsSpan(at, Math.Min(random.Next(1, 9), bytes.Length - at)).Fill((byte)(random.Next(2) * 255));
                    break;
            }
        }
        return bytes;
    }

    // True if the damage was noticed.
    internal static bool Survive(byte[] bytes, string what) => Survive(() => ReadEverything(bytes), what);

    internal static bool Survive(Func<bool> read, string what)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        long started = Stopwatch.GetTimestamp();
        bool isNoticed;
        try
        {
            isNoticed = read();
        }
        catch (SymbolFormatException e)
        {
            Assert.EndsWith(".", e.Message, StringComparison.Ordinal);
            isNoticed = true;
        }
        catch (Exception e) when (e is not Xunit.Sdk.XunitException)
        {
            throw new InvalidOperationException($"{what}: {e.GetType().Name}: {e.Message}", e);
        }
        Assert.True(Stopwatch.GetElapsedTime(started) < s_maximumTime, $"{what} took {Stopwatch.GetElapsedTime(started)}");
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated < MaximumAllocatedBytes, $"{what} took {allocated >> 20} MiB");
        return isNoticed;
    }

    private static bool ReadEverything(byte[] bytes)
    {
        using ElfImage image = ElfImage.Open(bytes, "damaged");
        return ReadEverything(image, DwarfInfo.Open(image));
    }

    internal static bool ReadEverything(ElfImage image, DwarfInfo info)
    {
        _ = (image.BuildIdText, image.DebugLink, image.DynamicSymbols.Find(0x1000));
        foreach (ElfSymbol symbol in image.Symbols.Symbols)
        {
            image.Symbols.Find(symbol.Address + 1);
            image.Symbols.ByName(image.Symbols.NameOf(symbol));
        }
        foreach (LineTable table in info.LineTables())
            for (uint file = 0; file < table.Files.Count; file++) table.FilePath(file);
        var names = new List<string>();
        for (int unit = 0; unit < info.UnitCount; unit++)
        {
            foreach (DebugFunction function in info.FunctionsOf(unit))
            {
                if (function.Name is { } name) names.Add(name);
                _ = (function.DeclarationFile, function.DeclarationLine);
                info.FramesAt(function.EntryPc);
                info.FramesAt(function.EntryPc + 16);
                info.AfterPrologue(function);
            }
        }
        foreach (string name in names.Take(5)) info.FunctionsByName(name);
        foreach (string name in info.Index.Names("", ~NamedKinds.None, 200)) info.Index.Find(name, ~NamedKinds.None);
        DescribedThings.Read(info);
        foreach (string file in info.SourceFiles.Take(5)) info.BreakpointAddresses(file, 10);
        var unwinder = new FrameUnwinder(image);
        foreach (CallFrameInfo frames in (CallFrameInfo[])[unwinder.DebugFrame, unwinder.EhFrame])
        {
            foreach (FrameDescription description in frames.Descriptions)
            {
                frames.Rows(description);
                unwinder.Unwind(description.Range.Start, new ConstantContext());
            }
        }
        return image.Diagnostics.Count > 0;
    }
}
