namespace Symbols.Dwarf.Functions;

/// <summary>One of the functions that an address is in: the innermost inlined one, its caller, ..., the function itself.</summary>
/// <param name="FunctionName">Its name in the source; null if unknown.</param>
/// <param name="LinkageName">Its mangled name, where that differs.</param>
/// <param name="Path">The file: of the address for the innermost, of the call for the others.</param>
/// <param name="Line">The line there; 0 if unknown.</param>
/// <param name="Column">The column there; 0 if unknown.</param>
/// <param name="IsInlined">An inlined copy, which has no stack frame of its own.</param>
/// <param name="Function">The function whose code it is in.</param>
/// <param name="Call">The inlined copy, if it is one.</param>
public sealed record SourceFrame(
    string? FunctionName, string? LinkageName, string? Path, uint Line, uint Column, bool IsInlined, DebugFunction? Function, InlinedCall? Call);
