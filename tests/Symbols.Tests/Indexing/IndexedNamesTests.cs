using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Symbols.Dwarf;
using Symbols.Dwarf.Entries;
using Symbols.Dwarf.Functions;
using Symbols.Dwarf.Indexing;
using Symbols.Dwarf.Variables;
using Symbols.Elf;
using Symbols.Tests.Files;
using Symbols.Types;
using Xunit;

namespace Symbols.Tests.Indexing;

/// <summary>What is found by name is what a walk over all units finds.</summary>
public sealed class IndexedNamesTests
{
    private const NamedKinds Records = NamedKinds.Structure | NamedKinds.Union | NamedKinds.Class;

    [Theory]
    [InlineData("prebuilt")]
    [InlineData("c-O0-dwarf2")]
    [InlineData("c-O2-dwarf5")]
    [InlineData("c-O2-types")]
    [InlineData("c++-O0")]
    [InlineData("c++-O2")]
    [InlineData("c++-O2-dwarf4")]
    [InlineData("libc")]
    public void Names_of_types_and_enumerators_are_those_of_a_walk(string sample)
    {
        using ElfImage image = ElfImage.Open(Samples.Get(sample));
        DwarfInfo info = DwarfInfo.Open(image);
        var expected = new Dictionary<NamedKinds, SortedSet<string>>();
        foreach (DebugUnit unit in info.Units) Collect(unit, expected);
        foreach (NamedKinds kind in (NamedKinds[])[Records, NamedKinds.Enumeration, NamedKinds.TypeDef, NamedKinds.Base, NamedKinds.Enumerator])
        {
            SortedSet<string> names = expected.GetValueOrDefault(kind) ?? new SortedSet<string>(StringComparer.Ordinal);
            Assert.Equal(names, info.Index.Names("", kind, int.MaxValue).Order(StringComparer.Ordinal));
        }
        foreach (string name in expected.GetValueOrDefault(NamedKinds.Enumerator) ?? []) Assert.NotNull(info.FindConstant(name));
        foreach (string name in expected[NamedKinds.Base]) Assert.IsNotType<RecordType>(info.FindType(name, TypeTag.Any));
        foreach (string name in expected[Records])
        {
            DebugType? type = info.FindType(name, TypeTag.Struct) ?? info.FindType(name, TypeTag.Union);
            Assert.Equal(name, Assert.IsType<RecordType>(type).Name);
        }
        Assert.Null(info.FindType("no such type", TypeTag.Any));
        Assert.Null(info.FindConstant("no such constant"));
    }

    [Theory]
    [InlineData("prebuilt")]
    [InlineData("c-O2-dwarf5")]
    [InlineData("c++-O0")]
    [InlineData("c++-O2")]
    [InlineData("libc")]
    public void Variables_and_inlined_copies_are_found_wherever_they_are(string sample)
    {
        using ElfImage image = ElfImage.Open(Samples.Get(sample));
        DwarfInfo info = DwarfInfo.Open(image), plain = DwarfInfo.Open(image);
        var copies = new Dictionary<string, SortedSet<ulong>>(StringComparer.Ordinal);
        int count = 0;
        for (int unit = 0; unit < plain.UnitCount; unit++)
        {
            foreach (DebugVariable variable in plain.GlobalsOf(unit))
            {
                if (variable.QualifiedName is not { } name) continue;
                Assert.Contains(info.FindGlobals(name), other => other.DieOffset == variable.DieOffset);
                count++;
            }
            foreach (DebugFunction function in plain.FunctionsOf(unit))
                foreach (string name in NamesOf(function.Calls)) (copies.TryGetValue(name, out SortedSet<ulong>? found) ? found : copies[name] = []).Add(function.DieOffset);
        }
        Assert.True(count > 0);
        foreach ((string name, SortedSet<ulong> functions) in copies)
            Assert.Equal(functions, info.FunctionsWithCopiesOf(name).Select(static function => function.DieOffset).Order());
        if (sample.Contains("-O2", StringComparison.Ordinal)) Assert.NotEmpty(copies);
        Assert.Empty(info.FunctionsWithCopiesOf("no such function"));
    }

    [Fact]
    public void What_is_declared_in_functions_is_found_where_nothing_else_has_the_name()
    {
        string folder = Built.Folder("local");
        File.WriteAllText(Path.Combine(folder, "local.cpp"), """
            namespace outer {
                struct both { int wide[4]; };
                int work(int n) {
                    struct counter { int steps; struct inner { char c; } last; };
                    struct both { char c; };
                    enum phase { early = 3, late = 9 };
                    counter c = { n + late, { 'x' } };
                    both b = { 'y' };
                    return c.steps + c.last.c + b.c + early;
                }
                static inline int twice(int n) { return n * 2; }
            }
            static outer::both kept;
            int main(int argc, char **) { return outer::work(argc) + kept.wide[0] + outer::twice(argc); }
            """);
        Built.Run(folder, "g++", "-O0", "-g", "-o", "local", "local.cpp");
        using ElfImage image = ElfImage.Open(Path.Combine(folder, "local"));
        DwarfInfo info = DwarfInfo.Open(image);
        Assert.Equal(8ul, info.FindType("counter", TypeTag.Struct)?.SizeBytes);
        Assert.Equal(1ul, info.FindType("counter::inner", TypeTag.Any)?.SizeBytes);
        Assert.Equal(9ul, info.FindConstant("late")?.Value);
        Assert.Equal(16ul, info.FindType("outer::both", TypeTag.Struct)?.SizeBytes);
        Assert.Equal(1ul, info.FindType("both", TypeTag.Struct)?.SizeBytes);
        Assert.DoesNotContain("counter", info.TypeNames("", int.MaxValue));
        Assert.Equal("work", Assert.Single(info.FunctionsByName("outer::work")).Name);
        Assert.Same(info.FunctionsByName("twice")[0], Assert.Single(info.FunctionsByName("outer::twice")));
    }

    [Fact]
    public async Task Indices_are_equal_however_many_make_them_at_once()
    {
        string folder = Built.Folder("at-once");
        string program = Built.Program(folder, true, "-O2", "-g", "-Wl,--build-id");
        var cache = new DebugIndexCache(Path.Combine(folder, "kept"));
        var tasks = new List<Task>();
        for (int i = 0; i < 6; i++)
        {
            tasks.Add(Task.Run(() =>
            {
                using ElfImage image = ElfImage.Open(program);
                DwarfInfo info = DwarfInfo.Open(image);
                if (!info.LoadIndex(cache)) Assert.True(info.PrepareIndex(cache).Run(null, CancellationToken.None));
                Assert.NotEmpty(info.FunctionsByName("main"));
            }, TestContext.Current.CancellationToken));
        }
        await Task.WhenAll(tasks);
        Assert.Single(Directory.GetFiles(Path.Combine(folder, "kept")));
        using ElfImage one = ElfImage.Open(program);
        Assert.True(DwarfInfo.Open(one).LoadIndex(cache));
    }

    [Fact]
    public void Cut_off_indices_are_none()
    {
        string folder = Built.Folder("cut-off");
        using ElfImage image = ElfImage.Open(Built.Program(folder, false, "-O1", "-g", "-Wl,--build-id"));
        var cache = new DebugIndexCache(Path.Combine(folder, "kept"));
        Assert.True(DwarfInfo.Open(image).PrepareIndex(cache).Run(null, CancellationToken.None));
        string path = Directory.GetFiles(Path.Combine(folder, "kept"))[0];
        byte[] good = File.ReadAllBytes(path);
        for (int length = 0; length < good.Length; length += length < 300 ? 1 : 1009)
        {
            File.WriteAllBytes(path, good[..length]);
            Assert.False(DwarfInfo.Open(image).LoadIndex(cache), $"{length} bytes");
        }
        // Those of other versions of this program, too.
        foreach (uint version in (uint[])[0, IndexFile.Version - 1, IndexFile.Version + 1])
        {
            byte[] other = [.. good];
            BitConverter.TryWriteBytes(other.AsSpan(8), version);
            File.WriteAllBytes(path, other);
            Assert.False(DwarfInfo.Open(image).LoadIndex(cache), $"version {version}");
        }
        // Made anew in its place, it is the same.
        Assert.True(DwarfInfo.Open(image).PrepareIndex(cache).Run(null, CancellationToken.None));
        Assert.Equal(good, File.ReadAllBytes(path));
    }

    private static IEnumerable<string> NamesOf(IReadOnlyList<InlinedCall> calls)
    {
        foreach (InlinedCall call in calls)
        {
            if (call.Name is { } name) yield return name;
            if (call.LinkageName is { } linkage) yield return linkage;
            foreach (string below in NamesOf(call.Calls)) yield return below;
        }
    }

    // Entry by entry, with the names of what they are in found upwards by the reader of types.
    private static void Collect(DebugUnit unit, Dictionary<NamedKinds, SortedSet<string>> names)
    {
        unit = unit.Full;
        bool hasScopes = !unit.Attributes.Language.HasNoScopes();
        var hidden = new Stack<int>();
        DieCursor cursor = unit.FirstCursor();
        while (cursor.MoveNext())
        {
            while (hidden.TryPeek(out int depth) && depth >= cursor.Depth) hidden.Pop();
            NamedKinds kind = cursor.Tag switch
            {
                DwTag.StructureType or DwTag.UnionType or DwTag.ClassType or DwTag.InterfaceType => Records,
                DwTag.EnumerationType => NamedKinds.Enumeration,
                DwTag.Typedef or DwTag.TemplateAlias => NamedKinds.TypeDef,
                DwTag.BaseType or DwTag.UnspecifiedType or DwTag.SubrangeType => NamedKinds.Base,
                DwTag.Enumerator => NamedKinds.Enumerator,
                _ => NamedKinds.None,
            };
            if (hidden.Count == 0 && kind != NamedKinds.None && EntryNames.Qualified(unit, unit.Header.Offset + (ulong)cursor.Position) is { Length: > 0 } name)
                (names.TryGetValue(kind, out SortedSet<string>? found) ? found : names[kind] = new SortedSet<string>(StringComparer.Ordinal)).Add(name);
            if (cursor.Tag == DwTag.Subprogram || (kind == Records && !hasScopes)) hidden.Push(cursor.Depth);
        }
    }
}
