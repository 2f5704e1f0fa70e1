using System;
using System.Collections.Generic;
using Symbols.Types;

namespace Symbols.Btf;

/// <summary>
/// The types, function prototypes and variables that BTF describes: a Linux kernel's own, or one module's on top of it. Records become types when they are asked for.
/// Not thread safe.
/// </summary>
public sealed class BtfTypes : ITypeCatalog
{
    private readonly BtfRecords _records;
    private readonly BtfTypes? _base;
    private readonly DebugType?[] _types;
    private BtfNames? _names;

    private BtfTypes(BtfRecords records, BtfTypes? baseTypes, int addressSizeBytes)
    {
        _records = records;
        _base = baseTypes;
        AddressSizeBytes = addressSizeBytes;
        _types = new DebugType?[records.EndId - records.FirstId];
        if (records.Problem is { } problem) Diagnostics.Add(".BTF", 0, problem);
    }

    /// <summary>What was wrong with it.</summary>
    public DiagnosticLog Diagnostics { get; } = new();

    /// <summary>BTF does not say it: 8, or what it was opened with.</summary>
    public int AddressSizeBytes { get; }

    /// <summary>Numbers of its own records: from this one.</summary>
    public uint FirstId => _records.FirstId;

    /// <summary>And before this one.</summary>
    public uint EndId => _records.EndId;

    private BtfNames Names => _names ??= new BtfNames(_records);

    /// <summary>Null: it is no BTF. What is wrong inside is a diagnostic.</summary>
    /// <param name="data">A .BTF section, or /sys/kernel/btf/vmlinux.</param>
    /// <param name="baseTypes">The kernel's, where it is a module's.</param>
    /// <param name="addressSizeBytes">4 or 8.</param>
    public static BtfTypes? TryOpen(ReadOnlyMemory<byte> data, BtfTypes? baseTypes = null, int addressSizeBytes = 8) =>
        BtfRecords.TryOpen(data, baseTypes?._records) is { } records ? new BtfTypes(records, baseTypes, addressSizeBytes) : null;

    /// <summary>The type of a record's number: void for 0, an unspecified type where there is none or where the record is no type.</summary>
    public DebugType TypeOf(uint id)
    {
        if (id == 0) return VoidType.Instance;
        if (id < FirstId && _base is not null) return _base.TypeOf(id);
        if (id < FirstId || id >= EndId) return new UnspecifiedType($"type {id}");
        ref DebugType? known = ref _types[id - FirstId];
        return known ??= Make(id);
    }

    public DebugType? FindType(string name, TypeTag tag) =>
        Names.Find(name, tag) is { } id ? TypeOf(id) : _base?.FindType(name, tag);

    /// <summary>The prototype of a function, with its parameters' names; null: there is none of that name.</summary>
    public FunctionType? FindFunction(string name)
    {
        if (Names.Function(name) is not { } id) return _base?.FindFunction(name);
        return _records[id] is { } record ? TypeOf(record.SizeOrType) as FunctionType : null;
    }

    /// <summary>The type of a variable (the kernel's BTF has the per-CPU ones); null: there is none of that name.</summary>
    public DebugType? FindVariable(string name)
    {
        if (Names.Variable(name) is not { } id) return _base?.FindVariable(name);
        return _records[id] is { } record ? TypeOf(record.SizeOrType) : null;
    }

    public Constant? FindConstant(string name)
    {
        if (Names.Constant(name) is not { } id) return _base?.FindConstant(name);
        if (TypeOf(id) is EnumerationType enumeration)
            foreach (Enumerator enumerator in enumeration.Enumerators)
                if (enumerator.Name == name) return new Constant(enumerator.Value, enumeration);
        return null;
    }

    public IEnumerable<string> TypeNames(string prefix, int limit)
    {
        string? last = null;
        foreach (string name in Names.TypesFrom(prefix))
        {
            if (limit <= 0) yield break;
            if (name == last) continue;
            last = name;
            limit--;
            yield return name;
        }
        if (_base is null) yield break;
        foreach (string name in _base.TypeNames(prefix, limit)) yield return name;
    }

    private DebugType Make(uint id)
    {
        BtfRecord record = _records[id]!.Value;
        string? name = record.NameOffset == 0 ? null : _records.Text(record.NameOffset);
        return record.Kind switch
        {
            BtfKind.Integer => Integer(record, name ?? "int"),
            BtfKind.Float => new BaseType(name ?? "float", record.SizeOrType, BaseEncoding.Float),
            BtfKind.Pointer => new PointerType(PointerKind.Pointer, (ulong)AddressSizeBytes, Target(record)),
            BtfKind.Array when IsEndless(record) => new UnspecifiedType($"type {id}"),
            BtfKind.Array => new ArrayType(() => TypeOf(record.Number(0)), 0, record.Number(2)),
            BtfKind.Structure => new RecordType(RecordKind.Structure, name, record.SizeOrType, false, () => Members(record)),
            BtfKind.Union => new RecordType(RecordKind.Union, name, record.SizeOrType, false, () => Members(record)),
            BtfKind.Forward => new RecordType(record.Flag ? RecordKind.Union : RecordKind.Structure, name, null, true, static () => []),
            BtfKind.Enumeration or BtfKind.Enumeration64 => new EnumerationType(name, record.SizeOrType, record.Flag, () => Enumerators(record)),
            BtfKind.Typedef => new AliasType(name ?? "", Target(record)),
            BtfKind.Const => new QualifiedType(TypeQualifier.Const, Target(record)),
            BtfKind.Volatile => new QualifiedType(TypeQualifier.Volatile, Target(record)),
            BtfKind.Restrict => new QualifiedType(TypeQualifier.Restrict, Target(record)),
            BtfKind.FunctionPrototype => Prototype(record),
            BtfKind.TypeTag => Behind(record),
            // A function and a variable are no types: theirs is asked for.
            BtfKind.Function or BtfKind.Variable => Behind(record),
            _ => new UnspecifiedType(name ?? $"type {id}"),
        };
    }

    private Func<DebugType> Target(BtfRecord record) => () => TypeOf(record.SizeOrType);

    // Tags such as __user and __rcu say how a pointer may be used, not what it is. Bounded: a damaged file has tags of themselves.
    private DebugType Behind(BtfRecord record)
    {
        for (int i = 0; i < 32; i++)
        {
            if (_records[record.SizeOrType] is not { } next || next.Kind is not (BtfKind.TypeTag or BtfKind.Function or BtfKind.Variable))
                return record.SizeOrType == record.Id ? VoidType.Instance : TypeOf(record.SizeOrType);
            record = next;
        }
        return VoidType.Instance;
    }

    // An array in a damaged file may be one of itself, and would have no size.
    private bool IsEndless(BtfRecord record)
    {
        for (int i = 0; i < 64; i++)
        {
            uint next = record.Kind == BtfKind.Array ? record.Number(0) : record.SizeOrType;
            if (_records[next] is not { } behind) return false;
            if (behind.Kind is not (BtfKind.Array or BtfKind.Typedef or BtfKind.Const or BtfKind.Volatile or BtfKind.Restrict or BtfKind.TypeTag)) return false;
            record = behind;
        }
        return true;
    }

    // BTF says of an integer whether it is signed and whether it is bool; which one-byte ones are characters is told by their names.
    private static BaseType Integer(in BtfRecord record, string name)
    {
        uint encoding = record.Number(0) >> 24;
        bool isSigned = (encoding & 1) != 0, isCharacter = (encoding & 2) != 0 || name is "char" or "signed char" or "unsigned char";
        BaseEncoding meaning = (encoding & 4) != 0 ? BaseEncoding.Boolean
            : isCharacter ? (isSigned ? BaseEncoding.SignedCharacter : BaseEncoding.UnsignedCharacter)
            : isSigned ? BaseEncoding.Signed : BaseEncoding.Unsigned;
        return new BaseType(name, record.SizeOrType, meaning);
    }

    private List<RecordMember> Members(BtfRecord record)
    {
        var members = new List<RecordMember>(record.Count);
        for (int i = 0; i < record.Count; i++)
        {
            uint name = record.Number(i * 3), type = record.Number((i * 3) + 1), place = record.Number((i * 3) + 2);
            // With the flag, the upper 8 bits are the size of a bit-field; without it, the member's integer may be narrower than its bytes.
            uint bits = record.Flag ? place >> 24 : NarrowBits(type, ref place);
            members.Add(new RecordMember(name == 0 ? null : _records.Text(name), TypeOf(type), record.Flag ? place & 0xffffff : place, bits));
        }
        return members;
    }

    private uint NarrowBits(uint type, ref uint place)
    {
        if (_records[type] is not { Kind: BtfKind.Integer } integer) return 0;
        uint encoding = integer.Number(0), bits = encoding & 0xff;
        if (bits == 0 || bits == integer.SizeOrType * 8) return 0;
        place += (encoding >> 16) & 0xff;
        return bits;
    }

    private List<Enumerator> Enumerators(BtfRecord record)
    {
        var enumerators = new List<Enumerator>(record.Count);
        bool isWide = record.Kind == BtfKind.Enumeration64;
        for (int i = 0; i < record.Count; i++)
        {
            int at = i * (isWide ? 3 : 2);
            ulong value = record.Number(at + 1);
            if (isWide) value |= (ulong)record.Number(at + 2) << 32;
            else if (record.Flag) value = (ulong)(int)value;
            enumerators.Add(new Enumerator(_records.Text(record.Number(at)), value));
        }
        return enumerators;
    }

    private FunctionType Prototype(BtfRecord record)
    {
        // The last parameter without name and type is an ellipsis.
        bool isVariadic = record.Count > 0 && record.Number((record.Count - 1) * 2) == 0 && record.Number((record.Count * 2) - 1) == 0;
        int count = isVariadic ? record.Count - 1 : record.Count;
        return new FunctionType(Target(record), () => Parameters(record, count), isVariadic);
    }

    private List<FunctionParameter> Parameters(BtfRecord record, int count)
    {
        var parameters = new List<FunctionParameter>(count);
        for (int i = 0; i < count; i++)
        {
            uint name = record.Number(i * 2);
            parameters.Add(new FunctionParameter(name == 0 ? null : _records.Text(name), TypeOf(record.Number((i * 2) + 1))));
        }
        return parameters;
    }
}
