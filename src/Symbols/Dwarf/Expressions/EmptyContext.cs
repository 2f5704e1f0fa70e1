namespace Symbols.Dwarf.Expressions;

/// <summary>No registers and no memory: for expressions that are numbers.</summary>
internal sealed class EmptyContext : IUnwindContext
{
    internal static EmptyContext Instance { get; } = new();

    public bool TryReadRegister(int register, out ulong value)
    {
        value = 0;
        return false;
    }

    public bool TryReadMemory(ulong address, int sizeBytes, out ulong value)
    {
        value = 0;
        return false;
    }
}
