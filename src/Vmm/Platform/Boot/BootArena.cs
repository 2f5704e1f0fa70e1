using System;
using System.Collections.Generic;
using System.Text;
using Vmm.Memory;

namespace Vmm.Platform.Boot;

/// <summary>
/// Guest memory below 4 GiB while a machine is being loaded: who has which bytes, so that kernel, initrd, page tables and information
/// structures never lie on each other.
/// </summary>
internal sealed class BootArena
{
    private const ulong PageSizeBytes = PagedMemory.PageSizeBytes;
    /// <summary>Below: the interrupt vectors and the BIOS data area.</summary>
    private const ulong LowStart = 0x1000;

    private readonly PhysicalMemory _memory;
    private readonly List<(ulong Start, ulong End, string What)> _taken = [];

    public BootArena(PhysicalMemory memory)
    {
        _memory = memory;
        _taken.Add((0, LowStart, "the interrupt vectors"));
        _taken.Add((PlatformLayout.ExtendedBiosDataArea, PlatformLayout.OneMebibyte, "the video memory and firmware below 1 MiB"));
    }

    public PhysicalMemory Memory => _memory;

    /// <summary>
    /// Takes a range that an image dictates. Ranges of one image may touch or overlap each other (<paramref name="what"/> is equal).
    /// </summary>
    public void Claim(BootImage image, ulong start, ulong sizeBytes, string what)
    {
        if (sizeBytes == 0) return;
        if (start >= _memory.LowSizeBytes || sizeBytes > _memory.LowSizeBytes - start)
        {
            string end = sizeBytes > ulong.MaxValue - start ? "the end of the address space" : $"0x{start + sizeBytes:x}";
            throw new BootImageException(
                $"{image.Name} does not fit into the guest's memory: {what} goes from 0x{start:x} to {end}, and RAM ends at " +
                $"0x{_memory.LowSizeBytes:x}; give the machine more memory.");
        }
        foreach ((ulong takenStart, ulong takenEnd, string owner) in _taken)
        {
            if (owner != what && start < takenEnd && takenStart < start + sizeBytes)
                throw new BootImageException(
                    $"{image.Name} cannot be loaded: {what} at 0x{start:x}..0x{start + sizeBytes:x} lies on {owner} at " +
                    $"0x{takenStart:x}..0x{takenEnd:x}.");
        }
        _taken.Add((start, start + sizeBytes, what));
    }

    public bool IsFree(ulong start, ulong sizeBytes)
    {
        if (start >= _memory.LowSizeBytes || sizeBytes > _memory.LowSizeBytes - start) return false;
        foreach ((ulong takenStart, ulong takenEnd, _) in _taken)
            if (start < takenEnd && takenStart < start + sizeBytes) return false;
        return true;
    }

    /// <summary>The lowest free place for a structure of our own, conventional memory first.</summary>
    public ulong AllocateLow(BootImage image, ulong sizeBytes, ulong alignment, string what) =>
        AllocateFrom(image, LowStart, sizeBytes, alignment, what);

    /// <summary>The lowest free place at or above <paramref name="floor"/>.</summary>
    public ulong AllocateFrom(BootImage image, ulong floor, ulong sizeBytes, ulong alignment, string what)
    {
        ulong start = AlignUp(floor, alignment);
        for (bool moved = true; moved;)
        {
            moved = false;
            foreach ((ulong takenStart, ulong takenEnd, _) in _taken)
            {
                if (start >= takenEnd || takenStart >= start + sizeBytes) continue;
                start = AlignUp(takenEnd, alignment);
                moved = true;
            }
        }
        Claim(image, start, sizeBytes, what);
        return start;
    }

    /// <summary>The highest free place below <paramref name="ceiling"/> and RAM's end, aligned to a page.</summary>
    /// <returns>False when there is none above <paramref name="floor"/>.</returns>
    public bool TryAllocateHigh(BootImage image, ulong sizeBytes, ulong floor, ulong ceiling, string what, out ulong start)
    {
        ulong end = Math.Min(ceiling, _memory.LowSizeBytes);
        while (true)
        {
            start = 0;
            if (end < floor || end - floor < sizeBytes) return false;
            start = (end - sizeBytes) & ~(PageSizeBytes - 1);
            if (start < floor) return false;
            ulong obstacle = ulong.MaxValue;
            foreach ((ulong takenStart, ulong takenEnd, _) in _taken)
                if (start < takenEnd && takenStart < start + sizeBytes) obstacle = Math.Min(obstacle, takenStart);
            if (obstacle == ulong.MaxValue) break;
            end = obstacle;
        }
        Claim(image, start, sizeBytes, what);
        return true;
    }

    public void Write(ulong address, ReadOnlySpan<byte> bytes) => _memory.Write(new GuestPhysicalAddress(address), bytes);

    /// <summary>Allocates and stores a structure of our own.</summary>
    public uint Place(BootImage image, ReadOnlySpan<byte> bytes, ulong alignment, string what)
    {
        ulong address = AllocateLow(image, Math.Max(1, (ulong)bytes.Length), alignment, what);
        Write(address, bytes);
        return (uint)address;
    }

    /// <summary>Allocates and stores a zero-terminated string.</summary>
    public uint PlaceText(BootImage image, string text, string what) => Place(image, ZeroTerminated(text), 1, what);

    public static byte[] ZeroTerminated(string text)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(text) + 1];
        Encoding.UTF8.GetBytes(text, bytes);
        return bytes;
    }

    public static ulong AlignUp(ulong value, ulong alignment) => checked(value + alignment - 1) & ~(alignment - 1);
}
