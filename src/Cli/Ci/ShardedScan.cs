using System;
using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using Cli.Hosting;
using Cli.Presentation;
using Replay.Queries;
using Vmm.Time;

namespace Cli.Ci;

/// <summary>A search of which this process does one part: which stretch of the recording that is, and how what it finds is written for `ttvm merge`.</summary>
internal sealed class ShardedScan
{
    private readonly Shard _shard;
    private readonly OpenRecording _recording;
    private readonly string _question;

    /// <summary>A stretch of a range. It begins and ends at checkpoints, but for the range's own ends.</summary>
    public readonly record struct Stretch(Position From, Position Before, bool IsFirst, bool IsLast);

    private ShardedScan(Shard shard, OpenRecording recording, string question) => (_shard, _recording, _question) = (shard, recording, question);

    /// <summary>The option.</summary>
    public static Option<string?> Option() => new("--shard")
    {
        Description = "Look only at part i of n of the recording, and print what `ttvm merge` needs of it; auto: as the CI system numbers its jobs (see `ttvm verify --help`)",
        HelpName = "i/n",
    };

    /// <summary>What the user wants; null: no part, but all of it.</summary>
    /// <exception cref="CommandException">It is not i/n.</exception>
    public static ShardedScan? Of(ParseResult parsed, Option<string?> option, OpenRecording recording)
    {
        if (parsed.GetValue(option) is not { } text) return null;
        Shard shard = text == "auto" ? Shard.FromEnvironment(Environment.GetEnvironmentVariable, out _) : Shard.Parse(text);
        // Parts belong together if they were asked the same; where the file lies on each machine does not matter.
        var words = new List<string>();
        bool isValue = false;
        foreach (Token token in parsed.Tokens)
        {
            bool isOurs = isValue || token.Value == option.Name || token.Value == "--json" || token.Value == recording.File.Path;
            isValue = token.Value == option.Name;
            if (!isOurs) words.Add(token.Value);
        }
        return new ShardedScan(shard, recording, string.Join(' ', words));
    }

    /// <summary>This part of a range; null: there are more parts than intervals between checkpoints, and nothing is left for it.</summary>
    public Stretch? StretchOf(Position from, Position before)
    {
        IReadOnlyList<ReplayInterval> intervals = _recording.Timeline.Intervals.IntervalsOf(from, before);
        (int first, int end) = _shard.StretchOf(intervals.Count);
        if (first == end) return null;
        return new Stretch(intervals[first].From, intervals[end - 1].To, first == 0, end == intervals.Count);
    }

    /// <summary>The same; a part that nothing is left for has an empty stretch.</summary>
    public Stretch StretchOrNothing(Position from, Position before) => StretchOf(from, before) ?? new Stretch(from, from, false, false);

    /// <summary>Writes what was found.</summary>
    /// <param name="context">Where to.</param>
    /// <param name="kind">How it is put together.</param>
    /// <param name="limit">At most so many lines of the whole.</param>
    /// <param name="result">Writes the value of the result.</param>
    public void Write(CommandContext context, string kind, int limit, Action<Utf8JsonWriter> result) => JsonText.WriteObject(context.Out, json =>
    {
        json.WriteNumber(ShardFile.VersionName, ShardFile.Version);
        json.WriteString("kind", kind);
        json.WriteString("shard", _shard.ToString());
        json.WriteString("recording", _recording.File.Path);
        json.WriteString("identity", _recording.File.Identity);
        json.WriteString("question", _question);
        json.WriteNumber("limit", limit);
        json.WritePropertyName("result");
        result(json);
    });
}
