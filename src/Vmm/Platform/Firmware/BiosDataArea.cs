using Vmm.Memory;

namespace Vmm.Platform.Firmware;

/// <summary>
/// The parts of the BIOS data area (segment 0x40) and of the extended one that kernels read without calling the BIOS: serial ports, memory
/// size, the text screen's geometry and the EBDA's segment. Offsets are the IBM PC/AT technical reference's.
/// </summary>
internal static class BiosDataArea
{
    private const ushort ConventionalKiB = (ushort)(PlatformLayout.ExtendedBiosDataArea >> 10);

    public static void Install(PhysicalMemory memory)
    {
        Put(memory, 0x00, PlatformLayout.Serial1Port);
        Put(memory, 0x02, PlatformLayout.Serial2Port);
        Put(memory, 0x0E, (ushort)(PlatformLayout.ExtendedBiosDataArea >> 4));
        // Equipment: a coprocessor, an 80x25 colour display, two serial ports.
        Put(memory, 0x10, 0x0002 | 2 << 4 | 2 << 9);
        Put(memory, 0x13, ConventionalKiB);
        memory.Write(new GuestPhysicalAddress(PlatformLayout.BiosDataArea + 0x49), (byte)3);
        Put(memory, 0x4A, 80);
        Put(memory, 0x4C, 4096);
        Put(memory, 0x60, 0x0D0E);
        Put(memory, 0x63, 0x3D4);
        memory.Write(new GuestPhysicalAddress(PlatformLayout.BiosDataArea + 0x84), (byte)24);
        Put(memory, 0x85, 16);
        // The EBDA begins with its own size in KiB.
        memory.Write(new GuestPhysicalAddress(PlatformLayout.ExtendedBiosDataArea), (byte)1);
    }

    private static void Put(PhysicalMemory memory, ulong offset, ushort value) =>
        memory.Write(new GuestPhysicalAddress(PlatformLayout.BiosDataArea + offset), value);
}
