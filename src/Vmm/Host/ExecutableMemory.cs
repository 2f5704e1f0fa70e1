using System;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Vmm.Host;

/// <summary>
/// Memory for generated code, mapped twice: where it is written it cannot be executed, and where it is executed it cannot be written. Linux and Windows on x86-64.
/// </summary>
internal sealed unsafe partial class ExecutableMemory : IDisposable
{
    private const int ProtRead = 1, ProtWrite = 2, ProtExecute = 4, MapShared = 1;
    private const uint PageExecuteReadWrite = 0x40, FileMapWrite = 2, FileMapRead = 4, FileMapExecute = 0x20;
    private const nint PagingFile = -1;

    private nint _writable, _executable;
    private readonly nuint _sizeBytes;

    private ExecutableMemory(nint writable, nint executable, nuint sizeBytes)
    {
        _writable = writable;
        _executable = executable;
        _sizeBytes = sizeBytes;
    }

    /// <summary>Host address at which it can be executed.</summary>
    public nint Address => _executable;

    /// <summary>The same bytes, to be written.</summary>
    public Span<byte> Bytes => new((void*)_writable, (int)_sizeBytes);

    /// <summary>What was written there is not looked at for a while: the host need not keep it mapped to be written, and counts it once. It stays as it is.</summary>
    /// <param name="end">Bytes from the beginning on.</param>
    public void RestWritable(int end)
    {
        // Of a file's pages only the mapping goes.
        if (OperatingSystem.IsLinux()) HostMemory.Discard(_writable, (nuint)end & ~(nuint)0xFFF);
    }

    /// <summary>This host can execute what a translator makes.</summary>
    public static bool IsSupported => (OperatingSystem.IsLinux() || OperatingSystem.IsWindows()) && X86Base.X64.IsSupported;

    /// <summary>Null: the host does not give such memory (another system or processor, or a policy forbids it).</summary>
    public static ExecutableMemory? TryAllocate(int sizeBytes)
    {
        if (!IsSupported) return null;
        return OperatingSystem.IsWindows() ? TryAllocateOnWindows(sizeBytes) : TryAllocateOnLinux(sizeBytes);
    }

    private static ExecutableMemory? TryAllocateOnLinux(int sizeBytes)
    {
        int file = MemoryFile("ttvm-code", 1);
        if (file < 0) return null;
        nint writable = -1, executable = -1;
        if (Truncate(file, sizeBytes) == 0)
        {
            writable = Map(0, (nuint)sizeBytes, ProtRead | ProtWrite, MapShared, file, 0);
            executable = Map(0, (nuint)sizeBytes, ProtRead | ProtExecute, MapShared, file, 0);
        }
        _ = Close(file);
        if (writable != -1 && executable != -1) return new ExecutableMemory(writable, executable, (nuint)sizeBytes);
        if (writable != -1) _ = Unmap(writable, (nuint)sizeBytes);
        if (executable != -1) _ = Unmap(executable, (nuint)sizeBytes);
        return null;
    }

    /// <summary>The section may be mapped in each way; no view of it is both written and executed.</summary>
    private static ExecutableMemory? TryAllocateOnWindows(int sizeBytes)
    {
        nint section = CreateFileMapping(PagingFile, 0, PageExecuteReadWrite, 0, (uint)sizeBytes, 0);
        if (section == 0) return null;
        nint writable = MapViewOfFile(section, FileMapRead | FileMapWrite, 0, 0, (nuint)sizeBytes);
        nint executable = MapViewOfFile(section, FileMapRead | FileMapExecute, 0, 0, (nuint)sizeBytes);
        _ = CloseHandle(section);
        if (writable != 0 && executable != 0) return new ExecutableMemory(writable, executable, (nuint)sizeBytes);
        if (writable != 0) _ = UnmapViewOfFile(writable);
        if (executable != 0) _ = UnmapViewOfFile(executable);
        return null;
    }

    public void Dispose()
    {
        if (_executable == 0) return;
        if (OperatingSystem.IsWindows())
        {
            _ = UnmapViewOfFile(_writable);
            _ = UnmapViewOfFile(_executable);
        }
        else
        {
            _ = Unmap(_writable, _sizeBytes);
            _ = Unmap(_executable, _sizeBytes);
        }
        _writable = _executable = 0;
    }

    [LibraryImport("libc", EntryPoint = "memfd_create", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MemoryFile(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "ftruncate")]
    private static partial int Truncate(int file, long sizeBytes);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, long offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint length);

    [LibraryImport("kernel32", EntryPoint = "CreateFileMappingW")]
    private static partial nint CreateFileMapping(nint file, nint attributes, uint protection, uint sizeHigh, uint sizeLow, nint name);

    [LibraryImport("kernel32", EntryPoint = "MapViewOfFile")]
    private static partial nint MapViewOfFile(nint section, uint access, uint offsetHigh, uint offsetLow, nuint sizeBytes);

    [LibraryImport("kernel32", EntryPoint = "UnmapViewOfFile")]
    private static partial int UnmapViewOfFile(nint address);

    [LibraryImport("kernel32", EntryPoint = "CloseHandle")]
    private static partial int CloseHandle(nint handle);
}
