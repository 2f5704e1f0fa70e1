using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Text;
using System.Text.Json.Nodes;

namespace Cli.Bench;

/// <summary>A <c>ttvm dap</c> in a process of its own, and a client that asks it one thing after the other, as an editor does.</summary>
internal sealed class DapClient : IDisposable
{
    private readonly Process _server;
    private readonly Stream _input, _output;
    private readonly Queue<JsonNode> _events = new();
    private int _sequence;

    public DapClient()
    {
        string program = Environment.ProcessPath!, library = Path.Combine(AppContext.BaseDirectory, "ttvm.dll");
        bool isHost = Path.GetFileNameWithoutExtension(program) == "dotnet";
        var start = new ProcessStartInfo(program, isHost ? [library, "dap"] : ["dap"]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        _server = Process.Start(start)!;
        _input = _server.StandardOutput.BaseStream;
        _output = _server.StandardInput.BaseStream;
    }

    /// <summary>The server's memory in use now.</summary>
    public long MemorySizeBytes
    {
        get
        {
            _server.Refresh();
            return _server.WorkingSet64;
        }
    }

    /// <summary>Asks, and returns the answer's body; null when it was refused.</summary>
    public JsonNode? Ask(string command, JsonObject? arguments = null)
    {
        int sequence = ++_sequence;
        var message = new JsonObject { ["seq"] = sequence, ["type"] = "request", ["command"] = command, ["arguments"] = arguments ?? [] };
        byte[] content = Encoding.UTF8.GetBytes(message.ToJsonString());
        _output.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"Content-Length: {content.Length}\r\n\r\n")));
        _output.Write(content);
        _output.Flush();
        while (true)
        {
            JsonNode answer = Receive();
            if ((string?)answer["type"] == "event") _events.Enqueue(answer);
            else if ((int)answer["request_seq"]! == sequence) return (bool)answer["success"]! ? answer["body"] ?? new JsonObject() : null;
        }
    }

    /// <summary>Waits for the machine to stop.</summary>
    public JsonNode WaitForStop()
    {
        while (true)
        {
            JsonNode next = _events.TryDequeue(out JsonNode? waiting) ? waiting : Receive();
            if ((string?)next["event"] == "stopped") return next["body"]!;
        }
    }

    public void Dispose()
    {
        if (!_server.HasExited)
        {
            _output.Dispose();
            if (!_server.WaitForExit(TimeSpan.FromSeconds(10))) _server.Kill();
        }
        _server.Dispose();
    }

    private JsonNode Receive()
    {
        int length = 0;
        for (string line = ReadLine(); line.Length > 0; line = ReadLine())
            if (line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase)) length = int.Parse(line.AsSpan(15), NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture);
        var content = new byte[length];
        _input.ReadExactly(content);
        return JsonNode.Parse(content)!;
    }

    private string ReadLine()
    {
        var line = new StringBuilder();
        for (int b = _input.ReadByte(); b != '\n'; b = _input.ReadByte())
        {
            if (b < 0) throw new EndOfStreamException("`ttvm dap` ended");
            if (b != '\r') line.Append((char)b);
        }
        return line.ToString();
    }
}
