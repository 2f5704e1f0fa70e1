using System;
using System.Buffers;
using System.Globalization;
using System.IO;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading;
using Dap.Messages;
using Microsoft.Extensions.Logging;

namespace Dap.Protocol;

/// <summary>
/// Puts messages on a stream, numbered from 1, each in a write of its own. Thread-safe. When the client has gone, messages go nowhere.
/// </summary>
/// <param name="output">Where to.</param>
/// <param name="log">Is told of every message; null: nobody is.</param>
internal sealed class MessageWriter(Stream output, ILogger? log = null)
{
    private readonly Lock _gate = new();
    private readonly ArrayBufferWriter<byte> _content = new();
    private long _sequence;
    private bool _isBroken;

    public void WriteResponse<T>(Request request, T? body, JsonTypeInfo<T>? type) where T : class => Write("response", json =>
    {
        json.WriteNumber("request_seq"u8, request.Sequence);
        json.WriteBoolean("success"u8, true);
        json.WriteString("command"u8, request.Command);
        WriteBody(json, body, type);
    });

    public void WriteFailure(Request request, string message, bool showUser = false) => Write("response", json =>
    {
        json.WriteNumber("request_seq"u8, request.Sequence);
        json.WriteBoolean("success"u8, false);
        json.WriteString("command"u8, request.Command);
        json.WriteString("message"u8, message);
        json.WriteStartObject("body"u8);
        json.WriteStartObject("error"u8);
        json.WriteNumber("id"u8, 1);
        // Braces in a format are places for variables.
        json.WriteString("format"u8, message.Replace("{", "(", StringComparison.Ordinal).Replace("}", ")", StringComparison.Ordinal));
        json.WriteBoolean("showUser"u8, showUser);
        json.WriteEndObject();
        json.WriteEndObject();
    });

    public void WriteEvent<T>(string name, T? body) where T : class => Write("event", json =>
    {
        json.WriteString("event"u8, name);
        WriteBody(json, body, body is null ? null : DapJson.Of<T>());
    });

    private static void WriteBody<T>(Utf8JsonWriter json, T? body, JsonTypeInfo<T>? type) where T : class
    {
        if (body is null || type is null) return;
        json.WritePropertyName("body"u8);
        JsonSerializer.Serialize(json, body, type);
    }

    private void Write(string type, Action<Utf8JsonWriter> rest)
    {
        lock (_gate)
        {
            if (_isBroken) return;
            _content.Clear();
            using (var json = new Utf8JsonWriter(_content))
            {
                json.WriteStartObject();
                json.WriteNumber("seq"u8, ++_sequence);
                json.WriteString("type"u8, type);
                rest(json);
                json.WriteEndObject();
            }
            if (log?.IsEnabled(LogLevel.Trace) == true) log.Sends(DapMessages.Text(_content.WrittenSpan));
            byte[] header = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"Content-Length: {_content.WrittenCount}\r\n\r\n"));
            var message = new byte[header.Length + _content.WrittenCount];
            header.CopyTo(message, 0);
            _content.WrittenSpan.CopyTo(message.AsSpan(header.Length));
            try
            {
                output.Write(message);
                output.Flush();
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                _isBroken = true;
            }
        }
    }
}
