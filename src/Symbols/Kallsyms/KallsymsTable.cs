using System;
using System.Collections.Generic;

namespace Symbols.Kallsyms;

/// <summary>A kernel's own table of its symbols, as /proc/kallsyms shows it, without those of its modules. Never changes.</summary>
public sealed class KallsymsTable
{
    private readonly string[] _names;
    private readonly char[] _types;
    private readonly ulong[] _addresses;
    private readonly int _firstLinear;
    private int[]? _byName;

    /// <param name="names">One for each symbol.</param>
    /// <param name="types">Their letters.</param>
    /// <param name="addresses">In ascending order.</param>
    /// <param name="tablesAddress">Where the table itself is.</param>
    internal KallsymsTable(string[] names, char[] types, ulong[] addresses, ulong tablesAddress)
    {
        _names = names;
        _types = types;
        _addresses = addresses;
        TablesAddress = tablesAddress;
        // Absolute symbols and the offsets of per-CPU variables are in the lower half, where no kernel is.
        int first = Array.BinarySearch(addresses, 1UL << 63);
        _firstLinear = first < 0 ? ~first : first;
    }

    public int Count => _names.Length;

    /// <summary>How many at the beginning are absolute, or offsets of per-CPU variables.</summary>
    public int AbsoluteCount => _firstLinear;

    /// <summary>Linear address of the token table: what is there changes only with the kernel.</summary>
    public ulong TablesAddress { get; }

    public KernelSymbol this[int index] => new(_names[index], _types[index], _addresses[index]);

    /// <summary>
    /// The symbol that holds a linear address: of several that begin at the same address the first, as the kernel itself takes it. Null: none, as before the first and
    /// behind the last.
    /// </summary>
    public KernelSymbol? Find(ulong address, out ulong offset)
    {
        offset = 0;
        int index = Array.BinarySearch(_addresses, address);
        if (index < 0) index = ~index - 1;
        if (index < _firstLinear) return null;
        while (index > _firstLinear && _addresses[index - 1] == _addresses[index]) index--;
        offset = address - _addresses[index];
        // What follows the last symbol, _end, is no longer the kernel.
        return offset > 0 && EndOf(index) is null ? null : this[index];
    }

    /// <summary>All of that name, by address.</summary>
    public IReadOnlyList<KernelSymbol> ByName(string name)
    {
        var found = new List<KernelSymbol>();
        int[] order = ByNameOrder();
        for (int i = LowerBound(name); i < order.Length && string.Equals(_names[order[i]], name, StringComparison.Ordinal); i++) found.Add(this[order[i]]);
        found.Sort(static (a, b) => a.Address.CompareTo(b.Address));
        return found;
    }

    /// <summary>The address of the first of that name; null: there is none.</summary>
    public ulong? AddressOf(string name)
    {
        int[] order = ByNameOrder();
        int i = LowerBound(name);
        return i < order.Length && string.Equals(_names[order[i]], name, StringComparison.Ordinal) ? _addresses[order[i]] : null;
    }

    /// <summary>Bytes from a symbol's beginning to the next one's; null: it is the last, or there is none there.</summary>
    public ulong? SizeAt(ulong address)
    {
        int index = Array.BinarySearch(_addresses, address);
        return index < 0 ? null : EndOf(index) - address;
    }

    /// <summary>Names that begin so, in ordinal order, each once.</summary>
    public IEnumerable<string> NamesFrom(string prefix, int limit)
    {
        int[] order = ByNameOrder();
        string? last = null;
        for (int i = LowerBound(prefix); i < order.Length && limit > 0; i++)
        {
            string name = _names[order[i]];
            if (!name.StartsWith(prefix, StringComparison.Ordinal)) yield break;
            if (name == last) continue;
            last = name;
            limit--;
            yield return name;
        }
    }

    private ulong? EndOf(int index)
    {
        ulong address = _addresses[index];
        while (index < _addresses.Length && _addresses[index] == address) index++;
        return index < _addresses.Length ? _addresses[index] : null;
    }

    private int LowerBound(string name)
    {
        int[] order = ByNameOrder();
        int low = 0, high = order.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (string.CompareOrdinal(_names[order[middle]], name) < 0) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    private int[] ByNameOrder()
    {
        if (_byName is not null) return _byName;
        int[] order = new int[_names.Length];
        for (int i = 0; i < order.Length; i++) order[i] = i;
        string[] names = _names;
        Array.Sort(order, (a, b) =>
        {
            int result = string.CompareOrdinal(names[a], names[b]);
            return result != 0 ? result : a.CompareTo(b);
        });
        return _byName = order;
    }
}
