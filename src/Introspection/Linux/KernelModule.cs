using System;
using System.Collections.Generic;
using Symbols;
using Symbols.Btf;
using Symbols.Kallsyms;

namespace Introspection.Linux;

/// <summary>A module that the kernel has loaded, with its own symbols.</summary>
public sealed class KernelModule
{
    private readonly KernelSymbol[] _symbols;
    private readonly BtfData? _types;
    private BtfTypes? _opened;

    internal KernelModule(string name, IReadOnlyList<AddressRange> ranges, KernelSymbol[] symbols, BtfData? types)
    {
        Name = name;
        Ranges = ranges;
        _symbols = symbols;
        _types = types;
        Array.Sort(_symbols, static (a, b) => a.Address.CompareTo(b.Address));
    }

    /// <summary>The bytes of its type information, and the kernel's that it goes on from.</summary>
    internal sealed record BtfData(byte[] Bytes, BtfTypes Base);

    public string Name { get; }

    /// <summary>Where its code and data are, the code first.</summary>
    public IReadOnlyList<AddressRange> Ranges { get; }

    /// <summary>By address.</summary>
    public IReadOnlyList<KernelSymbol> Symbols => _symbols;

    /// <summary>Its types on top of the kernel's; null: it has none.</summary>
    public BtfTypes? Types => _types is null ? null : _opened ??= BtfTypes.TryOpen(_types.Bytes, _types.Base);

    public bool Contains(ulong linear)
    {
        foreach (AddressRange range in Ranges)
            if (range.Contains(linear)) return true;
        return false;
    }

    /// <summary>The symbol that holds an address; null: none.</summary>
    public KernelSymbol? Find(ulong linear, out ulong offset)
    {
        offset = 0;
        if (!Contains(linear)) return null;
        int low = 0, high = _symbols.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_symbols[middle].Address <= linear) low = middle + 1;
            else high = middle;
        }
        if (low == 0) return null;
        KernelSymbol symbol = _symbols[low - 1];
        if (!IsSameRange(symbol.Address, linear)) return null;
        offset = linear - symbol.Address;
        return symbol;
    }

    /// <summary>Bytes from a symbol's beginning to the next one's, or to the end of its range.</summary>
    internal ulong SizeOf(in KernelSymbol symbol)
    {
        ulong end = symbol.Address;
        foreach (AddressRange range in Ranges)
            if (range.Contains(symbol.Address)) end = range.End;
        foreach (KernelSymbol other in _symbols)
        {
            if (other.Address <= symbol.Address) continue;
            end = Math.Min(end, other.Address);
            break;
        }
        return end - symbol.Address;
    }

    private bool IsSameRange(ulong one, ulong other)
    {
        foreach (AddressRange range in Ranges)
            if (range.Contains(one)) return range.Contains(other);
        return false;
    }
}
