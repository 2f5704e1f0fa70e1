using System.Collections.Generic;
using System.CommandLine;
using System.Linq;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Introspection.Locks;
using Introspection.Locks.History;
using Introspection.Locks.Layouts;
using Introspection.Programs;
using Introspection.State;
using Replay.Timelines;
using Vmm.Time;

namespace Cli.Verbs;

/// <summary><c>ttvm locks FILE</c></summary>
internal static class LocksVerb
{
    public static VerbCommand Create(CommandContext context)
    {
        Argument<string> file = SharedOptions.File();
        var from = new Option<string>("--from") { Description = "Where the history begins", HelpName = "POSITION", DefaultValueFactory = static _ => "start" };
        var to = new Option<string>("--to") { Description = "Where it ends", HelpName = "POSITION", DefaultValueFactory = static _ => "end" };
        Option<string[]> symbols = SharedOptions.Symbols();
        Option<bool> json = SharedOptions.Json();
        var verb = new VerbCommand("locks", "Shows locks.", "x") { file, from, to, symbols, json };
        return verb.Does(parsed =>
        {
            using OpenRecording recording = OpenRecording.Open(parsed.GetValue(file)!, context);
            using GuestPrograms programs = recording.LoadSymbols(parsed.GetValue(symbols), null);
            recording.Seek(parsed.GetValue(to)!);
            var view = new GuestView(recording.Machine, recording.Vcpu(null));
            SymbolSet set = programs.At(view);
            DeclaredLayouts declared = DeclaredLayouts.Load(recording.Machine.Configuration, parsed.GetValue(file)!, null, text => context.Error.WriteLine($"ttvm: {text}"));
            GuestLocks locks = GuestLocks.Find(declared.Layouts, set, view);
            foreach (string p in locks.Functions.Problems) context.Error.WriteLine(p);
            Timeline timeline = recording.Timeline;
            LockHistory history = ProgressDisplay.Run("locks", progress => locks.History(timeline, recording.Parse(parsed.GetValue(from)!), timeline.Position, null, progress, context.Cancellation));
            context.Out.WriteLine($"{history.LockCount} locks");
            foreach (LockRecord one in history.Locks.OrderByDescending(l => l.ContendedCount).ThenByDescending(l => l.TakenCount).Take(25))
                context.Out.WriteLine($"{locks.NameOf(one.Address, set),-40} {one.TypeName,-14} taken {one.TakenCount,9} contended {one.ContendedCount,7} failed {one.FailedCount,6} wait {one.TotalWait,9} longest {one.LongestWait?.WaitInstructions} held {one.TotalHeld} max {one.MaximumWaiters} now {one.Holders.Count}");
            foreach (LockFinding f in history.Findings.Take(60))
                context.Out.WriteLine($"{f.At} {f.Kind} cpu {f.User.CpuIndex} task {locks.Tasks.NameOf(view, f.User.Task)} {string.Join(" | ", f.Uses.Select(u => $"{locks.NameOf(u.Lock.Address, set)} {u.Function} by {u.User.CpuIndex}/{u.User.Task:x} at {u.Wanted} taken {u.Taken} rel {u.Released} from {set.NameOf(u.Caller, out ulong o)}+{o:x}"))}");
            return ExitCode.Good;
        });
    }
}
