using System;
using System.Collections.Generic;
using Cli.Parsing;
using Introspection.Calls;
using Introspection.Programs;
using Introspection.State;
using Vmm.Cpu;
using Vmm.Platform;
using Vmm.Time;

namespace Cli.Hosting;

/// <summary>
/// Addresses as people write them about a recording: hexadecimal numbers, registers and names of symbols, of which the last two may have an offset. A name that could be a
/// number is one; with +0 it is a name.
/// </summary>
/// <param name="recording">Whose symbols they are.</param>
/// <param name="symbolFiles">Files that the user names; null: none.</param>
internal sealed class AddressLookup(OpenRecording recording, string[]? symbolFiles)
{
    private const int SimilarCount = 3;

    /// <summary>For the descriptions of options.</summary>
    public const string Syntax = "hexadecimal, a symbol or a register, perhaps with an offset";

    /// <exception cref="CommandException">It is no address.</exception>
    public ulong Parse(string text, string option, Machine machine, Vcpu vcpu)
    {
        if (NumberSyntax.TryParseAddress(text, vcpu.State, out ulong value)) return value;
        using GuestPrograms programs = recording.LoadSymbols(symbolFiles, null);
        SymbolSet symbols = programs.At(new GuestView(machine, vcpu));
        if (Find(symbols, text) is { } known) return known;
        // A kernel that is loaded when the recording has begun has its names where it runs, at the latest at the end.
        Position here = recording.Timeline.Position;
        recording.Seek(recording.File.End);
        programs.Refresh();
        symbols = programs.At(new GuestView(recording.Machine, recording.Vcpu(null)));
        ulong? found = Find(symbols, text);
        IReadOnlyList<string> similar = found is null ? new FunctionFinder(symbols, []).Similar(NumberSyntax.SplitOffset(text).Name, SimilarCount) : [];
        recording.Seek(here);
        string hint = similar.Count > 0 ? $"; there is {string.Join(", ", similar)}" : "";
        return found ?? throw CommandException.Usage($"{option}: '{text}' is not an address, and no symbol is named so: write it in hexadecimal, such as 0xffffffff81000000, "
            + $"or name a file with symbols by --symbols{hint}");
    }

    private static ulong? Find(SymbolSet symbols, string text)
    {
        // Names of C++ operators have signs, too.
        if (symbols.AddressOf(text) is { } whole) return whole;
        (string name, ulong offset) = NumberSyntax.SplitOffset(text);
        return name.Length > 0 && symbols.AddressOf(name) is { } start ? start + offset : null;
    }
}
