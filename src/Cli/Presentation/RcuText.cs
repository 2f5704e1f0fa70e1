using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using Introspection.Calls;
using Introspection.Programs;
using Introspection.Rcu;
using Introspection.State;
using Vmm.Time;

namespace Cli.Presentation;

/// <summary>Read-copy-update, as text or as JSON.</summary>
/// <param name="output">Where to.</param>
/// <param name="rcu">Of the guest.</param>
/// <param name="symbols">Its names.</param>
/// <param name="view">The moment, for names of tasks.</param>
/// <param name="isJson">For scripts.</param>
internal sealed class RcuText(TextWriter output, GuestRcu rcu, SymbolSet symbols, GuestView view, bool isJson)
{
    private const int MaximumPublished = 16;

    /// <summary>The state at a moment.</summary>
    public void Moment(RcuView now, Position at)
    {
        if (isJson)
        {
            JsonText.WriteObject(output, json => Write(json, now, at));
            return;
        }
        output.WriteLine($"{now.Kind} at {at}: {now.GracePeriod.State}");
        foreach (string problem in now.Problems) output.WriteLine($"  ! {problem}");
        foreach (RcuWait wait in now.GracePeriod.WaitsFor) output.WriteLine($"  waits for: {wait.Description}");
        output.WriteLine($"{Words.Plural(now.Readers.Count, "reader")}");
        foreach (RcuReader reader in now.Readers) output.WriteLine($"  {Line(reader)}");
        foreach (RcuCallbacks callbacks in now.Callbacks) Write(callbacks);
        foreach (string other in now.Others) output.WriteLine(other);
        if (now.Published.Count == 0) return;
        output.WriteLine("published");
        foreach (PublishedPointer pointer in now.Published.Take(MaximumPublished)) output.WriteLine($"  {pointer.Name} -> {(pointer.Value is { } value ? NameOf(value) : "not in memory")}");
        if (now.Published.Count > MaximumPublished) output.WriteLine($"  ... {Words.Count(now.Published.Count - MaximumPublished)} more: see --json");
    }

    /// <summary>Versions and grace periods, in order, and what there was of the rest.</summary>
    public void History(RcuHistory history, int limit)
    {
        if (isJson)
        {
            JsonText.WriteObject(output, json => Write(json, history, limit));
            return;
        }
        output.WriteLine($"{Words.Plural(history.SectionCount, "critical section")} of readers, {Words.Plural(history.GracePeriods.Count, "grace period")}, "
            + $"{Words.Count(history.DeferCount)} deferred, {Words.Count(history.FreeCount)} freed");
        if (history.Longest is { } longest)
        {
            string code = CallerText.Of(longest.Caller, symbols);
            output.WriteLine($"the longest section: {Words.Count(longest.Instructions ?? 0)} instructions from {longest.Begin} on vCPU {longest.CpuIndex}, in {code}");
        }
        var lines = new List<(Position At, string Text)>();
        foreach (RcuPublication one in history.Publications)
            lines.Add((one.At, $"vCPU {one.CpuIndex}  {one.Name}: {NameOf(one.Old)} -> {NameOf(one.New)}  {CodeText.Of(one.Code, symbols)}"));
        foreach (RcuGracePeriod one in history.GracePeriods)
        {
            string end = one.End is { } at ? $", and ends at {at} ({Words.Count(at.InstructionCount - one.Begin.InstructionCount)} instructions)" : "; it has not ended";
            lines.Add((one.Begin, $"grace period {one.Number} begins{end}"));
        }
        PastLines.Write(output, lines, limit);
    }

    /// <summary>What was freed too early.</summary>
    public void Findings(RcuHistory history, int limit)
    {
        if (isJson)
        {
            JsonText.WriteObject(output, json =>
            {
                json.WriteNumber("findingCount", history.Findings.Count);
                WriteFindings(json, history, limit);
            });
            return;
        }
        if (history.Findings.Count == 0)
        {
            output.WriteLine($"nothing wrong: {Words.Count(history.FreeCount)} freed, {Words.Plural(history.SectionCount, "critical section")} of readers");
            return;
        }
        output.WriteLine($"{Words.Plural(history.Findings.Count, "time")} something was freed before its grace period had ended");
        foreach (RcuFinding finding in history.Findings.Take(limit))
        {
            output.WriteLine();
            string by = $"by {CodeText.Of(finding.Function, symbols)}, called from {CallerText.Of(finding.Caller, symbols)}";
            output.WriteLine($"{finding.At}  vCPU {finding.CpuIndex} frees {NameOf(finding.Pointer)} {by}");
            output.WriteLine($"  it was unlinked at {finding.Unlinked}, and readers that began before may still have it:");
            foreach (RcuSection reader in finding.Readers)
                output.WriteLine($"  {Who(reader.CpuIndex, reader.Task)} since {reader.Begin}{(reader.End is { } end ? $" to {end}" : "")}, in {CallerText.Of(reader.Caller, symbols)}");
        }
    }

    private string Who(int? cpu, ulong task)
    {
        string name = rcu.IsHeldByTask ? TaskText.Of(rcu.Tasks, view, task) : "";
        return cpu is { } index ? name.Length > 0 ? $"vCPU {index}, {name}" : $"vCPU {index}" : name;
    }

    private string Line(RcuReader reader)
    {
        string who = reader.CpuIndex is { } index ? $"vCPU {index}" : "no vCPU", task = reader.TaskName is { } name ? $", {name}" : "";
        string period = reader.Period is { } number ? $", began in grace period {number}" : "", nesting = reader.Nesting is > 1 and int depth ? $", nested {depth} deep" : "";
        string since = reader.Since is { } at ? $", since {at} in {CallerText.Of(reader.Caller, symbols)}" : "";
        return $"{who}{task}{period}{nesting}{since}{(reader.IsWaitedFor ? ", waited for" : "")}";
    }

    private void Write(RcuCallbacks callbacks)
    {
        string whose = callbacks.CpuIndex is { } cpu ? $" of CPU {cpu}" : "";
        string segments = callbacks.Segments.Count > 0 ? $" ({string.Join(", ", callbacks.Segments.Select(static segment => segment.Text))})" : "";
        output.WriteLine($"{(callbacks.Count is { } count ? Words.Plural((long)count, "callback") : "callbacks")}{whose}{segments}");
        foreach (RcuCallback callback in callbacks.First)
        {
            string what = callback.Function == 0 ? "" : $": {callback.Text(symbols)}", segment = callback.Segment is { } name ? $", {name}" : "";
            output.WriteLine($"  {NameOf(callback.Address)}{what}{segment}");
        }
    }

    // Data by its symbol, where it is in one.
    private string NameOf(ulong address)
    {
        if (address == 0) return "NULL";
        bool isNamed = symbols.NameOf(address, out ulong offset) is { } name && offset < (symbols.SizeOf(name) ?? 1);
        return isNamed ? $"0x{address:x} ({CodeText.Of(address, symbols)})" : $"0x{address:x}";
    }

    private void Write(Utf8JsonWriter json, RcuView now, Position at)
    {
        json.WritePosition("position", at);
        json.WriteString("kind", now.Kind);
        json.WriteStartObject("gracePeriod");
        if (now.GracePeriod.Current is { } current) json.WriteNumber("current", current);
        if (now.GracePeriod.Completed is { } completed) json.WriteNumber("completed", completed);
        json.WriteBoolean("isInProgress", now.GracePeriod.IsInProgress);
        json.WriteString("state", now.GracePeriod.State);
        json.WriteObjects("waitsFor", now.GracePeriod.WaitsFor, wait =>
        {
            if (wait.CpuIndex is { } cpu) json.WriteNumber("cpu", cpu);
            if (wait.Task != 0) json.WriteHexadecimal("task", wait.Task);
            json.WriteString("text", wait.Description);
        });
        json.WriteEndObject();
        json.WriteObjects("readers", now.Readers, reader => Write(json, reader));
        json.WriteObjects("callbacks", now.Callbacks, callbacks =>
        {
            if (callbacks.CpuIndex is { } cpu) json.WriteNumber("cpu", cpu);
            if (callbacks.Count is { } count) json.WriteNumber("count", count);
            json.WriteStartArray("segments");
            foreach (RcuSegment segment in callbacks.Segments) json.WriteNumberValue(segment.Count);
            json.WriteEndArray();
            json.WriteObjects("first", callbacks.First, callback =>
            {
                json.WriteHexadecimal("address", callback.Address);
                json.WriteHexadecimal("function", callback.Function);
                json.WriteString("name", callback.Text(symbols));
                if (callback.Segment is { } segment) json.WriteString("segment", segment);
            });
        });
        json.WriteObjects("published", now.Published, pointer =>
        {
            json.WriteString("name", pointer.Name);
            json.WriteHexadecimal("address", pointer.Address);
            if (pointer.Value is { } value) json.WriteHexadecimal("value", value);
        });
        json.WriteStartArray("others");
        foreach (string other in now.Others) json.WriteStringValue(other);
        json.WriteEndArray();
        json.WriteStartArray("problems");
        foreach (string problem in now.Problems) json.WriteStringValue(problem);
        json.WriteEndArray();
    }

    private void Write(Utf8JsonWriter json, RcuReader reader)
    {
        if (reader.CpuIndex is { } cpu) json.WriteNumber("cpu", cpu);
        if (reader.Task != 0) json.WriteHexadecimal("task", reader.Task);
        if (reader.TaskName is { } name) json.WriteString("taskName", name);
        if (reader.Period is { } period) json.WriteNumber("period", period);
        if (reader.Nesting is { } nesting) json.WriteNumber("nesting", nesting);
        json.WriteBoolean("isWaitedFor", reader.IsWaitedFor);
        if (reader.Since is not { } since) return;
        json.WritePosition("since", since);
        json.WriteString("caller", CallerText.Of(reader.Caller, symbols));
    }

    private void Write(Utf8JsonWriter json, RcuHistory history, int limit)
    {
        json.WriteNumber("sectionCount", history.SectionCount);
        json.WriteNumber("deferCount", history.DeferCount);
        json.WriteNumber("freeCount", history.FreeCount);
        json.WriteBoolean("isCut", history.IsCut || history.Sections.Count > limit || history.Publications.Count > limit || history.GracePeriods.Count > limit);
        json.WriteObjects("sections", history.Sections.Take(limit), section => Write(json, section));
        json.WriteObjects("publications", history.Publications.Take(limit), one =>
        {
            json.WritePosition("position", one.At);
            json.WriteNumber("cpu", one.CpuIndex);
            json.WriteString("name", one.Name);
            json.WriteHexadecimal("address", one.Address);
            json.WriteHexadecimal("old", one.Old);
            json.WriteHexadecimal("new", one.New);
            json.WriteString("code", CodeText.Of(one.Code, symbols));
        });
        json.WriteObjects("gracePeriods", history.GracePeriods.Take(limit), one =>
        {
            json.WriteNumber("number", one.Number);
            json.WritePosition("begin", one.Begin);
            if (one.End is { } end) json.WritePosition("end", end);
        });
        WriteFindings(json, history, limit);
    }

    private void WriteFindings(Utf8JsonWriter json, RcuHistory history, int limit) => json.WriteObjects("findings", history.Findings.Take(limit), finding =>
    {
        json.WritePosition("position", finding.At);
        json.WriteNumber("cpu", finding.CpuIndex);
        json.WriteHexadecimal("pointer", finding.Pointer);
        json.WriteString("function", CodeText.Of(finding.Function, symbols));
        json.WriteString("caller", CallerText.Of(finding.Caller, symbols));
        json.WritePosition("unlinked", finding.Unlinked);
        json.WriteObjects("readers", finding.Readers, section => Write(json, section));
    });

    private void Write(Utf8JsonWriter json, RcuSection section)
    {
        json.WriteNumber("cpu", section.CpuIndex);
        if (section.Task != 0) json.WriteHexadecimal("task", section.Task);
        json.WritePosition("begin", section.Begin);
        if (section.End is { } end) json.WritePosition("end", end);
        json.WriteString("caller", CallerText.Of(section.Caller, symbols));
    }
}
