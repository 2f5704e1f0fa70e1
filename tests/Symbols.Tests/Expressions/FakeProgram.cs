using System;
using System.Collections.Generic;
using System.Linq;
using Symbols.Expressions;
using Symbols.Types;

namespace Symbols.Tests.Expressions;

/// <summary>A program that only a test knows: its types, variables and memory.</summary>
internal sealed class FakeProgram : IExpressionEnvironment, ITypeCatalog
{
    private readonly Dictionary<ulong, byte> _memory = [];
    private readonly List<TypedValue> _calls = [];

    public Dictionary<string, TypedValue> Variables { get; } = [];
    public Dictionary<string, RegisterValue> Registers { get; } = [];
    public Dictionary<string, DebugType> Named { get; } = [];
    public Dictionary<string, Constant> Constants { get; } = [];
    public Dictionary<string, MacroDefinition> Macros { get; } = [];
    public Dictionary<string, ulong> SymbolAddresses { get; } = [];

    /// <summary>Memory that no byte was put into, as of an executable's file; null: there is none.</summary>
    public Func<ulong, byte?>? Behind { get; set; }

    public bool CanWrite { get; set; }
    public bool CanCall { get; set; }
    public IReadOnlyList<TypedValue> LastArguments => _calls;

    public ITypeCatalog? Types => this;
    public int AddressSizeBytes { get; set; } = 8;

    public void Put(ulong address, params ReadOnlySpan<byte> bytes)
    {
        for (int i = 0; i < bytes.Length; i++) _memory[address + (ulong)i] = bytes[i];
    }

    /// <summary>A global variable with its bytes.</summary>
    public void Add(string name, DebugType type, ulong address, params ReadOnlySpan<byte> bytes)
    {
        Variables[name] = TypedValue.InMemory(type, address);
        Put(address, bytes);
    }

    public TypedValue? Variable(string name) => Variables.GetValueOrDefault(name);

    public TypedValue? Variable(string scope, string name) => Variables.GetValueOrDefault($"{scope}::{name}");

    public RegisterValue? Register(string name) => Registers.TryGetValue(name, out RegisterValue value) ? value : null;

    public ulong? AddressOf(string symbol) => SymbolAddresses.TryGetValue(symbol, out ulong address) ? address : null;

    public int Read(ulong address, bool isPhysical, Span<byte> destination)
    {
        for (int i = 0; i < destination.Length; i++)
        {
            ulong at = address + (ulong)i;
            byte? known = _memory.TryGetValue(at, out byte value) ? value : Behind?.Invoke(at);
            if (known is not { } b || isPhysical) return i;
            destination[i] = b;
        }
        return destination.Length;
    }

    public string? Write(ulong address, bool isPhysical, ReadOnlySpan<byte> source)
    {
        Put(address, source);
        return null;
    }

    public string? WriteRegister(string name, ulong value)
    {
        Registers[name] = new RegisterValue(value, 8);
        return null;
    }

    public TypedValue Call(TypedValue function, IReadOnlyList<TypedValue> arguments)
    {
        _calls.Clear();
        _calls.AddRange(arguments);
        return TypedValue.Of(CTypes.Int, BitConverter.GetBytes(42));
    }

    public DebugType? FindType(string name, TypeTag tag) => Named.TryGetValue(name, out DebugType? type) && (tag, type) switch
    {
        (TypeTag.Struct, RecordType { Kind: RecordKind.Structure }) or (TypeTag.Union, RecordType { Kind: RecordKind.Union }) or (TypeTag.Enum, EnumerationType) => true,
        (TypeTag.Any, not (RecordType or EnumerationType)) => true,
        (TypeTag.Any, { Name: { } full }) => full.Contains("::", StringComparison.Ordinal) || full.Contains('<', StringComparison.Ordinal) || char.IsUpper(full[0]),
        _ => false,
    } ? type : null;

    public Constant? FindConstant(string name) => Constants.TryGetValue(name, out Constant constant) ? constant : null;

    public MacroDefinition? Macro(string name, bool isAnywhere) => Macros.GetValueOrDefault(name);

    public IEnumerable<string> TypeNames(string prefix, int limit) => Named.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Take(limit);

    public RecordType Structure(string? name, ulong size, params RecordMember[] members) => Record(RecordKind.Structure, name, size, members);

    public RecordType Union(string? name, ulong size, params RecordMember[] members) => Record(RecordKind.Union, name, size, members);

    private RecordType Record(RecordKind kind, string? name, ulong size, RecordMember[] members)
    {
        var record = new RecordType(kind, name, size, false, () => members);
        if (name is not null) Named[name] = record;
        return record;
    }

    public static RecordMember Member(string? name, DebugType type, ulong offset) => new(name, type, offset * 8, 0);

    public static PointerType To(DebugType type) => CTypes.PointerTo(type, 8);

    public static PointerType To(Func<DebugType> type) => new(PointerKind.Pointer, 8, type);

    public static ArrayType Array(DebugType element, ulong count) => new(() => element, 0, count);
}
