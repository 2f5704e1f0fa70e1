using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Symbols.Images;
using Symbols.Kallsyms;
using Xunit;

namespace Symbols.Tests;

/// <summary>Kernel symbol tables in the layouts of several versions, made by hand, and damaged ones. Real ones are compared with real kernels elsewhere.</summary>
public sealed class KallsymsTests
{
    private const ulong Start = 0xffffffff81000000, Text = Start;

    /// <summary>How versions of the kernel lay the tables out.</summary>
    public enum Layout
    {
        /// <summary>4.6 to 4.19: offsets, and markers of 8 bytes.</summary>
        WideMarkers,
        /// <summary>4.20 to 6.1.</summary>
        Offsets,
        /// <summary>6.2 and 6.3: another table between the markers and the tokens.</summary>
        Sequences,
        /// <summary>6.4 and later: addresses behind the tokens.</summary>
        OffsetsBehind,
        /// <summary>Without CONFIG_KALLSYMS_BASE_RELATIVE.</summary>
        WholeAddresses,
    }

    [Theory]
    [InlineData(Layout.WideMarkers)]
    [InlineData(Layout.Offsets)]
    [InlineData(Layout.Sequences)]
    [InlineData(Layout.OffsetsBehind)]
    [InlineData(Layout.WholeAddresses)]
    public void Tables_of_all_layouts_are_found(Layout layout)
    {
        List<KernelSymbol> symbols = Symbols();
        KallsymsTable table = Assert.IsType<KallsymsTable>(Find(Image(symbols, layout)));
        Assert.Equal(symbols, Enumerable.Range(0, table.Count).Select(i => table[i]));
        KernelSymbol middle = symbols[500];
        Assert.Equal(middle, table.Find(middle.Address + 3, out ulong offset));
        Assert.Equal(3UL, offset);
        Assert.Equal(16UL, table.SizeAt(middle.Address));
        Assert.Equal([middle], table.ByName(middle.Name));
        Assert.Null(table.Find(symbols[^1].Address + 1, out _));
        Assert.Null(table.Find(Text - 1, out _));
        Assert.Equal(2, table.AbsoluteCount);
    }

    [Fact]
    public void Huge_numbers_give_no_table_or_another_one()
    {
        byte[] good = Image(Symbols(), Layout.Offsets);
        int refused = 0;
        foreach ((byte[] bytes, string what) in HugeNumbers.In(good, 0, good.Length, 300))
        {
            refused += FuzzTests.Survive(() =>
            {
                if (Find(bytes) is not { } table) return true;
                for (int i = 0; i < table.Count; i++) table.Find(table[i].Address, out _);
                return false;
            }, what) ? 1 : 0;
        }
        Assert.True(refused > 10, $"only {refused} cases were refused");
    }

    [Fact]
    public void Damage_gives_no_table_or_another_one()
    {
        byte[] good = Image(Symbols(), Layout.Offsets);
        int refused = 0;
        for (int seed = 0; seed < 200; seed++)
        {
            byte[] bytes = [.. good];
            var random = new Random(seed);
            for (int i = random.Next(1, 6); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)(random.Next(2) == 0 ? 0xff : random.Next(256));
            if (seed % 4 == 0) bytes = bytes[..random.Next(bytes.Length)];
            if (Find(bytes) is not { } table) refused++;
            else for (int i = 0; i < table.Count; i++) _ = table.Find(table[i].Address, out _);
        }
        Assert.True(refused > 50, $"only {refused} cases were refused: the fuzzer does not damage anything");
    }

    private static KallsymsTable? Find(byte[] image) => KallsymsFinder.Find(new Memory(image), [AddressRange.FromSize(Start, (ulong)image.Length)]);

    // Two offsets of per-CPU variables, then code; names with every digit, so that digits are tokens of their own.
    private static List<KernelSymbol> Symbols()
    {
        var symbols = new List<KernelSymbol> { new("per_cpu_first", 'D', 0), new("current_task", 'D', 0x1234), new("_text", 'T', Text) };
        for (int i = 1; i < 1000; i++) symbols.Add(new KernelSymbol($"function_{i}", i % 3 == 0 ? 't' : 'T', Text + ((ulong)i * 16)));
        // Longer than 127 bytes: its length takes two.
        symbols.Add(new KernelSymbol(string.Concat(Enumerable.Repeat("long_name_", 20)), 'T', Text + 0x10000));
        symbols.Add(new KernelSymbol("_end", 'B', Text + 0x20000));
        return symbols;
    }

    private static byte[] Image(List<KernelSymbol> symbols, Layout layout)
    {
        // Characters stand for themselves; "function_" is one token.
        var tokens = new string[256];
        for (int i = 0; i < tokens.Length; i++) tokens[i] = i is > 32 and < 127 ? ((char)i).ToString() : "";
        tokens[200] = "function_";
        List<byte> addresses = [], names = [], markers = [], tokenTable = [], tokenIndex = [];
        for (int i = 0; i < symbols.Count; i++)
        {
            if (i % 256 == 0) markers.AddRange(layout == Layout.WideMarkers ? BitConverter.GetBytes((ulong)names.Count) : BitConverter.GetBytes(names.Count));
            byte[] name = Encoding.Latin1.GetBytes(symbols[i].Type + symbols[i].Name.Replace("function_", "\u00c8", StringComparison.Ordinal));
            names.AddRange(name.Length < 0x80 ? [(byte)name.Length] : [(byte)(name.Length & 0x7f | 0x80), (byte)(name.Length >> 7)]);
            names.AddRange(name);
            ulong address = symbols[i].Address;
            addresses.AddRange(layout == Layout.WholeAddresses ? BitConverter.GetBytes(address) : BitConverter.GetBytes(address < Text ? (int)address : (int)(Text - 1 - address)));
        }
        foreach (string token in tokens)
        {
            tokenIndex.AddRange(BitConverter.GetBytes((ushort)tokenTable.Count));
            tokenTable.AddRange(Encoding.Latin1.GetBytes(token + "\0"));
        }
        // What lies before in a kernel.
        var image = new List<byte>(Enumerable.Range(0, 4096 + 64 * 1024).Select(i => (byte)(i * 7)));
        while (image.Count % 8 != 0) image.Add(0);
        if (layout != Layout.OffsetsBehind) AppendAddresses();
        Append(BitConverter.GetBytes((ulong)symbols.Count));
        Append(names);
        Append(markers);
        if (layout == Layout.Sequences) Append([.. Enumerable.Range(0, symbols.Count * 3).Select(i => (byte)i)]);
        Append(tokenTable);
        Append(tokenIndex);
        if (layout == Layout.OffsetsBehind) AppendAddresses();
        image.AddRange(new byte[4096]);
        return [.. image];

        void AppendAddresses()
        {
            Append(addresses);
            if (layout != Layout.WholeAddresses) Append(BitConverter.GetBytes(Text));
        }

        void Append(IEnumerable<byte> bytes)
        {
            image.AddRange(bytes);
            while (image.Count % 8 != 0) image.Add(0);
        }
    }

    private sealed class Memory(byte[] image) : IMemoryReader
    {
        // What lies before the image is there too, as it is in a kernel.
        public int Read(ulong address, Span<byte> destination)
        {
            if (address < Start - (1 << 20) || address >= Start + (ulong)image.Length) return 0;
            int done = 0;
            for (; done < destination.Length; done++)
            {
                ulong at = address + (ulong)done;
                if (at >= Start + (ulong)image.Length) break;
                destination[done] = at < Start ? (byte)0 : image[at - Start];
            }
            return done;
        }
    }
}
