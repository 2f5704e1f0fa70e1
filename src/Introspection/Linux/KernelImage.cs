using System;
using System.Collections.Generic;
using Symbols;
using Symbols.Btf;
using Symbols.Elf;
using Symbols.Kallsyms;

namespace Introspection.Linux;

/// <summary>What is the same at every moment of one boot of a kernel: its symbols, its types, its version. Read once and kept.</summary>
public sealed class KernelImage
{
    /// <summary>Where 64-bit kernels are, wherever KASLR puts them (Documentation/x86/x86_64/mm.rst).</summary>
    public static AddressRange Window { get; } = new(0xffffffff80000000, 0xffffffffc0000000);

    /// <summary>Larger type information is none.</summary>
    private const ulong MaximumTypesBytes = 64 << 20;
    private const int MaximumBannerBytes = 512;
    private const int MaximumNotesBytes = 64 << 10;

    private readonly byte[] _mark;

    private KernelImage(KallsymsTable symbols, BtfTypes? types, string version, string? buildId, byte[] mark)
    {
        Symbols = symbols;
        Types = types;
        Version = version;
        BuildId = buildId;
        _mark = mark;
    }

    /// <summary>Its own table of symbols, where the kernel is.</summary>
    public KallsymsTable Symbols { get; }

    /// <summary>Its types; null: it was built without.</summary>
    public BtfTypes? Types { get; }

    /// <summary>As /proc/version shows it; empty: unknown.</summary>
    public string Version { get; }

    /// <summary>The GNU build ID of its vmlinux, in lower-case hexadecimal; null: it has none.</summary>
    public string? BuildId { get; }

    /// <summary>Where its first byte is.</summary>
    public ulong TextAddress => Symbols.AddressOf("_text") ?? Symbols.AddressOf("_stext") ?? 0;

    /// <summary>Modules that were read at any moment.</summary>
    internal Dictionary<KernelModules.Key, KernelModule> Modules { get; } = [];

    /// <summary>The kernel that is mapped by page tables, found by its symbol table alone; null: there is none yet, or none.</summary>
    internal static KernelImage? Find(AddressSpaceReader memory, IReadOnlyList<AddressRange> ranges)
    {
        if (KallsymsFinder.Find(memory, ranges) is not { } symbols) return null;
        byte[] mark = new byte[512];
        memory.Read(symbols.TablesAddress, mark);
        string version = symbols.AddressOf("linux_banner") is { } banner ? memory.ReadText(banner, MaximumBannerBytes) ?? "" : "";
        return new KernelImage(symbols, ReadTypes(memory, symbols), version.TrimEnd('\n'), ReadBuildId(memory, symbols), mark);
    }

    /// <summary>It is this kernel that page tables map here: the pieces of its names are where they were.</summary>
    internal bool IsAt(AddressSpaceReader memory)
    {
        Span<byte> bytes = stackalloc byte[512];
        return memory.Read(Symbols.TablesAddress, bytes) == bytes.Length && bytes.SequenceEqual(_mark);
    }

    /// <summary>The same boot of the same kernel, by whomever it was found.</summary>
    public bool IsSame(KernelImage? other) => ReferenceEquals(this, other)
        || (other is not null && Symbols.TablesAddress == other.Symbols.TablesAddress && Version == other.Version && BuildId == other.BuildId && _mark.AsSpan().SequenceEqual(other._mark));

    private static BtfTypes? ReadTypes(AddressSpaceReader memory, KallsymsTable symbols)
    {
        if (symbols.AddressOf("__start_BTF") is not { } start || symbols.AddressOf("__stop_BTF") is not { } stop) return null;
        return ReadBytes(memory, start, stop - start, MaximumTypesBytes) is { } bytes ? BtfTypes.TryOpen(bytes) : null;
    }

    private static string? ReadBuildId(AddressSpaceReader memory, KallsymsTable symbols)
    {
        if (symbols.AddressOf("__start_notes") is not { } start || symbols.AddressOf("__stop_notes") is not { } stop) return null;
        return ReadBytes(memory, start, stop - start, MaximumNotesBytes) is { } bytes && ElfNotes.Find(bytes) is { IsEmpty: false } id ? Convert.ToHexStringLower(id.Span) : null;
    }

    private static byte[]? ReadBytes(AddressSpaceReader memory, ulong start, ulong size, ulong maximum)
    {
        if (size == 0 || size > maximum) return null;
        byte[] bytes = new byte[size];
        return memory.Read(start, bytes) == bytes.Length ? bytes : null;
    }
}
