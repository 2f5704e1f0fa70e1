using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Introspection.Programs;
using Introspection.State;
using Introspection.Tests.Calls;
using Introspection.Unwinding;
using Replay.Packages;
using Replay.Timelines;
using Symbols.Elf;
using TestKit;
using Vmm.Cpu;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Introspection.Tests.Programs;

/// <summary>Kernels without symbols: what is guessed of them, against their symbols; and the files that know better.</summary>
public sealed class StrippedGuestTests : IDisposable
{
    private const ulong RecordedCount = 600_000;
    private const int MomentCount = 60;

    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-stripped").FullName;

    public StrippedGuestTests() => HostTool.Require("objcopy", "binutils");

    [Theory]
    [InlineData("O0")]
    [InlineData("O2")]
    public void Frames_of_a_stripped_kernel_are_named_by_where_their_functions_begin(string optimization)
    {
        string whole = GuestImages.Own($"tasks-{optimization}.elf"), stripped = Path.Combine(_folder, "kernel.elf");
        Objcopy("--strip-all", whole, stripped);
        using RecordingFile recording = Record(stripped);
        using GuestPrograms without = Load(recording), with = Load(recording, whole);
        using var timeline = new Timeline(recording);
        int compared = 0, right = 0;
        var wrong = new SortedSet<string>(StringComparer.Ordinal);
        for (int i = 1; i <= MomentCount; i++)
        {
            timeline.Seek(new Position(timeline.End.InstructionCount * (ulong)i / MomentCount));
            foreach (Vcpu vcpu in timeline.Machine.Vcpus)
            {
                var view = new GuestView(timeline.Machine, vcpu);
                SymbolSet guessed = without.At(view), known = with.At(view);
                foreach (StackLevel level in CallStack.Of(view, guessed))
                {
                    if (known.NameOf(level.Call.Lookup, out ulong offset) is not { } function || known.PlaceOf(level.Call.Lookup).Function is null) continue;
                    compared++;
                    string name = $"sub_{level.Call.Lookup - offset:x}?";
                    if (level.Name == name || level.Name.StartsWith(name + "+", StringComparison.Ordinal)) right++;
                    else wrong.Add($"{function}: {level.Name}");
                }
            }
        }
        string figures = $"{right} of {compared} frames; wrong: {string.Join(", ", wrong)}";
        TestContext.Current.TestOutputHelper!.WriteLine(figures);
        Assert.True(compared > 2 * MomentCount, figures);
        Assert.True(right >= 0.9 * compared, figures);
    }

    [Fact]
    public void Nothing_is_guessed_where_symbols_are()
    {
        string whole = GuestImages.Own("tasks-O2.elf");
        using RecordingFile recording = Record(whole);
        using GuestPrograms programs = Load(recording);
        using var timeline = new Timeline(recording);
        timeline.Seek(timeline.End);
        SymbolSet symbols = programs.At(new GuestView(timeline.Machine, timeline.Machine.Vcpus[0]));
        using ElfImage image = ElfImage.Open(whole);
        ElfSection text = image.Section(".text")!;
        int named = 0;
        for (ulong address = text.Address; address < text.Address + text.SizeBytes; address++)
        {
            Assert.Equal(symbols.KnownNameOf(address, out ulong known), symbols.NameOf(address, out ulong offset));
            Assert.Equal(known, offset);
            if (symbols.NameOf(address, out _) is not null) named++;
        }
        Assert.InRange(named, (int)text.SizeBytes * 9 / 10, (int)text.SizeBytes);
        Assert.DoesNotContain(symbols.NamesFrom("sub_", 10), GuessedFunctions.IsGuess);
    }

    [Theory]
    [InlineData("build ID")]
    [InlineData("link")]
    public void A_stripped_kernels_debug_file_is_found_in_a_folder_of_symbols(string by)
    {
        string own = GuestImages.Own("tasks-O2.elf"), whole = Path.Combine(_folder, "whole.elf"), stripped = Path.Combine(_folder, "kernel.elf");
        string symbols = Directory.CreateDirectory(Path.Combine(_folder, "symbols")).FullName, debug = Path.Combine(symbols, by == "link" ? "kernel.debug" : "any name");
        if (by == "link")
        {
            File.Copy(own, whole);
            Objcopy("--only-keep-debug", whole, debug);
            Objcopy("--strip-all", $"--add-gnu-debuglink={debug}", whole, stripped);
        }
        else
        {
            // ELF, note of NT_GNU_BUILD_ID: sizes of name and descriptor, type 3, "GNU".
            string note = Path.Combine(_folder, "note");
            File.WriteAllBytes(note, [4, 0, 0, 0, 8, 0, 0, 0, 3, 0, 0, 0, (byte)'G', (byte)'N', (byte)'U', 0, 1, 2, 3, 4, 5, 6, 7, 8]);
            Objcopy("--add-section", $".note.gnu.build-id={note}", "--set-section-flags", ".note.gnu.build-id=contents,readonly", own, whole);
            Objcopy("--only-keep-debug", whole, debug);
            Objcopy("--strip-all", "--keep-section=.note.gnu.build-id", whole, stripped);
        }
        using RecordingFile recording = Record(stripped);
        using GuestPrograms without = Load(recording), with = Load(recording, symbols);
        Assert.Null(without.AsLinked.AddressOf("fibonacci"));
        ulong entry = Assert.IsType<ulong>(with.AsLinked.AddressOf("fibonacci"));
        Assert.EndsWith("main.c", with.AsLinked.LineOf(entry)!.Value.Path, StringComparison.Ordinal);
        // Of another kernel it is not.
        File.AppendAllText(debug, "x");
        if (by != "link") return;
        using GuestPrograms damaged = Load(recording, symbols);
        Assert.Null(damaged.AsLinked.AddressOf("fibonacci"));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static GuestPrograms Load(RecordingFile recording, params string[] symbols) => SymbolLoader.Load(recording, symbols, null, _ => { });

    private static void Objcopy(params string[] arguments)
    {
        ToolResult result = HostTool.Run("objcopy", arguments, TimeSpan.FromMinutes(1));
        Assert.True(result.ExitCode == 0, result.Error);
    }

    private RecordingFile Record(string kernel)
    {
        var configuration = new MachineConfiguration
        {
            CpuCount = 2, MemorySizeBytes = 64 << 20, ChaosSeed = 7, Images = [new MachineImage("kernel", Path.GetFileName(kernel), File.ReadAllBytes(kernel))],
        };
        string path = Path.Combine(_folder, "kernel.ttvm");
        CallAssert.Record(configuration, path, 100_000, RecordedCount);
        return RecordingFile.Open(path);
    }
}
