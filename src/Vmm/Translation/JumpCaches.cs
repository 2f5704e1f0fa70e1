using System;
using System.Runtime.InteropServices;
using Vmm.Memory;

namespace Vmm.Translation;

/// <summary>An entry of a jump cache, 16 bytes: which code an address has.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct JumpCacheEntry
{
    public ulong Rip;
    public nint Code;

    public const int SizeLog2 = 4;

    /// <summary>Which entry an address has; generated code computes the same.</summary>
    public static int IndexOf(ulong rip) => ((int)(rip ^ rip >> PageShift) & HashMask) >> 1;

    /// <summary>What of the hash says which entry. The lowest bit does not: so the rest is where the entry is, in units that an address can scale by.</summary>
    public const int HashMask = (JumpCaches.EntryCount - 1) << 1;

    /// <summary>Functions begin at multiples of 16 in all pages: without the page's number they would share few entries.</summary>
    public const int PageShift = 12;
}

/// <summary>
/// For transfers whose target is not known when they are translated, or lies on another page: the code by address, valid for one address space and mode. A vCPU has the caches
/// of some that it was in lately, so that going to and fro between them loses nothing.
/// </summary>
internal sealed class JumpCaches
{
    public const int EntryCount = 8192;
    private const int CacheCount = 16, CacheSizeBytes = EntryCount << JumpCacheEntry.SizeLog2;

    /// <summary>No code is at this address: it is not canonical.</summary>
    private const ulong NoRip = 1UL << 63;

    // Made when they are first needed: most machines live in few address spaces.
    private readonly byte[]?[] _caches = new byte[]?[CacheCount];
    private readonly ulong[] _tags = new ulong[CacheCount];
    private readonly ulong[] _lastUsed = new ulong[CacheCount];
    private ulong _uses;
    private int _current;

    public JumpCaches() => Clear();

    private Span<JumpCacheEntry> EntriesOf(int cache) => MemoryMarshal.Cast<byte, JumpCacheEntry>(_caches[cache].AsSpan());

    /// <summary>The cache for a tag (see <see cref="Translator"/>): its host address. The least recently used one makes room.</summary>
    public nint Take(ulong tag)
    {
        if (_tags[_current] != tag) Switch(tag);
        return HostPointer.AddressOf(_caches[_current]!);
    }

    private void Switch(ulong tag)
    {
        _lastUsed[_current] = ++_uses;
        int found = Array.IndexOf(_tags, tag);
        if (found < 0)
        {
            found = 0;
            for (int i = 1; i < CacheCount; i++)
                if (_lastUsed[i] < _lastUsed[found]) found = i;
            Empty(found);
            _tags[found] = tag;
        }
        _current = found;
    }

    /// <summary>An entry of the cache that was taken last.</summary>
    public ref JumpCacheEntry Entry(ulong rip) => ref EntriesOf(_current)[JumpCacheEntry.IndexOf(rip)];

    public void Forget(ulong rip)
    {
        ref JumpCacheEntry entry = ref Entry(rip);
        if (entry.Rip == rip) entry.Rip = NoRip;
    }

    private void Empty(int cache)
    {
        _caches[cache] ??= GC.AllocateArray<byte>(CacheSizeBytes, pinned: true);
        EntriesOf(cache).Fill(new JumpCacheEntry { Rip = NoRip });
    }

    /// <summary>Forgets all: no tag is all ones.</summary>
    public void Clear() => Array.Fill(_tags, ulong.MaxValue);
}
