using System.CommandLine;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Introspection.Channels;
using Introspection.Layouts;
using Introspection.Programs;
using Introspection.State;

namespace Cli.Verbs;

/// <summary><c>ttvm channels FILE</c></summary>
internal static class ChannelsVerb
{
    public static VerbCommand Create(CommandContext context)
    {
        var o = new HistoryOptions("channels");
        var verb = new VerbCommand("channels",
            "Shows message channels between vCPUs at a position: messages under way with what they contain, credits, and how often there was no room or no message; or their past. "
            + "The guest is replayed with watches on the channels: nothing in it has to be changed.", """
            Channels are declared in a layout file: see docs/LAYOUTS.md.

            --check finds messages whose payload was written when they had been published already, and messages that took the place of one that had not been read.

            Exit code: 0; 1 when --check finds something, or no channel is declared.

            Examples:
              ttvm channels ump.ttvm --at 50%
              ttvm channels ump.ttvm --check
              ttvm channels ump.ttvm --history --from 20% --limit 100
            """) { o.File };
        foreach (Option option in o.All) verb.Add(option);
        return verb.Does(parsed => Run(context, o, parsed));
    }

    private static int Run(CommandContext context, HistoryOptions o, ParseResult parsed)
    {
        using OpenRecording recording = OpenRecording.Open(parsed.GetValue(o.File)!, context);
        using GuestPrograms programs = recording.LoadSymbols(parsed.GetValue(o.Symbols), null);
        HistoryOptions.Request request = o.Parse(parsed, recording);
        recording.Seek(request.To);
        var view = new GuestView(recording.Machine, recording.Vcpu(null));
        SymbolSet symbols = programs.At(view);
        DeclaredLayouts declared = GuestLayouts.Load(context, recording, parsed.GetValue(o.Layouts));
        GuestChannels channels = GuestChannels.Find(declared.Layouts, GuestLayouts.TasksOf(declared.Layouts, symbols, view), symbols);
        foreach (string problem in channels.Problems) context.Error.WriteLine($"ttvm: {problem}");
        if (channels.Channels.Count == 0) throw CommandException.Failed("no channel of this guest is known: declare them in a layout file (docs/LAYOUTS.md), under 'channels'");
        var show = new ChannelsText(context.Out, symbols, parsed.GetValue(o.Json));
        if (!request.IsHistory && !request.IsCheck)
        {
            show.Moment(ChannelReader.Read(channels, view), request.To);
            return ExitCode.Good;
        }
        ChannelHistory history = ProgressDisplay.Run("replaying", progress =>
            ChannelHistory.Read(recording.Timeline, channels, request.From, request.To, progress: progress, cancellation: context.Cancellation));
        if (request.IsHistory) show.History(history, request.Limit);
        else show.Findings(history, request.Limit);
        return request.IsCheck && history.Findings.Count > 0 ? ExitCode.Failed : ExitCode.Good;
    }
}
