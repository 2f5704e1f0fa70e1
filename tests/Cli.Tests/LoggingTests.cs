using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Threading.Tasks;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary>What the program tells of itself: as much as was asked for, on standard error or in a file, and never where results go.</summary>
public sealed partial class LoggingTests(DemoRecording demo)
{
    private static readonly string[] s_levels = ["trace", "debug", "information", "warning", "error", "critical"];

    [Theory]
    [InlineData("trace", "trace", "debug", "information")]
    [InlineData("debug", "debug", "information")]
    [InlineData("information", "information")]
    [InlineData("warning")]
    [InlineData("none")]
    public void A_level_shows_itself_and_what_is_graver(string level, params string[] shown)
    {
        string[] search = ["find", demo.File, "--last-write", "0xffffffff80104658", "--size", "8"];
        ToolResult quiet = Ttvm.Expect(0, search), result = Ttvm.Expect(0, [.. search, "--log-level", level]);
        Assert.Equal(quiet.Output, result.Output);
        Assert.Equal("", quiet.Error);
        Assert.Equal(shown, LinesOf(result.Error).Select(static line => line.Level).Distinct().OrderBy(static name => Array.IndexOf(s_levels, name)));
    }

    [Fact]
    public void A_search_tells_where_it_looked()
    {
        string log = Ttvm.Expect(0, "find", demo.File, "--last-write", "0xffffffff80104658", "--size", "8", "--log-level", "debug").Error;
        Assert.Contains($"Replay.Packages.RecordingFile: Opened {demo.File}", log, StringComparison.Ordinal);
        Assert.Matches(@"Reverse scan of \d+ intervals, from 0 to \d+, on \d+ threads", log);
        Match ended = Regex.Match(log, @"Reverse scan ended: found True, (\d+) intervals begun, (\d+) instructions replayed");
        Assert.True(ended.Success && ulong.Parse(ended.Groups[2].Value, CultureInfo.InvariantCulture) > 0, log);
        // The seek to what was found: as far behind the checkpoint as it says.
        Match seek = Regex.Matches(log, @"To get to (\d+)(?::\d+)?: restored a checkpoint at (\d+)(?::\d+)?, (\d+) instructions to replay").Last();
        ulong Number(int group) => ulong.Parse(seek.Groups[group].Value, CultureInfo.InvariantCulture);
        Assert.Equal(Number(1) - Number(2), Number(3));
    }

    [Fact]
    public void Recording_tells_of_each_checkpoint()
    {
        string path = demo.PathOf("logged.ttvm");
        ToolResult result = Ttvm.Expect(0, "record", "-q", "-o", path, "--kernel", DemoRecording.Kernel, "--cpus", "2", "--memory", "16M", "--checkpoint-interval", "200000",
            "--log-level", "debug");
        using JsonDocument info = JsonDocument.Parse(Ttvm.Good("info", path, "--json"));
        int count = info.RootElement.GetProperty("checkpointCount").GetInt32();
        Assert.True(count > 2);
        string log = string.Join('\n', result.Error.Split('\n').Where(static line => !line.StartsWith("ttvm: ", StringComparison.Ordinal)));
        IReadOnlyList<(string Level, string Category, string Message)> lines = LinesOf(log);
        Assert.Equal(Enumerable.Range(0, count), Numbers(lines, "Took checkpoint "));
        Assert.Equal(Enumerable.Range(0, count), Numbers(lines, "Wrote checkpoint "));
        Assert.Contains(lines, line => line.Message.StartsWith($"Recorded {path} to position ", StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_takes_all_and_is_gone_on_with()
    {
        string path = demo.PathOf("trace.log");
        for (int round = 1; round <= 2; round++)
        {
            ToolResult result = Ttvm.Expect(0, "regs", demo.File, "--at", "50%", "--log-level", "trace", "--log-file", path);
            Assert.Equal("", result.Error);
            IReadOnlyList<(string Level, string Category, string Message)> lines = LinesOf(File.ReadAllText(path));
            Assert.Equal(round, lines.Count(static line => line.Message.StartsWith("Opened ", StringComparison.Ordinal)));
            Assert.Equal(round, lines.Count(static line => line.Message.StartsWith("Exit code 0 ", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public void A_log_that_cannot_be_written_keeps_nothing_from_being_done()
    {
        ToolResult result = Ttvm.Expect(0, "info", demo.File, "--log-level", "trace", "--log-file", "/dev/full");
        Assert.Equal(Ttvm.Good("info", demo.File), result.Output);
        Assert.Matches(@"\Attvm: the log ends here, as its file cannot be written: [^\n]+\n\z", result.Error);
        Ttvm.Refuses(3, ["info", demo.File, "--log-file", demo.PathOf("no/such/folder/log")], "--log-file", "cannot be written");
    }

    [Fact]
    public void A_level_that_is_none() => Ttvm.Refuses(2, ["info", demo.File, "--log-level", "loud"], "no log level 'loud'", "information");

    [Fact]
    public void A_rerun_tells_what_was_expected()
    {
        string log = Ttvm.Expect(0, "rerun", Repository.PathOf("traces/demo32.ttvm"), "-o", demo.PathOf("logged-rerun.ttvm"), "--log-level", "debug").Error;
        Assert.Contains("inputs to give", log, StringComparison.Ordinal);
        Assert.Contains("'no panic' is met: True", log, StringComparison.Ordinal);
    }

    /// <summary>A client would take anything else for a broken message.</summary>
    [Fact]
    public async Task The_adapters_standard_output_has_messages_only()
    {
        string[] requests =
        [
            """{"seq":1,"type":"request","command":"initialize","arguments":{"adapterID":"ttvm"}}""",
            $$$"""{"seq":2,"type":"request","command":"launch","arguments":{"program":"{{{demo.File}}}"}}""",
            """{"seq":3,"type":"request","command":"configurationDone"}""", "rubbish",
            """{"seq":4,"type":"request","command":"stackTrace","arguments":{"threadId":1}}""",
            """{"seq":5,"type":"request","command":"frobnicate"}""",
            """{"seq":6,"type":"request","command":"disconnect"}""",
        ];
        var start = new ProcessStartInfo(Ttvm.Program, ["dap", "--log-level", "trace"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> log = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        foreach (string request in requests) DapMessages.Write(process.StandardInput.BaseStream, request);
        using var output = new MemoryStream();
        process.StandardOutput.BaseStream.CopyTo(output);
        Assert.True(process.WaitForExit(TimeSpan.FromMinutes(1)));
        Assert.Equal(0, process.ExitCode);

        List<string> messages = MessagesOf(output.ToArray());
        Assert.Contains(messages, static message => message.Contains("\"command\":\"disconnect\"", StringComparison.Ordinal));
        IReadOnlyList<(string Level, string Category, string Message)> lines = LinesOf(await log);
        // Every message in both directions, in its order.
        Assert.Equal(requests, lines.Where(static line => line.Message.StartsWith("<- ", StringComparison.Ordinal)).Select(static line => line.Message[3..]));
        string[] sent = [.. lines.Where(static line => line.Message.StartsWith("-> ", StringComparison.Ordinal)).Select(static line => line.Message[3..])];
        Assert.Equal(messages.Count, sent.Length);
        foreach ((string message, string logged) in messages.Zip(sent)) Assert.StartsWith(logged.Split("... (")[0], message, StringComparison.Ordinal);
        Assert.Contains(lines, static line => line.Level == "debug" && Regex.IsMatch(line.Message, @"^stackTrace \(4\) answered after [\d.]+ ms$"));
        Assert.Contains(lines, static line => line.Message.StartsWith("frobnicate (5) failed: ", StringComparison.Ordinal));
    }

    private static List<string> MessagesOf(byte[] output)
    {
        var messages = new List<string>();
        for (int at = 0; at < output.Length;)
        {
            int end = output.AsSpan(at).IndexOf("\r\n\r\n"u8);
            Match header = Regex.Match(Encoding.ASCII.GetString(output, at, Math.Max(0, end)), @"\AContent-Length: (\d+)\z");
            Assert.True(header.Success, $"at byte {at} there is no message: {Encoding.UTF8.GetString(output, at, Math.Min(200, output.Length - at))}");
            int length = int.Parse(header.Groups[1].Value, CultureInfo.InvariantCulture);
            messages.Add(Encoding.UTF8.GetString(output, at + end + 4, length));
            at += end + 4 + length;
        }
        return messages;
    }

    private static IEnumerable<int> Numbers(IEnumerable<(string Level, string Category, string Message)> lines, string beginning) => lines
        .Where(line => line.Message.StartsWith(beginning, StringComparison.Ordinal)).Select(line => int.Parse(line.Message[beginning.Length..].Split(' ')[0], CultureInfo.InvariantCulture));

    /// <summary>Every line is one of the log.</summary>
    private static IReadOnlyList<(string Level, string Category, string Message)> LinesOf(string text) => [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line =>
    {
        Match match = LogLine().Match(line);
        Assert.True(match.Success, $"no line of a log: {line}");
        return (match.Groups["level"].Value, match.Groups["category"].Value, match.Groups["message"].Value);
    })];

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (?<level>[a-z]+) (?<category>[\w.]+): (?<message>.*)$")]
    private static partial Regex LogLine();
}
