using System;
using System.Collections.Generic;
using System.Linq;
using Dap.Handles;
using Dap.Protocol;
using Dap.Views;

namespace Dap.Sessions.Scopes;

/// <summary>The locks that are declared or in use, each with its queue.</summary>
internal sealed class LockScope(Session session)
{
    public IReadOnlyList<Variable> Read()
    {
        TtvmLocks locks = new LockViews(session).Read(waits: !session.CanInvalidate);
        // Looking for what else is shared would wait for them.
        if (locks is { IsBeingFound: true, Problem: { } early }) return [Plain("none", early)];
        var list = new List<Variable>();
        if (session.Rcu.Find() is not null) list.Add(Rows("read-copy-update", new RcuScope(session).Rows));
        if (session.Channels.Find().Channels.Count > 0) list.Add(Rows("channels", new ChannelScope(session).Rows));
        if (locks.Problem is { } problem) return [.. list, Plain("none", problem)];
        if (Past(locks) is { } past) list.Add(Plain("past", past));
        foreach (TtvmLock one in locks.Locks)
        {
            list.Add(Plain(one.Name, Summary(one)) with
            {
                VariablesReference = one.Queue.Count == 0 ? 0 : session.Variables.Add(VariableSource.Of(() => Queue(one))), MemoryReference = one.Address,
            });
        }
        return list;
    }

    /// <summary>The same in rows, without queues of their own.</summary>
    public IReadOnlyList<(string Name, string Value)> Locks()
    {
        TtvmLocks locks = new LockViews(session).Read();
        if (locks.Problem is { } problem) return [("none", problem)];
        var rows = new List<(string, string)>();
        if (Past(locks) is { } past) rows.Add(("past", past));
        foreach (TtvmLock one in locks.Locks) rows.Add((one.Name, Summary(one)));
        return rows;
    }

    // A lock in a line.
    private static string Summary(TtvmLock one)
    {
        string words = one.Words is { } said ? $", {said}" : "", queue = one.Queue.Count > 0 ? $": {string.Join(", then ", Descriptions(one))}" : "";
        return $"{one.State}, {one.Kind} at {one.Address}{words}{queue}{(one.Problem is { } problem ? $" ({problem})" : "")}";
    }

    // What is not known of their past, in a sentence; null: all is known.
    private static string? Past(TtvmLocks locks) => locks.Past switch
    {
        "known" => null,
        "learning" => "being worked out: who holds a spin lock, and since when, is not known yet",
        _ => locks.PastProblem ?? "not known",
    };

    private static IEnumerable<string> Descriptions(TtvmLock one)
    {
        foreach (TtvmLockWaiter waiter in one.Queue) yield return Text(waiter);
    }

    private static List<Variable> Queue(TtvmLock one)
    {
        var list = new List<Variable>();
        foreach (TtvmLockWaiter waiter in one.Queue) list.Add(Plain($"[{waiter.Order}] {waiter.Role}", Text(waiter)) with { MemoryReference = waiter.Node });
        return list;
    }

    private static string Text(TtvmLockWaiter one) =>
        $"{one.Description}{(one.Since is { } since ? $" since {since}" : "")}{(one.From is { } from ? $", from {from.Text}" : "")}";

    private Variable Rows(string name, Func<IReadOnlyList<(string Name, string Value)>> read) => Plain(name, "") with
    {
        VariablesReference = session.Variables.Add(VariableSource.Of(() => [.. read().Select(static row => Plain(row.Name, row.Value))])),
    };

    private static Variable Plain(string name, string value) => new() { Name = name, Value = value, VariablesReference = 0 };
}
