using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Json;
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
internal sealed class CallsFinder
{
    private const int DefaultLimit = 1_000, SimilarCount = 3;
    private static readonly string[] s_conventions = ["auto", "sysv", "cdecl", "regparm"];

    public Option<string?> Call { get; } = new("--call")
    {
        Description = "Calls of a function, by name or address, several separated by commas: when, from where, with what, and what they returned", HelpName = "NAME",
    };

    private Option<string?> To { get; } = new("--to") { Description = "Only calls before; returns are looked for up to there, too; by default the end", HelpName = "POSITION" };
    private Option<bool> Last { get; } = new("--last") { Description = "The last call before --at" };
    private Option<bool> Next { get; } = new("--next") { Description = "The first call after --at" };
    private Option<string?> At { get; } = new("--at") { Description = "For --last, by default the end; for --next, the start", HelpName = "POSITION" };
    private Option<string?> Where { get; } = new("--where")
    {
        Description = "Only calls of which an expression is true: arguments by name or as arg0 to arg5, registers at the entry, ret", HelpName = "EXPRESSION",
    };
    private Option<string> Limit { get; } = new("--limit") { Description = "At most so many calls", HelpName = "N", DefaultValueFactory = static _ => $"{DefaultLimit}" };
    private Option<string> Abi { get; } = new("--abi")
    {
        Description = "How arguments are passed: auto, sysv, cdecl, regparm (32-bit Linux)", HelpName = "ABI", DefaultValueFactory = static _ => "auto",
    };
    public Option<string[]> Symbols { get; } = SharedOptions.Symbols();
    private Option<bool> Csv { get; } = new("--csv") { Description = "Print comma-separated values" };

    public IEnumerable<Option> Options => [Call, To, Last, Next, At, Where, Limit, Abi, Symbols, Csv];

    /// <summary>Prints the calls.</summary>
    public int Run(CommandContext context, OpenRecording recording, ParseResult parsed, string? from, bool isJson)
    {
        bool isLast = parsed.GetValue(Last), isNext = parsed.GetValue(Next);
        if (isLast && isNext) throw CommandException.Usage("find: give --last or --next, not both");
        if (isLast || isNext ? from is not null || parsed.GetValue(To) is not null : parsed.GetValue(At) is not null)
            throw CommandException.Usage("find: --at goes with --last and --next; --from and --to with all calls of a range");
        int limit = NumberSyntax.ParseNumber(parsed.GetValue(Limit)!, Limit.Name, int.MaxValue - 1);
        CallingConvention convention = ConventionOf(parsed.GetValue(Abi)!);
        using GuestPrograms programs = recording.LoadSymbols(parsed.GetValue(Symbols), null);
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
            found = isLast || isNext ? One(search, recording, context, parsed, isLast) : Many(search, recording, context, parsed, from, limit);
        }
        catch (ExpressionException e)
        {
            throw CommandException.Usage($"--where: {e.Message}");
        }
        var table = new CallTable(context.Out, symbols);
        if (isJson) table.WriteJson(found);
        else if (parsed.GetValue(Csv)) table.WriteCsv(found.Calls);
        else table.WriteText(found.Calls);
        if (found.Calls.Count == 0) context.Error.WriteLine($"ttvm: nothing found: {parsed.GetValue(Call)} is not called there");
        else if (found.IsCut) context.Error.WriteLine($"ttvm: there are more than {Words.Plural(limit, "call")}: see more with --limit or --from {found.Calls[^1].Entry}");
        return found.Calls.Count > 0 ? ExitCode.Good : ExitCode.Failed;
    }

    private CallList Many(CallSearch search, OpenRecording recording, CommandContext context, ParseResult parsed, string? from, int limit)
    {
        Position first = recording.Parse(from ?? "start"), before = parsed.GetValue(To) is { } to ? recording.Parse(to) : recording.File.End;
        if (before < first) throw CommandException.Usage($"find: --to {before} lies before --from {first}");
        return ProgressDisplay.Run("searching", progress => search.List(first, before, limit, progress, context.Cancellation));
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

        public void WriteCsv(IReadOnlyList<FunctionCall> calls)
        {
            output.WriteLine(string.Join(',', s_heads));
            foreach (FunctionCall call in calls) output.WriteLine(string.Join(',', Row(call).Select(Quoted)));
        }

        public void WriteJson(CallList found) => JsonText.WriteObject(output, json =>
        {
            json.WriteBoolean("isCut", found.IsCut);
            json.WriteStartArray("calls");
            foreach (FunctionCall call in found.Calls) Write(json, call);
            json.WriteEndArray();
        });

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

        private static string Quoted(string text) =>
            text.AsSpan().IndexOfAny(",\"\n") >= 0 ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
    }
}
