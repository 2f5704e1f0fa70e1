using System;
using System.Runtime.InteropServices;

namespace Vmm.Host;

/// <summary>Large zeroed allocations that cost nothing until touched: mmap on Unix, VirtualAlloc on Windows.</summary>
internal static unsafe partial class HostMemory
{
    private const int ProtReadWrite = 3, MapPrivateAnonymousNoReserve = 0x2 | 0x20 | 0x4000;
    private const int DoNotNeed = 4;
    private const uint MemReserveCommit = 0x3000, MemRelease = 0x8000, PageReadWrite = 4;

    public static nint AllocateZeroed(nuint sizeBytes)
    {
        if (OperatingSystem.IsLinux())
        {
            nint address = Mmap(0, sizeBytes, ProtReadWrite, MapPrivateAnonymousNoReserve, -1, 0);
            if (address == -1) throw new InsufficientMemoryException($"the host gave no {sizeBytes} bytes of memory for the guest");
            return address;
        }
        if (OperatingSystem.IsWindows())
        {
            nint address = VirtualAlloc(0, sizeBytes, MemReserveCommit, PageReadWrite);
            if (address == 0) throw new InsufficientMemoryException($"the host gave no {sizeBytes} bytes of memory for the guest");
            return address;
        }
        return (nint)NativeMemory.AllocZeroed(sizeBytes);
    }

    public static void Free(nint address, nuint sizeBytes)
    {
        if (OperatingSystem.IsLinux()) _ = Munmap(address, sizeBytes);
        else if (OperatingSystem.IsWindows()) _ = VirtualFree(address, 0, MemRelease);
        else NativeMemory.Free((void*)address);
    }

    /// <summary>Nobody needs what is there: the host takes it back until it is touched again, as far as it can. What is read there then may be anything.</summary>
    /// <param name="address">Of a page of the host.</param>
    /// <param name="sizeBytes">Whole pages.</param>
    public static void Discard(nint address, nuint sizeBytes)
    {
        if (OperatingSystem.IsLinux()) _ = Madvise(address, sizeBytes, DoNotNeed);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Madvise(nint address, nuint length, int advice);

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Mmap(nint address, nuint length, int protection, int flags, int file, long offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Munmap(nint address, nuint length);

    [LibraryImport("kernel32", EntryPoint = "VirtualAlloc")]
    private static partial nint VirtualAlloc(nint address, nuint size, uint type, uint protection);

    [LibraryImport("kernel32", EntryPoint = "VirtualFree")]
    private static partial int VirtualFree(nint address, nuint size, uint type);
}
