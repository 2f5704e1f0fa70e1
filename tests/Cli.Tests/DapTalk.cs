using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text;
using Xunit;

namespace Cli.Tests;

/// <summary>A conversation with `ttvm dap` over its standard streams.</summary>
internal sealed class DapTalk
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);
    private readonly string[] _messages;

    private DapTalk(string[] messages, string processStatus) => (_messages, ProcessStatus) = (messages, processStatus);

    /// <summary>/proc/PID/status when all was answered.</summary>
    public string ProcessStatus { get; }

    /// <summary>Whether a request, by its number from 1, was successful.</summary>
    public bool IsGood(int request) => AnswerTo(request).Contains("\"success\":true", StringComparison.Ordinal);

    /// <summary>Whether an event of the console had this text.</summary>
    public bool Said(string text) => _messages.Any(one => one.Contains("\"event\":\"output\"", StringComparison.Ordinal) && one.Contains(text, StringComparison.Ordinal));

    /// <summary>Whether the server has sent a message with these words.</summary>
    public bool Has(string words) => Array.Exists(_messages, one => one.Contains(words, StringComparison.Ordinal));

    public string AnswerTo(int request) => _messages.Single(one =>
        one.Contains($"\"request_seq\":{request},", StringComparison.Ordinal) || one.Contains($"\"request_seq\":{request}}}", StringComparison.Ordinal));

    /// <summary>Sends requests, then waits for the answer to the last one and lets the server end.</summary>
    public static DapTalk Of(IReadOnlyList<string> command, params (string Command, string Arguments)[] requests)
    {
        var start = new ProcessStartInfo(command[0]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (string argument in command.Skip(1)) start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        for (int i = 0; i < requests.Length; i++)
        {
            byte[] request = Encoding.UTF8.GetBytes($$"""{"seq":{{i + 1}},"type":"request","command":"{{requests[i].Command}}","arguments":{{requests[i].Arguments}}}""");
            process.StandardInput.BaseStream.Write([.. Encoding.ASCII.GetBytes($"Content-Length: {request.Length}\r\n\r\n"), .. request]);
            process.StandardInput.BaseStream.Flush();
        }
        var answers = new StringBuilder();
        var piece = new char[4096];
        while (!answers.ToString().Contains($"\"request_seq\":{requests.Length}", StringComparison.Ordinal))
        {
            int count = process.StandardOutput.Read(piece);
            Assert.True(count > 0, answers.ToString());
            answers.Append(piece, 0, count);
        }
        string status = File.ReadAllText($"/proc/{process.Id}/status");
        process.StandardInput.Close();
        answers.Append(process.StandardOutput.ReadToEnd());
        Assert.True(process.WaitForExit(s_patience));
        return new DapTalk(answers.ToString().Split("Content-Length: "), status);
    }
}
