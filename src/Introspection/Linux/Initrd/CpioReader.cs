using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Introspection.Linux.Initrd;

/// <summary>One entry of an archive.</summary>
/// <param name="Path">As the archive has it.</param>
/// <param name="Mode">Type and permissions (POSIX, sys/stat.h).</param>
/// <param name="Data">A file's contents, or a symbolic link's target.</param>
/// <param name="Link">What hard links to one file have in common; null: it is the only name.</param>
internal readonly record struct CpioEntry(string Path, uint Mode, ReadOnlyMemory<byte> Data, (uint, uint, uint)? Link)
{
    private const uint TypeMask = 0xf000;

    internal bool IsFile => (Mode & TypeMask) == 0x8000;

    internal bool IsSymbolicLink => (Mode & TypeMask) == 0xa000;
}

/// <summary>Reads a cpio archive of the formats that Linux unpacks (Documentation/driver-api/early-userspace/buffer-format.rst): newc, with checksums or without.</summary>
internal static class CpioReader
{
    private const int HeaderBytes = 110;
    private const int MaximumPathBytes = 4096;
    private const string Trailer = "TRAILER!!!";

    /// <summary>An archive may begin so.</summary>
    internal static bool IsArchive(ReadOnlySpan<byte> bytes) => bytes.StartsWith("070701"u8) || bytes.StartsWith("070702"u8);

    /// <summary>Reads one archive's entries up to its trailer. Returns how many bytes it has, and why it is not whole, if so.</summary>
    internal static int Read(ReadOnlyMemory<byte> archive, List<CpioEntry> entries, out string? problem)
    {
        Span<uint> fields = stackalloc uint[13];
        int position = 0;
        while (true)
        {
            problem = "The archive has no end.";
            if (archive.Length - position < HeaderBytes) return archive.Length;
            problem = $"What follows at offset {position} is no entry of the archive.";
            ReadOnlySpan<byte> header = archive.Span[position..];
            if (!IsArchive(header)) return position;
            for (int i = 0; i < fields.Length; i++)
                if (!TryHexadecimal(header.Slice(6 + (i * 8), 8), out fields[i])) return position;
            uint pathSize = fields[11], size = fields[6];
            long data = Aligned(position + HeaderBytes + (long)pathSize), next = Aligned(data + size);
            problem = $"The entry at offset {position} is cut off.";
            if (pathSize is 0 or > MaximumPathBytes || data + size > archive.Length) return archive.Length;
            string path = Encoding.UTF8.GetString(header.Slice(HeaderBytes, (int)pathSize - 1));
            position = (int)Math.Min(next, archive.Length);
            if (path == Trailer) break;
            (uint, uint, uint)? link = fields[4] > 1 ? (fields[0], fields[7], fields[8]) : null;
            entries.Add(new CpioEntry(path, fields[1], archive.Slice((int)data, (int)size), link));
        }
        problem = null;
        return position;
    }

    private static long Aligned(long position) => (position + 3) & ~3L;

    private static bool TryHexadecimal(ReadOnlySpan<byte> digits, out uint value) =>
        uint.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
}
