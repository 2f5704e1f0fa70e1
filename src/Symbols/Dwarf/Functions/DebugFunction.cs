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
    private AddressRange[]? _ranges;
    private ulong _entryPc;
    private List<InlinedCall>? _calls;

    /// <param name="unit">The unit that its entry is in.</param>
    /// <param name="dieOffset">Where that is.</param>
    /// <param name="ranges">Its code.</param>
    /// <param name="entryPc">Where calls go.</param>
    /// <param name="calls">What was inlined into it; null: that is read when it is asked for.</param>
    internal DebugFunction(DebugUnit unit, ulong dieOffset, AddressRange[] ranges, ulong entryPc, List<InlinedCall>? calls)
    {
        _unit = unit;
        DieOffset = dieOffset;
        _ranges = ranges;
        _entryPc = entryPc;
        _calls = calls;
    }

    /// <summary>One that the index knows: all of it is read when it is asked for, as there may be thousands of one name.</summary>
    internal DebugFunction(DebugUnit unit, ulong dieOffset)
    {
        _unit = unit;
        DieOffset = dieOffset;
    }

    /// <summary>Where its entry is in <c>.debug_info</c>.</summary>
    public ulong DieOffset { get; }

    /// <summary>One range, or several where the compiler moved cold code away.</summary>
    public IReadOnlyList<AddressRange> Ranges => Code;

    /// <summary>Where calls go.</summary>
    public ulong EntryPc
    {
        get
        {
            _ = Code;
            return _entryPc;
        }
    }

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
    public IReadOnlyList<InlinedCall> Calls => _calls ??= FunctionParser.ReadCalls(_unit, DieOffset);

    /// <summary>The source file that it was compiled from.</summary>
    public string? UnitName => _unit.Name;

    internal DebugUnit Unit => _unit;

    private AddressRange[] Code
    {
        get
        {
            if (_ranges is not null) return _ranges;
            (_ranges, _entryPc) = FunctionParser.ReadCode(_unit, DieOffset);
            return _ranges;
        }
    }

    private FunctionNames Names => _names ??= _unit.NamesOf(DieOffset);

    public bool Contains(ulong address)
    {
        foreach (AddressRange range in Code)
            if (range.Contains(address)) return true;
        return false;
    }

    /// <summary>The inlined calls that contain the address, outermost first; empty if it is the function's own code.</summary>
    public IReadOnlyList<InlinedCall> CallsAt(ulong address)
    {
        if (_calls is null) return FunctionParser.ReadCallsAt(_unit, DieOffset, address);
        var chain = new List<InlinedCall>();
        for (IReadOnlyList<InlinedCall> level = _calls; Innermost(level, address) is { } call; level = call.Calls) chain.Add(call);
        return chain;
    }

    private static InlinedCall? Innermost(IReadOnlyList<InlinedCall> calls, ulong address)
    {
        foreach (InlinedCall call in calls)
            if (call.Contains(address)) return call;
        return null;
    }
}
