using System.Collections.Generic;
using System.CommandLine;
using Cli.Hosting;
using Cli.Parsing;
using Replay.Timelines;
using Vmm.Time;

namespace Cli.Verbs;

/// <summary>Options of the kinds of <c>ttvm find</c> that print a table of everything in a range.</summary>
internal sealed class FindTableOptions
{
    private const int DefaultLimit = 1_000;

    public Option<string?> To { get; } = new("--to") { Description = "Only what is before; by default the end", HelpName = "POSITION" };
    public Option<string> Limit { get; } = new("--limit") { Description = "At most so many lines", HelpName = "N", DefaultValueFactory = static _ => $"{DefaultLimit}" };
    public Option<string[]> Symbols { get; } = SharedOptions.Symbols();
    public Option<bool> Csv { get; } = new("--csv") { Description = "Print comma-separated values" };

    public IEnumerable<Option> All => [To, Limit, Symbols, Csv];

    public int LimitOf(ParseResult parsed) => NumberSyntax.ParseNumber(parsed.GetValue(Limit)!, Limit.Name, int.MaxValue - 1);

    /// <summary>The range that the user named.</summary>
    public (Position From, Position Before) RangeOf(OpenRecording recording, ParseResult parsed, string? from)
    {
        Position first = recording.Parse(from ?? "start"), before = parsed.GetValue(To) is { } to ? recording.Parse(to) : recording.File.End;
        if (before < first) throw CommandException.Usage($"find: --to {before} lies before --from {first}");
        return (first, before);
    }
}
