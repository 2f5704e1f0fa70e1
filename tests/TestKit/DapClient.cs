using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json.Nodes;
using Xunit;

namespace TestKit;

/// <summary>A client of few words: it asks one thing after the other, and expects that each can be done.</summary>
/// <param name="toServer">What the server reads.</param>
/// <param name="fromServer">What it writes. Both stay the caller's.</param>
public sealed class DapClient(Stream toServer, Stream fromServer)
{
    private readonly List<JsonNode> _events = [];
    private int _sequence;

    /// <summary>Asks, and returns the answer's body.</summary>
    /// <param name="command">The request.</param>
    /// <param name="arguments">Its arguments; null: none.</param>
    public JsonNode Ask(string command, JsonObject? arguments = null)
    {
        int sequence = ++_sequence;
        var request = new JsonObject { ["seq"] = sequence, ["type"] = "request", ["command"] = command, ["arguments"] = arguments ?? [] };
        DapMessages.Write(toServer, request.ToJsonString());
        while (true)
        {
            JsonNode message = Receive();
            if ((string?)message["type"] == "event")
            {
                _events.Add(message);
                continue;
            }
            Assert.Equal(sequence, (int)message["request_seq"]!);
            Assert.True((bool)message["success"]!, $"{command}: {message["message"]}");
            return message["body"] ?? new JsonObject();
        }
    }

    /// <summary>Waits for an event unless it has come already, takes it, and returns its body.</summary>
    public JsonNode WaitFor(string name)
    {
        int index;
        while ((index = _events.FindIndex(one => (string?)one["event"] == name)) < 0)
        {
            JsonNode message = Receive();
            Assert.Equal("event", (string?)message["type"]);
            _events.Add(message);
        }
        JsonNode found = _events[index];
        _events.RemoveAt(index);
        return found["body"] ?? new JsonObject();
    }

    private JsonNode Receive() => DapMessages.Read(fromServer) ?? throw new EndOfStreamException("the server has ended");
}
