using System;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Vmm.Memory;

namespace Replay.Checkpoints;

/// <summary>Hashes of page contents, and what a page contributes to a state digest. See docs/TRACE_FORMAT.md, "State digests".</summary>
internal static class PageHash
{
    public const int SizeBytes = 16;
    private const int MaxNameLength = 32;

    /// <summary>The first 16 bytes of the page's SHA-256.</summary>
    public static UInt128 OfContent(ReadOnlySpan<byte> page)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(page, hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }

    public static bool IsZero(ReadOnlySpan<byte> page) => page.IndexOfAnyExcept((byte)0) < 0;

    /// <summary>
    /// What page <paramref name="pageIndex"/> with this content adds to the page sum, modulo 2^128. An untouched page adds nothing. A sum
    /// does not depend on the order, so that it can be kept up to date from the pages that changed.
    /// </summary>
    public static UInt128 Contribution(string memoryName, int pageIndex, UInt128 contentHash)
    {
        Span<byte> bytes = stackalloc byte[MaxNameLength + 8 + SizeBytes];
        int length = Encoding.ASCII.GetBytes(memoryName, bytes[..MaxNameLength]);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[length..], pageIndex);
        BinaryPrimitives.WriteUInt128LittleEndian(bytes[(length + 8)..], contentHash);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes[..(length + 8 + SizeBytes)], hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }

    /// <summary>The contribution of a page that has an id; untouched pages add nothing, zero pages of a disk have content hash 0.</summary>
    /// <param name="memory">Where it is.</param>
    /// <param name="pageIndex">Which it is.</param>
    /// <param name="id">Its id.</param>
    /// <param name="contentHash">Its hash; not looked at for an untouched or zero page.</param>
    public static UInt128 Contribution(MemoryDescription memory, int pageIndex, int id, UInt128 contentHash) =>
        id == memory.UntouchedId ? UInt128.Zero : Contribution(memory.Name, pageIndex, id == PageId.Zero ? UInt128.Zero : contentHash);

    /// <summary>The digest of a whole state: SHA-256 over the machine's saved state, then the page sum.</summary>
    public static StateDigest Digest(ReadOnlySpan<byte> state, UInt128 pageSum)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha.AppendData(state);
        Span<byte> sum = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128LittleEndian(sum, pageSum);
        sha.AppendData(sum);
        Span<byte> digest = stackalloc byte[StateDigest.SizeBytes];
        sha.GetHashAndReset(digest);
        return new StateDigest(digest);
    }
}
