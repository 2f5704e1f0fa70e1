using System;
using System.IO;
using System.Linq;
using Symbols.Elf;
using Xunit;

namespace Symbols.Tests;

/// <summary>Files in which one size, count, offset or index is near 2^32 or 2^64: diagnostics, in bounded time and memory, of every reader of every section.</summary>
public sealed class HugeNumberTests
{
    private const int OthersPerSection = 80;

    public static TheoryData<string> Victims =>
        ["c-O2-dwarf2", "c-O2-dwarf4", "c-O2-dwarf5", "c-O2-dwarf64", "c-O2-types", "c-O2-zlib", "c-O2-zlib-gnu", "c-m32-O2", "c-O2-debug-frame", "c++-O2"];

    [Theory]
    [MemberData(nameof(Victims))]
    public void Huge_numbers_give_diagnostics(string sample)
    {
        byte[] good = File.ReadAllBytes(Samples.Get(sample));
        using ElfImage image = ElfImage.Open(good, sample);
        (string Name, int Start, int Size)[] parts =
        [
            ("header", 0, 64), ("program headers", 64, 56 * 4), ("section headers", good.Length - (image.Sections.Count * 64), image.Sections.Count * 64),
            .. image.Sections.Where(static section => section.Type != ElfSection.NoBitsType && section.SizeBytes > 0 && section.Name is not (".text" or ".data" or ".rodata"))
                .Select(static section => (section.Name, (int)section.Offset, (int)section.SizeBytes)),
        ];
        int noticed = 0, count = 0;
        foreach ((string name, int start, int size) in parts)
        {
            foreach ((byte[] bytes, string what) in HugeNumbers.In(good, start, size, name == "section headers" ? 4 * OthersPerSection : OthersPerSection))
            {
                count++;
                noticed += FuzzTests.Survive(bytes, $"{sample}, {name}, {what}") ? 1 : 0;
            }
        }
        Assert.True(noticed > count / 20, $"only {noticed} of {count} cases were noticed");
    }
}
