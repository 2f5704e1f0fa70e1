using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Symbols.Elf;
using TestKit;
using Xunit;

namespace Symbols.Tests;

/// <summary>Every symbol equals what readelf prints, and every look-up finds what nm says.</summary>
public sealed class SymbolTableTests
{
    public static TheoryData<string> All => Samples.All;

    [Theory]
    [MemberData(nameof(All))]
    public void Symbols_are_those_of_readelf(string sample)
    {
        string path = Samples.Get(sample);
        using ElfImage image = ElfImage.Open(path);
        int count = 0;
        foreach ((string table, SymbolTable symbols) in new[] { (".symtab", image.Symbols), (".dynsym", image.DynamicSymbols) })
        {
            string[] lines = Lines(path, table);
            if (image.Section(table) is not { Type: not ElfSection.NoBitsType }) continue;
            Assert.Equal(lines.Length, symbols.Symbols.Count);
            for (int i = 0; i < lines.Length; i++) Assert.Equal(lines[i], Text(image, symbols, symbols.Symbols[i]));
            count += lines.Length;
        }
        Assert.True(count > 10);
        Assert.Empty(image.Diagnostics.Entries);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Look_ups_find_what_nm_lists(string sample)
    {
        string path = Samples.Get(sample);
        using ElfImage image = ElfImage.Open(path);
        SymbolTable symbols = image.Symbols;
        int sized = 0;
        foreach (string line in HostTool.Run("nm", ["-S", "--defined-only", path], TimeSpan.FromMinutes(1)).Output.Split('\n'))
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length < 3) continue;
            ulong address = ulong.Parse(words[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            // Linkers write versions into the names of .symtab (one @ or two), and nm adds them to those of .dynsym.
            string name = symbols.ByName(words[^1]).Count > 0 ? words[^1] : words[^1].Split('@')[0];
            Assert.Contains(symbols.ByName(name), symbol => symbol.Address == address);
            // Absolute symbols and thread-local ones (offsets in a block of each thread's own) are at no address.
            bool isPlaced = symbols.ByName(name).Any(symbol => symbol.HasAddress && symbol.Address == address);
            if (words.Length != 4 || !isPlaced) continue;
            ulong size = ulong.Parse(words[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (size == 0) continue;
            sized++;
            Assert.Contains(symbols.At(address), symbol => symbols.NameOf(symbol) == name);
            foreach (ulong inside in (ulong[])[address, address + (size / 2), address + size - 1])
            {
                SymbolHit hit = symbols.Find(inside)!.Value;
                // The innermost one: its name is the same, an alias's or that of a symbol inside.
                Assert.True(hit.IsSized && hit.Symbol.Range.Contains(inside) && hit.Symbol.Address >= address, $"0x{inside:x}: {hit}, not {name}");
            }
        }
        Assert.True(sized > 5);
        Assert.Empty(symbols.ByName("no such symbol"));
        Assert.Null(symbols.Find(ulong.MaxValue));
    }

    [Fact]
    public void Labels_without_a_size_reach_up_to_the_next_symbol()
    {
        using ElfImage image = ElfImage.Open(Samples.Get("prebuilt"));
        ElfSymbol boot = image.Symbols.ByName("boot_high").Single();
        SymbolHit hit = image.Symbols.FindFunction(boot.Address + 3)!.Value;
        // The linker script's name for the start of .text is global and so comes before the assembler's label.
        Assert.Equal(("kernel_text_start+0x3", false), (hit.ToString(), hit.IsSized));
        Assert.Equal(["boot_high", "kernel_text_start"], image.Symbols.At(boot.Address).Select(symbol => image.Symbols.NameOf(symbol)).Order());
        Assert.Equal("kernel_main", image.Symbols.FindFunction(image.Symbols.ByName("kernel_main")[0].Address)!.Value.Name);
        Assert.Null(image.Symbols.FindFunction(image.Symbols.ByName("boot_pd")[0].Address));
    }

    [Fact]
    public void Aliases_are_all_found_and_the_global_name_is_preferred()
    {
        using ElfImage image = ElfImage.Open(Samples.Get("c-O0-dwarf5"));
        ulong address = image.Symbols.ByName("recurse").Single().Address;
        Assert.Equal(["alias_of_recurse", "recurse"], image.Symbols.At(address).Select(symbol => image.Symbols.NameOf(symbol)).Order());
    }

    // "address size type binding section name" as readelf prints them.
    private static string Text(ElfImage image, SymbolTable symbols, in ElfSymbol symbol)
    {
        string name = symbols.NameOf(symbol);
        // readelf calls sections by their own names.
        if (symbol.Type == ElfSymbolType.Section && name.Length == 0) name = image.Sections[(int)symbol.SectionIndex].Name;
        string section = symbol.SectionIndex switch { 0 => "UND", 0xfff1 => "ABS", 0xfff2 => "COM", uint index => $"{index}" };
        string type = symbol.Type switch
        {
            ElfSymbolType.None => "NOTYPE",
            ElfSymbolType.Function => "FUNC",
            ElfSymbolType.ThreadLocal => "TLS",
            ElfSymbolType.IndirectFunction => "IFUNC",
            _ => symbol.Type.ToString().ToUpperInvariant(),
        };
        return $"{symbol.Address:x} {symbol.SizeBytes} {type} {symbol.Binding.ToString().ToUpperInvariant()} {section} {name}".TrimEnd();
    }

    private static string[] Lines(string path, string table)
    {
        var found = new List<string>();
        bool isInTable = false;
        foreach (string line in HostTool.Run("readelf", ["-s", "-W", path], TimeSpan.FromMinutes(1)).Output.Split('\n'))
        {
            if (line.StartsWith("Symbol table", StringComparison.Ordinal)) isInTable = line.Contains($"'{table}'", StringComparison.Ordinal);
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (!isInTable || words.Length < 7 || !words[0].EndsWith(':') || words[0] == "Num:") continue;
            ulong address = ulong.Parse(words[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            ulong size = words[2].StartsWith("0x", StringComparison.Ordinal)
                ? ulong.Parse(words[2].AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)
                : ulong.Parse(words[2], CultureInfo.InvariantCulture);
            // Versions of dynamic symbols come from another section and are printed behind an @.
            string name = words.Length > 7 ? words[7] : "";
            if (table == ".dynsym") name = name.Split('@')[0];
            found.Add($"{address:x} {size} {words[3]} {words[4]} {words[6]} {name}".TrimEnd());
        }
        return [.. found];
    }
}
