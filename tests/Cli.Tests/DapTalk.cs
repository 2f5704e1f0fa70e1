using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary>A conversation with `ttvm dap` over its standard streams.</summary>
internal sealed class DapTalk
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);
    private readonly List<string> _messages;

    private DapTalk(List<string> messages, string processStatus) => (_messages, ProcessStatus) = (messages, processStatus);

    /// <summary>/proc/PID/status when all was answered.</summary>
    public string ProcessStatus { get; }

    /// <summary>Whether a request, by its number from 1, was successful.</summary>
    public bool IsGood(int request) => AnswerTo(request).Contains("\"success\":true", StringComparison.Ordinal);

    /// <summary>Whether an event of the console had this text.</summary>
    public bool Said(string text) => _messages.Any(one => one.Contains("\"event\":\"output\"", StringComparison.Ordinal) && one.Contains(text, StringComparison.Ordinal));

    /// <summary>Whether the server has sent a message with these words.</summary>
    public bool Has(string words) => _messages.Exists(one => one.Contains(words, StringComparison.Ordinal));

    public string AnswerTo(int request) => _messages.Single(one => Answers(one, request));

    /// <summary>Sends requests, then waits for the answer to the last one and lets the server end.</summary>
    public static DapTalk Of(IReadOnlyList<string> command, params (string Command, string Arguments)[] requests)
    {
        var start = new ProcessStartInfo(command[0]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (string argument in command.Skip(1)) start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        for (int i = 0; i < requests.Length; i++)
        {
            DapMessages.Write(process.StandardInput.BaseStream,
                $$"""{"seq":{{i + 1}},"type":"request","command":"{{requests[i].Command}}","arguments":{{requests[i].Arguments}}}""");
        }
        Stream output = process.StandardOutput.BaseStream;
        var messages = new List<string>();
        while (!messages.Exists(one => Answers(one, requests.Length)))
        {
            string? message = DapMessages.ReadContent(output);
            Assert.True(message is not null, string.Join('\n', messages));
            messages.Add(message);
        }
        string status = File.ReadAllText($"/proc/{process.Id}/status");
        process.StandardInput.Close();
        while (DapMessages.ReadContent(output) is { } message) messages.Add(message);
        Assert.True(process.WaitForExit(s_patience));
        return new DapTalk(messages, status);
    }

    private static bool Answers(string message, int request) =>
        message.Contains($"\"request_seq\":{request},", StringComparison.Ordinal) || message.Contains($"\"request_seq\":{request}}}", StringComparison.Ordinal);
}
