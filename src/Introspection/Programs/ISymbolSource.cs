namespace Introspection.Programs;

/// <summary>Where in a program's source code is.</summary>
/// <param name="Path">As the compiler saw it.</param>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1; 0: unknown.</param>
public readonly record struct SourcePosition(string Path, int Line, int Column);

/// <summary>What is known about a guest's addresses beyond the bytes. The seam to symbol files.</summary>
public interface ISymbolSource
{
    /// <summary>The function or object that holds a linear address, with the address's distance from its beginning; null: none.</summary>
    string? NameOf(ulong linear, out ulong offset);

    /// <summary>The source line of an instruction; null: unknown.</summary>
    SourcePosition? LineOf(ulong linear);

    /// <summary>The linear address of a name; null: there is none.</summary>
    ulong? AddressOf(string name);

    /// <summary>How many bytes the object or function of a name takes; null: unknown.</summary>
    ulong? SizeOf(string name);
}
