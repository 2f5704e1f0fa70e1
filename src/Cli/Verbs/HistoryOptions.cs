using System.Collections.Generic;
using System.CommandLine;
using Cli.Hosting;
using Cli.Parsing;
using Vmm.Time;

namespace Cli.Verbs;

/// <summary>Options of verbs that show a moment (--at), its past (--history), or what was wrong in it (--check).</summary>
/// <param name="verb">Its name.</param>
/// <param name="single">The past of a single thing, which the option names; null: the verb has none.</param>
/// <param name="history">What --history shows.</param>
internal sealed class HistoryOptions(string verb, Option<string?>? single = null, string history = "What happened, in order")
{
    private const int DefaultLimit = 40;

    public Argument<string> File { get; } = SharedOptions.File();
    public Option<string[]> Layouts { get; } = SharedOptions.Layout();
    public Option<string[]> Symbols { get; } = SharedOptions.Symbols();
    public Option<bool> Json { get; } = SharedOptions.Json();
    private Option<string> At { get; } = SharedOptions.At();
    private Option<bool> History { get; } = new("--history") { Description = history };
    private Option<bool> Check { get; } = new("--check") { Description = "What was wrong, each at its first moment" };
    private Option<string?> From { get; } = new("--from") { Description = "Where the history begins; by default the start", HelpName = "POSITION" };
    private Option<string?> To { get; } = new("--to") { Description = "Where it ends; by default the end", HelpName = "POSITION" };
    private Option<string> Limit { get; } = new("--limit") { Description = "At most so many lines", HelpName = "N", DefaultValueFactory = static _ => $"{DefaultLimit}" };

    public IEnumerable<Option> All => single is null ? Own : [single, .. Own];

    private IEnumerable<Option> Own => [At, History, Check, From, To, Limit, Layouts, Symbols, Json];

    /// <summary>What the user asks for.</summary>
    /// <param name="IsHistory">The past.</param>
    /// <param name="IsCheck">What was wrong.</param>
    /// <param name="From">Where the history begins.</param>
    /// <param name="To">Where it ends, or the moment.</param>
    /// <param name="Limit">At most so many lines.</param>
    public readonly record struct Request(bool IsHistory, bool IsCheck, Position From, Position To, int Limit);

    public Request Parse(ParseResult parsed, OpenRecording recording)
    {
        bool isHistory = parsed.GetValue(History), isCheck = parsed.GetValue(Check), isSingle = single is not null && parsed.GetValue(single) is not null;
        string pasts = single is null ? "--history and --check" : $"--history, {single.Name} and --check";
        if ((isHistory ? 1 : 0) + (isCheck ? 1 : 0) + (isSingle ? 1 : 0) > 1)
            throw CommandException.Usage(single is null ? $"{verb}: give --history or --check, not both" : $"{verb}: give one of {pasts}");
        bool isMoment = !isHistory && !isCheck && !isSingle;
        if (isMoment && (parsed.GetValue(From) ?? parsed.GetValue(To)) is not null) throw CommandException.Usage($"{verb}: --from and --to go with {pasts}");
        if (!isMoment && parsed.GetResult(At) is { Implicit: false }) throw CommandException.Usage($"{verb}: --at goes without {pasts}; use --from and --to");
        Position from = recording.Parse(parsed.GetValue(From) ?? "start"), to = recording.Parse(isMoment ? parsed.GetValue(At)! : parsed.GetValue(To) ?? "end");
        if (!isMoment && to < from) throw CommandException.Usage($"{verb}: --to {to} lies before --from {from}");
        return new Request(isHistory, isCheck, from, to, NumberSyntax.ParseNumber(parsed.GetValue(Limit)!, Limit.Name, int.MaxValue));
    }
}
