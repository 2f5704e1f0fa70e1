using System;
using System.Buffers.Binary;

namespace Vmm.Devices.Ata;

/// <summary>Builds the 256 words of IDENTIFY DEVICE (ATA/ATAPI-6, 8.15).</summary>
internal static class AtaIdentify
{
    public static void Fill(Span<byte> page, AtaDrive drive, Disk disk, bool hasDma)
    {
        page.Clear();
        long sectors = disk.SectorCount;
        int cylinders = (int)Math.Min(sectors / (AtaDrive.DefaultHeads * AtaDrive.DefaultSectorsPerTrack), 16383);
        Word(page, 0, 0x0040); // fixed drive
        Word(page, 1, cylinders);
        Word(page, 3, AtaDrive.DefaultHeads);
        Word(page, 6, AtaDrive.DefaultSectorsPerTrack);
        Text(page, 10, 20, disk.Name.ToUpperInvariant());
        Text(page, 23, 8, "1.0");
        Text(page, 27, 40, "TTVM HARDDISK");
        Word(page, 47, 0x8000 | AtaDrive.MaximumMultiple);
        Word(page, 48, 1); // 32-bit data transfers work
        Word(page, 49, 0x0200 | (hasDma ? 0x0100 : 0)); // LBA, DMA
        Word(page, 50, 0x4000);
        Word(page, 51, 0x0200);
        Word(page, 53, 0x0007); // words 54..58, 64..70 and 88 are valid
        int currentCylinders = (int)Math.Min(sectors / (drive.Heads * drive.SectorsPerTrack), 65535);
        Word(page, 54, currentCylinders);
        Word(page, 55, drive.Heads);
        Word(page, 56, drive.SectorsPerTrack);
        BinaryPrimitives.WriteUInt32LittleEndian(page[(57 * 2)..], (uint)(currentCylinders * drive.Heads * drive.SectorsPerTrack));
        if (drive.MultipleCount != 0) Word(page, 59, 0x0100 | drive.MultipleCount);
        BinaryPrimitives.WriteUInt32LittleEndian(page[(60 * 2)..], (uint)Math.Min(sectors, 0x0FFF_FFFF));
        if (hasDma) Word(page, 63, 0x0007 | (drive.DmaMode >> 3 == 4 ? 0x0100 << (drive.DmaMode & 7) : 0));
        Word(page, 64, 0x0003); // PIO modes 3 and 4
        for (int word = 65; word <= 68; word++) Word(page, word, 120); // cycle times in nanoseconds
        Word(page, 80, 0x007E); // ATA-1 .. ATA/ATAPI-6
        Word(page, 82, 0x4000); // NOP
        Word(page, 83, 0x7400); // FLUSH CACHE (EXT), 48-bit addresses
        Word(page, 84, 0x4000);
        Word(page, 85, 0x4000);
        Word(page, 86, 0x3400);
        Word(page, 87, 0x4000);
        if (hasDma) Word(page, 88, 0x003F | (drive.DmaMode >> 3 == 8 ? 0x0100 << (drive.DmaMode & 7) : 0));
        Word(page, 93, drive.Unit == 0 ? 0x600B : 0x6B00); // 80-conductor cable, the reset's result
        BinaryPrimitives.WriteUInt64LittleEndian(page[(100 * 2)..], (ulong)sectors);
        page[510] = 0xA5;
        byte sum = 0;
        foreach (byte b in page[..511]) sum += b;
        page[511] = (byte)-sum;
    }

    private static void Word(Span<byte> page, int word, int value) => BinaryPrimitives.WriteUInt16LittleEndian(page[(word * 2)..], (ushort)value);

    /// <summary>Text has its first character in the high byte of each word and is filled up with blanks.</summary>
    private static void Text(Span<byte> page, int word, int length, string text)
    {
        for (int i = 0; i < length; i++) page[word * 2 + (i ^ 1)] = i < text.Length ? (byte)text[i] : (byte)' ';
    }
}
