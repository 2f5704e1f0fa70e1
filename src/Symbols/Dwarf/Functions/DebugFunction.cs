using System.Collections.Generic;
using Symbols.Dwarf.Entries;
using Symbols.Dwarf.Lines;
using Symbols.Dwarf.Variables;
using Symbols.Types;

namespace Symbols.Dwarf.Functions;

/// <summary>A function with code of its own (DW_TAG_subprogram; DWARF 5, 3.3).</summary>
public sealed class DebugFunction
{
    private readonly DebugUnit _unit;
    private FunctionNames? _names;
    private string? _qualifiedName;

    internal DebugFunction(DebugUnit unit, ulong dieOffset, AddressRange[] ranges, ulong entryPc)
    {
        _unit = unit;
        DieOffset = dieOffset;
        Ranges = ranges;
        EntryPc = entryPc;
    }

    /// <summary>Where its entry is in <c>.debug_info</c>.</summary>
    public ulong DieOffset { get; }

    /// <summary>One range, or several where the compiler moved cold code away.</summary>
    public IReadOnlyList<AddressRange> Ranges { get; }

    /// <summary>Where calls go.</summary>
    public ulong EntryPc { get; }

    /// <summary>The name in the source; null if the file does not say.</summary>
    public string? Name => Names.Name;

    /// <summary>The mangled name, where that differs.</summary>
    public string? LinkageName => Names.LinkageName;

    /// <summary>With namespaces and classes: <c>ns::Class::method</c>; null if the file does not say.</summary>
    public string? QualifiedName => _qualifiedName ??= EntryNames.Qualified(_unit, DieOffset);

    /// <summary>Its parameters in their order.</summary>
    public IReadOnlyList<DebugVariable> Parameters => ScopeVariables.Parameters(new DieReference(_unit, DieOffset));

    /// <summary>What it returns; <see cref="VoidType"/> for nothing.</summary>
    public DebugType ResultType => _unit.Owner.Types.Reader.TypeOf(new DieReference(_unit, DieOffset));

    /// <summary>The type that a pointer to it points to.</summary>
    public FunctionType Type => _unit.Owner.Types.Reader.At(new DieReference(_unit, DieOffset)) as FunctionType
        ?? new FunctionType(static () => VoidType.Instance, static () => [], false);

    /// <summary>The file that declares it; null if unknown.</summary>
    public string? DeclarationFile => Names.DeclarationUnit?.Lines?.FilePath(Names.DeclarationFile);

    /// <summary>The line that declares it; 0 if unknown.</summary>
    public uint DeclarationLine => Names.DeclarationLine;

    /// <summary>Visible outside of its unit.</summary>
    public bool IsExternal => Names.IsExternal;

    /// <summary>What was inlined into it, at the first level.</summary>
    public IReadOnlyList<InlinedCall> Calls => CallList;

    /// <summary>The source file that it was compiled from.</summary>
    public string? UnitName => _unit.Name;

    internal List<InlinedCall> CallList { get; } = [];

    internal DebugUnit Unit => _unit;

    private FunctionNames Names => _names ??= _unit.NamesOf(DieOffset);

    public bool Contains(ulong address)
    {
        foreach (AddressRange range in Ranges)
            if (range.Contains(address)) return true;
        return false;
    }

    /// <summary>The inlined calls that contain the address, outermost first; empty if it is the function's own code.</summary>
    public IReadOnlyList<InlinedCall> CallsAt(ulong address)
    {
        var chain = new List<InlinedCall>();
        for (List<InlinedCall> level = CallList; Innermost(level, address) is { } call; level = call.CallList) chain.Add(call);
        return chain;
    }

    private static InlinedCall? Innermost(List<InlinedCall> calls, ulong address)
    {
        foreach (InlinedCall call in calls)
            if (call.Contains(address)) return call;
        return null;
    }
}
