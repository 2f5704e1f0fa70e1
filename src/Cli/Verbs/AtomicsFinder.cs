using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Text.Json;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Introspection.Atomics;
using Introspection.Locks.Tasks;
using Introspection.Programs;
using Introspection.State;
using Replay.Timelines;
using Vmm.Time;

namespace Cli.Verbs;

/// <summary><c>ttvm find FILE --cas ADDRESS</c>: who tried to change a word, who won and who tried again.</summary>
internal sealed class AtomicsFinder(FindTableOptions shared, Option<string> size, Option<bool> physical)
{
    private static readonly string[] s_heads = ["position", "cpu", "task", "code", "instruction", "expected", "old", "new", "result", "retry", "remark"];

    public Option<string?> Swap { get; } = new("--cas")
    {
        Description = "Every compare-and-swap, exchange, locked update and store of a word of --size bytes (by default what its symbol takes): who won, who tried again, who was deceived",
        HelpName = "ADDRESS|SYMBOL",
    };

    /// <summary>Prints the attempts.</summary>
    public int Run(CommandContext context, OpenRecording recording, ParseResult parsed, string? from, bool isJson)
    {
        string text = parsed.GetValue(Swap)!;
        int limit = shared.LimitOf(parsed);
        int? sizeBytes = parsed.GetResult(size) is { Implicit: false } ? NumberSyntax.ParseNumber(parsed.GetValue(size)!, "--size", AtomicTarget.MaximumBytes) : null;
        if (sizeBytes == 0) throw CommandException.Usage($"--size: a word has 1 to {AtomicTarget.MaximumBytes} bytes");
        using GuestPrograms programs = recording.LoadSymbols(parsed.GetValue(shared.Symbols), null);
        (Position first, Position before) = shared.RangeOf(recording, parsed, from);
        recording.Seek("end");
        Timeline timeline = recording.Timeline;
        var view = new GuestView(timeline.Machine, recording.Vcpu(null));
        SymbolSet symbols = programs.At(view);
        AtomicTarget target = TargetOf(text, symbols, sizeBytes, parsed.GetValue(physical));
        ICurrentTask tasks = GuestLayouts.TasksOf(GuestLayouts.Load(context, recording, null).Layouts, symbols, view);
        AtomicHistory found = ProgressDisplay.Run("searching", progress => AtomicHistory.Read(timeline, target, tasks, first, before, limit, progress, context.Cancellation));
        if (isJson) WriteJson(context.Out, found, symbols, tasks, view);
        else
        {
            List<string[]> rows = [];
            foreach (AtomicAttempt attempt in found.Attempts) rows.Add(Row(attempt, symbols, tasks, view));
            if (parsed.GetValue(shared.Csv)) TextTable.WriteCsv(context.Out, s_heads, rows);
            else if (rows.Count > 0) TextTable.Write(context.Out, s_heads, rows, rightAligned: [1, 9]);
        }
        if (found.Attempts.Count == 0) context.Error.WriteLine($"ttvm: nothing found: nobody changes {text} there");
        else if (found.IsCut) context.Error.WriteLine($"ttvm: there are more than {Words.Plural(limit, "attempt")}: see more with --limit or --from {found.Attempts[^1].At}");
        return found.Attempts.Count > 0 ? ExitCode.Good : ExitCode.Failed;
    }

    private static AtomicTarget TargetOf(string text, SymbolSet symbols, int? sizeBytes, bool isPhysical)
    {
        if (!isPhysical && AtomicTarget.Find(text, symbols, sizeBytes) is { } found) return found;
        if (text.Length > 0 && !text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) && !char.IsAsciiHexDigit(text[0]))
            throw CommandException.Usage($"--cas: there is no symbol '{text}': name a file with symbols by --symbols, or give an address, such as 0xffffffff81000000");
        return new AtomicTarget(NumberSyntax.ParseAddress(text, "--cas"), sizeBytes ?? 8, isPhysical);
    }

    private static string[] Row(AtomicAttempt attempt, SymbolSet symbols, ICurrentTask tasks, in GuestView view) =>
    [
        attempt.At.ToString(), attempt.CpuIndex < 0 ? "chip" : attempt.CpuIndex.ToString(CultureInfo.InvariantCulture), TaskText.Of(tasks, view, attempt.Task),
        CodeText.Of(attempt.Code, symbols), attempt.Instruction, attempt.Expected is { } expected ? Hexadecimal(expected) : "", Hexadecimal(attempt.Old), Hexadecimal(attempt.New),
        attempt.Kind == AtomicKind.CompareExchange ? attempt.HasWon ? "won" : "lost" : "", attempt.Retry == 0 ? "" : attempt.Retry.ToString(CultureInfo.InvariantCulture),
        attempt.Remark ?? "",
    ];

    private static void WriteJson(TextWriter output, AtomicHistory found, SymbolSet symbols, ICurrentTask tasks, GuestView view) => JsonText.WriteObject(output, json =>
    {
        json.WriteHexadecimal("address", found.Target.Address);
        json.WriteNumber("size", found.Target.SizeBytes);
        json.WriteBoolean("isPhysical", found.Target.IsPhysical);
        json.WriteBoolean("isCut", found.IsCut);
        json.WriteStartArray("attempts");
        foreach (AtomicAttempt attempt in found.Attempts) Write(json, attempt, symbols, tasks, view);
        json.WriteEndArray();
    });

    private static void Write(Utf8JsonWriter json, AtomicAttempt attempt, SymbolSet symbols, ICurrentTask tasks, in GuestView view)
    {
        json.WriteStartObject();
        json.WritePosition("position", attempt.At);
        json.WriteNumber("cpu", attempt.CpuIndex);
        if (attempt.Task != 0)
        {
            json.WriteHexadecimal("task", attempt.Task);
            json.WriteString("taskName", TaskText.Of(tasks, view, attempt.Task));
        }
        json.WriteHexadecimal("code", attempt.Code);
        json.WriteString("place", CodeText.Of(attempt.Code, symbols));
        json.WriteString("kind", attempt.Kind.ToString());
        json.WriteString("instruction", attempt.Instruction);
        json.WriteBoolean("isLocked", attempt.IsLocked);
        json.WriteHexadecimal("address", attempt.Address);
        json.WriteNumber("size", attempt.SizeBytes);
        if (attempt.Expected is { } expected) json.WriteString("expected", Hexadecimal(expected));
        json.WriteString("old", Hexadecimal(attempt.Old));
        json.WriteString("new", Hexadecimal(attempt.New));
        json.WriteBoolean("hasWon", attempt.HasWon);
        json.WriteNumber("retry", attempt.Retry);
        if (attempt.ReadAt is { } at) json.WritePosition("readPosition", at);
        json.WriteNumber("changesSinceRead", attempt.ChangesSinceRead);
        json.WriteBoolean("isDeceived", attempt.IsDeceived);
        if (attempt.Remark is { } remark) json.WriteString("remark", remark);
        json.WriteEndObject();
    }

    private static string Hexadecimal(UInt128 value) => $"0x{value:x}";
}
