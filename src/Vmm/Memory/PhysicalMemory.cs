using System;
using System.Runtime.CompilerServices;
using Vmm.Buses;

namespace Vmm.Memory;

/// <summary>Learns of stores to pages that carry <see cref="PageTraits.Code"/>, <see cref="PageTraits.PageTable"/> or a watch.</summary>
public interface IStoreListener
{
    /// <summary>About to store <paramref name="sizeBytes"/> bytes, all in one page, at <paramref name="offset"/> of RAM page <paramref name="pageIndex"/>.</summary>
    void BeforeStore(int pageIndex, int offset, int sizeBytes);

    /// <summary>The same store has been done: discard blocks and shadow entries made from the old bytes.</summary>
    void AfterStore(int pageIndex, int offset, int sizeBytes);
}

/// <summary>
/// The guest-physical address space: RAM from 0 up to 3 GiB, the rest of RAM from 4 GiB up, a ROM below 4 GiB, chips on the MMIO bus
/// elsewhere. It maps guest-physical pages to pages of <see cref="Ram"/> (the VMM's own map).
/// </summary>
public sealed class PhysicalMemory : IDisposable
{
    /// <summary>Where RAM is interrupted for PCI and the APICs.</summary>
    public const ulong HoleStart = 0xC000_0000, HoleEnd = 0x1_0000_0000;

    private const PageTraits Listened = PageTraits.Code | PageTraits.PageTable | PageTraits.WatchWrite | PageTraits.WatchRead;

    private readonly ulong _lowSize, _highSize, _romSize;

    /// <param name="ramSizeBytes">RAM in bytes, a multiple of 4 KiB.</param>
    /// <param name="romSizeBytes">Size of a ROM that ends at 4 GiB, a multiple of 4 KiB, or 0.</param>
    public PhysicalMemory(ulong ramSizeBytes, int romSizeBytes = 0)
    {
        Invariant.Check(ramSizeBytes % PagedMemory.PageSizeBytes == 0 && romSizeBytes % PagedMemory.PageSizeBytes == 0);
        RamSizeBytes = ramSizeBytes;
        _lowSize = Math.Min(ramSizeBytes, HoleStart);
        _highSize = ramSizeBytes - _lowSize;
        _romSize = (ulong)romSizeBytes;
        Ram = new PagedMemory("ram", checked((int)((ramSizeBytes + _romSize) >> PagedMemory.PageShift)));
        for (int page = (int)(ramSizeBytes >> PagedMemory.PageShift); page < Ram.PageCount; page++) Ram.AddTraits(page, PageTraits.ReadOnly);
    }

    public PagedMemory Ram { get; }
    public MmioBus Mmio { get; } = new();
    public ulong RamSizeBytes { get; }
    public ulong LowSizeBytes => _lowSize;
    public ulong HighSizeBytes => _highSize;

    /// <summary>Told of stores to pages with traits that need it. Set once by the machine.</summary>
    public IStoreListener? StoreListener { get; set; }

    /// <summary>Offset in <see cref="Ram"/> of a guest-physical address, or -1 where there is no RAM or ROM.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long RamOffset(ulong physical)
    {
        if (physical < _lowSize) return (long)physical;
        return RamOffsetAboveLow(physical);
    }

    private long RamOffsetAboveLow(ulong physical)
    {
        if (physical - HoleEnd < _highSize) return (long)(_lowSize + (physical - HoleEnd));
        ulong intoRom = physical - (HoleEnd - _romSize);
        return intoRom < _romSize ? (long)(RamSizeBytes + intoRom) : -1;
    }

    /// <summary>The stretch of RAM or ROM around a guest-physical address: first address and the one behind the last. Empty where there is none.</summary>
    public (ulong Start, ulong End) StretchOf(ulong physical)
    {
        if (physical < _lowSize) return (0, _lowSize);
        if (physical - HoleEnd < _highSize) return (HoleEnd, HoleEnd + _highSize);
        return physical - (HoleEnd - _romSize) < _romSize ? (HoleEnd - _romSize, HoleEnd) : (physical, physical);
    }

    /// <summary>The guest-physical address of a page of <see cref="Ram"/>.</summary>
    public GuestPhysicalAddress AddressOfPage(int pageIndex)
    {
        ulong offset = (ulong)pageIndex << PagedMemory.PageShift;
        if (offset < _lowSize) return new(offset);
        if (offset < RamSizeBytes) return new(offset - _lowSize + HoleEnd);
        return new(offset - RamSizeBytes + HoleEnd - _romSize);
    }

    /// <summary>Reads RAM (a device's DMA, a page walk, a debugger). Bytes where there is no RAM read as 0xFF.</summary>
    public void Read(GuestPhysicalAddress address, Span<byte> destination)
    {
        ulong at = address.Value;
        while (destination.Length > 0)
        {
            int within = (int)(at & (PagedMemory.PageSizeBytes - 1));
            int count = Math.Min(destination.Length, PagedMemory.PageSizeBytes - within);
            long offset = RamOffset(at);
            if (offset >= 0) Ram.Page((int)(offset >> PagedMemory.PageShift)).Slice(within, count).CopyTo(destination);
            else destination[..count].Fill(0xFF);
            destination = destination[count..];
            at += (ulong)count;
        }
    }

    /// <summary>Stores to RAM as a device's DMA does: dirty tracking, code and page-table coherence and watches all see it. Stores elsewhere are lost.</summary>
    public void Write(GuestPhysicalAddress address, ReadOnlySpan<byte> source)
    {
        ulong at = address.Value;
        while (source.Length > 0)
        {
            int within = (int)(at & (PagedMemory.PageSizeBytes - 1));
            int count = Math.Min(source.Length, PagedMemory.PageSizeBytes - within);
            long offset = RamOffset(at);
            if (offset >= 0) StoreInPage((int)(offset >> PagedMemory.PageShift), within, source[..count]);
            source = source[count..];
            at += (ulong)count;
        }
    }

    public T Read<T>(GuestPhysicalAddress address) where T : unmanaged
    {
        long offset = RamOffset(address.Value);
        if (offset >= 0 && (int)(address.Value & (PagedMemory.PageSizeBytes - 1)) <= PagedMemory.PageSizeBytes - Unsafe.SizeOf<T>())
        {
            Ram.EnsurePresent((int)(offset >> PagedMemory.PageShift));
            return Ram.Load<T>(offset);
        }
        Unsafe.SkipInit(out T value);
        Read(address, System.Runtime.InteropServices.MemoryMarshal.AsBytes(new Span<T>(ref value)));
        return value;
    }

    public void Write<T>(GuestPhysicalAddress address, T value) where T : unmanaged =>
        Write(address, System.Runtime.InteropServices.MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)));

    /// <summary>
    /// Stores a page-table entry with accessed or dirty bits that the MMU itself sets. Watches see it; shadow entries and blocks made
    /// from the page stay, as such a store takes no permission away.
    /// </summary>
    internal void StorePageTableBits(GuestPhysicalAddress address, ulong entry, int sizeBytes)
    {
        long offset = RamOffset(address.Value);
        if (offset < 0) return;
        int page = (int)(offset >> PagedMemory.PageShift);
        PageTraits traits = Ram.TraitsOf(page);
        if ((traits & PageTraits.ReadOnly) != 0) return;
        if ((traits & PageTraits.WatchWrite) != 0) StoreListener?.BeforeStore(page, (int)(address.Value & 0xFFF), sizeBytes);
        Ram.EnsurePresent(page);
        Ram.AddTraits(page, PageTraits.Dirty);
        if (sizeBytes == 4) Ram.Store(offset, (uint)entry);
        else Ram.Store(offset, entry);
    }

    /// <summary>A vCPU's store on the slow path; watches have been reported by the MMU, which knows the linear address.</summary>
    internal void StoreFromCpu(int page, int within, ReadOnlySpan<byte> source)
    {
        PageTraits traits = Ram.TraitsOf(page);
        if ((traits & PageTraits.ReadOnly) != 0) return;
        Ram.AddTraits(page, PageTraits.Dirty);
        source.CopyTo(HostPointer.Span((nint)(Ram.BaseAddress + ((long)page << PagedMemory.PageShift) + within), source.Length));
        if ((traits & (PageTraits.Code | PageTraits.PageTable)) != 0) StoreListener?.AfterStore(page, within, source.Length);
    }

    private void StoreInPage(int page, int within, ReadOnlySpan<byte> source)
    {
        PageTraits traits = Ram.TraitsOf(page);
        if ((traits & PageTraits.ReadOnly) != 0) return;
        bool listened = (traits & Listened) != 0;
        if (listened) StoreListener?.BeforeStore(page, within, source.Length);
        source.CopyTo(Ram.WritablePage(page)[within..]);
        if (listened) StoreListener?.AfterStore(page, within, source.Length);
    }

    public void Dispose() => Ram.Dispose();
}
