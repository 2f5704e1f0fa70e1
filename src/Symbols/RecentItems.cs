using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;

namespace Symbols;

/// <summary>
/// What was added last, as long as someone has it or the garbage collector has not come by: the items do not live by being here, so that a collection, which a look-up may have
/// to wait for, does not move them and all that they have read.
/// </summary>
/// <param name="count">At most so many.</param>
internal sealed class RecentItems<TKey, TValue>(int count) where TKey : notnull where TValue : class
{
    private readonly Dictionary<TKey, int> _places = new(count);
    private readonly (TKey Key, WeakReference<TValue>? Item)[] _items = new (TKey, WeakReference<TValue>?)[count];
    private int _next;

    internal bool TryGet(TKey key, [NotNullWhen(true)] out TValue? value)
    {
        value = null;
        return _places.TryGetValue(key, out int place) && _items[place].Item!.TryGetTarget(out value);
    }

    internal void Add(TKey key, TValue value)
    {
        if (!_places.TryGetValue(key, out int place))
        {
            place = _next;
            _next = (_next + 1) % count;
            if (_items[place].Item is not null) _places.Remove(_items[place].Key);
            _items[place].Key = key;
            _places[key] = place;
        }
        if (_items[place].Item is { } item) item.SetTarget(value);
        else _items[place].Item = new WeakReference<TValue>(value);
    }
}
