using System;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Dap.Messages;

/// <summary>What the server logs. Durations count from when a request is begun, not from when it came.</summary>
internal static partial class DapMessages
{
    /// <summary>More of a message is not shown: memory and console text come in megabytes.</summary>
    private const int MaximumTextBytes = 4096;

    /// <summary>A message of the protocol, for a log.</summary>
    public static string Text(ReadOnlySpan<byte> json) => json.Length <= MaximumTextBytes ? Encoding.UTF8.GetString(json)
        : $"{Encoding.UTF8.GetString(json[..MaximumTextBytes])}... ({json.Length} bytes)";

    [LoggerMessage(Level = LogLevel.Information, Message = "Serving a client")]
    public static partial void Serves(this ILogger log);

    [LoggerMessage(Level = LogLevel.Information, Message = "The client has gone")]
    public static partial void HasServed(this ILogger log);

    [LoggerMessage(Level = LogLevel.Trace, Message = "<- {Text}")]
    public static partial void Received(this ILogger log, string text);

    [LoggerMessage(Level = LogLevel.Trace, Message = "-> {Text}")]
    public static partial void Sends(this ILogger log, string text);

    [LoggerMessage(Level = LogLevel.Information, Message = "The client has sent rubbish: {Problem}")]
    public static partial void Rubbish(this ILogger log, string problem);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Command} ({Sequence}) begins")]
    public static partial void Begins(this ILogger log, string command, long sequence);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Command} ({Sequence}) answered after {Milliseconds:F1} ms")]
    public static partial void Answered(this ILogger log, string command, long sequence, double milliseconds);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Command} ({Sequence}) done after {Milliseconds:F1} ms")]
    public static partial void Done(this ILogger log, string command, long sequence, double milliseconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Command} ({Sequence}) failed: {Problem}")]
    public static partial void Failed(this ILogger log, string command, long sequence, string problem);

    [LoggerMessage(Level = LogLevel.Error, Message = "A bug in ttvm: {Command} ({Sequence})")]
    public static partial void Bug(this ILogger log, Exception exception, string command, long sequence);
}
