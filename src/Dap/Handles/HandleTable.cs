using System;
using System.Collections.Generic;

namespace Dap.Handles;

/// <summary>
/// Numbers that stand for objects in the protocol: frames and what can be opened. They hold while the machine stands still; afterwards a client must ask again.
/// </summary>
internal sealed class HandleTable<T> where T : class
{
    private readonly List<T> _objects = [];
    private int _mostCount;

    /// <summary>From 1: 0 means "nothing" in the protocol.</summary>
    public long Add(T value)
    {
        _objects.Add(value);
        _mostCount = Math.Max(_mostCount, _objects.Count);
        return _objects.Count;
    }

    /// <summary>Null: there is no such number, or not any more.</summary>
    public T? Find(long handle) => handle >= 1 && handle <= _objects.Count ? _objects[(int)handle - 1] : null;

    /// <summary>It has held before the machine moved: a client may ask for it until it has heard of that.</summary>
    public bool HasHeld(long handle) => handle > _objects.Count && handle <= _mostCount;

    public void Clear() => _objects.Clear();
}
