using System;
using System.Buffers.Binary;
using System.Text;

namespace Boot.Tests;

/// <summary>Small kernels that are made of nothing but their headers.</summary>
internal static class Images
{
    public const uint LoadAddress = 0x20_0000;

    /// <summary>
    /// An ELF executable with one segment: <paramref name="content"/> at <see cref="LoadAddress"/>, and an optional note segment.
    /// </summary>
    public static byte[] Elf(bool is64, byte[] content, byte[]? note = null, ulong virtualBase = 0, ulong? entry = null,
        ushort? machine = null, ulong memorySize = 0, uint physical = LoadAddress)
    {
        int headerSize = is64 ? 64 : 52, programSize = is64 ? 56 : 32, programs = note is null ? 1 : 2;
        int contentAt = 0x100, noteAt = contentAt + content.Length;
        byte[] file = new byte[noteAt + (note?.Length ?? 0)];
        new byte[] { 0x7F, (byte)'E', (byte)'L', (byte)'F', (byte)(is64 ? 2 : 1), 1, 1 }.CopyTo(file, 0);
        Put16(file, 16, 2);
        Put16(file, 18, machine ?? (ushort)(is64 ? 62 : 3));
        Put32(file, 20, 1);
        ulong start = entry ?? virtualBase + physical;
        if (is64)
        {
            Put64(file, 24, start);
            Put64(file, 32, (ulong)headerSize);
        }
        else
        {
            Put32(file, 24, (uint)start);
            Put32(file, 28, (uint)headerSize);
        }
        int tail = is64 ? 52 : 40;
        Put16(file, tail, (ushort)headerSize);
        Put16(file, tail + 2, (ushort)programSize);
        Put16(file, tail + 4, (ushort)programs);
        ulong size = (ulong)content.Length;
        Program(file, headerSize, is64, 1, (ulong)contentAt, virtualBase + physical, physical, size, Math.Max(memorySize, size));
        if (note is not null) Program(file, headerSize + programSize, is64, 4, (ulong)noteAt, 0, 0, (ulong)note.Length, (ulong)note.Length);
        content.CopyTo(file, contentAt);
        note?.CopyTo(file, noteAt);
        return file;
    }

    private static void Program(byte[] file, int at, bool is64, uint type, ulong offset, ulong virtualAddress, ulong physical,
        ulong fileSize, ulong memorySize)
    {
        Put32(file, at, type);
        if (is64)
        {
            Put64(file, at + 8, offset);
            Put64(file, at + 16, virtualAddress);
            Put64(file, at + 24, physical);
            Put64(file, at + 32, fileSize);
            Put64(file, at + 40, memorySize);
            return;
        }
        Put32(file, at + 4, (uint)offset);
        Put32(file, at + 8, (uint)virtualAddress);
        Put32(file, at + 12, (uint)physical);
        Put32(file, at + 16, (uint)fileSize);
        Put32(file, at + 20, (uint)memorySize);
    }

    /// <summary>A Multiboot 1 header; with <paramref name="addresses"/> the flag that says they are valid is set.</summary>
    public static byte[] Multiboot(uint flags = 3, params uint[] addresses)
    {
        if (addresses.Length > 0) flags |= 1 << 16;
        byte[] header = new byte[12 + addresses.Length * 4];
        Put32(header, 0, 0x1BADB002);
        Put32(header, 4, flags);
        Put32(header, 8, unchecked(0u - 0x1BADB002u - flags));
        for (int i = 0; i < addresses.Length; i++) Put32(header, 12 + i * 4, addresses[i]);
        return header;
    }

    /// <summary>A Multiboot2 header with tags of type, flags and content, and the end tag.</summary>
    public static byte[] Multiboot2(params (ushort Type, ushort Flags, uint[] Content)[] tags)
    {
        var header = new System.Collections.Generic.List<byte>(new byte[16]);
        foreach ((ushort type, ushort flags, uint[] content) in tags)
        {
            byte[] tag = new byte[8 + content.Length * 4 + 7 & ~7];
            Put16(tag, 0, type);
            Put16(tag, 2, flags);
            Put32(tag, 4, (uint)(8 + content.Length * 4));
            for (int i = 0; i < content.Length; i++) Put32(tag, 8 + i * 4, content[i]);
            header.AddRange(tag);
        }
        header.AddRange([0, 0, 0, 0, 8, 0, 0, 0]);
        byte[] bytes = [.. header];
        Put32(bytes, 0, 0xE852_50D6);
        Put32(bytes, 8, (uint)bytes.Length);
        Put32(bytes, 12, unchecked(0u - 0xE852_50D6u - (uint)bytes.Length));
        return bytes;
    }

    public static byte[] PvhNote(uint entry)
    {
        byte[] note = new byte[20];
        Put32(note, 0, 4);
        Put32(note, 4, 4);
        Put32(note, 8, 18);
        Encoding.ASCII.GetBytes("Xen\0").CopyTo(note, 12);
        Put32(note, 16, entry);
        return note;
    }

    /// <summary>A bzImage: one setup sector and <paramref name="code"/>.</summary>
    public static byte[] BzImage(byte[] code, ushort version = 0x020F, bool is64 = true, uint initSize = 0x40_0000, byte loadFlags = 1,
        uint initrdMax = 0x7FFF_FFFF)
    {
        byte[] file = new byte[1024 + code.Length];
        file[0x1F1] = 1;
        Put32(file, 0x1F4, (uint)(code.Length + 15) / 16);
        Put16(file, 0x1FE, 0xAA55);
        Put16(file, 0x200, 0x6AEB);
        Encoding.ASCII.GetBytes("HdrS").CopyTo(file, 0x202);
        Put16(file, 0x206, version);
        file[0x211] = loadFlags;
        Put32(file, 0x214, 0x10_0000);
        Put32(file, 0x22C, initrdMax);
        Put32(file, 0x230, 0x20_0000);
        file[0x234] = 1;
        Put16(file, 0x236, (ushort)(is64 ? 1 : 0));
        Put32(file, 0x238, 2047);
        Put64(file, 0x258, 0x100_0000);
        Put32(file, 0x260, initSize);
        code.CopyTo(file, 1024);
        return file;
    }

    public static void Put16(byte[] bytes, int offset, ushort value) =>
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(offset), value);
    public static void Put32(byte[] bytes, int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(offset), value);
    public static void Put64(byte[] bytes, int offset, ulong value) =>
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(offset), value);
}
