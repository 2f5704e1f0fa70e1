using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;

namespace Replay.Packages;

/// <summary>A file to put into a recording.</summary>
/// <param name="Name">What it is called there: a symbol file's name, or the compiler's path of a source.</param>
/// <param name="Path">Where it is on this machine.</param>
public readonly record struct FileToEmbed(string Name, string Path);

/// <summary>Writes a recording anew, with symbol files and sources inside; what it had of those before is replaced.</summary>
public static class RecordingEmbedder
{
    /// <param name="recording">Open; it is not changed.</param>
    /// <param name="destination">Where to write; it may be the recording's own path.</param>
    /// <param name="symbols">Symbol files, whole.</param>
    /// <param name="sources">Source files; each name once.</param>
    /// <param name="progress">0..1.</param>
    /// <param name="bookmarks">Named positions, as the debug adapter writes them; null: those that are there stay.</param>
    /// <exception cref="IOException">A file cannot be read or written: the destination is as it was.</exception>
    public static void Embed(RecordingFile recording, string destination, IReadOnlyList<FileToEmbed> symbols, IReadOnlyList<FileToEmbed> sources, IProgress<double>? progress = null,
        byte[]? bookmarks = null)
    {
        ContainerRewriter.Replace(destination, container => Write(container, recording, symbols, sources, bookmarks, progress));
    }

    /// <summary>Puts named positions in, and leaves all else as it is.</summary>
    /// <exception cref="IOException">The destination cannot be written: it is as it was.</exception>
    public static void AddBookmarks(RecordingFile recording, string destination, byte[] bookmarks) => ContainerRewriter.Replace(destination, container =>
    {
        List<ManifestPart> parts = ContainerRewriter.CopyParts(recording, container, static name => name != PartName.Bookmarks);
        parts.Add(new ManifestPart(PartName.Bookmarks, bookmarks.Length, Convert.ToHexStringLower(container.Add(PartName.Bookmarks, bookmarks))));
        container.Add(PartName.Manifest, ManifestJson.Write(recording.Manifest with { Parts = parts, Signature = null }));
    });

    private static void Write(ZipContainerWriter container, RecordingFile recording, IReadOnlyList<FileToEmbed> symbols, IReadOnlyList<FileToEmbed> sources,
        byte[]? bookmarks, IProgress<double>? progress)
    {
        long done = 0, total = 1;
        foreach (ManifestPart part in recording.Manifest.Parts) total += part.SizeBytes;
        foreach (FileToEmbed file in symbols) total += new FileInfo(file.Path).Length;
        void Copied(long count) => progress?.Report(Math.Min(1, (double)(done += count) / total));

        List<ManifestPart> parts = ContainerRewriter.CopyParts(recording, container, name => !EmbeddedFiles.IsPart(name) || name == PartName.Bookmarks && bookmarks is null, Copied);
        if (bookmarks is not null) parts.Add(new ManifestPart(PartName.Bookmarks, bookmarks.Length, Convert.ToHexStringLower(container.Add(PartName.Bookmarks, bookmarks))));
        var named = new List<ManifestSymbols>();
        foreach (FileToEmbed file in symbols)
        {
            string name = $"{PartName.SymbolsPrefix}{named.Count}";
            using FileStream content = File.OpenRead(file.Path);
            parts.Add(new ManifestPart(name, content.Length, Convert.ToHexStringLower(container.Add(name, content, content.Length, Copied))));
            named.Add(new ManifestSymbols(file.Name, name));
        }
        if (sources.Count > 0)
        {
            AddSources(container, parts, sources.Select(static source => (Encoding.UTF8.GetBytes(source.Name), source.Path))
                // What is longer is no path and no source, and the reader would refuse it.
                .Where(static source => source.Item1.Length <= Frame.MaxMetaLength && new FileInfo(source.Path).Length <= EmbeddedFiles.MaximumSourceSizeBytes)
                .Select(static source => (source.Item1, File.ReadAllBytes(source.Path))));
        }
        container.Add(PartName.Manifest, ManifestJson.Write(recording.Manifest with { Parts = parts, Symbols = named.Count == 0 ? null : named, Signature = null }));
    }

    /// <summary>Adds source files, a frame for each: compressed, with a checksum.</summary>
    internal static void AddSources(ZipContainerWriter container, List<ManifestPart> parts, IEnumerable<(byte[] Name, byte[] Content)> sources)
    {
        string path = container.Path + ".sources";
        try
        {
            File.Delete(path);
            using (var frames = new FrameWriter(path))
                foreach ((byte[] name, byte[] text) in sources) frames.Append(FrameKind.Source, name, text);
            using FileStream content = File.OpenRead(path);
            parts.Add(new ManifestPart(PartName.Sources, content.Length, Convert.ToHexStringLower(container.Add(PartName.Sources, content, content.Length))));
            byte[] index = FrameTable.Scan(new PartReader(content.SafeFileHandle, path, PartName.Sources, content.Length)).BuildIndex();
            parts.Add(new ManifestPart(PartName.SourceIndex, index.Length, Convert.ToHexStringLower(container.Add(PartName.SourceIndex, index))));
        }
        finally
        {
            File.Delete(path);
        }
    }
}
