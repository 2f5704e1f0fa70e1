using System.CommandLine;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Introspection.Layouts;
using Introspection.Programs;
using Introspection.Rcu;
using Introspection.State;
using Replay.Timelines;

namespace Cli.Verbs;

/// <summary><c>ttvm rcu FILE</c></summary>
internal static class RcuVerb
{
    public static VerbCommand Create(CommandContext context)
    {
        var o = new HistoryOptions("rcu");
        var verb = new VerbCommand("rcu",
            "Shows read-copy-update at a position: readers inside a critical section and since when, the grace period in progress and whom it waits for, callbacks that wait, and "
            + "pointers that are published; or its past. The guest is replayed with breakpoints on the functions and watches on the pointers: nothing in it has to be changed.", """
            Linux's tree RCU is known; others are declared in a layout file: see docs/LAYOUTS.md.

            --check finds what was freed while a reader that began before it was unlinked was still inside its critical section.

            Exit code: 0; 1 when --check finds something, or nothing is known of the guest's read-copy-update.

            Examples:
              ttvm rcu list.ttvm --at 50%
              ttvm rcu list.ttvm --check
              ttvm rcu list.ttvm --history --from 20% --limit 100
              ttvm rcu boot.ttvm --at 80% --json
            """) { o.File };
        foreach (Option option in o.All) verb.Add(option);
        return verb.Does(parsed => Run(context, o, parsed));
    }

    private static int Run(CommandContext context, HistoryOptions o, ParseResult parsed)
    {
        using OpenRecording recording = OpenRecording.Open(parsed.GetValue(o.File)!, context);
        using GuestPrograms programs = recording.LoadSymbols(parsed.GetValue(o.Symbols), null);
        HistoryOptions.Request request = o.Parse(parsed, recording);
        recording.Seek(request.To);
        Timeline timeline = recording.Timeline;
        var view = new GuestView(recording.Machine, recording.Vcpu(null));
        SymbolSet symbols = programs.At(view);
        DeclaredLayouts declared = GuestLayouts.Load(context, recording, parsed.GetValue(o.Layouts));
        GuestRcu rcu = GuestRcu.Find(declared.Layouts, GuestLayouts.TasksOf(declared.Layouts, symbols, view), symbols, view)
            ?? throw CommandException.Failed("nothing is known of this guest's read-copy-update: declare it in a layout file (docs/LAYOUTS.md), under 'rcu'");
        var show = new RcuText(context.Out, rcu, symbols, view, parsed.GetValue(o.Json));
        if (!request.IsHistory && !request.IsCheck)
        {
            RcuView now = ProgressDisplay.Run("searching backwards", progress => RcuReadout.ReadWithBegins(timeline, rcu, view, symbols.Kernel, progress, context.Cancellation));
            show.Moment(now, request.To);
            return ExitCode.Good;
        }
        foreach (string problem in rcu.Problems) context.Error.WriteLine($"ttvm: {problem}");
        if (request.IsCheck && rcu.Layout.Free is null) context.Error.WriteLine("ttvm: no function that frees is declared: what is freed too early cannot be found");
        RcuHistory history = ProgressDisplay.Run("replaying", progress => RcuHistory.Read(timeline, rcu, request.From, request.To, progress: progress, cancellation: context.Cancellation));
        if (request.IsHistory) show.History(history, request.Limit);
        else show.Findings(history, request.Limit);
        return request.IsCheck && history.Findings.Count > 0 ? ExitCode.Failed : ExitCode.Good;
    }
}
