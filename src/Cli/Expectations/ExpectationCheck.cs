using System;
using System.Collections.Generic;
using Cli.Hosting;
using Cli.Presentation;
using Introspection.Calls;
using Introspection.Consoles;
using Introspection.Layouts;
using Introspection.Locks;
using Introspection.Locks.History;
using Introspection.Programs;
using Introspection.State;
using Replay.Packages;
using Replay.Queries;
using Vmm.Inputs;
using Vmm.Platform;
using Vmm.Time;

namespace Cli.Expectations;

/// <summary>Compares a recording with what is expected of it. Functions and locks are looked for by replaying; symbols are read once, and only if they are needed.</summary>
internal sealed class ExpectationCheck : IDisposable
{
    private const int SimilarCount = 3;
    private static readonly string[] s_panicTexts = ["Kernel panic", "panic:"];

    private readonly CommandContext _context;
    private readonly OpenRecording _recording;
    private readonly RecordingManifest _original;
    private readonly Lazy<(GuestPrograms Programs, SymbolSet Symbols)> _symbols;

    /// <param name="context">Where to tell what cannot be used.</param>
    /// <param name="recording">What is checked.</param>
    /// <param name="original">What it is compared with.</param>
    /// <param name="symbolFiles">Files that the user names; null: none.</param>
    public ExpectationCheck(CommandContext context, OpenRecording recording, RecordingManifest original, string[]? symbolFiles)
    {
        _context = context;
        _recording = recording;
        _original = original;
        _symbols = new Lazy<(GuestPrograms, SymbolSet)>(() =>
        {
            GuestPrograms programs = recording.LoadSymbols(symbolFiles, null);
            // A kernel that is loaded when the recording has begun has its names where it runs, at the latest at the end.
            recording.Seek(End);
            return (programs, programs.At(View));
        });
    }

    private Position End => _recording.File.End;

    private Outcome Outcome => _recording.File.Outcome;

    private GuestView View => new(_recording.Machine, _recording.Vcpu(null));

    public ExpectationResult Check(Expectation one)
    {
        switch (one.Kind)
        {
            case ExpectationKind.Prints: return Find(one.Text) is { } printed ? Met(one, $"at {printed}") : Missed(one, "it was never printed", End);
            case ExpectationKind.NeverPrints: return Find(one.Text) is { } wrong ? Missed(one, $"printed at {wrong}: {LineAt(wrong)}", wrong) : Met(one, "");
            case ExpectationKind.Exits:
                return Decide(one, Outcome.Kind is OutcomeKind.DebugExit or OutcomeKind.PowerOff && Outcome.Code == one.Number, OutcomeText.Describe(Outcome));
            case ExpectationKind.ExitsAsRecorded:
                bool isSame = Outcome.Kind.ToString() == _original.End.Outcome && Outcome.Code == _original.End.Code;
                string recorded = _original.End.Outcome == nameof(OutcomeKind.DebugExit) ? $"DebugExit 0x{_original.End.Code:x}" : _original.End.Outcome;
                return Decide(one, isSame, OutcomeText.Describe(Outcome) + (isSame ? "" : $"; recorded: {recorded}"));
            case ExpectationKind.Ends: return Decide(one, Outcome.Kind.ToString() == one.Text, OutcomeText.Describe(Outcome));
            case ExpectationKind.Calls: return CheckCalls(one, isWanted: true);
            case ExpectationKind.NeverCalls: return CheckCalls(one, isWanted: false);
            case ExpectationKind.NoPanic: return CheckPanic(one);
            case ExpectationKind.NoLockInversion: return CheckInversion(one);
            case ExpectationKind.InstructionsAtMost: return Decide(one, End.InstructionCount <= one.Number, $"it took {Words.Count(End.InstructionCount)}");
            default:
                ulong then = _original.End.InstructionCount, now = End.InstructionCount, difference = now > then ? now - then : then - now;
                return Decide(one, (UInt128)difference * 100 <= (UInt128)then * one.Number,
                    $"it took {Words.Count(now)}, recorded were {Words.Count(then)}: {(now >= then ? "+" : "-")}{difference * 100.0 / Math.Max(1, then):F1}%");
        }
    }

    public void Dispose()
    {
        if (_symbols.IsValueCreated) _symbols.Value.Programs.Dispose();
    }

    private Position? Find(string text) => _recording.File.Console.Find(text, Position.Start, reverse: false)?.At;

    private string LineAt(Position at)
    {
        foreach (ConsoleOutput piece in _recording.File.Console.Read(at, at with { EventOrdinal = at.EventOrdinal + 1 }))
        {
            // The line goes on behind the text.
            foreach (ConsoleLine line in new ConsoleLines(_recording.File.Console, piece.Channel).Before(new Position(ulong.MaxValue), int.MaxValue, out _))
                if (line.At >= at) return line.Text;
        }
        return "";
    }

    private ExpectationResult CheckCalls(Expectation one, bool isWanted)
    {
        if (!TryFindFunction(one.Text, out IReadOnlyList<CallTarget> targets, out string problem)) return Missed(one, problem, null);
        if (FirstCall(targets) is not { } call) return isWanted ? Missed(one, "it is never called", End) : Met(one, "");
        string what = $"called at {call.Entry} on vCPU {call.CpuIndex} from {CallerText.Of(call, _symbols.Value.Symbols)}";
        return isWanted ? Met(one, what) : Missed(one, what, call.Entry);
    }

    private bool TryFindFunction(string name, out IReadOnlyList<CallTarget> targets, out string problem)
    {
        SymbolSet symbols = _symbols.Value.Symbols;
        var finder = new FunctionFinder(symbols, [new ProgramPrototypes(symbols)]);
        targets = finder.Find(name);
        problem = "";
        if (targets.Count > 0) return true;
        IReadOnlyList<string> similar = finder.Similar(name, SimilarCount);
        problem = $"no function is named '{name}'" + (similar.Count > 0 ? $"; there is {string.Join(", ", similar)}" : "; name a file with symbols by --symbols");
        return false;
    }

    private FunctionCall? FirstCall(IReadOnlyList<CallTarget> targets)
    {
        var search = new CallSearch(_recording.Timeline, targets, new CallValueReader(CallingConvention.Automatic, new CallValueText(_symbols.Value.Symbols)));
        CallList found = ProgressDisplay.Run("looking for calls", progress => search.List(Position.Start, End, 1, progress, _context.Cancellation));
        return found.Calls.Count > 0 ? found.Calls[0] : null;
    }

    private ExpectationResult CheckPanic(Expectation one)
    {
        if (OutcomeText.IsFailure(Outcome)) return Missed(one, OutcomeText.Describe(Outcome), End);
        Position? first = null;
        foreach (string text in s_panicTexts)
            if (Find(text) is { } at && (first is null || at < first)) first = at;
        string what = first is { } printed ? $"printed at {printed}: {LineAt(printed)}" : "";
        if (TryFindFunction("panic", out IReadOnlyList<CallTarget> targets, out _) && FirstCall(targets) is { } call && (first is null || call.Entry < first))
            (first, what) = (call.Entry, $"panic is called at {call.Entry} on vCPU {call.CpuIndex}{(what.Length > 0 ? $"; {what}" : "")}");
        return first is null ? Met(one, "") : Missed(one, what, first);
    }

    private ExpectationResult CheckInversion(Expectation one)
    {
        SymbolSet symbols = _symbols.Value.Symbols;
        _recording.Seek(End);
        DeclaredLayouts declared = GuestLayouts.Load(_context, _recording, null);
        GuestLocks locks = GuestLocks.Find(declared.Layouts, symbols, View);
        if (locks.IsEmpty) return Missed(one, declared.Problem ?? "no locks of this guest are known, so that nothing can be said", null);
        LockHistory history = ProgressDisplay.Run("looking at locks", progress =>
            locks.History(_recording.Timeline, Position.Start, End, new LockHistoryOptions(), progress, _context.Cancellation));
        GuestView view = View;
        var text = new LockFindingText(address => locks.NameOf(address, symbols), task => locks.Tasks.NameOf(view, task), code => CallerText.Of(code, symbols));
        foreach (LockFinding finding in history.Findings)
            if (finding.Kind == LockFindingKind.OrderInversion) return Missed(one, $"at {finding.At}: {text.Of(finding)}", finding.At);
        return Met(one, $"{Words.Plural(history.LockCount, "lock")}");
    }

    private ExpectationResult Decide(Expectation one, bool isMet, string detail) => new(one, isMet, detail, isMet ? null : End);

    private static ExpectationResult Met(Expectation one, string detail) => new(one, true, detail, null);

    private static ExpectationResult Missed(Expectation one, string detail, Position? at) => new(one, false, detail, at);
}
