using System;
using System.Buffers.Binary;

namespace Vmm.Platform.Boot;

/// <summary>The header of a Multiboot2 kernel (Multiboot2 specification 2.0, 3.1): what its tags demand.</summary>
internal sealed class Multiboot2Header
{
    private const uint Magic = 0xE852_50D6, ArchitectureI386 = 0;
    private const int SearchSizeBytes = 32768, FixedSizeBytes = 16, Alignment = 8;
    /// <summary>Types of header tags.</summary>
    private const ushort End = 0, InformationRequest = 1, Address = 2, EntryAddress = 3, ConsoleFlags = 4, Framebuffer = 5;
    private const ushort ModuleAlignment = 6, EfiBootServices = 7, EfiI386Entry = 8, EfiAmd64Entry = 9, Relocatable = 10;
    private const ushort Optional = 1;
    /// <summary>The highest type of information that the specification defines.</summary>
    private const uint LastInformationType = 21;

    /// <summary>Offset of the header in the file.</summary>
    public int Offset { get; private init; }
    /// <summary>Load addresses, when the kernel is not to be loaded as ELF.</summary>
    public (uint Header, uint Load, uint LoadEnd, uint BssEnd)? Addresses { get; private set; }
    /// <summary>Entry point, when it is not the ELF file's.</summary>
    public uint? Entry { get; private set; }
    /// <summary>Where the kernel may be moved: lowest first byte, highest last byte, alignment.</summary>
    public (uint Minimum, uint Maximum, uint Alignment)? Relocation { get; private set; }

    public static bool TryFind(BootImage kernel, out int offset)
    {
        int end = Math.Min(kernel.SizeBytes, SearchSizeBytes) - FixedSizeBytes;
        for (offset = 0; offset <= end; offset += Alignment)
        {
            ReadOnlySpan<byte> at = kernel.Content[offset..];
            if (BinaryPrimitives.ReadUInt32LittleEndian(at) != Magic) continue;
            uint architecture = BinaryPrimitives.ReadUInt32LittleEndian(at[4..]), length = BinaryPrimitives.ReadUInt32LittleEndian(at[8..]);
            if (unchecked(Magic + architecture + length + BinaryPrimitives.ReadUInt32LittleEndian(at[12..])) == 0) return true;
        }
        return false;
    }

    /// <summary>Reads the tags of the header at <paramref name="offset"/>.</summary>
    /// <exception cref="BootImageException">Damaged, for another processor, or it demands what does not exist here.</exception>
    public static Multiboot2Header Read(BootImage kernel, int offset)
    {
        const string what = "the Multiboot2 header";
        if (kernel.U32((ulong)offset + 4, what) != ArchitectureI386)
            throw new BootImageException(
                $"{kernel.Name} is a Multiboot2 kernel for another processor; this machine is an x86: give a kernel built for i386 or " +
                "x86-64.");
        uint length = kernel.U32((ulong)offset + 8, what);
        ulong at = (ulong)offset + FixedSizeBytes, end = (ulong)offset + length;
        kernel.Slice((ulong)offset, length, what);
        var header = new Multiboot2Header { Offset = offset };
        while (at + 8 <= end)
        {
            ushort type = kernel.U16(at, what), flags = kernel.U16(at + 2, what);
            uint size = kernel.U32(at + 4, what);
            if (type == End) return header;
            if (size < 8 || size > end - at) break;
            header.ReadTag(kernel, at, type, size, (flags & Optional) != 0);
            at = BootArena.AlignUp(at + size, Alignment);
        }
        throw new BootImageException($"{kernel.Name} has a damaged Multiboot2 header (its tags do not end); get the file again.");
    }

    private void ReadTag(BootImage kernel, ulong at, ushort type, uint size, bool optional)
    {
        const string what = "a Multiboot2 header tag";
        uint needed = type switch { Address or Relocatable => 24, EntryAddress => 12, _ => 8 };
        if (size < needed)
            throw new BootImageException(
                $"{kernel.Name} has a damaged Multiboot2 header (tag {type} has {size} bytes); get the file again.");
        switch (type)
        {
            case InformationRequest:
                for (ulong i = 8; i + 4 <= size && !optional; i += 4)
                {
                    uint wanted = kernel.U32(at + i, what);
                    if (wanted > LastInformationType)
                        throw new BootImageException(
                            $"{kernel.Name} demands Multiboot2 information of type {wanted}, which does not exist; build it without it.");
                }
                break;
            case Address:
                Addresses = (kernel.U32(at + 8, what), kernel.U32(at + 12, what), kernel.U32(at + 16, what), kernel.U32(at + 20, what));
                break;
            case EntryAddress:
                Entry = kernel.U32(at + 8, what);
                break;
            case Relocatable:
                uint alignment = kernel.U32(at + 16, what);
                if (alignment == 0 || (alignment & (alignment - 1)) != 0)
                    throw new BootImageException(
                        $"{kernel.Name} has a damaged Multiboot2 header (alignment 0x{alignment:x}); get the file again.");
                Relocation = (kernel.U32(at + 8, what), kernel.U32(at + 12, what), alignment);
                break;
            // The screen is always text mode with 80 by 25 characters, modules are always page-aligned, and there is no EFI.
            case ConsoleFlags or Framebuffer or ModuleAlignment or EfiBootServices or EfiI386Entry or EfiAmd64Entry:
                break;
            default:
                if (!optional)
                    throw new BootImageException(
                        $"{kernel.Name} demands a Multiboot2 feature that does not exist here (tag {type}); build it without it.");
                break;
        }
    }
}
