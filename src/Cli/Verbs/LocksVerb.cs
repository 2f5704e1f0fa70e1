using System;
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
using Vmm.Time;

namespace Cli.Verbs;

/// <summary><c>ttvm locks FILE</c></summary>
internal sealed class LocksVerb
{
    private const int DefaultLimit = 40;

    private readonly CommandContext _context;
    private readonly Argument<string> _file = SharedOptions.File();
    private readonly Option<string> _at = SharedOptions.At();
    private readonly Option<bool> _history = new("--history") { Description = "How each lock was used: the contended ones first" };
    private readonly Option<string?> _lock = new("--lock") { Description = "Every use of one lock: when it was wanted, taken and given back, by whom, from where", HelpName = "LOCK" };
    private readonly Option<bool> _check = new("--check") { Description = "What was wrong with the use of locks" };
    private readonly Option<string?> _from = new("--from") { Description = "Where the history begins; by default the start", HelpName = "POSITION" };
    private readonly Option<string?> _to = new("--to") { Description = "Where it ends; by default the end", HelpName = "POSITION" };
    private readonly Option<string> _limit = new("--limit") { Description = "At most so many lines", HelpName = "N", DefaultValueFactory = static _ => $"{DefaultLimit}" };
    private readonly Option<string[]> _layouts = new("--layout") { Description = "A file that declares locks (several times); by default those beside the recording", HelpName = "FILE" };
    private readonly Option<string[]> _symbols = SharedOptions.Symbols();
    private readonly Option<bool> _json = SharedOptions.Json();

    private LocksVerb(CommandContext context) => _context = context;

    public static VerbCommand Create(CommandContext context) => new LocksVerb(context).Create();

    private VerbCommand Create()
    {
        var verb = new VerbCommand("locks",
            "Shows who holds which lock at a position and who waits for it, in the order in which they get it, since when and where; or their past. The guest is replayed with "
            + "breakpoints on the functions that take and give back locks: nothing in it has to be changed.", """
            Locks of Linux (spin locks, reader-writer locks, mutexes, semaphores) and xv6 are known; others are declared in a layout file: see docs/LAYOUTS.md.

            --check finds: two holders of a lock at once; one that is given back by somebody who does not hold it, or taken twice; lost wake-ups; deadlocks; locks that are taken in
            one order here and in the other there; interrupts that are on where they must be off; locks that are held when the guest fails.

            Exit code: 0; 1 when --check finds something, or the guest has no known locks.

            Examples:
              ttvm locks demo.ttvm --at 50%
              ttvm locks demo.ttvm --check
              ttvm locks boot.ttvm --history --limit 10
              ttvm locks boot.ttvm --lock tasklist_lock --from 80%
            """) { _file, _at, _history, _lock, _check, _from, _to, _limit, _layouts, _symbols, _json };
        return verb.Does(Run);
    }

    private int Run(ParseResult parsed)
    {
        bool isHistory = parsed.GetValue(_history), isCheck = parsed.GetValue(_check);
        string? one = parsed.GetValue(_lock);
        if ((isHistory ? 1 : 0) + (isCheck ? 1 : 0) + (one is null ? 0 : 1) > 1) throw CommandException.Usage("locks: give one of --history, --lock and --check");
        bool isMoment = !isHistory && !isCheck && one is null;
        if (isMoment && (parsed.GetValue(_from) ?? parsed.GetValue(_to)) is not null) throw CommandException.Usage("locks: --from and --to go with --history, --lock and --check");
        if (!isMoment && parsed.GetResult(_at) is { Implicit: false }) throw CommandException.Usage("locks: --at goes without --history, --lock and --check; use --from and --to");
        int limit = NumberSyntax.ParseNumber(parsed.GetValue(_limit)!, _limit.Name, int.MaxValue);
        string path = parsed.GetValue(_file)!;
        using OpenRecording recording = OpenRecording.Open(path, _context);
        using GuestPrograms programs = recording.LoadSymbols(parsed.GetValue(_symbols), null);
        Position from = recording.Parse(parsed.GetValue(_from) ?? "start"), to = recording.Parse(isMoment ? parsed.GetValue(_at)! : parsed.GetValue(_to) ?? "end");
        recording.Seek(to);
        var view = new GuestView(recording.Machine, recording.Vcpu(null));
        SymbolSet symbols = programs.At(view);
        GuestLocks locks = Find(recording, path, parsed, symbols, view);
        LockHistoryOptions options = new();
        if (one is not null)
        {
            ulong address = locks.AddressOf(one, symbols)
                ?? throw CommandException.Usage($"--lock: there is no lock, symbol or address '{one}'; `ttvm locks {path} --history` lists the locks");
            options = options with { Locks = new HashSet<ulong> { address }, MaximumUses = int.MaxValue };
        }
        LockHistory history = ProgressDisplay.Run("replaying", progress => locks.History(recording.Timeline, from, to, options, progress, _context.Cancellation));
        var show = new LocksView(_context.Out, locks, symbols, view, parsed.GetValue(_json));
        if (isMoment) show.Moment(locks.Read(view, symbols, to, history), to);
        else if (isHistory) show.History(history, limit);
        else if (one is not null) show.Uses(history, options.Locks!.First(), one, limit);
        else show.Findings(history, limit);
        return isCheck && history.Findings.Count > 0 ? ExitCode.Failed : ExitCode.Good;
    }

    private GuestLocks Find(OpenRecording recording, string path, ParseResult parsed, SymbolSet symbols, in GuestView view)
    {
        string[]? named = parsed.GetValue(_layouts) is { Length: > 0 } files ? files : null;
        DeclaredLayouts declared;
        try
        {
            declared = named is null ? DeclaredLayouts.Load(recording.Machine.Configuration, path, null, text => _context.Error.WriteLine($"ttvm: {text}"))
                : new DeclaredLayouts([.. named.Select(LockLayoutFile.Read)], null);
        }
        catch (LockLayoutException e)
        {
            throw CommandException.Usage($"--layout: {e.Message}");
        }
        GuestLocks locks = GuestLocks.Find(declared.Layouts, symbols, view);
        foreach (string problem in locks.Problems) _context.Error.WriteLine($"ttvm: {problem}");
        if (locks.IsEmpty) throw CommandException.Failed(declared.Problem ?? "none of the declared locks is in this guest");
        return locks;
    }
}
