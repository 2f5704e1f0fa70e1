using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Dap.Protocol;
using Dap.Sessions;
using Introspection.Text;
using Replay.Packages;
using Replay.Redaction;
using Vmm.Platform;
using Vmm.Time;

namespace Cli.Verbs;

/// <summary><c>ttvm info FILE</c></summary>
internal static class InfoVerb
{
    /// <summary>What people keep with a recording.</summary>
    private sealed record Kept(IReadOnlyList<TtvmBookmark> Bookmarks, IReadOnlyList<TtvmSavedBreakpoint> Breakpoints);

    public static VerbCommand Create(CommandContext context)
    {
        Argument<string> file = SharedOptions.File();
        Option<bool> json = SharedOptions.Json();
        var verb = new VerbCommand("info", "Tells what a recording is: what it was made from, how it ended, how big its parts are.", """
            Examples:
              ttvm info boot.ttvm
              ttvm info boot.ttvm --json | jq .end.instructionCount
            """) { file, json };
        return verb.Does(parsed =>
        {
            using OpenRecording recording = OpenRecording.Open(parsed.GetValue(file)!, context);
            Kept kept = ReadKept(recording.File, context);
            if (parsed.GetValue(json)) WriteJson(context.Out, recording.File, kept);
            else
            {
                Write(context.Out, recording.File);
                foreach (TtvmBookmark one in kept.Bookmarks)
                    context.Out.WriteLine(PrintableText.Of($"bookmark     {one.Name}: position {one.Position}{(one.Note is { Length: > 0 } note ? $", {note}" : "")}"));
                foreach (TtvmSavedBreakpoint one in kept.Breakpoints) context.Out.WriteLine(PrintableText.Of($"breakpoint   {Describe(one)}"));
            }
            return ExitCode.Good;
        });
    }

    // It may be beyond repair: the recording is as good as ever.
    private static Kept ReadKept(RecordingFile recording, CommandContext context)
    {
        try
        {
            var file = new BookmarkFile(recording.Path, recording.Embedded);
            return new Kept(file.Read(), file.ReadBreakpoints());
        }
        catch (RequestException e)
        {
            context.Error.WriteLine($"ttvm: {e.Message}");
            return new Kept([], []);
        }
    }

    private static string Describe(TtvmSavedBreakpoint one)
    {
        string place = one.Kind switch
        {
            "source" => $"{one.Path}:{one.Line}",
            "data" => $"{one.AccessType} of {one.DataId}",
            _ => one.Name ?? one.Address ?? "",
        };
        return $"{one.Kind} {place}{Part(", if ", one.Condition)}{Part(", hit count ", one.HitCondition)}{Part(", prints ", one.LogMessage)}";

        static string Part(string what, string? text) => string.IsNullOrEmpty(text) ? "" : what + text;
    }

    private static void Write(TextWriter output, RecordingFile recording)
    {
        // All of them are a stranger's words: none may begin a line of its own.
        void Line(string text) => output.WriteLine(PrintableText.Of(text));
        RecordingManifest manifest = recording.Manifest;
        ManifestMachine machine = manifest.Machine;
        RecordingSizes sizes = recording.Sizes;
        Line($"recording    {recording.Path}");
        Line($"identity     {recording.Identity}, format version {manifest.FormatVersion}");
        if (manifest.RecordedFrom.Length > 0) Line($"made by      {manifest.RecordedFrom}");
        Line($"machine      {Words.Plural(machine.CpuCount, "vCPU")}, {Words.Size((long)machine.MemorySizeBytes)} of memory, {machine.Clock.ToLowerInvariant()} clock, "
            + DescribeTurns(machine));
        Line($"boots        {machine.Boot}{(machine.CommandLine.Length > 0 ? $", command line: {machine.CommandLine}" : "")}");
        foreach (ManifestImage image in manifest.Images) Line($"image        {image.Role}: {image.Name}, {Words.Size(image.SizeBytes)}, SHA-256 {image.Sha256}");
        string from = recording.Start > Position.Start ? $"from position {recording.Start} " : "";
        Line($"length       {Words.Count(recording.InstructionCount)} instructions, {from}to position {recording.End}");
        Line($"guest time   {Words.GuestTime(recording.Checkpoints[^1].GuestNanoseconds)}");
        Line($"outcome      {OutcomeText.Describe(recording.Outcome)}{(recording.WasRecovered ? " (recovered: the recorder did not finish)" : "")}");
        Line($"inputs       {Words.Count(recording.InputCount)}");
        Line($"size         {Words.Size(sizes.FileSizeBytes)}: log {Words.Size(sizes.LogSizeBytes)}, "
            + $"{Words.Plural(sizes.CheckpointCount, "checkpoint")} {Words.Size(sizes.CheckpointSizeBytes)}, "
            + $"{Words.Plural(sizes.PageCount, "page")} {Words.Size(sizes.PageStoreSizeBytes)}, images {Words.Size(sizes.ImageSizeBytes)}");
        Line($"log          {LogDensity(recording):F3} bytes per 1,000 instructions");
        if (manifest.End.Digest.Length > 0) Line($"end digest   {manifest.End.Digest}");
        if (manifest.Redaction is not { } redaction) return;
        Line($"redacted     {string.Join("; ", redaction.What)}");
        foreach (RecordingHole hole in recording.Holes.All) Line($"hole         {HolesText.Line(hole)}");
    }

    private static string DescribeTurns(ManifestMachine machine)
    {
        if (machine.ChaosSeed is { } seed) return $"chaos seed {seed}";
        return machine.TurnPolicy switch
        {
            null => "no chaos",
            nameof(TurnPolicy.Forced) => $"forced switches: {machine.ForcedSwitches?.Count ?? 0}",
            nameof(TurnPolicy.SideBySide) => "turns of one instruction",
            { } name => name,
        };
    }

    private static void WriteJson(TextWriter output, RecordingFile recording, Kept kept) => JsonText.WriteObject(output, json =>
    {
        RecordingManifest manifest = recording.Manifest;
        ManifestMachine machine = manifest.Machine;
        RecordingSizes sizes = recording.Sizes;
        json.WriteString("identity", recording.Identity);
        json.WriteNumber("formatVersion", manifest.FormatVersion);
        json.WriteString("recordedFrom", manifest.RecordedFrom);
        json.WriteStartObject("machine");
        json.WriteNumber("cpuCount", machine.CpuCount);
        json.WriteNumber("memorySizeBytes", machine.MemorySizeBytes);
        json.WriteString("boot", machine.Boot);
        json.WriteString("clock", machine.Clock);
        json.WriteString("diskInterface", machine.DiskInterface);
        json.WriteString("commandLine", machine.CommandLine);
        if (machine.ChaosSeed is { } seed) json.WriteNumber("chaosSeed", seed);
        else json.WriteNull("chaosSeed");
        json.WriteString("turnPolicy", machine.TurnPolicy ?? nameof(TurnPolicy.Standard));
        json.WriteStartArray("forcedSwitches");
        foreach (ManifestSwitch one in machine.ForcedSwitches ?? [])
        {
            json.WriteStartObject();
            json.WriteNumber("instructionCount", one.InstructionCount);
            json.WriteNumber("cpu", one.Cpu);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteStartArray("images");
        foreach (ManifestImage image in manifest.Images)
        {
            json.WriteStartObject();
            json.WriteString("role", image.Role);
            json.WriteString("name", image.Name);
            json.WriteNumber("sizeBytes", image.SizeBytes);
            json.WriteString("sha256", image.Sha256);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WritePosition("start", recording.Start);
        json.WriteStartObject("end");
        json.WritePosition("position", recording.End);
        json.WriteNumber("instructionCount", recording.End.InstructionCount);
        json.WriteNumber("eventOrdinal", recording.End.EventOrdinal);
        json.WriteString("outcome", recording.Outcome.Kind.ToString());
        json.WriteNumber("code", recording.Outcome.Code);
        json.WriteString("detail", recording.Outcome.Detail);
        json.WriteBoolean("recovered", recording.WasRecovered);
        json.WriteNumber("guestNanoseconds", recording.Checkpoints[^1].GuestNanoseconds);
        json.WriteString("digest", manifest.End.Digest);
        json.WriteEndObject();
        json.WriteNumber("inputCount", recording.InputCount);
        json.WriteNumber("checkpointCount", sizes.CheckpointCount);
        json.WriteNumber("pageCount", sizes.PageCount);
        json.WriteNumber("fileSizeBytes", sizes.FileSizeBytes);
        json.WriteNumber("logSizeBytes", sizes.LogSizeBytes);
        json.WriteNumber("checkpointSizeBytes", sizes.CheckpointSizeBytes);
        json.WriteNumber("pageStoreSizeBytes", sizes.PageStoreSizeBytes);
        json.WriteNumber("imageSizeBytes", sizes.ImageSizeBytes);
        json.WriteNumber("logBytesPerThousandInstructions", double.Round(LogDensity(recording), 4));
        json.WriteTexts("redacted", manifest.Redaction?.What);
        HolesText.Write(json, recording.Holes.All);
        json.WriteObjects("bookmarks", kept.Bookmarks, one =>
        {
            json.WriteString("name", one.Name);
            json.WriteString("position", one.Position);
            json.WriteString("note", one.Note);
        });
        json.WriteObjects("breakpoints", kept.Breakpoints, one =>
        {
            json.WriteString("kind", one.Kind);
            json.WriteString("description", Describe(one));
        });
    });

    private static double LogDensity(RecordingFile recording) => recording.Sizes.LogSizeBytes * 1000.0 / System.Math.Max(1, recording.InstructionCount);
}
