using System;
using System.Collections.Generic;
using System.Text;

namespace Replay.Packages;

/// <summary>
/// Symbol files and sources that a recording carries for debugging on another machine. They are no part of what was recorded: <see cref="RecordingFile.Identity"/> does
/// not depend on them. Thread-safe.
/// </summary>
public sealed class EmbeddedFiles
{
    internal const int MaximumSourceSizeBytes = 16 << 20;

    private readonly ZipContainerReader? _container;
    private readonly IReadOnlyList<ManifestSymbols> _symbols;
    private readonly FrameTable? _sources;
    private readonly Dictionary<string, int> _frames = new(StringComparer.Ordinal);

    /// <exception cref="RecordingFormatException">The index of sources is damaged.</exception>
    internal EmbeddedFiles(ZipContainerReader? container, IReadOnlyList<ManifestSymbols>? symbols)
    {
        _container = container;
        _symbols = symbols ?? [];
        if (container?.Find(PartName.Sources) is not { } part) return;
        _sources = FrameTable.ReadIndex(container.Get(PartName.SourceIndex), part);
        for (int i = 0; i < _sources.Count; i++)
            if (_sources[i].Kind == FrameKind.Source) _frames.TryAdd(Encoding.UTF8.GetString(_sources.Meta(i)), i);
    }

    /// <summary>File names of the symbol files, for people.</summary>
    public IEnumerable<string> SymbolNames
    {
        get
        {
            foreach (ManifestSymbols symbols in _symbols) yield return symbols.Name;
        }
    }

    /// <summary>The compiler's paths of all sources.</summary>
    public IReadOnlyCollection<string> SourcePaths => _frames.Keys;

    /// <summary>The content of a symbol file by its number in <see cref="SymbolNames"/>.</summary>
    /// <exception cref="RecordingFormatException">It is damaged.</exception>
    public byte[] ReadSymbols(int index) => _container!.Get(_symbols[index].Part).ReadAll(Array.MaxLength);

    /// <summary>True if it has a source of that compiler's path.</summary>
    public bool HasSource(string compilerPath) => _frames.ContainsKey(compilerPath);

    /// <summary>The text of a source by the compiler's path; null: it is not there.</summary>
    /// <exception cref="RecordingFormatException">It is damaged.</exception>
    public string? ReadSource(string compilerPath)
    {
        if (!_frames.TryGetValue(compilerPath, out int frame)) return null;
        if (_sources![frame].RawLength > MaximumSourceSizeBytes) throw _sources.Damaged(frame, "a source of that size is not believable");
        return Encoding.UTF8.GetString(_sources.ReadPayload(frame));
    }

    /// <summary>Named positions, as the debug adapter keeps them beside a recording; null: there are none.</summary>
    /// <exception cref="RecordingFormatException">They are damaged.</exception>
    public byte[]? ReadBookmarks() => _container?.Find(PartName.Bookmarks)?.ReadAll(MaximumSourceSizeBytes);

    /// <summary>True for parts that hold such files.</summary>
    internal static bool IsPart(string name) => name is PartName.Sources or PartName.SourceIndex or PartName.Bookmarks || name.StartsWith(PartName.SymbolsPrefix, StringComparison.Ordinal);
}
