using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json;
using Cli.Ci;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Introspection.Calls;
using Introspection.Programs;
using Introspection.State;
using Replay.Timelines;
using Symbols.Expressions;
using Vmm.Time;

namespace Cli.Verbs;

/// <summary><c>ttvm find FILE --call NAME</c>: the calls of a function.</summary>
internal sealed class CallsFinder(FindTableOptions shared)
{
    private const int SimilarCount = 3;
    private static readonly string[] s_conventions = ["auto", "sysv", "cdecl", "regparm"];

    public Option<string?> Call { get; } = new("--call")
    {
        Description = "Calls of a function, by name or address, several separated by commas: when, from where, with what, and what they returned", HelpName = "NAME",
    };

    private Option<bool> Last { get; } = new("--last") { Description = "The last call before --at" };
    private Option<bool> Next { get; } = new("--next") { Description = "The first call after --at" };
    private Option<string?> At { get; } = new("--at") { Description = "For --last, by default the end; for --next, the start", HelpName = "POSITION" };
    private Option<string?> Where { get; } = new("--where")
    {
        Description = "Only calls of which an expression is true: arguments by name or as arg0 to arg5, registers at the entry, ret", HelpName = "EXPRESSION",
    };
    private Option<string> Abi { get; } = new("--abi")
    {
        Description = "How arguments are passed: auto, sysv, cdecl, regparm (32-bit Linux)", HelpName = "ABI", DefaultValueFactory = static _ => "auto",
    };

    public IEnumerable<Option> Options => [Call, Last, Next, At, Where, Abi];

    /// <summary>Prints the calls.</summary>
    /// <param name="context">Where to.</param>
    /// <param name="recording">Where they are looked for.</param>
    /// <param name="parsed">What the user wants.</param>
    /// <param name="from">Where to begin; null: at the start.</param>
    /// <param name="isJson">For scripts.</param>
    /// <param name="part">Only a part of the recording is looked at; null: all of it.</param>
    public int Run(CommandContext context, OpenRecording recording, ParseResult parsed, string? from, bool isJson, ShardedScan? part)
    {
        bool isLast = parsed.GetValue(Last), isNext = parsed.GetValue(Next);
        if (part is not null && (isLast || isNext)) throw CommandException.Usage("find: --shard goes with all calls of a range, not with --last and --next");
        if (isLast && isNext) throw CommandException.Usage("find: give --last or --next, not both");
        if (isLast || isNext ? from is not null || parsed.GetValue(shared.To) is not null : parsed.GetValue(At) is not null)
            throw CommandException.Usage("find: --at goes with --last and --next; --from and --to with all calls of a range");
        int limit = shared.LimitOf(parsed);
        CallingConvention convention = ConventionOf(parsed.GetValue(Abi)!);
        using GuestPrograms programs = recording.LoadSymbols(parsed.GetValue(shared.Symbols), null);
        // A kernel that is loaded when the recording has begun has its names where it runs, at the latest at the end.
        recording.Seek(parsed.GetValue(At) ?? "end");
        Timeline timeline = recording.Timeline;
        SymbolSet symbols = programs.At(new GuestView(timeline.Machine, recording.Vcpu(null)));
        var finder = new FunctionFinder(symbols, [new ProgramPrototypes(symbols)]);
        IReadOnlyList<CallTarget> targets = TargetsOf(finder, parsed.GetValue(Call)!);
        CallList found;
        try
        {
            CallCondition? condition = parsed.GetValue(Where) is { } text ? new CallCondition(text, symbols, symbols.Types) : null;
            var search = new CallSearch(timeline, targets, new CallValueReader(convention, new CallValueText(symbols)), condition);
            found = isLast || isNext ? One(search, recording, context, parsed, isLast) : Many(search, recording, context, parsed, from, limit, part);
        }
        catch (ExpressionException e)
        {
            throw CommandException.Usage($"--where: {e.Message}");
        }
        var table = new CallTable(context.Out, symbols);
        if (part is not null)
        {
            part.Write(context, MergeVerb.Calls, limit, json =>
            {
                json.WriteStartObject();
                table.Write(json, found);
                json.WriteEndObject();
            });
            return ExitCode.Good;
        }
        if (isJson) table.WriteJson(found);
        else if (parsed.GetValue(shared.Csv)) table.WriteCsv(found.Calls);
        else table.WriteText(found.Calls);
        if (found.Calls.Count == 0) context.Error.WriteLine($"ttvm: nothing found: {parsed.GetValue(Call)} is not called there");
        else if (found.IsCut) context.Error.WriteLine($"ttvm: there are more than {Words.Plural(limit, "call")}: see more with --limit or --from {found.Calls[^1].Entry}");
        return found.Calls.Count > 0 ? ExitCode.Good : ExitCode.Failed;
    }

    private CallList Many(CallSearch search, OpenRecording recording, CommandContext context, ParseResult parsed, string? from, int limit, ShardedScan? part)
    {
        (Position first, Position before) = shared.RangeOf(recording, parsed, from);
        if (part is null) return ProgressDisplay.Run("searching", progress => search.List(first, before, limit, progress, context.Cancellation));
        if (part.StretchOf(first, before) is not { } stretch) return new CallList([], false);
        return ProgressDisplay.Run("searching", progress => search.List(stretch.From, stretch.Before, before, limit, progress, context.Cancellation));
    }

    private CallList One(CallSearch search, OpenRecording recording, CommandContext context, ParseResult parsed, bool isLast)
    {
        Position at = recording.Parse(parsed.GetValue(At) ?? (isLast ? "end" : "start"));
        FunctionCall? call = ProgressDisplay.Run(isLast ? "searching backwards" : "searching", progress =>
            isLast ? search.Last(at, progress, context.Cancellation) : search.Next(at, progress, context.Cancellation));
        return new CallList(call is null ? [] : [call], false);
    }

    private static CallingConvention ConventionOf(string text)
    {
        int index = Array.IndexOf(s_conventions, text);
        return index >= 0 ? (CallingConvention)index : throw CommandException.Usage($"--abi: there is no '{text}': {string.Join(", ", s_conventions)}");
    }

    private static List<CallTarget> TargetsOf(FunctionFinder finder, string text)
    {
        var targets = new List<CallTarget>();
        // Names of C++ have commas between brackets.
        string[] words = text.Contains('(', StringComparison.Ordinal) || text.Contains('<', StringComparison.Ordinal) ? [text] : text.Split(',', StringSplitOptions.TrimEntries);
        foreach (string word in words)
        {
            IReadOnlyList<CallTarget> found = finder.Find(word);
            if (found.Count > 0) targets.AddRange(found);
            else if (word.StartsWith("0x", StringComparison.OrdinalIgnoreCase)) targets.Add(finder.At(NumberSyntax.ParseAddress(word, "--call")));
            else
            {
                IReadOnlyList<string> similar = finder.Similar(word, SimilarCount);
                string hint = similar.Count > 0 ? $"; there is {string.Join(", ", similar)}" : "; name a file with symbols by --symbols, or give an address, such as 0xffffffff81000000";
                throw CommandException.Usage($"--call: no function is named '{word}'{hint}");
            }
        }
        return targets;
    }

    /// <summary>Writes calls.</summary>
    private sealed class CallTable(TextWriter output, SymbolSet symbols)
    {
        private static readonly string[] s_heads = ["position", "cpu", "function", "caller", "arguments", "result", "returned", "instructions"];

        public void WriteText(IReadOnlyList<FunctionCall> calls)
        {
            if (calls.Count > 0) TextTable.Write(output, s_heads, [.. calls.Select(Row)], rightAligned: [1, 7]);
        }

        public void WriteCsv(IReadOnlyList<FunctionCall> calls) => TextTable.WriteCsv(output, s_heads, [.. calls.Select(Row)]);

        public void WriteJson(CallList found) => JsonText.WriteObject(output, json => Write(json, found));

        public void Write(Utf8JsonWriter json, CallList found)
        {
            json.WriteBoolean("isCut", found.IsCut);
            json.WriteStartArray("calls");
            foreach (FunctionCall call in found.Calls) Write(json, call);
            json.WriteEndArray();
        }

        private void Write(Utf8JsonWriter json, FunctionCall call)
        {
            json.WriteStartObject();
            json.WritePosition("position", call.Entry);
            json.WriteNumber("cpu", call.CpuIndex);
            json.WriteString("function", NameOf(call));
            json.WriteHexadecimal("address", call.Target.Entry);
            json.WriteHexadecimal("addressSpace", call.AddressSpace);
            json.WriteString("enteredBy", call.EnteredBy.ToString());
            json.WriteString("caller", CallerText.Of(call, symbols));
            json.WriteHexadecimal("returnAddress", call.ReturnAddress);
            json.WriteHexadecimal("returnSlot", call.Slot);
            json.WriteStartArray("arguments");
            foreach (CallValue argument in call.Arguments) Write(json, argument);
            json.WriteEndArray();
            json.WriteString("end", call.End.ToString());
            if (call.Return is { } at)
            {
                json.WritePosition("returnPosition", at);
                json.WriteNumber("returnCpu", call.ReturnCpuIndex!.Value);
                json.WriteNumber("instructions", call.InstructionCount!.Value);
            }
            if (call.Result is { } result)
            {
                json.WritePropertyName("result");
                Write(json, result);
            }
            json.WriteEndObject();
        }

        private static void Write(Utf8JsonWriter json, CallValue value)
        {
            json.WriteStartObject();
            json.WriteString("name", value.Name);
            if (value.Type is { } type) json.WriteString("type", type.ToString());
            if (value.Number is { } number) json.WriteHexadecimal("value", number);
            json.WriteString("text", value.Text);
            json.WriteEndObject();
        }

        private string[] Row(FunctionCall call) =>
        [
            call.Entry.ToString(), call.CpuIndex.ToString(CultureInfo.InvariantCulture), NameOf(call), (call.EnteredBy == CallEntry.TailCall ? "(jump) " : "") + CallerText.Of(call, symbols),
            string.Join(", ", call.Arguments.Select(static argument => $"{argument.Name}={argument.Text}")),
            call.End switch { CallEnd.Returned => call.Result?.Text ?? "", CallEnd.Abandoned => "(never returns)", _ => "(not yet)" },
            call.Return?.ToString() ?? "", call.InstructionCount?.ToString(CultureInfo.InvariantCulture) ?? "",
        ];

        private static string NameOf(FunctionCall call) => call.Target.Name ?? $"0x{call.Target.Entry:x}";
    }
}
