using System;
using System.Buffers.Binary;
using System.IO;
using System.IO.Compression;
using System.Runtime.InteropServices;

namespace Vmm.Platform.Boot;

/// <summary>Kernels that are packed as a whole with gzip, which every boot loader unpacks (GNU Mach is shipped so).</summary>
internal static class Compression
{
    /// <summary>No kernel comes near; an array could hold no more than twice as much.</summary>
    private const ulong MaximumSizeBytes = 1 << 30;

    private static ReadOnlySpan<byte> Magic => [0x1F, 0x8B, 0x08];

    /// <summary>The file's content, unpacked if it is a gzip file.</summary>
    /// <param name="file">A kernel.</param>
    /// <param name="limitBytes">More than this cannot fit into the guest's memory.</param>
    public static ReadOnlySpan<byte> Expanded(MachineImage file, ulong limitBytes)
    {
        if (!file.Content.Span.StartsWith(Magic)) return file.Content.Span;
        limitBytes = Math.Min(limitBytes, MaximumSizeBytes);
        Stream packed = MemoryMarshal.TryGetArray(file.Content, out ArraySegment<byte> segment)
            ? new MemoryStream(segment.Array!, segment.Offset, segment.Count, writable: false)
            : new MemoryStream(file.Content.ToArray(), writable: false);
        using var gzip = new GZipStream(packed, CompressionMode.Decompress);
        using var content = new MemoryStream();
        byte[] buffer = new byte[81920];
        try
        {
            for (int count; (count = gzip.Read(buffer)) > 0;)
            {
                if ((ulong)(content.Length + count) > limitBytes)
                    throw new BootImageException(
                        $"{file.Name} unpacks to more than {limitBytes >> 20} MiB and does not fit into the guest's memory; give the " +
                        "machine more memory.");
                content.Write(buffer, 0, count);
            }
        }
        catch (InvalidDataException)
        {
            throw new BootImageException($"{file.Name} is a damaged gzip file; get the file again.");
        }
        // A cut stream just ends; only the size in the trailer (RFC 1952, 2.3.1) gives it away.
        ReadOnlySpan<byte> whole = file.Content.Span;
        if (whole.Length < 18 || BinaryPrimitives.ReadUInt32LittleEndian(whole[^4..]) != (uint)content.Length)
            throw new BootImageException($"{file.Name} is a gzip file that is cut off or damaged; get the file again.");
        return content.GetBuffer().AsSpan(0, (int)content.Length);
    }
}
