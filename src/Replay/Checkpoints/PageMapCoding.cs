using System;
using System.Buffers;
using System.Collections.Generic;
using Replay.Log;

namespace Replay.Checkpoints;

/// <summary>A page that changed: its index and its new id.</summary>
internal readonly record struct PageChange(int PageIndex, int Id);

/// <summary>Page maps and changes of page maps as bytes: see docs/TRACE_FORMAT.md, "Page maps".</summary>
internal static class PageMapCoding
{
    /// <summary>Changes in ascending order of page index, as runs: gap, length and whether ids ascend, first id.</summary>
    public static void EncodeChanges(ArrayBufferWriter<byte> destination, ReadOnlySpan<PageChange> changes)
    {
        int nextIndex = 0, lastId = 0;
        for (int i = 0; i < changes.Length;)
        {
            int length = 1;
            while (i + length < changes.Length && changes[i + length].PageIndex == changes[i].PageIndex + length
                && changes[i + length].Id == changes[i].Id + length) length++;
            bool ascending = length > 1;
            if (!ascending)
                while (i + length < changes.Length && changes[i + length].PageIndex == changes[i].PageIndex + length
                    && changes[i + length].Id == changes[i].Id) length++;
            VarInt.Write(destination, (ulong)(changes[i].PageIndex - nextIndex));
            VarInt.Write(destination, (ulong)length << 1 | (ascending ? 1UL : 0UL));
            VarInt.Write(destination, VarInt.ZigZag((long)changes[i].Id - lastId));
            nextIndex = changes[i].PageIndex + length;
            lastId = changes[i + length - 1].Id;
            i += length;
        }
    }

    /// <summary>A whole map, as the changes that make it out of an untouched one.</summary>
    public static void EncodeMap(ArrayBufferWriter<byte> destination, ReadOnlySpan<int> map, int untouchedId)
    {
        var changes = new List<PageChange>();
        for (int i = 0; i < map.Length; i++)
            if (map[i] != untouchedId) changes.Add(new PageChange(i, map[i]));
        EncodeChanges(destination, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(changes));
    }

    /// <summary>Applies changes to a map.</summary>
    /// <exception cref="MessagePackSerializationException">The bytes are not changes of such a map.</exception>
    public static void Apply(ReadOnlySpan<byte> encoded, Span<int> map, int pageCountInStore)
    {
        var reader = new ChangeReader(encoded, map.Length, pageCountInStore);
        while (reader.Read(out int start, out int length, out int id, out bool ascending))
            for (int k = 0; k < length; k++) map[start + k] = ascending ? id + k : id;
    }

    /// <summary>The changes one by one, in ascending order of page index.</summary>
    /// <exception cref="MessagePackSerializationException">The bytes are not changes of such a map.</exception>
    public static List<PageChange> Decode(ReadOnlySpan<byte> encoded, int pageCount, int pageCountInStore)
    {
        var changes = new List<PageChange>();
        var reader = new ChangeReader(encoded, pageCount, pageCountInStore);
        while (reader.Read(out int start, out int length, out int id, out bool ascending))
            for (int k = 0; k < length; k++) changes.Add(new PageChange(start + k, ascending ? id + k : id));
        return changes;
    }

    /// <summary>Whether a page is among the changes.</summary>
    public static bool Contains(ReadOnlySpan<byte> encoded, int pageIndex, int pageCount, int pageCountInStore)
    {
        var reader = new ChangeReader(encoded, pageCount, pageCountInStore);
        while (reader.Read(out int start, out int length, out _, out _))
            if (pageIndex >= start && pageIndex < start + length) return true;
        return false;
    }

    private ref struct ChangeReader(ReadOnlySpan<byte> encoded, int pageCount, int pageCountInStore)
    {
        private VarIntReader _reader = new(encoded);
        private int _next, _lastId;

        public bool Read(out int start, out int length, out int id, out bool ascending)
        {
            start = length = id = 0;
            ascending = false;
            if (_reader.AtEnd) return false;
            if (!_reader.TryRead(out ulong gap) || !_reader.TryRead(out ulong run) || !_reader.TryRead(out ulong idStep)) throw CutOff();
            if (gap > (ulong)(pageCount - _next)) throw CutOff();
            start = _next + (int)gap;
            ascending = (run & 1) != 0;
            if (run >> 1 == 0 || run >> 1 > (ulong)(pageCount - start)) throw CutOff();
            length = (int)(run >> 1);
            long first = _lastId + VarInt.UnZigZag(idStep), last = ascending ? first + length - 1 : first;
            if (first < 0 || last >= (long)pageCountInStore + PageId.FirstStored)
                throw new MessagePackSerializationException($"a page map names page {last}, which is not stored");
            id = (int)first;
            _lastId = (int)last;
            _next = start + length;
            return true;
        }

        private static MessagePackSerializationException CutOff() => new("a page map is not possible");
    }
}
