using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Linq;
using System.Text.Json;
using Cli.Ci;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Vmm.Time;

namespace Cli.Verbs;

/// <summary><c>ttvm merge PART...</c></summary>
internal static class MergeVerb
{
    /// <summary>How parts are put together.</summary>
    public const string First = "first", Last = "last", Calls = "calls", Swaps = "swaps", Locks = "locks";

    public static VerbCommand Create(CommandContext context)
    {
        var parts = new Argument<string[]>("PART") { Description = "What the parts have printed", Arity = ArgumentArity.OneOrMore };
        var recording = new Option<string?>("--recording") { Description = "Where the recording is here; by default where the parts say", HelpName = "FILE" };
        var verb = new VerbCommand("merge",
            "Puts together what the parts of a search have found that were made with --shard, on as many machines: all of them, in any order. What it prints is what the whole search "
            + "prints with --json, and so is the exit code.", """
            A part looks at its share of the intervals between checkpoints. Of locks and of words (--cas) it only notes what is done with them; the parts are judged here, for which
            the recording is needed. For the others it is not.

            Examples:
              ttvm find boot.ttvm --call vfs_write --shard 1/2 > 1.json
              ttvm find boot.ttvm --call vfs_write --shard 2/2 > 2.json
              ttvm merge 1.json 2.json
            """) { parts, recording };
        return verb.Reads(parsed => parsed.GetValue(parts)!.SelectMany(ShardFile.RecordingOf)).Does(parsed =>
            Merge(context, ShardFile.ReadAll(parsed.GetValue(parts)!), parsed.GetValue(recording)));
    }

    private static int Merge(CommandContext context, IReadOnlyList<ShardFile> parts, string? recording)
    {
        try
        {
            return parts[0].Kind switch
            {
                First => One(context, parts),
                Last => One(context, parts.Reverse()),
                Calls => AllCalls(context, parts),
                Swaps => AtomicsFinder.Merge(context, parts, recording ?? parts[0].Recording),
                Locks => LocksVerb.Merge(context, parts, recording ?? parts[0].Recording),
                _ => throw CommandException.BadFile($"{parts[0].Path} is a part of a search that this ttvm does not know"),
            };
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw CommandException.BadFile($"the results in {string.Join(", ", parts.Select(static part => part.Path))} are damaged");
        }
    }

    private static int One(CommandContext context, IEnumerable<ShardFile> parts)
    {
        foreach (ShardFile part in parts)
        {
            if (!part.Result.GetProperty("found").GetBoolean()) continue;
            JsonText.WriteObject(context.Out, json =>
            {
                foreach (JsonProperty property in part.Result.EnumerateObject()) property.WriteTo(json);
            });
            return ExitCode.Good;
        }
        JsonText.WriteObject(context.Out, static json => json.WriteBoolean("found", false));
        context.Error.WriteLine("ttvm: nothing found");
        return ExitCode.Failed;
    }

    private static int AllCalls(CommandContext context, IReadOnlyList<ShardFile> parts)
    {
        var calls = new List<JsonElement>();
        bool isCut = false;
        foreach (ShardFile part in parts)
        {
            int before = calls.Count;
            foreach (JsonElement call in part.Result.GetProperty("calls").EnumerateArray())
                if (!calls.Take(before).Any(earlier => IsResumed(earlier, call))) calls.Add(call);
            isCut |= part.Result.GetProperty("isCut").GetBoolean();
            // The calls of what follows come behind those that are missing here.
            if (isCut) break;
        }
        int limit = parts[0].Limit;
        isCut |= calls.Count > limit;
        JsonText.WriteObject(context.Out, json =>
        {
            json.WriteBoolean("isCut", isCut);
            json.WriteStartArray("calls");
            foreach (JsonElement call in calls.Take(limit)) call.WriteTo(json);
            json.WriteEndArray();
        });
        if (calls.Count == 0) context.Error.WriteLine("ttvm: nothing found");
        return calls.Count > 0 ? ExitCode.Good : ExitCode.Failed;
    }

    // What looks like a call at the beginning of a part goes on with one from an earlier part: its first instruction was interrupted, and is begun again.
    private static bool IsResumed(JsonElement earlier, JsonElement call)
    {
        string Text(JsonElement one, string name) => one.GetProperty(name).GetString()!;
        if (Text(call, "enteredBy") != nameof(Introspection.Calls.CallEntry.Unknown)) return false;
        foreach (string name in (ReadOnlySpan<string>)["address", "returnAddress", "returnSlot", "addressSpace"])
            if (Text(earlier, name) != Text(call, name)) return false;
        return !earlier.TryGetProperty("returnPosition", out JsonElement returned) || PositionOf(returned) > PositionOf(call.GetProperty("position"));
    }

    private static Position PositionOf(JsonElement text) => Replay.Timelines.PositionSyntax.Parse(text.GetString()!, new Position(ulong.MaxValue, uint.MaxValue));
}
