using System.Collections.Generic;
using Symbols.Dwarf.Functions;
using Symbols.Dwarf.Lines;

namespace Introspection.Programs;

/// <summary>What the debug information says about one instruction's address.</summary>
/// <param name="Location">Its line, with the guest's addresses; null: none.</param>
/// <param name="Function">The function whose code it is; null: unknown, as in assembler code.</param>
/// <param name="Inlined">The inlined calls that it is in, the outermost first.</param>
/// <param name="File">Who says so.</param>
public sealed record CodePlace(SourceLocation? Location, DebugFunction? Function, IReadOnlyList<InlinedCall> Inlined, LoadedFile? File)
{
    /// <summary>Nothing is known.</summary>
    public static CodePlace Unknown { get; } = new(null, null, [], null);

    public bool HasLine => Location is { Line: > 0, Path: not null };

    /// <summary>The line, from 1; 0: none.</summary>
    public uint Line => Location?.Line ?? 0;

    /// <summary>Where the guest enters the function; 0: unknown.</summary>
    public ulong EntryAddress => Function is null ? 0 : Function.EntryPc + File!.Bias;

    /// <summary>A statement of its line begins here: a step by lines can end here. A prologue is no statement, as a step into a function ends behind it.</summary>
    public bool BeginsStatement(ulong address) => HasLine && Location is { IsStatement: true } location && location.Range.Start == address && !IsPrologue(address);

    private bool IsPrologue(ulong address) => Function is { } function && address >= EntryAddress && address < File!.AfterPrologue(function);

    public bool IsSameLine(CodePlace other) => Line == other.Line && Location?.Path == other.Location?.Path;
}
