using System.Collections.Generic;
using System.IO;
using Vmm.Memory;

namespace Vmm.Platform.Firmware;

/// <summary>
/// Our own small BIOS (guests/minibios/minibios.asm) for machines that boot a disk image without a ROM: it initialises the chips, offers
/// the services that boot sectors call, and starts the first sector of disk 0.
/// </summary>
internal static class MiniBios
{
    public const ushort Segment = 0xF000, EntryOffset = 0xFFF0;
    public const int SizeBytes = 8192;
    // What the loader fills in: see the head of the assembly source.
    private const int MapCountOffset = 0x10, ExtendedKiBOffset = 0x12, MapOffset = 0x20, MapCapacity = 8, MapEntrySizeBytes = 20;

    /// <summary>The BIOS with the memory map of this machine filled in, to be placed so that it ends at 1 MiB.</summary>
    public static byte[] Image(PhysicalMemory memory)
    {
        byte[] image = Assembled();
        IReadOnlyList<E820Entry> map = E820Map.Build(memory);
        Invariant.Check(map.Count <= MapCapacity);
        TableBuilder.PutU16(image, MapCountOffset, (ushort)map.Count);
        TableBuilder.PutU32(image, ExtendedKiBOffset, (uint)((memory.LowSizeBytes - PlatformLayout.OneMebibyte) >> 10));
        for (int i = 0; i < map.Count; i++)
        {
            int at = MapOffset + i * MapEntrySizeBytes;
            TableBuilder.PutU64(image, at, map[i].Start);
            TableBuilder.PutU64(image, at + 8, map[i].SizeBytes);
            TableBuilder.PutU32(image, at + 16, (uint)map[i].Type);
        }
        return image;
    }

    /// <summary>The bytes that the assembler made.</summary>
    public static byte[] Assembled()
    {
        using Stream? resource = typeof(MiniBios).Assembly.GetManifestResourceStream("minibios.bin");
        Invariant.Check(resource is not null && resource.Length == SizeBytes);
        byte[] image = new byte[SizeBytes];
        resource!.ReadExactly(image);
        return image;
    }
}
