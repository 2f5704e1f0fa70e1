using System.Collections.Generic;
using Dap.Handles;
using Dap.Protocol;
using Dap.Views;

namespace Dap.Sessions.Scopes;

/// <summary>The locks that are declared or in use, each with its queue.</summary>
internal sealed class LockScope(Session session)
{
    public IReadOnlyList<Variable> Read()
    {
        TtvmLocks locks = new LockViews(session).Read();
        if (locks.Problem is { } problem) return [Plain("none", problem)];
        var list = new List<Variable>();
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

    /// <summary>A lock in a line.</summary>
    public static string Summary(TtvmLock one)
    {
        string words = one.Words is { } said ? $", {said}" : "", queue = one.Queue.Count > 0 ? $": {string.Join(", then ", Descriptions(one))}" : "";
        return $"{one.State}, {one.Kind} at {one.Address}{words}{queue}{(one.Problem is { } problem ? $" ({problem})" : "")}";
    }

    /// <summary>What is not known of their past, in a sentence; null: all is known.</summary>
    public static string? Past(TtvmLocks locks) => locks.Past switch
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

    private static Variable Plain(string name, string value) => new() { Name = name, Value = value, VariablesReference = 0 };
}
