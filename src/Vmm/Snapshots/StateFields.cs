using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Text;

namespace Vmm.Snapshots;

/// <summary>A named field of a state.</summary>
/// <param name="Name">As the part that wrote it calls it.</param>
/// <param name="Value">Its bytes; a number has 8, little-endian.</param>
public readonly record struct StateField(string Name, ReadOnlyMemory<byte> Value)
{
    /// <summary>The field as a number; 0 when it is none.</summary>
    public ulong Number => Value.Length == 8 ? BinaryPrimitives.ReadUInt64LittleEndian(Value.Span) : 0;
}

/// <summary>Reads a state without knowing what is in it: the names that <see cref="StateWriter"/> writes make it readable by tools.</summary>
public static class StateFields
{
    /// <summary>All fields in their order.</summary>
    /// <exception cref="StateFormatException">The bytes are not a state.</exception>
    public static List<StateField> Parse(ReadOnlyMemory<byte> state)
    {
        var fields = new List<StateField>();
        for (int at = 0; at < state.Length;)
        {
            ReadOnlySpan<byte> rest = state.Span[at..];
            int header = 1 + rest[0] + 4;
            if (rest.Length < header) throw new StateFormatException("the state ends inside a field");
            int length = BinaryPrimitives.ReadInt32LittleEndian(rest[(header - 4)..]);
            if (length < 0 || length > rest.Length - header) throw new StateFormatException("the state ends inside a field");
            fields.Add(new StateField(Encoding.ASCII.GetString(rest[1..(header - 4)]), state.Slice(at + header, length)));
            at += header + length;
        }
        return fields;
    }
}
