using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.IO.Pipes;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading;
using System.Threading.Tasks;
using Dap.Sessions;
using Dap.Transports;
using TestKit;

namespace Dap.Tests;

/// <summary>A server in this process and a client that talks to it as any other would; keeps what was said.</summary>
internal sealed class TestClient : IDisposable
{
    private static readonly JsonSerializerOptions s_readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly AnonymousPipeServerStream _toServer = new(PipeDirection.Out), _fromServer = new(PipeDirection.In);
    private readonly Task _server;
    private readonly StringBuilder _transcript = new();
    private readonly Dictionary<int, JsonNode> _answers = [];
    private int _sequence;

    public TestClient(DapServerOptions? options = null)
    {
        var input = new AnonymousPipeClientStream(PipeDirection.In, _toServer.ClientSafePipeHandle);
        var output = new AnonymousPipeClientStream(PipeDirection.Out, _fromServer.ClientSafePipeHandle);
        var connection = new Connection(input, output);
        DapServerOptions quiet = options ?? new DapServerOptions { ProgressDelay = TimeSpan.FromDays(1) };
        _server = Task.Factory.StartNew(() =>
        {
            using (connection) DapServer.Serve(connection, quiet, CancellationToken.None);
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Everything that was said, one message a paragraph: ">" requests, "&lt;" answers, "!" events.</summary>
    public string Transcript => _transcript.ToString();

    /// <summary>Events that came and were not asked for yet.</summary>
    public List<JsonNode> Events { get; } = [];

    public static TestClient Launched(string recording, string at = "start", DapServerOptions? options = null, string steppingGranularity = "line")
    {
        var client = new TestClient(options);
        client.Ask("initialize", """{"adapterID":"ttvm","supportsProgressReporting":true}""");
        client.Ask("launch", new JsonObject
        {
            // Wherever the test is started: relative paths in debug information are below the repository.
            ["program"] = recording, ["at"] = at, ["sourceMap"] = new JsonObject { [""] = Repository.Root }, ["steppingGranularity"] = steppingGranularity,
        }.ToJsonString());
        client.Ask("configurationDone");
        client.TakeStopped();
        client._transcript.Clear();
        return client;
    }

    /// <summary>Sends a request, and returns its answer.</summary>
    public JsonNode Ask(string command, string arguments = "{}")
    {
        JsonNode answer = Exchange(command, arguments, isShown: true);
        // Events that follow the answer have come when the next answer has.
        if (command is not ("disconnect" or "initialize")) Exchange("ttvm/nothing", "{}", isShown: false);
        return answer;
    }

    /// <summary>The body of an answer that must be a good one.</summary>
    public JsonNode Body(string command, string arguments = "{}")
    {
        JsonNode answer = Ask(command, arguments);
        Xunit.Assert.True((bool)answer["success"]!, $"{command} {arguments}: {answer["message"]}");
        return answer["body"] ?? new JsonObject();
    }

    /// <summary>The body of a good answer, which the transcript leaves out.</summary>
    public JsonNode Quietly(string command, string arguments) => Exchange(command, arguments, isShown: false)["body"]!;

    /// <summary>Asks for a movement, and returns the body of the stop that ends it.</summary>
    public JsonNode Move(string command, string arguments = """{"threadId":1}""")
    {
        Body(command, arguments);
        return TakeStopped();
    }

    public JsonNode TakeStopped()
    {
        int index = Events.FindIndex(e => (string?)e["event"] == "stopped");
        Xunit.Assert.True(index >= 0, "no 'stopped' came");
        JsonNode body = Events[index]["body"]!;
        Events.RemoveRange(0, index + 1);
        return body;
    }

    public string Rip(int threadId = 1) =>
        (string)Body("stackTrace", $$"""{"threadId":{{threadId}},"levels":1}""")["stackFrames"]![0]!["instructionPointerReference"]!;

    public string Position() => (string)Body("ttvm/position")["position"]!;

    public void SendRaw(ReadOnlySpan<byte> bytes)
    {
        _toServer.Write(bytes);
        _toServer.Flush();
    }

    public void SendContent(string json) => DapMessages.Write(_toServer, json);

    /// <summary>Sends a request and does not wait; returns its number.</summary>
    public int Send(string command, string arguments = "{}")
    {
        int sequence = ++_sequence;
        SendContent($$"""{"seq":{{sequence}},"type":"request","command":"{{command}}","arguments":{{arguments}}}""");
        return sequence;
    }

    /// <summary>Waits for the answer to a request; keeps the events that come before, and answers to others.</summary>
    public JsonNode WaitFor(int sequence)
    {
        while (true)
        {
            if (_answers.Remove(sequence, out JsonNode? answer)) return answer;
            JsonNode message = Receive() ?? throw new EndOfStreamException("the server closed the connection");
            if ((string?)message["type"] == "event") Events.Add(message);
            else _answers[(int)message["request_seq"]!] = message;
        }
    }

    /// <summary>Waits until an event has come, before or now; keeps it and all others. No answer may have come meanwhile.</summary>
    public void WaitForEvent(string name)
    {
        while (!Events.Exists(e => (string?)e["event"] == name))
        {
            JsonNode message = Receive() ?? throw new EndOfStreamException("the server closed the connection");
            Xunit.Assert.True((string?)message["type"] == "event", $"an answer came before '{name}': {message.ToJsonString()}");
            Events.Add(message);
        }
    }

    /// <summary>The next message; null at the end.</summary>
    public JsonNode? Receive() => DapMessages.Read(_fromServer);

    public void Note(string text) => _transcript.Append("# ").Append(text).Append("\n\n");

    /// <summary>Closes the connection, and waits for the server to end.</summary>
    public void Close()
    {
        _toServer.Dispose();
        Xunit.Assert.True(_server.Wait(TimeSpan.FromSeconds(30)), "the server did not end");
    }

    public void Dispose()
    {
        _toServer.Dispose();
        _fromServer.Dispose();
        try
        {
            _server.Wait(TimeSpan.FromSeconds(30));
        }
        catch (AggregateException)
        {
            // Whatever went wrong in the server has made the test fail already.
        }
    }

    private JsonNode Exchange(string command, string arguments, bool isShown)
    {
        if (isShown) _transcript.Append(CultureInfo.InvariantCulture, $"> {command} {arguments}\n\n");
        int sequence = Send(command, arguments);
        while (true)
        {
            JsonNode message = Receive() ?? throw new EndOfStreamException($"the server closed the connection instead of answering {command}");
            bool isEvent = (string?)message["type"] == "event";
            if (isEvent)
            {
                Events.Add(message);
                // The background says when it says it.
                if ((string)message["event"]! is not ("ttvm/timelineChanged" or "ttvm/locksChanged")) Show("!", (string)message["event"]!, message["body"]);
                continue;
            }
            Xunit.Assert.Equal(sequence, (int)message["request_seq"]!);
            if (isShown && (bool)message["success"]!) Show("<", command, message["body"]);
            else if (isShown) Show("< failed", command, message["message"]);
            return message;
        }
    }

    private void Show(string mark, string name, JsonNode? body) =>
        _transcript.Append(mark).Append(' ').Append(name).Append(body is null ? "" : " " + body.ToJsonString(s_readable)).Append("\n\n");
}
