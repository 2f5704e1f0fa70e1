using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Text;

namespace Vmm.Platform.Firmware;

/// <summary>
/// Encodes the part of the ACPI Machine Language (ACPI 6.4 chapter 20) that our DSDT needs. Each method gives the bytes of one term; terms
/// nest as arguments, so that a table reads like its ASL source.
/// </summary>
internal static class Aml
{
    public static readonly byte[] Arg0 = [0x68];

    public static byte[] Name(string name, byte[] value) => Join([0x08], NameString(name), value);
    public static byte[] Scope(string name, params byte[][] terms) => WithLength([0x10], Join(NameString(name), Join(terms)));
    public static byte[] Device(string name, params byte[][] terms) => WithLength([0x5B, 0x82], Join(NameString(name), Join(terms)));

    /// <summary>A method that is not serialized.</summary>
    public static byte[] Method(string name, int argumentCount, params byte[][] terms) =>
        WithLength([0x14], Join(NameString(name), [(byte)argumentCount], Join(terms)));

    public static byte[] If(byte[] predicate, params byte[][] terms) => WithLength([0xA0], Join(predicate, Join(terms)));
    public static byte[] Return(byte[] value) => Join([0xA4], value);
    public static byte[] Store(byte[] source, byte[] target) => Join([0x70], source, target);

    public static byte[] Package(params byte[][] elements)
    {
        Invariant.Check(elements.Length <= 255);
        return WithLength([0x12], Join([(byte)elements.Length], Join(elements)));
    }

    public static byte[] Buffer(params byte[][] parts)
    {
        byte[] content = Join(parts);
        return WithLength([0x11], Join(Integer((ulong)content.Length), content));
    }

    public static byte[] Text(string value) => Join([0x0D], Encoding.ASCII.GetBytes(value), [0]);

    public static byte[] Integer(ulong value)
    {
        switch (value)
        {
            case 0: return [0x00];
            case 1: return [0x01];
            case <= byte.MaxValue: return [0x0A, (byte)value];
            case <= ushort.MaxValue: return [0x0B, (byte)value, (byte)(value >> 8)];
            case <= uint.MaxValue:
                byte[] four = [0x0C, 0, 0, 0, 0];
                BinaryPrimitives.WriteUInt32LittleEndian(four.AsSpan(1), (uint)value);
                return four;
            default:
                byte[] eight = [0x0E, 0, 0, 0, 0, 0, 0, 0, 0];
                BinaryPrimitives.WriteUInt64LittleEndian(eight.AsSpan(1), value);
                return eight;
        }
    }

    /// <summary>
    /// A compressed EISA identifier such as "PNP0A03" (ACPI 19.6.37): three letters of five bits, four hexadecimal digits, big-endian.
    /// </summary>
    public static byte[] EisaId(string id)
    {
        Invariant.Check(id.Length == 7);
        uint letters = (uint)((id[0] - '@') << 10 | (id[1] - '@') << 5 | (id[2] - '@'));
        uint product = Convert.ToUInt32(id[3..], 16);
        byte[] term = [0x0C, 0, 0, 0, 0];
        BinaryPrimitives.WriteUInt32BigEndian(term.AsSpan(1), letters << 16 | product);
        return term;
    }

    /// <summary>A path such as "\_SB.PCI0"; segments shorter than four characters are padded with '_' (ACPI 20.2.2).</summary>
    public static byte[] NameString(string path)
    {
        var bytes = new List<byte>();
        if (path[0] == '\\') bytes.Add((byte)'\\');
        string[] segments = path.TrimStart('\\').Split('.');
        if (segments.Length == 2) bytes.Add(0x2E);
        if (segments.Length > 2) bytes.AddRange([0x2F, (byte)segments.Length]);
        foreach (string segment in segments)
        {
            Invariant.Check(segment.Length is >= 1 and <= 4);
            bytes.AddRange(Encoding.ASCII.GetBytes(segment.PadRight(4, '_')));
        }
        return [.. bytes];
    }

    // ---- Resource descriptors (ACPI 6.4). A template is a buffer of them with an end tag.

    public static byte[] ResourceTemplate(params byte[][] descriptors) => Buffer(Join(descriptors), [0x79, 0x00]);

    /// <summary>A fixed range of ports, decoded in 16 bits.</summary>
    public static byte[] IoPorts(ushort first, byte count) =>
        [0x47, 0x01, (byte)first, (byte)(first >> 8), (byte)first, (byte)(first >> 8), 0x01, count];

    /// <summary>An edge-triggered, active-high interrupt of the ISA bus.</summary>
    public static byte[] Irq(int irq) => [0x22, (byte)(1 << irq), (byte)(1 << irq >> 8)];

    private const byte TypeMemory = 0, TypeIo = 1, TypeBusNumbers = 2;
    /// <summary>A window that a bridge passes on: minimum and maximum are fixed, positive decode.</summary>
    private const byte Producer = 0x0C;

    public static byte[] BusNumberWindow(byte first, byte last) => WordWindow(TypeBusNumbers, 0, first, last);
    public static byte[] IoWindow(ushort first, ushort last) => WordWindow(TypeIo, 3, first, last);

    public static byte[] MemoryWindow(uint first, uint last, bool cacheable)
    {
        byte[] descriptor = new byte[26];
        descriptor[0] = 0x87;
        descriptor[1] = 0x17;
        descriptor[3] = TypeMemory;
        descriptor[4] = Producer;
        descriptor[5] = (byte)(cacheable ? 3 : 1);
        BinaryPrimitives.WriteUInt32LittleEndian(descriptor.AsSpan(10), first);
        BinaryPrimitives.WriteUInt32LittleEndian(descriptor.AsSpan(14), last);
        BinaryPrimitives.WriteUInt32LittleEndian(descriptor.AsSpan(22), last - first + 1);
        return descriptor;
    }

    private static byte[] WordWindow(byte type, byte typeFlags, ushort first, ushort last)
    {
        byte[] descriptor = new byte[16];
        descriptor[0] = 0x88;
        descriptor[1] = 0x0D;
        descriptor[3] = type;
        descriptor[4] = Producer;
        descriptor[5] = typeFlags;
        BinaryPrimitives.WriteUInt16LittleEndian(descriptor.AsSpan(8), first);
        BinaryPrimitives.WriteUInt16LittleEndian(descriptor.AsSpan(10), last);
        BinaryPrimitives.WriteUInt16LittleEndian(descriptor.AsSpan(14), (ushort)(last - first + 1));
        return descriptor;
    }

    public static byte[] Join(params byte[][] parts)
    {
        var bytes = new List<byte>();
        foreach (byte[] part in parts) bytes.AddRange(part);
        return [.. bytes];
    }

    /// <summary>Puts the package length, which counts its own bytes too, between opcode and content (ACPI 20.2.4).</summary>
    private static byte[] WithLength(byte[] opcode, byte[] content)
    {
        int length = content.Length;
        byte[] encoded;
        if (length + 1 < 1 << 6) encoded = [(byte)(length + 1)];
        else if (length + 2 < 1 << 12) encoded = [(byte)(0x40 | ((length + 2) & 0xF)), (byte)((length + 2) >> 4)];
        else
        {
            Invariant.Check(length + 3 < 1 << 20);
            encoded = [(byte)(0x80 | ((length + 3) & 0xF)), (byte)((length + 3) >> 4), (byte)((length + 3) >> 12)];
        }
        return Join(opcode, encoded, content);
    }
}
