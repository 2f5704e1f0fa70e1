using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;

namespace Symbols;

/// <summary>What was used last: at least so many items, at most twice as many.</summary>
internal sealed class RecentItems<TKey, TValue>(int count) where TKey : notnull where TValue : class
{
    private Dictionary<TKey, TValue> _young = new(count), _old = new(count);

    internal bool TryGet(TKey key, [NotNullWhen(true)] out TValue? value)
    {
        if (_young.TryGetValue(key, out value)) return true;
        if (!_old.TryGetValue(key, out value)) return false;
        Add(key, value);
        return true;
    }

    internal void Add(TKey key, TValue value)
    {
        if (_young.Count >= count)
        {
            (_young, _old) = (_old, _young);
            _young.Clear();
        }
        _young[key] = value;
    }
}
