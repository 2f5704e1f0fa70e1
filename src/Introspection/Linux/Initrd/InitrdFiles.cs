using System;
using System.Collections.Generic;
using System.Text;
using Replay.Packages;
using Vmm.Platform;

namespace Introspection.Linux.Initrd;

/// <summary>
/// The files of an initial RAM file system that a recording carries: cpio archives one after the other, plain or packed by gzip or LZ4, later ones over earlier ones, as
/// Linux unpacks them. Other compressions are named, and not read.
/// </summary>
public sealed class InitrdFiles
{
    private const int MaximumUnpackedBytes = 512 << 20;
    private const int MaximumLinks = 40;

    private readonly Dictionary<string, CpioEntry> _entries = new(StringComparer.Ordinal);
    private int _unpackedBytes;

    private InitrdFiles() { }

    /// <summary>Why not all of it was read; null: it was.</summary>
    public string? Problem { get; private set; }

    /// <summary>Paths of all files, without links, in the archives' order.</summary>
    public IEnumerable<string> Paths
    {
        get
        {
            foreach ((string path, CpioEntry entry) in _entries)
                if (entry.IsFile) yield return "/" + path;
        }
    }

    /// <summary>What a machine's initrd has; null: it has none.</summary>
    public static InitrdFiles? Of(MachineConfiguration configuration) => configuration.FindImage("initrd") is { } image ? Open(image.Content) : null;

    /// <summary>Never fails: what cannot be read is left out.</summary>
    public static InitrdFiles Open(ReadOnlyMemory<byte> image)
    {
        var files = new InitrdFiles();
        int position = 0;
        while (files.Problem is null && position < image.Length)
        {
            ReadOnlySpan<byte> rest = image.Span[position..];
            if (rest[0] == 0) position++;
            else if (CpioReader.IsArchive(rest)) position += files.AddArchive(image[position..]);
            else if (GzipMember.IsMember(rest) || Lz4Legacy.IsFrame(rest)) position += files.AddCompressed(image[position..]);
            else if (CompressionFormat.NameOf(rest) is { } name) files.Problem = $"The initrd is compressed with {name}, which ttvm does not unpack: gzip and LZ4 it does.";
            else files.Problem = $"What follows at offset {position} of the initrd is neither a cpio archive nor compressed in a known way.";
        }
        return files;
    }

    /// <summary>A file's contents by its absolute path, symbolic links followed; null: there is no such file.</summary>
    public ReadOnlyMemory<byte>? Find(string path)
    {
        string at = Normalize(path);
        for (int i = 0; i < MaximumLinks; i++)
        {
            if (_entries.TryGetValue(at, out CpioEntry entry))
            {
                if (entry.IsFile) return entry.Data;
                if (!entry.IsSymbolicLink) return null;
                at = Target(at, entry);
            }
            else if (LinkAmongFolders(at) is { } resolved) at = resolved;
            else return null;
        }
        return null;
    }

    private static string Normalize(string path)
    {
        var parts = new List<string>();
        foreach (string part in path.Split('/'))
        {
            if (part == ".." && parts.Count > 0) parts.RemoveAt(parts.Count - 1);
            else if (part is not ("" or "." or "..")) parts.Add(part);
        }
        return string.Join('/', parts);
    }

    private static string Target(string link, in CpioEntry entry)
    {
        string target = Encoding.UTF8.GetString(entry.Data.Span);
        if (target.StartsWith('/')) return Normalize(target);
        int folder = link.LastIndexOf('/');
        return Normalize(folder < 0 ? target : link[..folder] + "/" + target);
    }

    // Of /bin/sh, /bin may be a link to /usr/bin.
    private string? LinkAmongFolders(string path)
    {
        for (int end = path.IndexOf('/', StringComparison.Ordinal); end > 0; end = path.IndexOf('/', end + 1))
        {
            string folder = path[..end];
            if (_entries.TryGetValue(folder, out CpioEntry entry) && entry.IsSymbolicLink) return Normalize(Target(folder, entry) + path[end..]);
        }
        return null;
    }

    private int AddArchive(ReadOnlyMemory<byte> archive)
    {
        var entries = new List<CpioEntry>();
        int size = CpioReader.Read(archive, entries, out string? problem);
        Problem ??= problem;
        // Of hard links only one carries the contents. Numbers of inodes mean something in one archive only.
        var linked = new Dictionary<(uint, uint, uint), ReadOnlyMemory<byte>>();
        foreach (CpioEntry entry in entries)
            if (entry.Link is { } link && entry.Data.Length > 0) linked[link] = entry.Data;
        foreach (CpioEntry entry in entries)
        {
            ReadOnlyMemory<byte> data = entry.IsFile && entry.Link is { } link && linked.TryGetValue(link, out ReadOnlyMemory<byte> shared) ? shared : entry.Data;
            _entries[Normalize(entry.Path)] = entry with { Data = data, Link = null };
        }
        return Math.Max(1, size);
    }

    private int AddCompressed(ReadOnlyMemory<byte> compressed)
    {
        int size = Unpack(compressed, MaximumUnpackedBytes - _unpackedBytes, out ReadOnlyMemory<byte> archives, out string? problem);
        Problem ??= problem;
        _unpackedBytes += archives.Length;
        for (int position = 0; position < archives.Length;)
        {
            if (archives.Span[position] == 0) position++;
            else if (CpioReader.IsArchive(archives.Span[position..])) position += AddArchive(archives[position..]);
            else
            {
                Problem ??= "What the initrd unpacks to is no cpio archive.";
                break;
            }
        }
        return size;
    }

    private static int Unpack(ReadOnlyMemory<byte> compressed, int limit, out ReadOnlyMemory<byte> archives, out string? problem)
    {
        if (!Lz4Legacy.IsFrame(compressed.Span)) return GzipMember.Unpack(compressed, limit, out archives, out problem);
        int size = Lz4Legacy.Unpack(compressed.Span, limit, out archives, out bool isWhole);
        problem = isWhole ? null : archives.Length >= limit ? $"The initrd unpacks to more than {limit >> 20} MiB; the rest is left out." : "The initrd's LZ4 data is damaged.";
        return size;
    }
}
