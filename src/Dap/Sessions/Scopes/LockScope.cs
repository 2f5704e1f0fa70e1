using System.Collections.Generic;
using Dap.Handles;
using Dap.Protocol;
using Dap.Views;

namespace Dap.Sessions.Scopes;

/// <summary>The declared locks, each with its queue.</summary>
internal sealed class LockScope(Session session)
{
    public IReadOnlyList<Variable> Read()
    {
        TtvmLocks locks = new LockViews(session).Read();
        if (locks.Problem is { } problem) return [Plain("none", problem)];
        var list = new List<Variable>();
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
    public static string Summary(TtvmLock one) =>
        $"{one.State}, {one.Kind} at {one.Address}{(one.Queue.Count > 0 ? $": {string.Join(", then ", Descriptions(one))}" : "")}{(one.Problem is { } problem ? $" ({problem})" : "")}";

    private static IEnumerable<string> Descriptions(TtvmLock one)
    {
        foreach (TtvmLockWaiter waiter in one.Queue) yield return waiter.Description;
    }

    private static List<Variable> Queue(TtvmLock one)
    {
        var list = new List<Variable>();
        foreach (TtvmLockWaiter waiter in one.Queue) list.Add(Plain($"[{waiter.Order}] {waiter.Role}", waiter.Description) with { MemoryReference = waiter.Node });
        return list;
    }

    private static Variable Plain(string name, string value) => new() { Name = name, Value = value, VariablesReference = 0 };
}
