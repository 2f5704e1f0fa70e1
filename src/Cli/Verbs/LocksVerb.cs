using System.Collections.Generic;
using System.CommandLine;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Introspection.Layouts;
using Introspection.Locks;
using Introspection.Locks.History;
using Introspection.Programs;
using Introspection.State;

namespace Cli.Verbs;

/// <summary><c>ttvm locks FILE</c></summary>
internal static class LocksVerb
{
    public static VerbCommand Create(CommandContext context)
    {
        var single = new Option<string?>("--lock") { Description = "Every use of one lock: when it was wanted, taken and given back, by whom, from where", HelpName = "LOCK" };
        var byClass = new Option<bool>("--by-class") { Description = "With --check: also classes of locks that are taken in both orders, though no two locks are" };
        var o = new HistoryOptions("locks", single, "How each lock was used: the contended ones first");
        var verb = new VerbCommand("locks",
            "Shows who holds which lock at a position and who waits for it, in the order in which they get it, since when and where; or their past. The guest is replayed with "
            + "breakpoints on the functions that take and give back locks: nothing in it has to be changed.", """
            Locks of Linux (spin locks, reader-writer locks, mutexes, semaphores) and xv6 are known; others are declared in a layout file: see docs/LAYOUTS.md.

            --check finds: two holders of a lock at once; one that is given back by somebody who does not hold it, or taken twice; lost wake-ups; deadlocks; locks that are taken in
            one order here and in the other there; interrupts that are on where they must be off; locks that are held when the guest fails.

            --by-class puts locks together that are elements of an array, or that the same instruction initialises, as lockdep does. What it finds may be right by rules that it does not
            know. From the start of the recording only.

            Exit code: 0; 1 when --check finds something, or the guest has no known locks.

            Examples:
              ttvm locks demo.ttvm --at 50%
              ttvm locks demo.ttvm --check
              ttvm locks boot.ttvm --check --by-class
              ttvm locks boot.ttvm --history --limit 10
              ttvm locks boot.ttvm --lock tasklist_lock --from 80%
            """) { o.File };
        foreach (Option option in o.All) verb.Add(option);
        verb.Add(byClass);
        return verb.Does(parsed => Run(context, o, parsed, parsed.GetValue(single), parsed.GetValue(byClass)));
    }

    private static int Run(CommandContext context, HistoryOptions o, ParseResult parsed, string? one, bool isByClass)
    {
        string path = parsed.GetValue(o.File)!;
        using OpenRecording recording = OpenRecording.Open(path, context);
        using GuestPrograms programs = recording.LoadSymbols(parsed.GetValue(o.Symbols), null);
        HistoryOptions.Request request = o.Parse(parsed, recording);
        recording.Seek(request.To);
        var view = new GuestView(recording.Machine, recording.Vcpu(null));
        SymbolSet symbols = programs.At(view);
        DeclaredLayouts declared = GuestLayouts.Load(context, recording, parsed.GetValue(o.Layouts));
        GuestLocks locks = GuestLocks.Find(declared.Layouts, symbols, view);
        foreach (string problem in locks.Problems) context.Error.WriteLine($"ttvm: {problem}");
        if (locks.IsEmpty) throw CommandException.Failed(declared.Problem ?? "none of the declared locks is in this guest");
        ulong? address = one is null ? null : locks.AddressOf(one, symbols)
            ?? throw CommandException.Usage($"--lock: there is no lock, symbol or address '{one}'; `ttvm locks {path} --history` lists the locks");
        LockHistoryOptions options = address is { } single ? new() { Locks = new HashSet<ulong> { single }, MaximumUses = int.MaxValue } : new();
        LockHistory history = ProgressDisplay.Run("replaying", progress =>
            locks.History(recording.Timeline, request.From, request.To, options, progress, context.Cancellation));
        var show = new LocksView(context.Out, locks, symbols, view, parsed.GetValue(o.Json));
        IReadOnlyList<LockFinding> findings = history.Findings;
        if (isByClass && request.IsCheck)
        {
            LockClasses classes = ProgressDisplay.Run("looking for classes", progress => LockClasses.Find(recording.Timeline, history, locks, symbols, progress, context.Cancellation));
            findings = [.. findings, .. classes.Inversions()];
            if (classes.NestedInOwnClassCount is > 0 and int nested)
                context.Error.WriteLine($"ttvm: {Words.Plural(nested, "pair")} of locks nested in their own class, as parent and child are: their order is not looked at");
        }
        if (address is { } wanted) show.Uses(history, wanted, one!, request.Limit);
        else if (request.IsHistory) show.History(history, request.Limit);
        else if (request.IsCheck) show.Findings(history, findings, request.Limit);
        else show.Moment(locks.Read(view, symbols, request.To, history), request.To);
        return request.IsCheck && findings.Count > 0 ? ExitCode.Failed : ExitCode.Good;
    }
}
