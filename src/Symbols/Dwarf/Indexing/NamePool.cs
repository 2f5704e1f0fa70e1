using System;
using System.Collections.Generic;

namespace Symbols.Dwarf.Indexing;

/// <summary>Names as UTF-8, each once. A name is told by a 64-bit hash and its length, and compared.</summary>
internal sealed class NamePool
{
    private readonly Dictionary<ulong, int> _first = [];
    private readonly List<int> _next = [];
    private readonly List<int> _starts = [0];
    private byte[] _bytes = new byte[1 << 16];

    internal int Count => _next.Count;

    internal int LengthBytes => _starts[^1];

    internal ReadOnlySpan<byte> this[int id] => _bytes.AsSpan(_starts[id], _starts[id + 1] - _starts[id]);

    internal int Add(ReadOnlySpan<byte> name)
    {
        ulong hash = Checksum64.Of(name);
        int known = _first.GetValueOrDefault(hash, -1);
        for (int id = known; id >= 0; id = _next[id])
            if (this[id].SequenceEqual(name)) return id;
        int start = _starts[^1];
        if (start > Array.MaxLength - name.Length) return -1;
        if (_bytes.Length < start + name.Length) Array.Resize(ref _bytes, (int)Math.Min(Array.MaxLength, Math.Max(start + (long)name.Length, _bytes.Length * 2L)));
        name.CopyTo(_bytes.AsSpan(start));
        _starts.Add(start + name.Length);
        _next.Add(known);
        _first[hash] = Count - 1;
        return Count - 1;
    }
}
