using System;
using System.Collections.Generic;
using System.IO.Hashing;
using Symbols.Images;

namespace Symbols.Elf;

/// <summary>
/// A little-endian ELF file of 32 or 64 bits (System V ABI, gABI 4.3): headers, sections, segments, symbols, build ID. Only the headers
/// are read when it is opened. Source: https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html
/// </summary>
public sealed class ElfImage : IDisposable
{
    private readonly ImageSource _source;
    private readonly bool _isFork;
    private readonly Dictionary<string, ElfSection> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<int, SectionData> _data = [];
    private SymbolTable? _symbols;
    private SymbolTable? _dynamicSymbols;
    private ReadOnlyMemory<byte>? _buildId;

    private ElfImage(ImageSource source, ElfHeader header, DiagnosticLog diagnostics, bool isFork = false)
    {
        _source = source;
        _isFork = isFork;
        Header = header;
        Diagnostics = diagnostics;
    }

    /// <summary>The path, or what the bytes were read from.</summary>
    public string Name => _source.Name;

    public ElfHeader Header { get; }

    public IReadOnlyList<ElfSection> Sections { get; private set; } = [];

    public IReadOnlyList<ElfSegment> Segments { get; private set; } = [];

    /// <summary>What is wrong in this file, found so far: most of it is read only when asked for.</summary>
    public DiagnosticLog Diagnostics { get; }

    /// <summary>The contents of <c>.symtab</c>, or of <c>.dynsym</c> where a stripped file has only that; empty if it has neither.</summary>
    public SymbolTable Symbols => _symbols ??= ReadSymbols(ElfSection.SymbolTableType) ?? DynamicSymbols;

    /// <summary>The contents of <c>.dynsym</c>.</summary>
    public SymbolTable DynamicSymbols =>
        _dynamicSymbols ??= ReadSymbols(ElfSection.DynamicSymbolsType) ?? new SymbolTable([], default, Sections);

    /// <summary>The GNU build ID, 20 bytes as a rule; empty if there is none.</summary>
    public ReadOnlyMemory<byte> BuildId => _buildId ??= ElfNotes.BuildId(this);

    /// <summary>The build ID in hexadecimal, as debug files are called after it.</summary>
    public string BuildIdText => Convert.ToHexStringLower(BuildId.Span);

    /// <summary>The file name in <c>.gnu_debuglink</c>: where the debug information of a stripped file is; null if it has none.</summary>
    public string? DebugLink => ElfNotes.DebugLink(this, out _);

    /// <summary>The CRC-32 that goes with <see cref="DebugLink"/>.</summary>
    public uint DebugLinkCrc
    {
        get
        {
            ElfNotes.DebugLink(this, out uint crc);
            return crc;
        }
    }

    /// <summary>Opens a file and keeps it open.</summary>
    /// <exception cref="SymbolFormatException">The file cannot be opened, or is not a little-endian ELF file.</exception>
    public static ElfImage Open(string path)
    {
        var source = new FileImage(path);
        try
        {
            return Open(source);
        }
        catch (SymbolFormatException)
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>Reads one from memory.</summary>
    /// <exception cref="SymbolFormatException">It is not a little-endian ELF file.</exception>
    public static ElfImage Open(ReadOnlyMemory<byte> bytes, string name) => Open(new MemoryImage(bytes, name));

    /// <summary>Reads one from anywhere; the image owns the source from then on.</summary>
    /// <exception cref="SymbolFormatException">It is not a little-endian ELF file.</exception>
    public static ElfImage Open(ImageSource source)
    {
        ReadOnlySpan<byte> identity = source.Window(0, 64).Span;
        if (identity.Length < 4 || !identity[..4].SequenceEqual((ReadOnlySpan<byte>)[0x7f, (byte)'E', (byte)'L', (byte)'F']))
            throw new SymbolFormatException($"{source.Name} is not an ELF file: it does not start with the bytes 7F 45 4C 46.");
        if (identity.Length < 52 || identity[4] is not (1 or 2) || (identity[4] == 2 && identity.Length < 64))
            throw new SymbolFormatException($"{source.Name} is not a usable ELF file: its header is cut off or neither 32-bit nor 64-bit.");
        if (identity[5] != 1)
            throw new SymbolFormatException($"{source.Name} is a big-endian ELF file; x86 programs are little-endian.");
        var parser = new ElfHeaderParser(source, identity);
        var image = new ElfImage(source, parser.Header, parser.Diagnostics) { Segments = parser.Segments, Sections = parser.Sections };
        foreach (ElfSection section in image.Sections) image._byName.TryAdd(section.Name, section);
        return image;
    }

    /// <summary>The CRC-32 of the whole file, which <c>.gnu_debuglink</c> has (GDB manual, "Separate Debug Files").</summary>
    internal uint Crc()
    {
        const int WindowBytes = 1 << 16;
        var crc = new Crc32();
        for (long offset = 0; offset < _source.Length;)
        {
            ReadOnlySpan<byte> window = _source.Window(offset, WindowBytes).Span;
            if (window.IsEmpty) break;
            crc.Append(window);
            offset += window.Length;
        }
        return crc.GetCurrentHashAsUInt32();
    }

    /// <summary>The first section of that name.</summary>
    public ElfSection? Section(string name) => _byName.GetValueOrDefault(name);

    /// <summary>The contents of a section by name, empty if there is none. <c>.zdebug_x</c> stands for <c>.debug_x</c>.</summary>
    public SectionData Data(string name)
    {
        if (Section(name) is { } section) return Data(section);
        if (name.StartsWith(".debug_", StringComparison.Ordinal) && Section(".z" + name[1..]) is { } compressed) return Data(compressed);
        return new SectionData(name, 0, ReadOnlyMemory<byte>.Empty);
    }

    /// <summary>The contents of all sections of a name, one after the other: an object file has one for each type unit.</summary>
    internal SectionData DataOfAll(string name)
    {
        var parts = new List<ElfSection>();
        foreach (ElfSection section in Sections)
            if (section.Name == name) parts.Add(section);
        if (parts.Count < 2) return Data(name);
        var bytes = new List<byte>();
        foreach (ElfSection part in parts)
        {
            ReadOnlySpan<byte> data = Data(part).All().Span;
            // Headers may all name the same bytes: what is longer than the file is not there.
            if (bytes.Count + (long)data.Length > Math.Min(Array.MaxLength, _source.Length * 4)) break;
            bytes.AddRange(data);
        }
        return new SectionData(name, 0, bytes.ToArray());
    }

    /// <summary>The contents, decompressed; empty for one that has none in the file (SHT_NOBITS).</summary>
    public SectionData Data(ElfSection section)
    {
        if (_data.TryGetValue(section.Index, out SectionData? data)) return data;
        return _data[section.Index] = CompressedSection.Open(_source, section, Header.Is64, Diagnostics);
    }

    /// <summary>An allocated section covers the address: what debug information says about others was dropped by the linker.</summary>
    public bool IsMapped(ulong address)
    {
        bool hasAny = false;
        foreach (ElfSection section in Sections)
        {
            if (!section.IsAllocated || section.SizeBytes == 0) continue;
            hasAny = true;
            if (section.Range.Contains(address)) return true;
        }
        return !hasAny;
    }

    /// <summary>The first bytes of a segment as they are in the file.</summary>
    internal ReadOnlyMemory<byte> SegmentBytes(ElfSegment segment, int maximum) =>
        segment.Offset >= (ulong)_source.Length ? default
            : _source.Window((long)segment.Offset, (int)Math.Min(segment.FileSizeBytes, (ulong)maximum));

    public void Dispose()
    {
        if (!_isFork) _source.Dispose();
    }

    /// <summary>
    /// The same file for another thread, valid as long as this one; it has diagnostics of its own. What is decompressed is shared, so the
    /// sections that the other thread will need should have been opened.
    /// </summary>
    internal ElfImage Fork()
    {
        var fork = new ElfImage(_source, Header, new DiagnosticLog(), isFork: true) { Segments = Segments, Sections = Sections };
        foreach ((string name, ElfSection section) in _byName) fork._byName[name] = section;
        foreach ((int index, SectionData data) in _data) fork._data[index] = data.Fork();
        return fork;
    }

    private SymbolTable? ReadSymbols(uint type)
    {
        foreach (ElfSection section in Sections)
            if (section.Type == type) return SymbolTableParser.Read(this, section);
        return null;
    }
}
