using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Text.Json;
using Vmm.Time;

namespace Cli.Presentation;

/// <summary>Writes one JSON object. Addresses and 64-bit values are strings in hexadecimal, as JSON's numbers have 53 bits; counts are numbers.</summary>
internal static class JsonText
{
    public static void WriteObject(TextWriter output, Action<Utf8JsonWriter> content)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            content(writer);
            writer.WriteEndObject();
        }
        output.WriteLine(Encoding.UTF8.GetString(stream.ToArray()));
    }

    public static void WriteHexadecimal(this Utf8JsonWriter writer, string name, ulong value) => writer.WriteString(name, $"0x{value:x}");

    public static void WritePosition(this Utf8JsonWriter writer, string name, Position position) => writer.WriteString(name, position.ToString());

    /// <summary>An array of texts; null: an empty one.</summary>
    public static void WriteTexts(this Utf8JsonWriter writer, string name, IEnumerable<string>? all)
    {
        writer.WriteStartArray(name);
        foreach (string one in all ?? []) writer.WriteStringValue(one);
        writer.WriteEndArray();
    }

    /// <summary>An array of objects.</summary>
    public static void WriteObjects<T>(this Utf8JsonWriter writer, string name, IEnumerable<T> all, Action<T> content)
    {
        writer.WriteStartArray(name);
        foreach (T one in all)
        {
            writer.WriteStartObject();
            content(one);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }
}
