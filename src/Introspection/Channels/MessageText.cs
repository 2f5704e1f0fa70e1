using System;
using System.Buffers.Binary;
using System.Collections.Generic;

namespace Introspection.Channels;

/// <summary>Channels and their messages, for people.</summary>
public static class MessageText
{
    /// <summary>"in flight".</summary>
    public static string Of(ChannelState state) => state == ChannelState.InFlight ? "in flight" : state.ToString().ToLowerInvariant();

    /// <summary>Words of eight bytes, hexadecimal, then what is left.</summary>
    public static string Of(ReadOnlySpan<byte> bytes)
    {
        var words = new List<string>();
        for (int i = 0; i < bytes.Length; i += 8)
            words.Add(i + 8 <= bytes.Length ? $"{BinaryPrimitives.ReadUInt64LittleEndian(bytes[i..]):x}" : Convert.ToHexStringLower(bytes[i..]));
        return string.Join(' ', words);
    }

    /// <summary>Why a message is wrong, as the end of a sentence.</summary>
    public static string Explain(ChannelFinding one) => one.Kind == ChannelFindingKind.Overwritten
        ? $"it takes the place of message {one.Other?.Number}, which has not been read"
        : $"its payload is still written at {one.Message.LatePayload}{(one.Message.Received is { } at ? $"; the receiver had read it at {at}" : "")}";
}
