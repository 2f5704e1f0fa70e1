using System;
using System.Collections.Generic;
using Symbols.Types;

namespace Introspection.Linux;

/// <summary>
/// Reads a maple tree of the kernel (Documentation/core-api/maple_tree.rst, include/linux/maple_tree.h): ranges of numbers to pointers. What is in its nodes comes from the
/// kernel's types; how pointers to nodes are marked is fixed.
/// </summary>
internal sealed class MapleTree
{
    private const ulong NodeMask = 0xff;
    private const int MaximumDepth = 16;
    private const int MaximumNodes = 1 << 16;

    private readonly AddressSpaceReader _memory;
    private readonly Shape? _range, _allocation;
    private readonly uint _leafType, _rangeType, _allocationType;
    private int _nodesLeft = MaximumNodes;

    private sealed record Shape(ulong Pivots, int PivotCount, ulong Slots, int SlotCount);

    internal MapleTree(AddressSpaceReader memory, KernelLayout layout, ITypeCatalog types)
    {
        _memory = memory;
        _range = ShapeOf(layout, "maple_range_64");
        _allocation = ShapeOf(layout, "maple_arange_64");
        _leafType = (uint)(types.FindConstant("maple_leaf_64")?.Value ?? 1);
        _rangeType = (uint)(types.FindConstant("maple_range_64")?.Value ?? 2);
        _allocationType = (uint)(types.FindConstant("maple_arange_64")?.Value ?? 3);
    }

    /// <summary>What is in the tree, in order, each once.</summary>
    /// <param name="root">Its <c>ma_root</c>.</param>
    internal IReadOnlyList<ulong> Entries(ulong root)
    {
        var entries = new List<ulong>();
        if (IsNode(root)) Walk(root, ulong.MaxValue, 0, entries);
        else if (root != 0 && (root & 3) == 0) entries.Add(root);
        return entries;
    }

    private static Shape? ShapeOf(KernelLayout layout, string structure) =>
        layout.Field(structure, "pivot") is { Count: > 0 and < 64 } pivots && layout.Field(structure, "slot") is { Count: > 0 and < 64 } slots
            ? new Shape(pivots.Offset, pivots.Count, slots.Offset, slots.Count) : null;

    // include/linux/xarray.h, xa_is_node.
    private static bool IsNode(ulong entry) => (entry & 3) == 2 && entry > 4096;

    private void Walk(ulong encoded, ulong maximum, int depth, List<ulong> entries)
    {
        uint type = (uint)(encoded >> 3) & 0xf;
        Shape? shape = type == _allocationType ? _allocation : type == _leafType || type == _rangeType ? _range : null;
        if (shape is null || depth > MaximumDepth || _nodesLeft-- <= 0) return;
        ulong node = encoded & ~NodeMask;
        for (int i = 0; i < shape.SlotCount; i++)
        {
            // Behind the last pivot in use are zeros, or what else the node keeps there; the last range ends where the node's does.
            ulong pivot = i < shape.PivotCount ? _memory.ReadNumber(node + shape.Pivots + ((ulong)i * 8), 8) ?? 0 : maximum;
            if (pivot == 0 && i > 0) pivot = maximum;
            if (_memory.ReadNumber(node + shape.Slots + ((ulong)i * 8), 8) is not { } slot) return;
            if (type == _leafType)
            {
                if (slot != 0 && (slot & 3) == 0 && (entries.Count == 0 || entries[^1] != slot)) entries.Add(slot);
            }
            else if (slot != 0) Walk(slot, Math.Min(pivot, maximum), depth + 1, entries);
            if (pivot >= maximum) return;
        }
    }
}
