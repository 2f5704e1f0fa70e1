using System;
using System.CommandLine;
using System.IO;
using System.Text;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Vmm.Inputs;
using Vmm.Time;

namespace Cli.Verbs;

/// <summary><c>ttvm console FILE --at POSITION</c></summary>
internal static class ConsoleVerb
{
    private static readonly string[] s_channels = ["serial0", "serial1", "debug", "virtio"];

    public static VerbCommand Create(CommandContext context)
    {
        Argument<string> file = SharedOptions.File();
        Option<string> at = SharedOptions.At();
        var channel = new Option<string>("--channel")
        {
            Description = "Which console: serial0, serial1, debug (port 0xe9) or virtio", HelpName = "CHANNEL", DefaultValueFactory = static _ => s_channels[0],
        };
        channel.AcceptOnlyFromAmong(s_channels);
        var positions = new Option<bool>("--positions") { Description = "Begin each line with the position at which it was complete" };
        var screen = new Option<bool>("--screen") { Description = "The VGA text screen instead" };
        Option<bool> json = SharedOptions.Json();
        var verb = new VerbCommand("console", "Prints what the guest had printed before a position, or the text screen as it was.", """
            Examples:
              ttvm console boot.ttvm
              ttvm console boot.ttvm --at 30% --positions | tail -3
              ttvm console memtest.ttvm --at 50% --screen
            """) { file, at, channel, positions, screen, json };
        return verb.Does(parsed =>
        {
            using OpenRecording recording = OpenRecording.Open(parsed.GetValue(file)!, context);
            Position until = recording.Parse(parsed.GetValue(at)!);
            var wanted = (OutputChannel)Array.IndexOf(s_channels, parsed.GetValue(channel));
            bool asJson = parsed.GetValue(json);
            if (parsed.GetValue(screen))
            {
                recording.Seek(until);
                ScreenView.Write(context.Out, recording.Machine, asJson);
            }
            else if (asJson)
            {
                string text = Encoding.UTF8.GetString(recording.File.Console.ReadBytes(until, wanted));
                JsonText.WriteObject(context.Out, writer =>
                {
                    writer.WritePosition("at", until);
                    writer.WriteString("channel", parsed.GetValue(channel));
                    writer.WriteString("text", text);
                });
            }
            else if (parsed.GetValue(positions)) WriteLines(context.Out, recording, until, wanted);
            else WriteBytes(recording.File.Console.ReadBytes(until, wanted));
            return ExitCode.Good;
        });
    }

    // As they are: they need not be text.
    private static void WriteBytes(byte[] bytes)
    {
        using Stream output = Console.OpenStandardOutput();
        output.Write(bytes);
    }

    private static void WriteLines(TextWriter output, OpenRecording recording, Position until, OutputChannel channel)
    {
        var line = new MemoryStream();
        Position last = Position.Start;
        foreach (Replay.Queries.ConsoleOutput piece in recording.File.Console.Read(Position.Start, until, channel))
        {
            last = piece.At;
            foreach (byte b in piece.Data.Span)
            {
                if (b == '\r') continue;
                if (b != '\n')
                {
                    line.WriteByte(b);
                    continue;
                }
                output.WriteLine($"{piece.At,-14} {Encoding.UTF8.GetString(line.ToArray())}");
                line.SetLength(0);
            }
        }
        if (line.Length > 0) output.WriteLine($"{last,-14} {Encoding.UTF8.GetString(line.ToArray())}");
    }
}
