using System;
using System.Collections.Generic;
using Introspection.Layouts;
using Introspection.Linux;
using Introspection.Programs;
using Vmm.Platform;

namespace Introspection.Locks.History;

/// <summary>
/// The words of locks whose functions are inlined: watches on them tell what breakpoints on functions cannot. Only locks with a known place can be watched; of others the words are those of
/// one at address 0.
/// </summary>
internal sealed class LockWordTable
{
    private const int MaximumWords = 1024;
    // include/linux/mutex.h, kernel/locking/mutex.h: the owner's low bits, and MUTEX_FLAG_PICKUP among them.
    private const ulong MutexFlags = 7, MutexPickUp = 4;
    // include/asm-generic/qrwlock.h: _QW_LOCKED, _QW_WMASK and _QR_SHIFT.
    private const ulong QueuedWriter = 0xFF, QueuedWriterMask = 0x1FF;
    private const int QueuedReaderShift = 9;
    // kernel/locking/rwsem.c: RWSEM_WRITER_LOCKED, what RWSEM_READ_FAILED_MASK has, and RWSEM_READER_SHIFT.
    private const ulong SemaphoreWriter = 1, SemaphoreBlocks = 1UL << 63 | 7;
    private const int SemaphoreReaderShift = 8;

    private readonly List<LockWord> _words = [];
    private readonly HashSet<ulong> _locks = [];
    // Of words that are watched; while a model is added, of its own.
    private HashSet<ulong> _addresses = [];
    // Numbers of words of locks at address 0, which stand for all of their types.
    private readonly HashSet<int> _models = [];
    private readonly Dictionary<(short Number, ulong Lock), LockWord> _placed = [];
    // Of a Linux kernel's own types.
    private KernelLayout? _layout;
    // By address, once all are there.
    private LockWord[]? _sorted;

    /// <summary>There were more than can be watched.</summary>
    public bool IsCut { get; private set; }

    public bool IsEmpty => _words.Count == _models.Count;

    public LockWord this[int number] => _words[number];

    public int Count => _words.Count;

    /// <summary>The word that an event is of. For one thread at a time.</summary>
    public LockWord Of(in LockEvent e)
    {
        LockWord word = _words[e.Function];
        if (e.Lock == 0) return word;
        if (!_placed.TryGetValue((word.Number, e.Lock), out LockWord? placed)) _placed[(word.Number, e.Lock)] = placed = word.At(e.Lock);
        return placed;
    }

    /// <summary>Adds the words of a lock of a type at address 0, which stand for those of all of the type and are not watched; returns them.</summary>
    public IReadOnlyList<LockWord> AddModel(string typeName, LockType type, SymbolSet symbols)
    {
        _layout ??= symbols.Types is { } types ? new KernelLayout(types) : null;
        int first = _words.Count;
        HashSet<ulong> watched = _addresses;
        // All models are at the same addresses.
        _addresses = [];
        Add(0, typeName, type);
        _addresses = watched;
        List<LockWord> model = _words.GetRange(first, _words.Count - first);
        foreach (LockWord word in model) _models.Add(word.Number);
        return model;
    }

    /// <summary>That lock's history comes from its words.</summary>
    public bool Contains(ulong address) => _locks.Contains(address);

    public IReadOnlyCollection<Watch> Watches
    {
        get
        {
            var watches = new List<Watch>();
            // Who spins on a lock's own word is seen at that; who has a ticket or a node is known without.
            foreach (LockWord word in _words)
            {
                if (_models.Contains(word.Number)) continue;
                bool reads = word.Role is LockWordRole.Locked or LockWordRole.ReadersAndWriter or LockWordRole.SemaphoreCount;
                watches.Add(new Watch(false, word.Address, word.SizeBytes, Reads: reads, Writes: true));
            }
            return watches;
        }
    }

    /// <summary>Locks of a type are watched.</summary>
    public bool Has(string typeName) => _words.Exists(word => word.TypeName == typeName && !_models.Contains(word.Number));

    /// <summary>Its locks can be watched without their functions.</summary>
    public static bool IsWatchable(LockType type) => LockLayoutCheck.MissingIn(type) is null;

    /// <summary>Adds the declared locks of a type. True: there are some.</summary>
    public bool TryAdd(GuestLayout layout, string typeName, LockType type, SymbolSet symbols)
    {
        if (!IsWatchable(type)) return false;
        int count = _locks.Count;
        _layout ??= symbols.Types is { } types ? new KernelLayout(types) : null;
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
            case "qspinlock":
                // include/asm-generic/qspinlock_types.h: the lowest byte is the holder's, the others are of those who wait.
                Add(new LockWord(0, LockWordRole.Locked, address, address, sizeof(uint), typeName, type) { HeldMask = 0xFF });
                break;
            case "rw":
                Add(new LockWord(0, LockWordRole.ReadersAndWriter, address, At(address, type.Word!), type.Word!.SizeBytes, typeName, type)
                {
                    WriterMask = type.WriterMask!.Value, BlockMask = type.WriterMask.Value, ReaderShift = type.ReaderShift!.Value,
                });
                break;
            case "qrwlock":
                ulong counts = address + Offset("qrwlock", "cnts", 0);
                Add(new LockWord(0, LockWordRole.ReadersAndWriter, address, counts, sizeof(uint), typeName, type)
                {
                    WriterMask = QueuedWriter, BlockMask = QueuedWriterMask, ReaderShift = QueuedReaderShift,
                });
                break;
            case "mutex":
                ulong owner = address + Offset("mutex", "owner", 0);
                Add(new LockWord(0, LockWordRole.Locked, address, owner, sizeof(ulong), typeName, type) { HeldMask = ~MutexFlags, PickUpMask = MutexPickUp });
                break;
            default:
                ulong count = address + Offset("rw_semaphore", "count", 0), head = address + Offset("rw_semaphore", "wait_list", 24);
                Add(new LockWord(0, LockWordRole.SemaphoreCount, address, count, sizeof(ulong), typeName, type)
                {
                    WriterMask = SemaphoreWriter, BlockMask = SemaphoreBlocks, ReaderShift = SemaphoreReaderShift,
                    Waiters = new SemaphoreWaiters(head, Offset("rwsem_waiter", "list", 0), Offset("rwsem_waiter", "task", 16)),
                });
                Add(new LockWord(0, LockWordRole.SemaphoreOwner, address, address + Offset("rw_semaphore", "owner", 8), sizeof(ulong), typeName, type));
                break;
        }
    }

    // By the kernel's own types, or else as in Linux 6.1 for x86-64.
    private ulong Offset(string structure, string member, ulong usual) => _layout?.Offset(structure, member) ?? usual;

    private void Add(LockWord word)
    {
        if (_words.Count >= MaximumWords + _models.Count) IsCut = true;
        else if (_addresses.Add(word.Address)) _words.Add(word with { Number = (short)_words.Count });
    }

    private LockWord[] Sorted()
    {
        LockWord[] sorted = [.. _words.FindAll(word => !_models.Contains(word.Number))];
        Array.Sort(sorted, static (a, b) => a.Address.CompareTo(b.Address));
        return sorted;
    }

    private static ulong At(ulong address, MemoryField field) => address + (ulong)field.OffsetBytes;
}
