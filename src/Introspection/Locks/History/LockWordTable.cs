using System;
using System.Collections.Generic;
using Introspection.Layouts;
using Introspection.Programs;
using Vmm.Platform;

namespace Introspection.Locks.History;

/// <summary>The words of locks whose functions are inlined: watches on them tell what breakpoints on functions cannot. Only locks with a known place can be watched.</summary>
internal sealed class LockWordTable
{
    private const int MaximumWords = 1024;

    private readonly List<LockWord> _words = [];
    private readonly HashSet<ulong> _locks = [], _addresses = [];
    // By address, once all are there.
    private LockWord[]? _sorted;

    /// <summary>There were more than can be watched.</summary>
    public bool IsCut { get; private set; }

    public bool IsEmpty => _words.Count == 0;

    public LockWord this[int number] => _words[number];

    /// <summary>That lock's history comes from its words.</summary>
    public bool Contains(ulong address) => _locks.Contains(address);

    public IReadOnlyCollection<Watch> Watches
    {
        get
        {
            var watches = new List<Watch>();
            // Who spins on a lock's own word is seen at that; who has a ticket or a node is known without.
            foreach (LockWord word in _words) watches.Add(new Watch(false, word.Address, word.SizeBytes, Reads: word.Role == LockWordRole.Locked, Writes: true));
            return watches;
        }
    }

    /// <summary>Its locks can be watched without their functions.</summary>
    public static bool IsWatchable(LockType type) => type.Kind is "spin" or "ticket" or "mcs" or "qspinlock" && LockLayoutCheck.MissingIn(type) is null;

    /// <summary>Adds the declared locks of a type. True: there are some.</summary>
    public bool TryAdd(GuestLayout layout, string typeName, LockType type, SymbolSet symbols)
    {
        if (!IsWatchable(type)) return false;
        int count = _locks.Count;
        foreach (LockDeclaration one in layout.Locks)
            if (one.Type == typeName && SymbolPlace.Resolve(one.At, symbols.AddressOf) is { } address && _locks.Add(address)) Add(address, typeName, type);
        if (_locks.Count == count) return false;
        foreach (NodeArray array in type.Node?.Arrays ?? [])
        {
            if (SymbolPlace.Resolve(array.At, symbols.AddressOf) is not { } first) continue;
            MemoryField flag = type.Node!.Waiting ?? type.Node.Granted!;
            for (int i = 0; i < array.Count; i++)
            {
                ulong node = first + (ulong)((long)i * array.Stride);
                Add(new LockWord(0, LockWordRole.NodeFlag, node, At(node, flag), flag.SizeBytes, typeName, type) { IsGrant = type.Node.Waiting is null });
            }
        }
        return true;
    }

    /// <summary>The words that an access touches.</summary>
    public ReadOnlySpan<LockWord> Touched(ulong address, int sizeBytes)
    {
        _sorted ??= Sorted();
        int low = 0, high = _sorted.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_sorted[middle].Address + (ulong)_sorted[middle].SizeBytes <= address) low = middle + 1;
            else high = middle;
        }
        int end = low;
        while (end < _sorted.Length && _sorted[end].Address < address + (ulong)sizeBytes) end++;
        return _sorted.AsSpan(low, end - low);
    }

    private void Add(ulong address, string typeName, LockType type)
    {
        switch (type.Kind)
        {
            case "spin":
                Add(new LockWord(0, LockWordRole.Locked, address, At(address, type.Locked!), type.Locked!.SizeBytes, typeName, type));
                break;
            case "ticket":
                ulong serving = At(address, type.Serving!);
                Add(new LockWord(0, LockWordRole.Serving, address, serving, type.Serving!.SizeBytes, typeName, type));
                Add(new LockWord(0, LockWordRole.NextTicket, address, At(address, type.Next!), type.Next!.SizeBytes, typeName, type) { ServingAddress = serving });
                break;
            case "mcs":
                Add(new LockWord(0, LockWordRole.Tail, address, At(address, type.Tail!), type.Tail!.SizeBytes, typeName, type));
                break;
            default:
                // include/asm-generic/qspinlock_types.h: the lowest byte is the holder's, the others are of those who wait.
                Add(new LockWord(0, LockWordRole.Locked, address, address, sizeof(uint), typeName, type) { HeldMask = 0xFF });
                break;
        }
    }

    private void Add(LockWord word)
    {
        if (_words.Count >= MaximumWords) IsCut = true;
        else if (_addresses.Add(word.Address)) _words.Add(word with { Number = (short)_words.Count });
    }

    private LockWord[] Sorted()
    {
        LockWord[] sorted = [.. _words];
        Array.Sort(sorted, static (a, b) => a.Address.CompareTo(b.Address));
        return sorted;
    }

    private static ulong At(ulong address, MemoryField field) => address + (ulong)field.OffsetBytes;
}
