using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary>`record --dap`: debuggers attach to a guest that runs, and leave it running.</summary>
public sealed partial class AttachTests(DemoRecording demo)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    [Fact]
    public void Debuggers_attach_to_a_guest_that_runs_and_leave_it_running()
    {
        string path = demo.PathOf("attached.ttvm");
        using Process process = Ttvm.Start(["record", "-o", path, "--kernel", GuestImages.Own("echo.elf"), "--memory", "32M", "--dap", "0"]);
        process.BeginOutputReadLine();
        int port = 0;
        for (int i = 0; i < 2; i++)
        {
            Match found = ListeningPort().Match(process.StandardError.ReadLine() ?? "");
            Assert.True(found.Success, "it does not say where to attach");
            int now = int.Parse(found.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
            Assert.True(port == 0 || port == now);
            port = now;
            using var client = new Client(port);
            client.Ask("initialize", new JsonObject { ["adapterID"] = "ttvm" });
            client.Ask("attach", []);
            client.Ask("configurationDone", []);
            client.Ask("pause", new JsonObject { ["threadId"] = 1 });
            client.WaitFor("stopped");
            client.Ask("stepBack", new JsonObject { ["threadId"] = 1, ["granularity"] = "instruction" });
            client.WaitFor("stopped");
            Assert.True((bool)client.Ask("ttvm/position", [])["isLive"]!);
            if (i == 1) client.Ask("ttvm/type", new JsonObject { ["text"] = "hello\nq" });
            client.Ask("disconnect", []);
        }
        Assert.True(process.WaitForExit(s_patience), "the guest does not end");
        Assert.Equal(0, process.ExitCode);
        Ttvm.Good("verify", path);
        Assert.Contains("HELLO", Ttvm.Good("console", path), StringComparison.Ordinal);
    }

    [Fact]
    public void What_does_not_go_together_is_refused()
    {
        string[] record = ["record", "-o", demo.PathOf("never.ttvm"), "--kernel", DemoRecording.Kernel];
        Ttvm.Refuses(2, [.. record, "--dap", "99999"], "--dap: 99999 is not a port");
        Ttvm.Refuses(2, [.. record, "--dap", "0", "--until", "count:5"], "--dap and --until count:N exclude each other");
    }

    [GeneratedRegex(@"a debugger can attach at port (\d+) of 127\.0\.0\.1")]
    private static partial Regex ListeningPort();

    private sealed class Client : IDisposable
    {
        private readonly TcpClient _connection = new();
        private readonly NetworkStream _stream;
        private int _sequence;

        public Client(int port)
        {
            _connection.Connect("127.0.0.1", port);
            _stream = _connection.GetStream();
            _stream.ReadTimeout = (int)s_patience.TotalMilliseconds;
        }

        /// <summary>The body of the answer, which must be a good one.</summary>
        public JsonNode Ask(string command, JsonObject arguments)
        {
            int sequence = ++_sequence;
            byte[] content = Encoding.UTF8.GetBytes(new JsonObject { ["seq"] = sequence, ["type"] = "request", ["command"] = command, ["arguments"] = arguments }.ToJsonString());
            _stream.Write(Encoding.ASCII.GetBytes($"Content-Length: {content.Length}\r\n\r\n"));
            _stream.Write(content);
            JsonNode answer = Receive(m => (string?)m["type"] == "response" && (int)m["request_seq"]! == sequence);
            Assert.True((bool)answer["success"]!, $"{command}: {answer["message"]}");
            return answer["body"] ?? new JsonObject();
        }

        public void WaitFor(string name) => Receive(m => (string?)m["event"] == name);

        public void Dispose() => _connection.Dispose();

        private readonly System.Collections.Generic.List<JsonNode> _waiting = [];

        private JsonNode Receive(Predicate<JsonNode> wanted)
        {
            int index;
            while ((index = _waiting.FindIndex(wanted)) < 0) _waiting.Add(ReadMessage());
            JsonNode message = _waiting[index];
            _waiting.RemoveAt(index);
            return message;
        }

        private JsonNode ReadMessage()
        {
            var header = new StringBuilder();
            while (!header.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
            {
                int b = _stream.ReadByte();
                if (b < 0) throw new EndOfStreamException("the connection was closed");
                header.Append((char)b);
            }
            var content = new byte[int.Parse(header.ToString().AsSpan(15), NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture)];
            _stream.ReadExactly(content);
            return JsonNode.Parse(content)!;
        }
    }
}
