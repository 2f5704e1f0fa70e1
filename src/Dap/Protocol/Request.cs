using System;
using System.Text.Json;

namespace Dap.Protocol;

/// <summary>A request as it came.</summary>
/// <param name="Sequence">The client's number.</param>
/// <param name="Command">What is asked for.</param>
/// <param name="Arguments">An object; undefined when there are none.</param>
internal sealed record Request(long Sequence, string Command, JsonElement Arguments)
{
    /// <summary>Reads the envelope. Null, with a sentence that says why, when it is not a request; what could be read is in <paramref name="known"/>.</summary>
    public static Request? Parse(ReadOnlyMemory<byte> content, out Request known, out string problem)
    {
        known = new Request(0, "", default);
        problem = "";
        JsonElement message;
        try
        {
            using JsonDocument document = JsonDocument.Parse(content);
            message = document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            problem = $"the message is not JSON: {FirstSentence(e.Message)}";
            return null;
        }
        if (message.ValueKind != JsonValueKind.Object)
        {
            problem = "the message is not a JSON object";
            return null;
        }
        long sequence = message.TryGetProperty("seq", out JsonElement s) && s.ValueKind == JsonValueKind.Number && s.TryGetInt64(out long number) ? number : 0;
        string command = TextOf(message, "command");
        message.TryGetProperty("arguments", out JsonElement arguments);
        if (arguments.ValueKind == JsonValueKind.Null) arguments = default;
        known = new Request(sequence, command, arguments);
        if (TextOf(message, "type") != "request") problem = "the message is not a request: its type must be 'request'";
        else if (sequence <= 0) problem = "the request has no seq, a number above 0";
        else if (command.Length == 0) problem = "the request has no command";
        else if (arguments.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Object)) problem = "the request's arguments are not an object";
        return problem.Length == 0 ? known : null;
    }

    /// <summary>The arguments as a type of the protocol.</summary>
    /// <exception cref="RequestException">They are not as the protocol says.</exception>
    public T Read<T>() where T : class
    {
        try
        {
            if (HasNullInArray(Arguments)) throw new RequestException($"an array in the arguments of '{Command}' holds null");
            JsonElement arguments = Arguments.ValueKind == JsonValueKind.Undefined ? s_empty : Arguments;
            return arguments.Deserialize(DapJson.Of<T>()) ?? throw new RequestException($"'{Command}' needs arguments");
        }
        catch (JsonException e)
        {
            string what = e.Path is { Length: > 2 } path ? $"'{path[2..]}' has a value of another kind" : FirstSentence(e.Message);
            throw new RequestException($"the arguments of '{Command}' are not as the protocol says: {what}");
        }
    }

    private static readonly JsonElement s_empty = JsonElement.Parse("{}");

    // What nullable annotations do not say: no array of the protocol has holes.
    private static bool HasNullInArray(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement item in element.EnumerateArray())
                if (item.ValueKind == JsonValueKind.Null || HasNullInArray(item)) return true;
        }
        else if (element.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty property in element.EnumerateObject())
                if (HasNullInArray(property.Value)) return true;
        }
        return false;
    }

    private static string TextOf(JsonElement message, string name) =>
        message.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    // What follows names types of the program or bytes of the message.
    private static string FirstSentence(string message)
    {
        string text = message.Replace("JSON deserialization for type", "an object of type", StringComparison.Ordinal)
            .Replace("Dap.Protocol.", "", StringComparison.Ordinal);
        int end = text.IndexOf(". ", StringComparison.Ordinal);
        return end < 0 ? text.TrimEnd('.') : text[..end];
    }
}

/// <summary>A request that cannot be done; the message is a sentence for the user.</summary>
public sealed class RequestException(string message) : Exception(message)
{
    /// <summary>Show it in a window of its own, not only where it was asked.</summary>
    public bool ShowUser { get; init; }
}
