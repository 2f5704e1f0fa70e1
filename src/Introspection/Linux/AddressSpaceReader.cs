using System;
using System.Collections.Generic;
using Symbols;
using Symbols.Images;
using Vmm.Memory;
using Vmm.Paging;
using Vmm.Platform;

namespace Introspection.Linux;

/// <summary>Memory as one set of page tables maps it, whichever a vCPU has loaded, read without effect. Only for the moment at which it was made.</summary>
public sealed class AddressSpaceReader(Machine machine, PagingControls controls) : IMemoryReader
{
    private const ulong NoPage = ulong.MaxValue;
    private const ulong LargePageBytes = 2 << 20;

    // Structures lie close together: the last translation serves most reads.
    private ulong _page = NoPage, _physicalPage;

    public Machine Machine => machine;

    public PagingControls Controls => controls;

    /// <summary>Guest-physical address of a byte of RAM or ROM; null: it is not mapped, not canonical, or no memory.</summary>
    public ulong? Translate(ulong linear)
    {
        ulong page = linear & ~(ulong)(PagedMemory.PageSizeBytes - 1);
        if (page != _page)
        {
            if (controls.Mode == PagingMode.FourLevel && (ulong)((long)(linear << 16) >> 16) != linear) return null;
            PageWalk walk = GuestPageWalker.Walk(machine.Memory, controls, page);
            if (!walk.IsMapped || machine.Memory.RamOffset(walk.Physical) < 0) return null;
            _page = page;
            _physicalPage = walk.Physical;
        }
        return _physicalPage + (linear - page);
    }

    public int Read(ulong address, Span<byte> destination)
    {
        int done = 0;
        while (done < destination.Length)
        {
            ulong at = address + (ulong)done;
            if (Translate(at) is not { } physical) break;
            int count = Math.Min(destination.Length - done, PagedMemory.PageSizeBytes - (int)(at & (PagedMemory.PageSizeBytes - 1)));
            machine.Memory.Read(new GuestPhysicalAddress(physical), destination.Slice(done, count));
            done += count;
        }
        return done;
    }

    /// <summary>A little-endian number of 1 to 8 bytes; null: not all of it is memory.</summary>
    public ulong? ReadNumber(ulong address, int sizeBytes)
    {
        Span<byte> bytes = stackalloc byte[8];
        bytes.Clear();
        return sizeBytes is >= 1 and <= 8 && Read(address, bytes[..sizeBytes]) == sizeBytes ? BitConverter.ToUInt64(bytes) : null;
    }

    /// <summary>Bytes up to a NUL as text, at most <paramref name="limitBytes"/> of them; null: it cannot be read.</summary>
    public string? ReadText(ulong address, int limitBytes)
    {
        byte[] bytes = new byte[limitBytes];
        int count = Read(address, bytes);
        int end = bytes.AsSpan(0, count).IndexOf((byte)0);
        return count == 0 || (end < 0 && count < limitBytes) ? null : System.Text.Encoding.UTF8.GetString(bytes, 0, end < 0 ? count : end);
    }

    /// <summary>What is mapped between two addresses, 2 MiB aligned, merged.</summary>
    public IReadOnlyList<AddressRange> MappedRanges(ulong start, ulong end)
    {
        var ranges = new List<AddressRange>();
        for (ulong at = start; at < end; at += LargePageBytes)
        {
            PageWalk walk = GuestPageWalker.Walk(machine.Memory, controls, at);
            if (walk.IsMapped && walk.PageSizeBytes >= LargePageBytes) Append(ranges, at, LargePageBytes);
            else if (walk.StepCount == 4) AppendSmallPages(ranges, at);
        }
        return ranges;
    }

    private void AppendSmallPages(List<AddressRange> ranges, ulong start)
    {
        for (ulong at = start; at < start + LargePageBytes; at += PagedMemory.PageSizeBytes)
            if (GuestPageWalker.Walk(machine.Memory, controls, at).IsMapped) Append(ranges, at, PagedMemory.PageSizeBytes);
    }

    private static void Append(List<AddressRange> ranges, ulong start, ulong size)
    {
        if (ranges.Count > 0 && ranges[^1].End == start) ranges[^1] = ranges[^1] with { End = start + size };
        else ranges.Add(new AddressRange(start, start + size));
    }
}
