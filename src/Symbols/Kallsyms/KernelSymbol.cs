namespace Symbols.Kallsyms;

/// <summary>One entry of a kernel's own symbol table.</summary>
/// <param name="Name">As the kernel prints it.</param>
/// <param name="Type">The letter that <c>nm</c> shows: T and t are code, D and d data, A absolute, and so on.</param>
/// <param name="Address">Linear; of an absolute symbol or of a per-CPU variable its value or its offset.</param>
public readonly record struct KernelSymbol(string Name, char Type, ulong Address)
{
    /// <summary>It is code.</summary>
    public bool IsText => Type is 'T' or 't' or 'W' or 'w';
}
