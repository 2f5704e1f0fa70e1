namespace Symbols.Elf;

/// <summary>What an address is called.</summary>
/// <param name="Symbol">The best one of those that start there.</param>
/// <param name="Name">Its name.</param>
/// <param name="OffsetBytes">How far behind its start the address is.</param>
/// <param name="IsSized">The symbol says how long it is, and the address lies inside; otherwise it is the last label before the address.</param>
public readonly record struct SymbolHit(ElfSymbol Symbol, string Name, ulong OffsetBytes, bool IsSized)
{
    public override string ToString() => OffsetBytes == 0 ? Name : $"{Name}+0x{OffsetBytes:x}";
}
