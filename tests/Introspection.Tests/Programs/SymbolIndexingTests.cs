using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using Introspection.Programs;
using Symbols.Dwarf.Indexing;
using Symbols.Elf;
using TestKit;
using Xunit;

namespace Introspection.Tests.Programs;

/// <summary>When indices are made, kept and waited for; a small program stands for a large one.</summary>
public sealed class SymbolIndexingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-index-").FullName;
    private readonly List<string> _waits = [];

    [Fact]
    public void A_question_for_a_name_waits_once_and_a_kept_index_is_not_made_again()
    {
        (string function, string path, uint line) = Known();
        using (SymbolFile file = Open(Kept, job =>
        {
            _waits.Add(job.Name);
            while (!job.Wait(TimeSpan.FromMilliseconds(1), default)) Assert.InRange(job.Fraction, 0, 1);
            Assert.Equal(1, job.Fraction);
        }))
        {
            // An address needs its unit only.
            ulong address = file.Image.Symbols.ByName(function)[0].Address;
            Assert.Equal(function, file.Dwarf.FindFunction(address)?.Name);
            Assert.NotNull(file.Dwarf.FindLine(address));
            Assert.Empty(_waits);
            Assert.False(file.Dwarf.IsIndexed);
            Assert.Equal(address, file.Dwarf.FunctionsByName(function)[0].EntryPc);
            Assert.NotEmpty(file.Dwarf.BreakpointAddresses(path, line));
            Assert.Equal(["program"], _waits);
        }
        Assert.Single(Directory.GetFiles(Path.Combine(_folder, "kept")));
        using SymbolFile again = Open(Kept, static _ => Assert.Fail("there is an index"));
        again.BeginIndexing();
        Assert.True(again.Dwarf.IsIndexed);
        Assert.NotEmpty(again.Dwarf.FunctionsByName(function));
    }

    [Fact]
    public void Who_does_not_want_to_wait_may_ask_again()
    {
        string function = Known().Function;
        bool isImpatient = true;
        using SymbolFile file = Open(Kept, job =>
        {
            using var source = new CancellationTokenSource();
            if (isImpatient) source.Cancel();
            job.Wait(TimeSpan.FromMinutes(1), source.Token);
        });
        Assert.ThrowsAny<OperationCanceledException>(() => file.Dwarf.FunctionsByName(function));
        isImpatient = false;
        Assert.NotEmpty(file.Dwarf.FunctionsByName(function));
    }

    [Fact]
    public void Look_ups_are_rehearsed_with_a_new_index_and_with_a_kept_one()
    {
        string function = Known().Function;
        for (int i = 0; i < 3; i++)
        {
            using SymbolFile file = Open(Kept, static job => job.Wait(TimeSpan.FromMinutes(1), default));
            file.BeginIndexing();
            file.BeginIndexing();
            file.WaitUntilReady();
            Assert.True(file.Dwarf.IsIndexed);
            Assert.NotEmpty(file.Dwarf.FunctionsByName(function));
        }
    }

    [Fact]
    public void A_file_that_is_closed_meanwhile_ends_the_work()
    {
        for (int i = 0; i < 10; i++)
        {
            SymbolFile file = Open(new DebugIndexCache(Path.Combine(_folder, $"{i}")), static _ => { });
            file.BeginIndexing();
            Thread.Sleep(i);
            file.Dispose();
        }
    }

    [Fact]
    public void A_damaged_index_is_made_anew()
    {
        string function = Known().Function;
        using (SymbolFile file = Open(Kept, null)) Assert.NotEmpty(file.Dwarf.FunctionsByName(function));
        string kept = Directory.GetFiles(Path.Combine(_folder, "kept"))[0];
        byte[] good = File.ReadAllBytes(kept);
        foreach (byte[] bad in (byte[][])[[], good[..(good.Length / 2)], [.. good.Select(static (value, at) => at == 999 ? (byte)~value : value)], new byte[good.Length]])
        {
            File.WriteAllBytes(kept, bad);
            using (SymbolFile file = Open(Kept, null)) Assert.NotEmpty(file.Dwarf.FunctionsByName(function));
            Assert.Equal(good, File.ReadAllBytes(kept));
        }
    }

    [Fact]
    public void Where_nothing_can_be_kept_everything_is_found()
    {
        string function = Known().Function, file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "");
        foreach (DebugIndexCache? cache in (DebugIndexCache?[])[null, new DebugIndexCache(Path.Combine(file, "below"))])
        {
            using SymbolFile symbols = Open(cache, null);
            Assert.NotEmpty(symbols.Dwarf.FunctionsByName(function));
        }
    }

    [Fact]
    public void A_small_file_is_nothing_to_keep()
    {
        using var file = new SymbolFile(ElfImage.Open(Program()), new SymbolIndexing(Kept, static _ => Assert.Fail("it is made at once")));
        file.BeginIndexing();
        Assert.NotEmpty(file.Dwarf.FunctionsByName(Known().Function));
        Assert.False(Directory.Exists(Path.Combine(_folder, "kept")));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private DebugIndexCache Kept => new(Path.Combine(_folder, "kept"));

    private SymbolFile Open(DebugIndexCache? cache, IndexWait? wait) =>
        new(new DebugFileFinder().Find(ElfImage.Open(Program())), new SymbolIndexing(cache, wait) { SmallSizeBytes = 0 });

    // A function that the program has, with its first line.
    private static (string Function, string Path, uint Line) Known() => ("twice", "program.c", 1);

    private string Program()
    {
        string program = Path.Combine(_folder, "program");
        if (File.Exists(program)) return program;
        HostTool.Require("gcc", "gcc");
        File.WriteAllText(Path.Combine(_folder, "program.c"), "int twice(int n) { return n * 2; }\nint main(int argc, char **argv) { return twice(argc) + !argv; }\n");
        ToolResult result = HostTool.Run("gcc", ["-O0", "-g", "-Wl,--build-id", "-o", program, "program.c"], TimeSpan.FromMinutes(2), _folder);
        Assert.True(result.ExitCode == 0, result.Error);
        return program;
    }
}
