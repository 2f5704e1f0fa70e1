using System.Collections.Generic;
using Symbols.Dwarf.Entries;
using Symbols.Dwarf.Lines;

namespace Symbols.Dwarf.Functions;

/// <summary>A copy of a function's body where it was called (DW_TAG_inlined_subroutine; DWARF 5, 3.3.8.2).</summary>
public sealed class InlinedCall
{
    private readonly DebugUnit _unit;
    private FunctionNames? _names;
    private string? _qualifiedName;
    private List<InlinedCall>? _calls;

    internal InlinedCall(DebugUnit unit, ulong dieOffset, AddressRange[] ranges, uint callFile, uint callLine, uint callColumn, List<InlinedCall>? calls)
    {
        _calls = calls;
        _unit = unit;
        DieOffset = dieOffset;
        Ranges = ranges;
        CallFileIndex = callFile;
        CallLine = callLine;
        CallColumn = callColumn;
    }

    /// <summary>Where its entry is in its file's <c>.debug_info</c>.</summary>
    public ulong DieOffset { get; }

    public IReadOnlyList<AddressRange> Ranges { get; }

    /// <summary>The inlined function's name; null if the file does not say.</summary>
    public string? Name => Names.Name;

    /// <summary>With namespaces and classes: <c>ns::Class::method</c>; null if the file does not say.</summary>
    public string? QualifiedName => _qualifiedName ??= EntryNames.Qualified(_unit, DieOffset);

    /// <summary>Its mangled name, where that differs.</summary>
    public string? LinkageName => Names.LinkageName;

    /// <summary>The file of the call; null if unknown.</summary>
    public string? CallFile => _unit.Lines?.FilePath(CallFileIndex);

    /// <summary>The line of the call; 0 if unknown.</summary>
    public uint CallLine { get; }

    /// <summary>The column of the call; 0 if unknown.</summary>
    public uint CallColumn { get; }

    /// <summary>What was inlined into this copy.</summary>
    public IReadOnlyList<InlinedCall> Calls => _calls ??= FunctionParser.ReadCalls(_unit, DieOffset);

    internal uint CallFileIndex { get; }

    private FunctionNames Names => _names ??= _unit.NamesOf(DieOffset);

    /// <summary>The very same copy, though it may have been read twice.</summary>
    public bool IsSame(InlinedCall other) => DieOffset == other.DieOffset && ReferenceEquals(_unit, other._unit);

    public bool Contains(ulong address)
    {
        foreach (AddressRange range in Ranges)
            if (range.Contains(address)) return true;
        return false;
    }
}
