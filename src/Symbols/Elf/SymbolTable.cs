using System;
using System.Collections.Generic;
using System.Text;
using Symbols.Images;

namespace Symbols.Elf;

/// <summary>
/// A file's symbols by address and by name. The indices are built at the first look-up: by address in O(log n) whatever the sizes say,
/// by name through a hash table over the string table's own bytes, so that a kernel's 200,000 names cost no strings.
/// </summary>
public sealed class SymbolTable
{
    private const int MaximumNameBytes = 1 << 16;
    private const int HashedBytes = 256;

    private readonly ElfSymbol[] _symbols;
    private readonly ReadOnlyMemory<byte> _names;
    private readonly IReadOnlyList<ElfSection> _sections;
    private RangeMap? _sized;
    private ElfSymbol[]? _byAddress;
    private int[]? _buckets;
    private int[]? _next;

    internal SymbolTable(ElfSymbol[] symbols, ReadOnlyMemory<byte> names, IReadOnlyList<ElfSection> sections)
    {
        _symbols = symbols;
        _names = names;
        _sections = sections;
    }

    /// <summary>All entries in the file's order, the empty first one included.</summary>
    public IReadOnlyList<ElfSymbol> Symbols => _symbols;

    /// <summary>The symbol's name; empty if it has none or its offset is beyond the string table.</summary>
    public string NameOf(in ElfSymbol symbol) => Encoding.UTF8.GetString(NameBytes(symbol.NameOffset));

    /// <summary>
    /// The symbol that contains the address: the innermost sized one, else the last label without a size before it in the same section.
    /// </summary>
    public SymbolHit? Find(ulong address)
    {
        BuildAddressIndex();
        if (_sized!.TryFind(address, out int index))
        {
            ElfSymbol symbol = _byAddress![index];
            return new SymbolHit(symbol, NameOf(symbol), address - symbol.Address, true);
        }
        int at = LastAtOrBefore(address);
        if (at < 0) return null;
        at = FirstAt(_byAddress![at].Address);
        ElfSymbol label = _byAddress[at];
        // A sized symbol ended before the address: nothing is known about what follows it.
        if (label.SizeBytes != 0 || SectionOf(label) is not { } section || !section.Range.Contains(address)) return null;
        return new SymbolHit(label, NameOf(label), address - label.Address, false);
    }

    /// <summary>As <see cref="Find"/>, for code: a function or a label in an executable section, else null.</summary>
    public SymbolHit? FindFunction(ulong address) =>
        Find(address) is { } hit && (hit.Symbol.IsFunction || SectionOf(hit.Symbol) is { IsExecutable: true }) ? hit : null;

    /// <summary>All symbols that start at the address (aliases), the preferred one first.</summary>
    public IReadOnlyList<ElfSymbol> At(ulong address)
    {
        BuildAddressIndex();
        int first = FirstAt(address);
        int end = first;
        while (end < _byAddress!.Length && _byAddress[end].Address == address) end++;
        return _byAddress[first..end];
    }

    /// <summary>All defined symbols of that name: several where files have static functions of one name. Global ones come first.</summary>
    public IReadOnlyList<ElfSymbol> ByName(string name)
    {
        BuildNameIndex();
        byte[] bytes = Encoding.UTF8.GetBytes(name);
        var found = new List<ElfSymbol>();
        for (int i = _buckets![Hash(bytes) & (uint)(_buckets.Length - 1)]; i >= 0; i = _next![i])
            if (NameBytes(_symbols[i].NameOffset).SequenceEqual(bytes)) found.Add(_symbols[i]);
        found.Sort(static (a, b) => Preference(b).CompareTo(Preference(a)) is var order and not 0 ? order : a.Index.CompareTo(b.Index));
        return found;
    }

    private void BuildAddressIndex()
    {
        if (_byAddress is not null) return;
        _byAddress = Array.FindAll(_symbols, static symbol => symbol.HasAddress && symbol.NameOffset != 0);
        Array.Sort(_byAddress, static (a, b) =>
        {
            int order = a.Address.CompareTo(b.Address);
            if (order == 0) order = Preference(b).CompareTo(Preference(a));
            if (order == 0) order = b.SizeBytes.CompareTo(a.SizeBytes);
            return order != 0 ? order : a.Index.CompareTo(b.Index);
        });
        var ranges = new List<RangeMap.Entry>();
        for (int i = 0; i < _byAddress.Length; i++)
            if (_byAddress[i].SizeBytes != 0) ranges.Add(new RangeMap.Entry(_byAddress[i].Range, i));
        _sized = new RangeMap(ranges);
    }

    // Of the names of one address a function's is better than a label's, and a global one better than a weak or a local alias.
    private static int Preference(in ElfSymbol symbol)
    {
        int type = symbol.Type switch
        {
            ElfSymbolType.Function or ElfSymbolType.IndirectFunction => 3,
            ElfSymbolType.Object => 2,
            _ => 1,
        };
        int binding = symbol.Binding switch { ElfSymbolBinding.Global or ElfSymbolBinding.Unique => 3, ElfSymbolBinding.Weak => 2, _ => 1 };
        return (symbol.SizeBytes != 0 ? 16 : 0) + (type * 4) + binding;
    }

    private ElfSection? SectionOf(in ElfSymbol symbol) => symbol.SectionIndex < (uint)_sections.Count ? _sections[(int)symbol.SectionIndex] : null;

    private int LastAtOrBefore(ulong address)
    {
        int low = 0, high = _byAddress!.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_byAddress[middle].Address <= address) low = middle + 1;
            else high = middle;
        }
        return low - 1;
    }

    private int FirstAt(ulong address) => address == 0 ? 0 : LastAtOrBefore(address - 1) + 1;

    private ReadOnlySpan<byte> NameBytes(uint offset, int limit = MaximumNameBytes)
    {
        if (offset >= (uint)_names.Length) return default;
        ReadOnlySpan<byte> tail = _names.Span[(int)offset..];
        if (tail.Length > limit) tail = tail[..limit];
        int end = tail.IndexOf((byte)0);
        return end < 0 ? tail : tail[..end];
    }

    private void BuildNameIndex()
    {
        if (_buckets is not null) return;
        int size = 16;
        while (size < _symbols.Length) size *= 2;
        _buckets = new int[size];
        Array.Fill(_buckets, -1);
        _next = new int[_symbols.Length];
        for (int i = _symbols.Length - 1; i >= 0; i--)
        {
            _next[i] = -1;
            if (_symbols[i].NameOffset == 0 || !_symbols[i].IsDefined) continue;
            ref int bucket = ref _buckets[Hash(NameBytes(_symbols[i].NameOffset, HashedBytes)) & (uint)(size - 1)];
            _next[i] = bucket;
            bucket = i;
        }
    }

    // FNV-1a: the same on every host and run, which string.GetHashCode is not. Only the first bytes of long names count:
    // a table in which every name is one suffix of a huge string would otherwise take quadratic time.
    private static uint Hash(ReadOnlySpan<byte> bytes)
    {
        uint hash = 2166136261;
        foreach (byte next in bytes.Length > HashedBytes ? bytes[..HashedBytes] : bytes) hash = (hash ^ next) * 16777619;
        return hash;
    }
}
