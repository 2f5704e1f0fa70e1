using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Introspection.Programs;
using Introspection.State;
using Introspection.Values;
using Symbols.Elf;
using Symbols.Expressions;
using Symbols.Types;

namespace Introspection.Layouts;

/// <summary>
/// Puts what a layout declares together with what the guest's own types say: members become offsets, arrays get their sizes, and variables of declared structures are locks. What does not
/// agree is told, and the guest's types hold.
/// </summary>
internal sealed class LayoutResolver
{
    private const int MaximumVariables = 20_000, MaximumElements = 256, MaximumDepth = 6, MaximumLocks = 4096;

    private readonly SymbolSet _symbols;
    private readonly ITypeCatalog? _types;
    private readonly DeclaredFields _fields;
    private readonly FrameVariables _variables;
    private readonly List<string> _problems = [];
    private IReadOnlyList<(string Name, ulong Address, DebugType Type)>? _globals;

    public LayoutResolver(SymbolSet symbols, in GuestView view)
    {
        _symbols = symbols;
        _types = symbols.Types;
        _fields = new DeclaredFields(_types, _problems);
        _variables = new FrameVariables(view, symbols, null);
    }

    /// <summary>What does not agree, a sentence each.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>The same with offsets, arrays and locks filled in.</summary>
    public GuestLayout Resolve(GuestLayout layout)
    {
        bool isBuiltIn = layout.Requires is not null;
        var types = new Dictionary<string, LockType>(StringComparer.Ordinal);
        var locks = new List<LockDeclaration>(layout.Locks);
        foreach ((string name, LockType type) in layout.Types)
        {
            string structure = type.Structure ?? name;
            // A built-in type that the guest has another one of that name of is not meant.
            if (isBuiltIn && !HasAll(structure, type)) continue;
            types[name] = Resolve(structure, type);
            if (_types is not null) locks.AddRange(Variables(name, structure, locks));
        }
        // What a built-in layout names need not be in every guest.
        if (isBuiltIn) locks.RemoveAll(one => SymbolPlace.Resolve(one.At, _symbols.AddressOf) is null || !types.ContainsKey(one.Type));
        CpuArray? cpus = layout.Cpus is { } array ? Resolve(array) : null;
        return layout with { DeclaredTypes = types, Declared = locks, Cpus = cpus };
    }

    private bool HasAll(string structure, LockType type)
    {
        MemoryField?[] fields = [type.Tail, type.Locked, type.Owner, type.Serving, type.Next, type.Word];
        return fields.All(field => field?.Member is not { } member || _fields.Has(structure, member));
    }

    private LockType Resolve(string structure, LockType type) => type with
    {
        Tail = _fields.Place(structure, type.Tail), Locked = _fields.Place(structure, type.Locked), Owner = _fields.Place(structure, type.Owner),
        Serving = _fields.Place(structure, type.Serving), Next = _fields.Place(structure, type.Next), Word = _fields.Place(structure, type.Word),
        Node = type.Node is { } node ? Resolve(node) : null,
    };

    // Null: its link cannot be found.
    private QueueNode? Resolve(QueueNode node)
    {
        if (_fields.Place(node.Structure, node.Next) is not { } next) return null;
        IReadOnlyList<NodeArray>? arrays = node.Arrays;
        if (arrays is null or { Count: 0 } && node.Structure is { } structure)
        {
            arrays = [.. Globals().Where(one => one.Type.Stripped is ArrayType { Count: > 0 and <= MaximumElements } array && IsCalled(array.Element, structure)).Select(one =>
            {
                var array = (ArrayType)one.Type.Stripped;
                return new NodeArray { At = At(one.Address), Stride = (int)(array.Element.SizeBytes ?? 0), Count = (int)array.Count! };
            }).Where(static one => one.Stride > 0)];
        }
        return node with
        {
            Next = next, Waiting = _fields.Place(node.Structure, node.Waiting), Granted = _fields.Place(node.Structure, node.Granted),
            WaitsFor = _fields.Place(node.Structure, node.WaitsFor), Id = _fields.Place(node.Structure, node.Id), Arrays = arrays,
        };
    }

    private CpuArray? Resolve(CpuArray cpus)
    {
        if (_variables.Variable(cpus.At) is not { Type.Stripped: ArrayType array }) return cpus.Stride is null ? null : cpus;
        int? stride = cpus.Stride ?? (int?)array.Element.SizeBytes;
        MemoryField? current = _fields.Place(array.Element.Stripped is RecordType { Name: { } name } ? name : null, cpus.Current);
        return stride is null || current is null ? null : cpus with { Stride = stride, Current = current, Id = _fields.Place(cpus.Structure, cpus.Id) };
    }

    // Variables of the structure, alone, in arrays and in other structures; a lock that is declared by itself has its name from there.
    private IEnumerable<LockDeclaration> Variables(string typeName, string structure, List<LockDeclaration> declared)
    {
        if (_types!.FindType(structure, TypeTag.Struct) is null or RecordType { IsDeclaration: true }) return [];
        var known = new HashSet<ulong>();
        foreach (LockDeclaration one in declared)
            if (SymbolPlace.Resolve(one.At, _symbols.AddressOf) is { } address) known.Add(address);
        var found = new List<LockDeclaration>();
        foreach ((string name, ulong address, DebugType type) in Globals()) Search(name, address, type, 0);
        return found;

        void Search(string name, ulong address, DebugType type, int depth)
        {
            if (found.Count >= MaximumLocks || depth > MaximumDepth) return;
            if (IsCalled(type, structure))
            {
                if (known.Add(address)) found.Add(new LockDeclaration { Name = name, Type = typeName, At = At(address) });
                return;
            }
            if (type.Stripped is ArrayType { Count: > 0 and <= MaximumElements } array && array.Element.SizeBytes is > 0 and { } size && array.Element.Stripped is RecordType or ArrayType)
            {
                for (ulong i = 0; i < array.Count; i++) Search($"{name}[{i}]", address + i * size, array.Element, depth + 1);
            }
            else if (type.Stripped is RecordType record)
            {
                foreach (RecordMember member in record.Members)
                    if (!member.IsBitField && member.Type.Stripped is RecordType or ArrayType)
                        Search(member.Name is null ? name : $"{name}.{member.Name}", address + member.OffsetBytes, member.Type, depth + 1);
            }
        }
    }

    // A Linux kernel has so many, and nearly all its locks are elsewhere.
    private IReadOnlyList<(string Name, ulong Address, DebugType Type)> Globals()
    {
        if (_globals is not null) return _globals;
        var globals = new List<(string, ulong, DebugType)>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        if (_symbols.Kernel is null)
        {
            foreach (LoadedFile file in _symbols.Files)
            {
                foreach (ElfSymbol symbol in file.File.Image.Symbols.Symbols)
                {
                    if (symbol.Type != ElfSymbolType.Object || names.Count >= MaximumVariables || !names.Add(file.File.Image.Symbols.NameOf(symbol))) continue;
                    string name = file.File.Image.Symbols.NameOf(symbol);
                    if (_variables.Variable(name) is { Type: { } type, Address: { } address }) globals.Add((name, address, type));
                }
            }
        }
        return _globals = globals;
    }

    private static bool IsCalled(DebugType type, string structure) => type.Name == structure || type.Stripped.Name == structure;

    private static string At(ulong address) => string.Create(CultureInfo.InvariantCulture, $"0x{address:x}");
}
