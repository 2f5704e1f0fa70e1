using System;
using System.Buffers.Binary;

namespace Vmm.Platform.Boot;

/// <summary>
/// The bytes of an image with little-endian reads that are checked: what lies outside is reported as a truncated file, by the name of what
/// was wanted.
/// </summary>
/// <param name="name">File name, for messages.</param>
/// <param name="content">Its bytes.</param>
internal readonly ref struct BootImage(string name, ReadOnlySpan<byte> content)
{
    public string Name { get; } = name;
    public ReadOnlySpan<byte> Content { get; } = content;
    public int SizeBytes => Content.Length;

    public byte U8(ulong offset, string what) => Slice(offset, 1, what)[0];
    public ushort U16(ulong offset, string what) => BinaryPrimitives.ReadUInt16LittleEndian(Slice(offset, 2, what));
    public uint U32(ulong offset, string what) => BinaryPrimitives.ReadUInt32LittleEndian(Slice(offset, 4, what));
    public ulong U64(ulong offset, string what) => BinaryPrimitives.ReadUInt64LittleEndian(Slice(offset, 8, what));

    public ReadOnlySpan<byte> Slice(ulong offset, ulong sizeBytes, string what)
    {
        ulong size = (ulong)Content.Length;
        if (offset > size || sizeBytes > size - offset)
            throw new BootImageException(
                $"{Name} is cut off or damaged: {what} should be {sizeBytes} bytes at offset 0x{offset:x}, but the file has {size} " +
                "bytes; get the file again.");
        return Content.Slice((int)offset, (int)sizeBytes);
    }

    public bool StartsWith(ReadOnlySpan<byte> magic) => Content.StartsWith(magic);
}
