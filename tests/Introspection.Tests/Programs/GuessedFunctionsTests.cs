using System;
using System.Collections.Generic;
using System.Linq;
using Introspection.Programs;
using Introspection.State;
using Replay.Timelines;
using Symbols.Elf;
using TestKit;
using Vmm.Time;
using Xunit;

namespace Introspection.Tests.Programs;

/// <summary>Functions guessed from a guest's memory alone, against the symbol table of the kernel that it runs.</summary>
public sealed class GuessedFunctionsTests(Recordings recordings)
{
    [Fact]
    public void Most_functions_of_a_kernel_without_symbols_are_found_and_few_are_made_up()
    {
        using var timeline = new Timeline(recordings.File);
        GuessedFunctions guesses = Middle(timeline, out ElfSection text, out ulong[] functions);
        var found = new SortedSet<ulong>();
        for (ulong address = text.Address; address < text.Address + text.SizeBytes; address++)
            if (guesses.NameOf(address, out ulong offset) is not null && address - offset >= text.Address) found.Add(address - offset);
        int right = found.Count(functions.Contains);
        double recall = (double)right / functions.Length, precision = (double)right / found.Count;
        string figures = $"{functions.Length} functions, {found.Count} guesses, {right} right";
        TestContext.Current.TestOutputHelper!.WriteLine(figures);
        // Measured: 48 of 49 functions, and 1 guess that is none. The kernel is the committed one, so that only the guessing can change this.
        Assert.True(recall >= 0.95, figures);
        Assert.True(precision >= 0.95, figures);
    }

    [Fact]
    public void A_guess_says_that_it_is_one_and_is_found_by_its_name()
    {
        using var timeline = new Timeline(recordings.File);
        GuessedFunctions guesses = Middle(timeline, out ElfSection text, out _);
        string name = Assert.IsType<string>(guesses.NameOf(text.Address + (text.SizeBytes / 2), out ulong offset));
        ulong start = text.Address + (text.SizeBytes / 2) - offset;
        Assert.Equal($"sub_{start:x}?", name);
        Assert.True(GuessedFunctions.IsGuess(name));
        Assert.False(GuessedFunctions.IsGuess("sub_main"));
        Assert.Equal([start], guesses.AddressesOf(name));
        Assert.True(guesses.SizeOf(name) > offset);
        Assert.Contains(name, guesses.NamesFrom("sub_", 10_000));
        Assert.Empty(guesses.AddressesOf($"sub_{start + 1:x}?"));
        Assert.Null(guesses.NameOf(0xdead_0000_0000, out _));
    }

    private static GuessedFunctions Middle(Timeline timeline, out ElfSection text, out ulong[] functions)
    {
        using ElfImage image = ElfImage.Open(GuestImages.PrebuiltDemo64);
        ElfSection section = text = image.Section(".text")!;
        functions = [.. image.Symbols.Symbols.Where(symbol => symbol.IsFunction && symbol.Address >= section.Address && symbol.Address < section.Address + section.SizeBytes)
            .Select(symbol => symbol.Address).Distinct()];
        timeline.Seek(new Position(timeline.End.InstructionCount / 2));
        return new GuessedFunctions(() => new GuestView(timeline.Machine, timeline.Machine.Vcpus[0]));
    }
}
