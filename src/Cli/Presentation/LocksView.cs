using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json;
using Introspection.Calls;
using Introspection.Locks;
using Introspection.Locks.History;
using Introspection.Locks.Queues;
using Introspection.Programs;
using Introspection.State;
using Vmm.Time;

namespace Cli.Presentation;

/// <summary>Locks, as text or as JSON.</summary>
/// <param name="output">Where to.</param>
/// <param name="locks">Of the guest.</param>
/// <param name="symbols">Its names.</param>
/// <param name="view">The moment, for names of tasks.</param>
/// <param name="isJson">For scripts.</param>
internal sealed class LocksView(TextWriter output, GuestLocks locks, SymbolSet symbols, GuestView view, bool isJson)
{
    /// <summary>The locks in use at a moment, each with its queue.</summary>
    public void Moment(IReadOnlyList<LockView> all, Position at)
    {
        if (isJson)
        {
            JsonText.WriteObject(output, json =>
            {
                json.WritePosition("position", at);
                json.WriteStartArray("locks");
                foreach (LockView one in all) Write(json, one);
                json.WriteEndArray();
            });
            return;
        }
        List<LockView> used = [.. all.Where(static one => one.State != LockState.Free || one.Queue.Count > 0)];
        int free = all.Count - used.Count;
        output.WriteLine($"{Words.Plural(used.Count, "lock")} in use at {at}{(free > 0 ? $", {free} declared and free" : "")}");
        foreach (LockView one in used)
        {
            output.WriteLine();
            output.WriteLine($"{one.Name}  {one.Kind} at 0x{one.Address:x}, {one.State.ToString().ToLowerInvariant()}{(one.Words is { } words ? $"  ({words})" : "")}");
            if (one.Problem is { } problem) output.WriteLine($"  ! {problem}");
            foreach (LockWaiter waiter in one.Queue) output.WriteLine(Line(waiter, at));
        }
        if (used.Count > 1) Matrix(used);
    }

    /// <summary>All locks that were used, the contended ones first.</summary>
    public void History(LockHistory history, int limit)
    {
        LockRecord[] records = [.. history.Locks.OrderByDescending(static one => one.ContendedCount).ThenByDescending(static one => one.TakenCount).ThenBy(static one => one.Address)];
        if (isJson)
        {
            JsonText.WriteObject(output, json =>
            {
                json.WriteNumber("lockCount", records.Length);
                json.WriteStartArray("locks");
                foreach (LockRecord one in records.Take(limit)) Write(json, one);
                json.WriteEndArray();
            });
            return;
        }
        TextTable.Write(output, ["lock", "type", "taken", "contended", "failed", "waited", "longest", "at", "held", "longest", "at", "most waiters", "at"],
            [.. records.Take(limit).Select(one => new[]
            {
                locks.NameOf(one.Address, symbols), one.TypeName, Words.Count(one.TakenCount), Words.Count(one.ContendedCount), Words.Count(one.FailedCount), Words.Count(one.TotalWait),
                Words.Count(one.LongestWait?.WaitInstructions ?? 0), one.LongestWait?.Wanted.ToString() ?? "", Words.Count(one.TotalHeld),
                Words.Count(one.LongestHeld?.HeldInstructions ?? 0), one.LongestHeld?.Taken?.ToString() ?? "", Words.Count(one.MaximumWaiters),
                one.MaximumWaiters > 0 ? one.MaximumWaitersAt.ToString() : "",
            })], rightAligned: [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        if (records.Length > limit) output.WriteLine($"... and {Words.Plural(records.Length - limit, "lock")} more (--limit)");
    }

    /// <summary>The uses of one lock.</summary>
    public void Uses(LockHistory history, ulong address, string name, int limit)
    {
        IReadOnlyList<LockUse> uses = history.Find(address)?.Uses ?? [];
        if (isJson)
        {
            JsonText.WriteObject(output, json =>
            {
                json.WriteHexadecimal("lock", address);
                json.WriteNumber("useCount", uses.Count);
                json.WriteStartArray("uses");
                foreach (LockUse use in uses.Take(limit)) Write(json, use);
                json.WriteEndArray();
            });
            return;
        }
        if (uses.Count == 0)
        {
            output.WriteLine($"{name} is not used between {history.From} and {history.Before}");
            return;
        }
        TextTable.Write(output, ["wanted", "waited", "taken", "held", "given back", "cpu", "task", "how", "from"],
            [.. uses.Take(limit).Select(use => new[]
            {
                use.Wanted.ToString(), use.Taken is null ? "" : Words.Count(use.WaitInstructions), use.Taken?.ToString() ?? (use.IsFailed ? "failed" : "waits"),
                use.Released is null ? "" : Words.Count(use.HeldInstructions), use.Released?.ToString() ?? (use.Taken is null ? "" : "held"),
                use.User.CpuIndex.ToString(CultureInfo.InvariantCulture), TaskOf(use.User), $"{use.Function}{(use.IsContended ? ", contended" : "")}", CallerText.Of(use.Caller, symbols),
            })], rightAligned: [0, 1, 2, 3, 4, 5]);
        if (uses.Count > limit) output.WriteLine($"... and {Words.Plural(uses.Count - limit, "use")} more (--limit)");
    }

    /// <summary>What was wrong.</summary>
    public void Findings(LockHistory history, IReadOnlyList<LockFinding> findings, int limit)
    {
        var text = new LockFindingText(address => locks.NameOf(address, symbols), task => locks.Tasks.NameOf(view, task), code => CallerText.Of(code, symbols));
        if (isJson)
        {
            JsonText.WriteObject(output, json =>
            {
                json.WriteNumber("findingCount", findings.Count);
                json.WriteStartArray("findings");
                foreach (LockFinding one in findings.Take(limit)) Write(json, one, text.Of(one));
                json.WriteEndArray();
            });
            return;
        }
        foreach (LockFinding one in findings.Take(limit)) output.WriteLine($"{one.At}  {text.Of(one)}");
        if (findings.Count > limit) output.WriteLine($"... and {findings.Count - limit} more (--limit)");
        if (findings.Count == 0) output.WriteLine($"nothing is wrong with {Words.Plural(history.LockCount, "lock")} between {history.From} and {history.Before}");
    }

    private string Line(LockWaiter one, Position at)
    {
        string since = one.Since is { } position ? $"  since {position} ({Words.Plural((long)(at.InstructionCount - position.InstructionCount), "instruction")})" : "";
        string from = one.Caller == 0 ? "" : $"  {CallerText.Of(one.Caller, symbols)}";
        string next = one.Next is { } behind ? $" next {(behind == 0 ? "-" : $"0x{behind:x}")}" : "", flag = one.MustWait is { } waits ? waits ? ", must wait" : ", may go" : "";
        string node = one.Node is { } address ? $"  node 0x{address:x}{next}{flag}" : "";
        return $"  {(one.IsOwner ? "*" : "-")} {one.Description}{since}{from}{node}";
    }

    // Locks down, vCPUs across.
    private void Matrix(List<LockView> used)
    {
        int count = view.Machine.Vcpus.Count;
        List<string[]> rows = [];
        foreach (LockView one in used)
        {
            var row = new string[count + 1];
            row[0] = one.Name;
            int place = 0;
            Array.Fill(row, "", 1, count);
            foreach (LockWaiter waiter in one.Queue)
            {
                if (!waiter.IsOwner) place++;
                if (waiter.CpuIndex is { } cpu && cpu < count) row[cpu + 1] = waiter.IsOwner ? waiter.IsShared ? "reads" : "holds" : $"waits, {place}.";
            }
            if (row.Skip(1).Any(static cell => cell.Length > 0)) rows.Add(row);
        }
        if (rows.Count == 0) return;
        output.WriteLine();
        TextTable.Write(output, ["lock", .. Enumerable.Range(0, count).Select(static cpu => $"vCPU {cpu}")], rows, rightAligned: []);
    }

    private void Write(Utf8JsonWriter json, LockView one)
    {
        json.WriteStartObject();
        json.WriteString("name", one.Name);
        json.WriteString("kind", one.Kind);
        json.WriteHexadecimal("address", one.Address);
        json.WriteString("state", one.State.ToString().ToLowerInvariant());
        if (one.Words is { } words) json.WriteString("words", words);
        if (one.Problem is { } problem) json.WriteString("problem", problem);
        json.WriteStartArray("queue");
        foreach (LockWaiter waiter in one.Queue)
        {
            json.WriteStartObject();
            json.WriteString("role", waiter.IsOwner ? "holder" : "waiter");
            json.WriteString("description", waiter.Description);
            if (waiter.CpuIndex is { } cpu) json.WriteNumber("cpu", cpu);
            if (waiter.Task != 0) json.WriteHexadecimal("task", waiter.Task);
            if (waiter.Node is { } node) json.WriteHexadecimal("node", node);
            if (waiter.Next is { } next) json.WriteHexadecimal("next", next);
            if (waiter.MustWait is { } waits) json.WriteBoolean("mustWait", waits);
            if (waiter.Since is { } since) json.WritePosition("since", since);
            if (waiter.Caller != 0) json.WriteString("from", CallerText.Of(waiter.Caller, symbols));
            if (waiter.IsShared) json.WriteBoolean("isShared", true);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void Write(Utf8JsonWriter json, LockRecord one)
    {
        json.WriteStartObject();
        json.WriteString("name", locks.NameOf(one.Address, symbols));
        json.WriteHexadecimal("address", one.Address);
        json.WriteString("type", one.TypeName);
        json.WriteNumber("taken", one.TakenCount);
        json.WriteNumber("contended", one.ContendedCount);
        json.WriteNumber("failed", one.FailedCount);
        json.WriteNumber("handOffs", one.HandOffCount);
        json.WriteNumber("waited", one.TotalWait);
        json.WriteNumber("held", one.TotalHeld);
        json.WriteNumber("maximumWaiters", one.MaximumWaiters);
        if (one.MaximumWaiters > 0) json.WritePosition("maximumWaitersAt", one.MaximumWaitersAt);
        json.WriteEndObject();
    }

    private void Write(Utf8JsonWriter json, LockUse use)
    {
        json.WriteStartObject();
        json.WriteString("name", locks.NameOf(use.Lock.Address, symbols));
        json.WritePosition("wanted", use.Wanted);
        if (use.Taken is { } taken) json.WritePosition("taken", taken);
        if (use.Released is { } released) json.WritePosition("released", released);
        json.WriteNumber("cpu", use.User.CpuIndex);
        if (use.User.Task != 0) json.WriteHexadecimal("task", use.User.Task);
        json.WriteString("function", use.Function);
        json.WriteString("from", CallerText.Of(use.Caller, symbols));
        json.WriteBoolean("isContended", use.IsContended);
        json.WriteBoolean("isFailed", use.IsFailed);
        json.WriteBoolean("isShared", use.IsShared);
        json.WriteEndObject();
    }

    private void Write(Utf8JsonWriter json, LockFinding one, string text)
    {
        json.WriteStartObject();
        json.WriteString("kind", one.Kind.ToString());
        json.WritePosition("position", one.At);
        json.WriteNumber("cpu", one.User.CpuIndex);
        json.WriteString("text", text);
        json.WriteStartArray("uses");
        foreach (LockUse use in one.Uses) Write(json, use);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private string TaskOf(LockUser user) => user.Task == 0 ? "" : locks.Tasks.NameOf(view, user.Task) ?? "";
}
