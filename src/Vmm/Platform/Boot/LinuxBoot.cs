using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Vmm.Cpu;
using Vmm.Platform.Firmware;

namespace Vmm.Platform.Boot;

/// <summary>
/// Boots a Linux bzImage by the 32-bit or 64-bit boot protocol (Linux Documentation/x86/boot.rst and zero-page.rst), without its real-mode
/// part: what that would ask the BIOS is written into boot_params directly.
/// </summary>
internal static class LinuxBoot
{
    // Offsets in the file, and in boot_params, where the header is copied to the same place.
    private const int SetupSects = 0x1F1, BootFlag = 0x1FE, Jump = 0x200, Magic = 0x202, Version = 0x206;
    private const int TypeOfLoader = 0x210, LoadFlags = 0x211, Code32Start = 0x214, RamdiskImage = 0x218, RamdiskSize = 0x21C;
    private const int CmdLinePtr = 0x228, InitrdAddrMax = 0x22C, XLoadFlags = 0x236;
    private const int CmdlineSize = 0x238, SetupData = 0x250, PrefAddress = 0x258, InitSize = 0x260;
    // Offsets in boot_params only.
    private const int OrigVideoMode = 0x06, OrigVideoCols = 0x07, OrigVideoLines = 0x0E, OrigVideoIsVga = 0x0F, OrigVideoPoints = 0x10;
    private const int ExtMemK = 0x02, AcpiRsdpAddr = 0x070, AltMemK = 0x1E0, E820Entries = 0x1E8, E820Table = 0x2D0;
    private const int E820EntrySizeBytes = 20, BootParamsSizeBytes = 4096;

    private const uint HdrS = 0x5372_6448;
    private const byte LoadedHigh = 1 << 0, KeepSegments = 1 << 6;
    private const ushort XlfKernel64 = 1 << 0;
    private const byte UndefinedLoader = 0xFF;
    /// <summary>The 64-bit entry lies this far into the protected-mode kernel.</summary>
    private const uint Entry64Offset = 0x200;
    private const string What = "the kernel";

    public static bool Recognizes(BootImage kernel) =>
        kernel.SizeBytes >= Magic + 4 && kernel.U16(BootFlag, "the boot flag") == 0xAA55 && kernel.U32(Magic, "the header's magic") == HdrS;

    public static void Load(BootImage kernel, BootImage initrd, string commandLine, BootArena arena, FirmwareTables tables,
        ref VcpuState bsp)
    {
        ushort version = kernel.U16(Version, "the boot protocol's version");
        if (version < 0x0206)
            throw new BootImageException(
                $"{kernel.Name} is a Linux kernel with boot protocol {version >> 8}.{version & 0xFF:x2}; 2.06 or later (Linux 2.6.22) " +
                "is needed.");
        if ((kernel.U8(LoadFlags, "the load flags") & LoadedHigh) == 0)
            throw new BootImageException($"{kernel.Name} is a zImage, which loads below 1 MiB; build and give a bzImage.");

        int setupSectors = kernel.U8(SetupSects, "the setup size");
        ulong setupSize = (ulong)((setupSectors == 0 ? 4 : setupSectors) + 1) * 512;
        // Version 2.04 on: syssize is the size of the protected-mode part in units of 16 bytes.
        ulong codeSize = (ulong)kernel.U32(0x1F4, "the kernel's size") * 16;
        ReadOnlySpan<byte> code = kernel.Slice(setupSize, CodeSize(kernel, setupSize, codeSize), "the kernel's code");
        if (code.Length == 0) throw new BootImageException($"{kernel.Name} has no code behind its setup part; get the file again.");

        bool is64 = version >= 0x020C && (kernel.U16(XLoadFlags, "the extended load flags") & XlfKernel64) != 0;
        ulong load = ChooseLoadAddress(kernel, version, code.Length, arena, out ulong runSize);
        arena.Claim(kernel, load, runSize, What);
        arena.Write(load, code);

        byte[] bootParams = new byte[BootParamsSizeBytes];
        int headerEnd = Jump + 2 + kernel.U8(Jump + 1, "the header's size");
        if (headerEnd is < 0x230 or > 0x290)
            throw new BootImageException($"{kernel.Name} has a damaged setup header (it ends at 0x{headerEnd:x}); get the file again.");
        kernel.Slice(SetupSects, (ulong)(headerEnd - SetupSects), "the setup header").CopyTo(bootParams.AsSpan(SetupSects));

        FillScreen(bootParams);
        FillMemoryMap(bootParams, E820Map.Build(arena.Memory), arena.Memory.LowSizeBytes);
        bootParams[TypeOfLoader] = UndefinedLoader;
        // Our segments are flat already; a 32-bit kernel need not reload them.
        bootParams[LoadFlags] |= KeepSegments;
        Put32(bootParams, Code32Start, (uint)load);
        if (headerEnd >= SetupData + 8) BinaryPrimitives.WriteUInt64LittleEndian(bootParams.AsSpan(SetupData), 0);
        BinaryPrimitives.WriteUInt64LittleEndian(bootParams.AsSpan(AcpiRsdpAddr), tables.RsdpAddress);
        PlaceCommandLine(kernel, commandLine, arena, bootParams);
        PlaceInitrd(kernel, initrd, arena, load + runSize, bootParams);

        uint zeroPage = arena.Place(kernel, bootParams, 4096, "boot_params");
        if (is64) ProcessorEntry.EnterLongMode(ref bsp, arena, kernel, load + Entry64Offset);
        else ProcessorEntry.EnterProtectedMode(ref bsp, arena, kernel, (uint)load);
        bsp.Rsi = zeroPage;
    }

    /// <summary>A kernel's file may be padded to less than 16 bytes at its end; anything shorter is a truncated file.</summary>
    private static ulong CodeSize(BootImage kernel, ulong setupSize, ulong codeSize)
    {
        ulong there = (ulong)kernel.SizeBytes > setupSize ? (ulong)kernel.SizeBytes - setupSize : 0;
        return there + 16 > codeSize ? Math.Min(there, codeSize) : codeSize;
    }

    private static ulong ChooseLoadAddress(BootImage kernel, ushort version, int codeSizeBytes, BootArena arena, out ulong runSize)
    {
        ulong preferred = PlatformLayout.OneMebibyte;
        runSize = (ulong)codeSizeBytes;
        if (version < 0x020A) return preferred;
        // init_size counts from where the kernel runs, which is the preferred address or wherever a relocatable one was loaded above it.
        runSize = Math.Max(runSize, kernel.U32(InitSize, "the kernel's memory need"));
        // A relocatable kernel that is loaded lower moves itself up to this address, so another one would gain nothing.
        ulong wanted = kernel.U64(PrefAddress, "the preferred address");
        return Math.Max(wanted, PlatformLayout.OneMebibyte);
    }

    private static void PlaceCommandLine(BootImage kernel, string commandLine, BootArena arena, byte[] bootParams)
    {
        byte[] bytes = BootArena.ZeroTerminated(commandLine);
        uint limit = kernel.U32(CmdlineSize, "the command line's limit");
        if ((uint)bytes.Length - 1 > limit)
            throw new BootImageException(
                $"the command line has {bytes.Length - 1} bytes, and {kernel.Name} takes at most {limit}; shorten it.");
        Put32(bootParams, CmdLinePtr, arena.Place(kernel, bytes, 16, "the command line"));
    }

    private static void PlaceInitrd(BootImage kernel, BootImage initrd, BootArena arena, ulong kernelEnd, byte[] bootParams)
    {
        if (initrd.SizeBytes == 0) return;
        ulong ceiling = (ulong)kernel.U32(InitrdAddrMax, "the initrd's limit") + 1;
        if (!arena.TryAllocateHigh(initrd, (ulong)initrd.SizeBytes, kernelEnd, ceiling, "the initrd", out ulong address))
            throw new BootImageException(
                $"{initrd.Name} ({initrd.SizeBytes} bytes) does not fit between the kernel's end at 0x{kernelEnd:x} and " +
                $"0x{Math.Min(ceiling, arena.Memory.LowSizeBytes):x}; give the machine more memory.");
        arena.Write(address, initrd.Content);
        Put32(bootParams, RamdiskImage, (uint)address);
        Put32(bootParams, RamdiskSize, (uint)initrd.SizeBytes);
    }

    /// <summary>The text screen as INT 10h would have described it: mode 3, 80 by 25, a VGA adapter.</summary>
    private static void FillScreen(byte[] bootParams)
    {
        bootParams[OrigVideoMode] = 3;
        bootParams[OrigVideoCols] = 80;
        bootParams[OrigVideoLines] = 25;
        bootParams[OrigVideoIsVga] = 1;
        bootParams[OrigVideoPoints] = 16;
    }

    private static void FillMemoryMap(byte[] bootParams, IReadOnlyList<E820Entry> map, ulong lowSizeBytes)
    {
        uint extendedKiB = (uint)((lowSizeBytes - PlatformLayout.OneMebibyte) >> 10);
        BinaryPrimitives.WriteUInt16LittleEndian(bootParams.AsSpan(ExtMemK), (ushort)Math.Min(extendedKiB, 0xFFFF));
        Put32(bootParams, AltMemK, extendedKiB);
        bootParams[E820Entries] = (byte)map.Count;
        for (int i = 0; i < map.Count; i++)
        {
            Span<byte> entry = bootParams.AsSpan(E820Table + i * E820EntrySizeBytes, E820EntrySizeBytes);
            BinaryPrimitives.WriteUInt64LittleEndian(entry, map[i].Start);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[8..], map[i].SizeBytes);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[16..], (uint)map[i].Type);
        }
    }

    private static void Put32(byte[] bytes, int offset, uint value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(offset), value);
}
