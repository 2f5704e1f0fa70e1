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

    /// <summary>What names its code and its tasks.</summary>
    private readonly record struct Guest(GuestView View, SymbolSet Symbols, ICurrentTask Tasks);

    public Option<string?> Swap { get; } = new("--cas")
    {
        Description = "Every compare-and-swap, exchange, locked update and store of a word of --size bytes (by default what its symbol takes): who won, who tried again, who was deceived",
        HelpName = "ADDRESS|SYMBOL",
    };

    /// <summary>Prints the attempts.</summary>
    /// <param name="context">Where to.</param>
    /// <param name="recording">Where they are looked for.</param>
    /// <param name="parsed">What the user wants.</param>
    /// <param name="from">Where to begin; null: at the start.</param>
    /// <param name="isJson">For scripts.</param>
    /// <param name="part">Only a part of the recording is looked at; null: all of it.</param>
    public int Run(CommandContext context, OpenRecording recording, ParseResult parsed, string? from, bool isJson, ShardedScan? part)
    {
        string text = parsed.GetValue(Swap)!;
        int limit = shared.LimitOf(parsed);
        int? sizeBytes = parsed.GetResult(size) is { Implicit: false } ? NumberSyntax.ParseNumber(parsed.GetValue(size)!, "--size", AtomicTarget.MaximumBytes) : null;
        if (sizeBytes == 0) throw CommandException.Usage($"--size: a word has 1 to {AtomicTarget.MaximumBytes} bytes");
        string[]? files = parsed.GetValue(shared.Symbols);
        using GuestPrograms programs = recording.LoadSymbols(files, null);
        (Position first, Position before) = shared.RangeOf(recording, parsed, from);
        Guest guest = GuestOf(context, recording, programs);
        AtomicTarget target = TargetOf(text, guest.Symbols, sizeBytes, parsed.GetValue(physical));
        Timeline timeline = recording.Timeline;
        if (part is not null)
        {
            ShardedScan.Stretch stretch = part.StretchOrNothing(first, before);
            AtomicAccessLog log = ProgressDisplay.Run("searching", progress =>
                AtomicAccessLog.Read(timeline, target, guest.Tasks, stretch.From, stretch.Before, progress, context.Cancellation));
            part.Write(context, MergeVerb.Swaps, limit, json => WritePart(json, text, target, files, log));
            return ExitCode.Good;
        }
        AtomicHistory found = ProgressDisplay.Run("searching", progress => AtomicHistory.Read(timeline, target, guest.Tasks, first, before, limit, progress, context.Cancellation));
        if (isJson) WriteJson(context.Out, found, guest);
        else
        {
            List<string[]> rows = [];
            foreach (AtomicAttempt attempt in found.Attempts) rows.Add(Row(attempt, guest));
            if (parsed.GetValue(shared.Csv)) TextTable.WriteCsv(context.Out, s_heads, rows);
            else if (rows.Count > 0) TextTable.Write(context.Out, s_heads, rows, rightAligned: [1, 9]);
        }
        return Conclude(context, found, text, limit);
    }

    /// <summary>Puts parts together, and prints what the whole search prints with --json.</summary>
    /// <param name="context">Where to.</param>
    /// <param name="parts">All of them, in order.</param>
    /// <param name="path">The recording.</param>
    public static int Merge(CommandContext context, IReadOnlyList<ShardFile> parts, string path)
    {
        using OpenRecording recording = parts[0].OpenRecording(path, context);
        JsonElement first = parts[0].Result;
        using GuestPrograms programs = recording.LoadSymbols(parts[0].TextsOf("symbols"), null);
        Guest guest = GuestOf(context, recording, programs);
        ulong address = ulong.Parse(first.GetProperty("address").GetString()!, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        var target = new AtomicTarget(address, first.GetProperty("size").GetInt32(), first.GetProperty("isPhysical").GetBoolean());
        IEnumerable<AtomicAccessLog> logs = parts.Select(static part =>
            AtomicAccessLog.TryRead(part.Result.GetProperty("accesses")) ?? throw CommandException.BadFile($"{part.Path} is damaged"));
        AtomicHistory found = AtomicHistory.Of(target, logs, parts[0].Limit);
        WriteJson(context.Out, found, guest);
        return Conclude(context, found, first.GetProperty("word").GetString()!, parts[0].Limit);
    }

    // As it stands at the end: by then every program has been loaded.
    private static Guest GuestOf(CommandContext context, OpenRecording recording, GuestPrograms programs)
    {
        recording.Seek("end");
        var view = new GuestView(recording.Timeline.Machine, recording.Vcpu(null));
        SymbolSet symbols = programs.At(view);
        return new Guest(view, symbols, GuestLayouts.TasksOf(GuestLayouts.Load(context, recording, null).Layouts, symbols, view));
    }

    private static int Conclude(CommandContext context, AtomicHistory found, string text, int limit)
    {
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

    private static string[] Row(AtomicAttempt attempt, in Guest guest) =>
    [
        attempt.At.ToString(), attempt.CpuIndex < 0 ? "chip" : attempt.CpuIndex.ToString(CultureInfo.InvariantCulture), TaskText.Of(guest.Tasks, guest.View, attempt.Task),
        CodeText.Of(attempt.Code, guest.Symbols), attempt.Instruction, attempt.Expected is { } expected ? Hexadecimal(expected) : "", Hexadecimal(attempt.Old), Hexadecimal(attempt.New),
        attempt.Kind == AtomicKind.CompareExchange ? attempt.HasWon ? "won" : "lost" : "", attempt.Retry == 0 ? "" : attempt.Retry.ToString(CultureInfo.InvariantCulture),
        attempt.Remark ?? "",
    ];

    private static void WritePart(Utf8JsonWriter json, string text, AtomicTarget target, string[]? files, AtomicAccessLog log)
    {
        json.WriteStartObject();
        json.WriteString("word", text);
        json.WriteString("address", $"{target.Address:x}");
        json.WriteNumber("size", target.SizeBytes);
        json.WriteBoolean("isPhysical", target.IsPhysical);
        json.WriteTexts("symbols", files);
        json.WritePropertyName("accesses");
        log.Write(json);
        json.WriteEndObject();
    }

    private static void WriteJson(TextWriter output, AtomicHistory found, Guest guest) => JsonText.WriteObject(output, json =>
    {
        json.WriteHexadecimal("address", found.Target.Address);
        json.WriteNumber("size", found.Target.SizeBytes);
        json.WriteBoolean("isPhysical", found.Target.IsPhysical);
        json.WriteBoolean("isCut", found.IsCut);
        json.WriteStartArray("attempts");
        foreach (AtomicAttempt attempt in found.Attempts) Write(json, attempt, guest);
        json.WriteEndArray();
    });

    private static void Write(Utf8JsonWriter json, AtomicAttempt attempt, in Guest guest)
    {
        json.WriteStartObject();
        json.WritePosition("position", attempt.At);
        json.WriteNumber("cpu", attempt.CpuIndex);
        if (attempt.Task != 0)
        {
            json.WriteHexadecimal("task", attempt.Task);
            json.WriteString("taskName", TaskText.Of(guest.Tasks, guest.View, attempt.Task));
        }
        json.WriteHexadecimal("code", attempt.Code);
        json.WriteString("place", CodeText.Of(attempt.Code, guest.Symbols));
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
