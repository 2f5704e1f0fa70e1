using System.Collections.Generic;
using Dap.Protocol;
using Dap.Views;

namespace Dap.Sessions.Scopes;

/// <summary>Read-copy-update in rows.</summary>
internal sealed class RcuScope(Session session)
{
    /// <summary>A reader, in words.</summary>
    public static string TextOf(TtvmRcuReader one) => $"{one.Description}{(one.Since is { } since ? $", since {since}" : "")}{(one.From is { } from ? $", from {from.Text}" : "")}";

    public IReadOnlyList<(string Name, string Value)> Rows()
    {
        TtvmRcu rcu = new RcuViews(session).Read();
        if (rcu.Problem is { } problem) return [("none", problem)];
        var rows = new List<(string, string)>();
        foreach (string one in rcu.Problems) rows.Add(("problem", one));
        rows.Add(("grace period", rcu.GracePeriod!.State));
        foreach (string one in rcu.GracePeriod.WaitsFor) rows.Add(("waits for", one));
        foreach (TtvmRcuReader one in rcu.Readers) rows.Add(("reader", TextOf(one)));
        foreach (TtvmRcuCallbacks one in rcu.Callbacks)
        {
            var parts = new List<string>();
            foreach (TtvmRcuSegment segment in one.Segments) parts.Add($"{segment.Count} {segment.Name}{(segment.Period is { } period ? $" for grace period {period}" : "")}");
            string whose = one.ThreadId is { } thread ? $" of vCPU {thread - 1}" : "", count = one.Count is { } number ? $"{number}" : "?";
            rows.Add(($"callbacks{whose}", parts.Count > 0 ? $"{count}: {string.Join(", ", parts)}" : count));
            foreach (TtvmRcuCallback callback in one.First)
                rows.Add(("  callback", $"{callback.Address}{(callback.Function is { } function ? $" {function}" : "")}{(callback.Segment is { } segment ? $", {segment}" : "")}"));
        }
        foreach (string one in rcu.Others) rows.Add(("", one));
        foreach (TtvmRcuPointer one in rcu.Published)
            rows.Add((one.Name, $"{one.Text ?? "not in memory"}{(one.Written is { } at ? $", written at {at}, was {one.Old}" : "")}"));
        return rows;
    }
}
