using System;
using System.Collections.Generic;
using Cli.Hosting;
using Introspection.Programs;
using Introspection.State;
using Vmm.Time;

namespace Cli.Comparison;

/// <summary>All that two recordings differ in, as far as it is looked for.</summary>
internal sealed record RecordingComparison
{
    public required IReadOnlyList<ValueDifference> Manifests { get; init; }
    public required IReadOnlyList<ConsoleDifference> Consoles { get; init; }
    public required InputDifference? Inputs { get; init; }
    public required StateParting States { get; init; }

    /// <summary>Instructions, turns and calls from where the states part; null: they do not, and both end at the same position.</summary>
    public required PathComparison? Path { get; init; }

    /// <summary>Both at the first difference; null: there is none.</summary>
    public required (ComparedSide A, ComparedSide B)? Sides { get; init; }

    /// <summary>Nothing that is executed, printed or put in differs. The images may: of those of which nothing is read, nobody knows.</summary>
    public required bool IsSame { get; init; }

    /// <param name="context">For Ctrl-C.</param>
    /// <param name="a">The first one; its timeline is used.</param>
    /// <param name="b">The second one.</param>
    /// <param name="symbolFiles">For each, what the user names; null: none.</param>
    /// <param name="reach">How many instructions are compared behind the first difference of states.</param>
    public static RecordingComparison Of(CommandContext context, OpenRecording a, OpenRecording b, (string[]? A, string[]? B) symbolFiles, ulong reach)
    {
        StateParting states = ProgressDisplay.Run("comparing states", progress => new StateSearch(a.File, b.File).Run(progress, context.Cancellation));
        bool isSame = states is { IsSameStart: true, First: null } && a.File.End == b.File.End;
        PathComparison? path = null;
        (ComparedSide, ComparedSide)? sides = null;
        if (!isSame)
        {
            using GuestPrograms programsA = a.LoadSymbols(symbolFiles.A, null), programsB = b.LoadSymbols(symbolFiles.B, null);
            SymbolSet symbolsA = SymbolsOf(a, programsA), symbolsB = SymbolsOf(b, programsB);
            using ExecutionPath pathA = new(a, symbolsA, states.LastAlike), pathB = new(b, symbolsB, states.LastAlike);
            path = new PathComparison(pathA, pathB);
            ProgressDisplay.Run("comparing instructions", progress =>
            {
                path.Run(reach, progress, context.Cancellation);
                return true;
            });
            sides = (SideOf(a, symbolsA, path.Instruction, path.Instruction?.A, states), SideOf(b, symbolsB, path.Instruction, path.Instruction?.B, states));
        }
        return new RecordingComparison
        {
            Manifests = RecordedDifferences.OfManifests(a.File.Manifest, b.File.Manifest), Consoles = RecordedDifferences.OfConsoles(a.File, b.File),
            Inputs = RecordedDifferences.OfInputs(a.File, b.File), States = states, Path = path, Sides = sides, IsSame = isSame,
        };
    }

    // A kernel that is loaded when the recording has begun has its names where it runs, at the latest at the end.
    private static SymbolSet SymbolsOf(OpenRecording recording, GuestPrograms programs)
    {
        recording.Seek(recording.File.End);
        return programs.At(new GuestView(recording.Machine, recording.Vcpu(null)));
    }

    private static ComparedSide SideOf(OpenRecording recording, SymbolSet symbols, (ExecutedInstruction?, ExecutedInstruction?)? found, ExecutedInstruction? instruction, StateParting states)
    {
        // Where the same is executed all along, the first difference of states is what can be looked at.
        Position at = instruction?.At ?? (found is null ? states.LastSame : recording.File.End);
        return new ComparedSide(recording, symbols, at > recording.File.End ? recording.File.End : at);
    }
}
