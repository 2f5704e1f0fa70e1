using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Dap.Protocol;
using Dap.Requests;
using Dap.Sessions.Scopes;
using Dap.Views;

namespace Dap.Sessions.Repl;

/// <summary>What vCPUs do to each other: locks, read-copy-update, channels, words that are swapped; now, their past, what was wrong, and going to where something happens.</summary>
internal sealed class LockCommands(Session session)
{
    private const int MaximumRows = 100;
    // Before and behind where the session stands.
    private const int NearCount = 20;

    public IReadOnlyList<ConsoleCommand> All =>
    [
        new("locks [history [LOCK] | findings | classes | next|last EVENT LOCK]", "locks: who holds them and who waits; what became of all, or the uses of one around here; what was wrong; "
            + "which classes were taken in both orders; go to a wait, acquire or release", Locks),
        new("rcu [readers | findings | next|last EVENT [POINTER]]", "read-copy-update: readers, grace periods, callbacks, published pointers; since when readers read; what was freed too "
            + "early; go to a publication, readerEnters, readerLeaves, deferral, release, gracePeriodBegins or gracePeriodEnds", Rcu),
        new("channels [findings | next|last EVENT [CHANNEL [NUMBER]]]",
            "message channels, and what is under way in them; what was wrong with messages; go to a publication, receipt, fullStall or emptyStall", Channels),
        new("cas WORD [FROM [TO]]", "every compare-and-swap, exchange, locked update and store of a word: who won, who tried again, who was deceived", Swaps),
    ];

    private ConsoleResult Locks(CommandLine line)
    {
        string[] words = Words(line);
        switch (words)
        {
            case []: return Table(new LockScope(session).Locks());
            case ["findings"]: return Findings();
            case ["classes"]: return Classes();
            case ["history"]: return History(null);
            case ["history", .. string[] name]: return History(string.Join(' ', name));
            case [("next" or "last") and var way, var what, _, ..]:
                return new LockRequests(session).Seek(new TtvmLockSeekArguments { Event = what, Lock = string.Join(' ', words[2..]), Reverse = way == "last" }).Text;
            default: throw line.Command.Misused();
        }
    }

    private string Findings()
    {
        TtvmLockFindings answer = new LockRequests(session).Findings();
        return Findings(answer.Findings.Select(static one => (one.Position, one.Text)), answer.IsComplete, answer.Problem);
    }

    private string Classes()
    {
        TtvmLockClasses answer = new LockRequests(session).Classes();
        string? nested = answer.NestedInOwnClass == 0 ? null : $"nothing wrong; {answer.NestedInOwnClass} pairs of locks are nested in their own class, whose order is not looked at";
        return Findings(answer.Findings.Select(static one => (one.Position, one.Text)), isComplete: true, nested);
    }

    private string History(string? name)
    {
        var requests = new LockRequests(session);
        // Of one, uses around where the session stands.
        long before = name is null ? 0 : requests.History(new TtvmLockHistoryArguments { Lock = name, To = session.Machine.Position.ToString(), Count = 0 }).UseCount;
        TtvmLockHistory history = requests.History(new TtvmLockHistoryArguments
        {
            Lock = name, Start = Math.Max(0, before - NearCount), Count = name is null ? MaximumRows : 2 * NearCount,
        });
        var rows = new List<(string, string)>();
        if (!history.IsComplete) rows.Add(("known", history.Problem ?? $"up to {history.Known}"));
        foreach (TtvmLockTotals one in history.Locks)
        {
            rows.Add((one.Name, string.Create(CultureInfo.InvariantCulture,
                $"taken {one.Taken:N0} times, {one.Contended:N0} contended, waited {one.Waited:N0} instructions, held {one.Held:N0}")));
        }
        foreach (TtvmLockUse use in history.Uses) rows.Add((use.Wanted, Describe(use)));
        return rows.Count == 0 ? "no lock was used" : Table(rows);
    }

    private static string Describe(TtvmLockUse use)
    {
        string who = $"vCPU {use.ThreadId - 1}{(use.Task is { } task ? $", {task}," : "")}", from = use.From is { } place ? $" from {place.Text}" : "";
        string taken = use.IsFailed ? "did not get it" : use.Taken is { } at ? $"taken {at}" : "waits", released = use.Released is { } end ? $", given back {end}" : "";
        return $"{who} {use.Function}{from}: {taken}{(use.IsContended ? ", contended" : "")}{released}";
    }

    private ConsoleResult Rcu(CommandLine line)
    {
        string[] words = Words(line);
        switch (words)
        {
            case []: return Table(new RcuScope(session).Rows());
            case ["readers"]: return Readers();
            case ["findings"]:
                TtvmRcuFindings answer = new RcuViews(session).Findings();
                return Findings(answer.Findings.Select(static one => (one.Position, one.Text)), answer.IsComplete, answer.Problem);
            case [("next" or "last") and var way, var what, .. string[] pointer]:
                var arguments = new TtvmRcuSeekArguments { Event = what, Pointer = pointer.Length > 0 ? string.Join(' ', pointer) : null, Reverse = way == "last" };
                return new SharedMemoryRequests(session).Seek(arguments).Text;
            default: throw line.Command.Misused();
        }
    }

    private string Readers()
    {
        TtvmRcuReaders answer = new RcuViews(session).Readers();
        List<(string, string)> rows = [.. answer.Readers.Select(static one => ("reader", RcuScope.TextOf(one)))];
        if (answer.Problem is { } problem) rows.Add(("problem", problem));
        return rows.Count > 0 ? Table(rows) : "no reader is inside a critical section, as far as it is known";
    }

    private ConsoleResult Channels(CommandLine line)
    {
        string[] words = Words(line);
        switch (words)
        {
            case []: return Table(new ChannelScope(session).Rows());
            case ["findings"]:
                TtvmChannelFindings answer = new ChannelViews(session).Findings();
                return Findings(answer.Findings.Select(static one => (one.Position, one.Text)), answer.IsComplete, answer.Problem);
            case [("next" or "last") and var way, var what, .. { Length: <= 2 } rest]:
                ulong number = 0;
                if (rest.Length > 1 && !ulong.TryParse(rest[1], NumberStyles.None, CultureInfo.InvariantCulture, out number)) throw line.Command.Misused();
                return new SharedMemoryRequests(session).Seek(new TtvmChannelSeekArguments
                {
                    Event = what, Channel = rest.Length > 0 ? rest[0] : null, Number = rest.Length > 1 ? number : null, Reverse = way == "last",
                }).Text;
            default: throw line.Command.Misused();
        }
    }

    private ConsoleResult Swaps(CommandLine line)
    {
        string[] words = Words(line);
        if (words.Length is 0 or > 3) throw line.Command.Misused();
        var arguments = new TtvmSwapsArguments { Word = words[0], From = words.ElementAtOrDefault(1), To = words.ElementAtOrDefault(2), Count = MaximumRows };
        TtvmSwaps answer = new SwapRequests(session).Read(arguments);
        if (answer.Swaps.Count == 0) return $"nobody changes {words[0]} there";
        List<(string, string)> rows = [.. answer.Swaps.Select(static one => (one.Position, Describe(one)))];
        if (answer.IsCut) rows.Add(("...", $"and more: cas {words[0]} {answer.Swaps[^1].Position}"));
        return Table(rows);
    }

    private static string Describe(TtvmSwap one)
    {
        string who = one.ThreadId is not { } thread ? "a chip" : $"vCPU {thread - 1}{(one.Task is { } task ? $", {task}" : "")}";
        string expected = one.Expected is { } value ? $", expects {value}" : "", result = one.Kind == "compareExchange" ? one.HasWon ? ", won" : ", lost" : "";
        string retry = one.Retry > 0 ? $", retry {one.Retry}" : "", remark = one.Remark is { } text ? $": {text}" : "";
        return $"{who}: {one.Instruction} in {one.Code?.Text}{expected}, {one.Old} -> {one.New}{result}{retry}{remark}";
    }

    private static string Findings(IEnumerable<(string Position, string Text)> findings, bool isComplete, string? problem)
    {
        var rows = new List<(string, string)>(findings);
        if (!isComplete) rows.Add(("...", problem ?? "the past is being worked out: ask again"));
        return rows.Count > 0 ? Table(rows) : problem ?? "nothing wrong";
    }

    private static string Table(IReadOnlyList<(string, string)> rows) => ConsoleTable.Of(rows);

    private static string[] Words(CommandLine line) => line.Rest.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
