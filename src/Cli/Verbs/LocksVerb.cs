using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Linq;
using System.Text.Json;
using System.Threading.Tasks;
using Cli.Ci;
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
              ttvm locks boot.ttvm --check --shard 3/16 > part-3.json
            """) { o.File };
        foreach (Option option in o.All) verb.Add(option);
        verb.Add(byClass);
        Option<string?> shard = ShardedScan.Option();
        verb.Add(shard);
        return verb.Does(parsed => Run(context, o, parsed, shard, parsed.GetValue(single), parsed.GetValue(byClass)));
    }

    // What is asked for, as another process can ask it again.
    private sealed record Question(string? One, bool IsByClass, HistoryOptions.Request Request, string[]? Layouts, string[]? Symbols, bool IsJson);

    private static int Run(CommandContext context, HistoryOptions o, ParseResult parsed, Option<string?> shard, string? one, bool isByClass)
    {
        using OpenRecording recording = OpenRecording.Open(parsed.GetValue(o.File)!, context);
        var question = new Question(one, isByClass, o.Parse(parsed, recording), parsed.GetValue(o.Layouts), parsed.GetValue(o.Symbols), parsed.GetValue(o.Json));
        if (ShardedScan.Of(parsed, shard, recording) is { } scan) return WritePart(context, recording, question, scan);
        using var guest = new Guest(context, recording, question);
        LockHistory history = ProgressDisplay.Run("replaying", progress =>
            guest.Locks.History(recording.Timeline, question.Request.From, question.Request.To, guest.Options, progress, context.Cancellation));
        return Show(context, recording, question, guest, history);
    }

    /// <summary>Judges what parts have noted, and prints it as JSON.</summary>
    public static int Merge(CommandContext context, IReadOnlyList<ShardFile> parts, string path)
    {
        using OpenRecording recording = parts[0].OpenRecording(path, context);
        JsonElement first = parts[0].Result;
        var request = new HistoryOptions.Request(first.GetProperty("isHistory").GetBoolean(), first.GetProperty("isCheck").GetBoolean(),
            recording.Parse(first.GetProperty("from").GetString()!), recording.Parse(first.GetProperty("to").GetString()!), parts[0].Limit);
        var question = new Question(first.GetProperty("lock").GetString(), first.GetProperty("isByClass").GetBoolean(), request,
            parts[0].TextsOf("layouts"), parts[0].TextsOf("symbols"), true);
        using var guest = new Guest(context, recording, question);
        LockEventLog[] events = [.. parts.Select(part => LockEventLog.TryRead(part.Result.GetProperty("events"), guest.Locks)
            ?? throw CommandException.BadFile($"{part.Path} is damaged, or this guest's functions are other ones here"))];
        LockHistory history = ProgressDisplay.Run("putting parts together", progress =>
            guest.Locks.History(recording.Timeline, events, request.From, request.To, guest.Options, progress, context.Cancellation));
        return Show(context, recording, question, guest, history);
    }

    private static int WritePart(CommandContext context, OpenRecording recording, Question question, ShardedScan scan)
    {
        if (question.Request is { IsHistory: false, IsCheck: false } && question.One is null) throw CommandException.Usage("locks: --shard goes with --history, --check or --lock");
        using var guest = new Guest(context, recording, question);
        ShardedScan.Stretch stretch = scan.StretchOrNothing(question.Request.From, question.Request.To);
        LockEventLog events = ProgressDisplay.Run("replaying", progress => guest.Locks.Events(recording.Timeline, stretch.From, stretch.Before, progress, context.Cancellation));
        scan.Write(context, MergeVerb.Locks, question.Request.Limit, json =>
        {
            json.WriteStartObject();
            json.WriteString("lock", question.One);
            json.WriteBoolean("isByClass", question.IsByClass);
            json.WriteBoolean("isHistory", question.Request.IsHistory);
            json.WriteBoolean("isCheck", question.Request.IsCheck);
            json.WritePosition("from", question.Request.From);
            json.WritePosition("to", question.Request.To);
            json.WriteTexts("layouts", question.Layouts);
            json.WriteTexts("symbols", question.Symbols);
            json.WritePropertyName("events");
            events.Write(json);
            json.WriteEndObject();
        });
        return ExitCode.Good;
    }

    private static int Show(CommandContext context, OpenRecording recording, Question question, Guest guest, LockHistory history)
    {
        HistoryOptions.Request request = question.Request;
        var show = new LocksView(context.Out, guest.Locks, guest.Symbols, guest.View, question.IsJson);
        IReadOnlyList<LockFinding> findings = history.Findings;
        if (question.IsByClass && request.IsCheck)
        {
            LockClasses classes = ProgressDisplay.Run("looking for classes", progress =>
                LockClasses.Find(recording.Timeline, history, guest.Locks, guest.Symbols, progress, context.Cancellation));
            findings = [.. findings, .. classes.Inversions()];
            if (classes.NestedInOwnClassCount is > 0 and int nested)
                context.Error.WriteLine($"ttvm: {Words.Plural(nested, "pair")} of locks nested in their own class, as parent and child are: their order is not looked at");
        }
        if (guest.Single is { } wanted) show.Uses(history, wanted, question.One!, request.Limit);
        else if (request.IsHistory) show.History(history, request.Limit);
        else if (request.IsCheck) show.Findings(history, findings, request.Limit);
        else show.Moment(guest.Locks.Read(guest.View, guest.Symbols, request.To, history), request.To);
        return request.IsCheck && findings.Count > 0 ? ExitCode.Failed : ExitCode.Good;
    }

    /// <summary>The guest's names and locks, at the end of what is asked for.</summary>
    private sealed class Guest : IDisposable
    {
        private readonly GuestPrograms _programs;

        public Guest(CommandContext context, OpenRecording recording, Question question)
        {
            // Reading layouts is mostly compiling the code for it, which another core does while the guest gets to where it is asked for.
            _ = Task.Run(BuiltInLayouts.All);
            _programs = recording.LoadSymbols(question.Symbols, null);
            recording.Seek(question.Request.To);
            View = new GuestView(recording.Machine, recording.Vcpu(null));
            Symbols = _programs.At(View);
            DeclaredLayouts declared = GuestLayouts.Load(context, recording, question.Layouts);
            Locks = GuestLocks.Find(declared.Layouts, Symbols, View);
            foreach (string problem in Locks.Problems) context.Error.WriteLine($"ttvm: {problem}");
            if (Locks.IsEmpty) throw CommandException.Failed(declared.Problem ?? "none of the declared locks is in this guest");
            Single = question.One is null ? null : Locks.AddressOf(question.One, Symbols)
                ?? throw CommandException.Usage($"--lock: there is no lock, symbol or address '{question.One}'; `ttvm locks {recording.File.Path} --history` lists the locks");
        }

        public GuestView View { get; }
        public SymbolSet Symbols { get; }
        public GuestLocks Locks { get; }

        /// <summary>The only lock that is asked for; null: all.</summary>
        public ulong? Single { get; }

        public LockHistoryOptions Options => Single is { } address ? new() { Locks = new HashSet<ulong> { address }, MaximumUses = int.MaxValue } : new();

        public void Dispose() => _programs.Dispose();
    }
}
