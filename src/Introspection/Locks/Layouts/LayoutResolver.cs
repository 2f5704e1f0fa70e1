using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Introspection.Linux;
using Introspection.Programs;
using Introspection.State;
using Introspection.Values;
using Symbols.Elf;
using Symbols.Expressions;
using Symbols.Types;

namespace Introspection.Locks.Layouts;

/// <summary>
/// Puts what a layout declares together with what the guest's own types say: members become offsets, arrays get their sizes, and variables of declared structures are locks. What does not
/// agree is told, and the guest's types hold.
/// </summary>
internal sealed class LayoutResolver
{
    private const int MaximumVariables = 20_000, MaximumElements = 256, MaximumDepth = 6, MaximumLocks = 4096;

    private readonly SymbolSet _symbols;
    private readonly ITypeCatalog? _types;
    private readonly KernelLayout? _members;
    private readonly FrameVariables _variables;
    private readonly List<string> _problems = [];
    private IReadOnlyList<(string Name, ulong Address, DebugType Type)>? _globals;

    public LayoutResolver(SymbolSet symbols, in GuestView view)
    {
        _symbols = symbols;
        _types = symbols.Types;
        _members = _types is null ? null : new KernelLayout(_types);
        _variables = new FrameVariables(view, symbols, null);
    }

    /// <summary>What does not agree, a sentence each.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>The same with offsets, arrays and locks filled in.</summary>
    public LockLayout Resolve(LockLayout layout)
    {
        bool isBuiltIn = layout.Requires is not null;
        var types = new Dictionary<string, LockType>(StringComparer.Ordinal);
        var locks = new List<LockDeclaration>(layout.Locks);
        foreach ((string name, LockType type) in layout.Types)
        {
            IReadOnlyList<string> structures = type.Structures ?? [name];
            // A built-in type that the guest has another one of that name of is not meant.
            if (isBuiltIn && !HasAll(structures, type)) continue;
            types[name] = Resolve(name, structures, type);
            if (_types is not null) locks.AddRange(Variables(name, structures, locks));
        }
        // What a built-in layout names need not be in every guest.
        if (isBuiltIn) locks.RemoveAll(one => Queues.LockReader.Resolve(one.At, _symbols.AddressOf) is null || !types.ContainsKey(one.Type));
        CpuArray? cpus = layout.Cpus is { } array ? Resolve(array) : null;
        return layout with { DeclaredTypes = types, Declared = locks, Cpus = cpus };
    }

    private bool HasAll(IReadOnlyList<string> structures, LockType type)
    {
        MemoryField?[] fields = [type.Tail, type.Locked, type.Owner, type.Serving, type.Next, type.Word];
        if (fields.All(static field => field?.Member is null)) return true;
        return fields.All(field => field?.Member is null || OffsetOf(structures, field.Member) is not null);
    }

    private LockType Resolve(string name, IReadOnlyList<string> structures, LockType type)
    {
        QueueNode? node = type.Node is { } declared ? Resolve(name, declared) : null;
        return type with
        {
            Tail = Resolve(name, structures, type.Tail), Locked = Resolve(name, structures, type.Locked), Owner = Resolve(name, structures, type.Owner),
            Serving = Resolve(name, structures, type.Serving), Next = Resolve(name, structures, type.Next), Word = Resolve(name, structures, type.Word), Node = node,
        };
    }

    private QueueNode Resolve(string name, QueueNode node)
    {
        IReadOnlyList<string> structures = node.Structures ?? [];
        IReadOnlyList<NodeArray>? arrays = node.Arrays;
        if (arrays is null or { Count: 0 } && structures.Count > 0)
        {
            arrays = [.. Globals().Where(one => one.Type.Stripped is ArrayType { Count: > 0 and <= MaximumElements } array && IsOneOf(array.Element, structures)).Select(one =>
            {
                var array = (ArrayType)one.Type.Stripped;
                return new NodeArray { At = At(one.Address), Stride = (int)(array.Element.SizeBytes ?? 0), Count = (int)array.Count! };
            }).Where(static one => one.Stride > 0)];
        }
        return node with
        {
            Next = Resolve(name, structures, node.Next)!, Waiting = Resolve(name, structures, node.Waiting), Granted = Resolve(name, structures, node.Granted),
            WaitsFor = Resolve(name, structures, node.WaitsFor), Id = Resolve(name, structures, node.Id), Arrays = arrays,
        };
    }

    private CpuArray? Resolve(CpuArray cpus)
    {
        if (_variables.Variable(cpus.At) is not { Type.Stripped: ArrayType array }) return cpus.Stride is null ? null : cpus;
        int? stride = cpus.Stride ?? (int?)array.Element.SizeBytes;
        MemoryField current = array.Element.Stripped is RecordType { Name: { } name } ? Resolve(cpus.At, [name], cpus.Current)! : cpus.Current;
        return stride is null ? null : cpus with { Stride = stride, Current = current, Id = Resolve(cpus.At, cpus.Structures ?? [], cpus.Id) };
    }

    private MemoryField? Resolve(string typeName, IReadOnlyList<string> structures, MemoryField? field)
    {
        if (field?.Member is not { } member || _types is null) return field;
        if (OffsetOf(structures, member) is not { } found)
        {
            if (structures.Any(structure => _types.FindType(structure, TypeTag.Struct) is not null))
                _problems.Add($"Type '{typeName}': the guest's {string.Join(" or ", structures)} has no member '{member}'; offset {field.Offset} is used.");
            return field;
        }
        if (field.Offset != 0 && field.Offset != (long)found.Offset)
            _problems.Add($"Type '{typeName}': '{member}' is declared at offset {field.Offset}, and the guest's types have it at {found.Offset}, which is used.");
        bool hasSize = found.SizeBytes is 1 or 2 or 4 or 8;
        return field with { Offset = (long)found.Offset, Bytes = hasSize ? found.SizeBytes : field.Bytes };
    }

    private (ulong Offset, int SizeBytes)? OffsetOf(IReadOnlyList<string> structures, string member)
    {
        foreach (string structure in structures)
            if (_members?.Field(structure, member) is { } field) return (field.Offset, field.SizeBytes);
        return null;
    }

    // Variables of the structure, alone, in arrays and in other structures; a lock that is declared by itself has its name from there.
    private IEnumerable<LockDeclaration> Variables(string typeName, IReadOnlyList<string> structures, List<LockDeclaration> declared)
    {
        if (!structures.Any(structure => _types!.FindType(structure, TypeTag.Struct) is RecordType { IsDeclaration: false } or not null and not RecordType)) return [];
        var known = new HashSet<ulong>();
        foreach (LockDeclaration one in declared)
            if (Queues.LockReader.Resolve(one.At, _symbols.AddressOf) is { } address) known.Add(address);
        var found = new List<LockDeclaration>();
        foreach ((string name, ulong address, DebugType type) in Globals()) Search(name, address, type, 0);
        return found;

        void Search(string name, ulong address, DebugType type, int depth)
        {
            if (found.Count >= MaximumLocks || depth > MaximumDepth) return;
            if (IsOneOf(type, structures))
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

    private static bool IsOneOf(DebugType type, IReadOnlyList<string> structures) =>
        (type.Name is { } name && structures.Contains(name)) || (type.Stripped.Name is { } stripped && structures.Contains(stripped));

    private static string At(ulong address) => string.Create(CultureInfo.InvariantCulture, $"0x{address:x}");
}
