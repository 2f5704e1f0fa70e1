using System;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Vmm.Memory;

/// <summary>
/// An array of 4 KiB pages in native memory, with the traits of each page: guest RAM is one, and so is the content of each disk.
/// Pages start out absent when there is a source for them, and are fetched at their first access, so that restoring a
/// checkpoint costs what is touched afterwards and not the size of memory.
/// </summary>
public sealed unsafe class PagedMemory : IDisposable
{
    public const int PageShift = 12;
    public const int PageSizeBytes = 1 << PageShift;

    private byte* _base;
    private readonly PageTraits[] _traits;
    private IPageSource? _source;

    /// <param name="name">What snapshots and recordings call it: "ram", "disk0".</param>
    /// <param name="pageCount">Number of 4 KiB pages, at least 1.</param>
    public PagedMemory(string name, int pageCount)
    {
        Invariant.Check(pageCount > 0);
        Name = name;
        PageCount = pageCount;
        // One more page behind the end, so that a wide read that starts in the last page stays inside the allocation.
        _base = (byte*)Host.HostMemory.AllocateZeroed((nuint)(pageCount + 1L) << PageShift);
        _traits = new PageTraits[pageCount];
    }

    public string Name { get; }
    public int PageCount { get; }
    public long SizeBytes => (long)PageCount << PageShift;

    /// <summary>First byte of the memory, for the soft TLB's addends.</summary>
    public nint BaseAddress => (nint)_base;

    public PageTraits TraitsOf(int pageIndex) => _traits[pageIndex];
    public void AddTraits(int pageIndex, PageTraits traits) => _traits[pageIndex] |= traits;
    public void RemoveTraits(int pageIndex, PageTraits traits) => _traits[pageIndex] &= ~traits;

    /// <summary>Sets where absent pages come from. It must answer for every page that is or will be marked absent.</summary>
    public void SetSource(IPageSource? source) => _source = source;

    /// <summary>Forgets the content of a page: its next access fetches it from the source.</summary>
    public void MakeAbsent(int pageIndex) => _traits[pageIndex] = (_traits[pageIndex] | PageTraits.Absent) & ~PageTraits.Dirty;

    public void MakeAllAbsent()
    {
        for (int i = 0; i < _traits.Length; i++) MakeAbsent(i);
    }

    /// <summary>Bytes of pages that were fetched since the memory was made or last discarded; those that were fetched again count again.</summary>
    public long FetchedSizeBytes { get; private set; }

    /// <summary>Forgets all pages that no code was decoded from, and gives their memory back to the host. For a restore, which forgets what was made of them.</summary>
    public void Discard()
    {
        for (int page = 0; page < PageCount; page++)
        {
            int first = page;
            for (; page < PageCount && (_traits[page] & PageTraits.Code) == 0; page++) MakeAbsent(page);
            if (page > first) Host.HostMemory.Discard((nint)_base + ((nint)first << PageShift), (nuint)(page - first) << PageShift);
        }
        FetchedSizeBytes = 0;
    }

    /// <summary>Fetches the page if it is absent.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void EnsurePresent(int pageIndex)
    {
        if ((_traits[pageIndex] & PageTraits.Absent) != 0) Fetch(pageIndex);
    }

    /// <summary>The page's 4,096 bytes to read; fetched if absent.</summary>
    public ReadOnlySpan<byte> Page(int pageIndex)
    {
        EnsurePresent(pageIndex);
        return new ReadOnlySpan<byte>(_base + ((long)pageIndex << PageShift), PageSizeBytes);
    }

    /// <summary>The page's 4,096 bytes to write; fetched if absent, and marked dirty.</summary>
    public Span<byte> WritablePage(int pageIndex)
    {
        EnsurePresent(pageIndex);
        _traits[pageIndex] |= PageTraits.Dirty;
        return new Span<byte>(_base + ((long)pageIndex << PageShift), PageSizeBytes);
    }

    /// <summary>Copies bytes out, across pages.</summary>
    public void Read(long offset, Span<byte> destination)
    {
        while (destination.Length > 0)
        {
            int page = (int)(offset >> PageShift), within = (int)(offset & (PageSizeBytes - 1));
            int count = Math.Min(destination.Length, PageSizeBytes - within);
            Page(page).Slice(within, count).CopyTo(destination);
            destination = destination[count..];
            offset += count;
        }
    }

    /// <summary>Copies bytes in, across pages, marking them dirty. No trait is honoured: guest stores go through PhysicalMemory.</summary>
    public void Write(long offset, ReadOnlySpan<byte> source)
    {
        while (source.Length > 0)
        {
            int page = (int)(offset >> PageShift), within = (int)(offset & (PageSizeBytes - 1));
            int count = Math.Min(source.Length, PageSizeBytes - within);
            source[..count].CopyTo(WritablePage(page)[within..]);
            source = source[count..];
            offset += count;
        }
    }

    /// <summary>Loads a value that lies inside one page which is known to be present.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal T Load<T>(long offset) where T : unmanaged => Unsafe.ReadUnaligned<T>(_base + offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Store<T>(long offset, T value) where T : unmanaged => Unsafe.WriteUnaligned(_base + offset, value);

    /// <summary>Calls back for every page written since the epoch began, in ascending order.</summary>
    public void CollectDirty(System.Collections.Generic.List<int> pageIndexes)
    {
        ReadOnlySpan<PageTraits> traits = _traits;
        // Eight pages at a time: most are clean.
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<PageTraits, ulong>(traits);
        const ulong dirtyInEach = 0x0202020202020202;
        for (int w = 0; w < words.Length; w++)
        {
            if ((words[w] & dirtyInEach) == 0) continue;
            for (int i = w * 8; i < w * 8 + 8; i++)
                if ((traits[i] & PageTraits.Dirty) != 0) pageIndexes.Add(i);
        }
        for (int i = words.Length * 8; i < traits.Length; i++)
            if ((traits[i] & PageTraits.Dirty) != 0) pageIndexes.Add(i);
    }

    /// <summary>The pages around <paramref name="pageIndex"/> that are present and may be read without anybody's notice, within limits: the first, and the one behind the last.</summary>
    public (int First, int End) ReadableAround(int pageIndex, int lowest, int end)
    {
        ReadOnlySpan<byte> traits = MemoryMarshal.AsBytes(_traits.AsSpan());
        var hindrance = new Vector<byte>((byte)(PageTraits.Absent | PageTraits.WatchRead));
        int first = pageIndex, behind = pageIndex;
        while (behind + Vector<byte>.Count <= end && !Any(traits[behind..])) behind += Vector<byte>.Count;
        while (behind < end && IsReadable(behind)) behind++;
        while (first - Vector<byte>.Count >= lowest && !Any(traits[(first - Vector<byte>.Count)..])) first -= Vector<byte>.Count;
        while (first > lowest && IsReadable(first - 1)) first--;
        return (first, Math.Max(first, behind));

        bool Any(ReadOnlySpan<byte> from) => (new Vector<byte>(from) & hindrance) != Vector<byte>.Zero;

        bool IsReadable(int page) => (_traits[page] & (PageTraits.Absent | PageTraits.WatchRead)) == 0;
    }

    /// <summary>Begins an epoch: no page is dirty. Every TLB must be told (see PhysicalMemory.BeginEpoch).</summary>
    internal void ClearDirty()
    {
        Span<ulong> words = MemoryMarshal.Cast<PageTraits, ulong>(_traits.AsSpan());
        for (int w = 0; w < words.Length; w++) words[w] &= ~0x0202020202020202UL;
        for (int i = words.Length * 8; i < _traits.Length; i++) _traits[i] &= ~PageTraits.Dirty;
    }

    public void Dispose()
    {
        if (_base == null) return;
        Host.HostMemory.Free((nint)_base, (nuint)(PageCount + 1L) << PageShift);
        _base = null;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Fetch(int pageIndex)
    {
        _traits[pageIndex] &= ~PageTraits.Absent;
        FetchedSizeBytes += PageSizeBytes;
        var destination = new Span<byte>(_base + ((long)pageIndex << PageShift), PageSizeBytes);
        // Written before anything is read of it: the runtime's copying reads a byte first, for which the host maps its page of zeroes, and then has to tell all cores that it is replaced.
        destination[0] = 0;
        if (_source is null) destination.Clear();
        else _source.ReadPage(pageIndex, destination);
    }
}
