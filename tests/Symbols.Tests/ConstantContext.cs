using Symbols.Dwarf.Expressions;

namespace Symbols.Tests;

/// <summary>Every register is 0x1000 times its number plus one, and memory at an address holds the address's complement.</summary>
internal sealed class ConstantContext : IUnwindContext
{
    public bool TryReadRegister(int register, out ulong value)
    {
        value = 0x1000ul * (ulong)(register + 1);
        return register is >= 0 and < 17;
    }

    public bool TryReadMemory(ulong address, int sizeBytes, out ulong value)
    {
        value = ~address & (sizeBytes >= 8 ? ulong.MaxValue : (1ul << (sizeBytes * 8)) - 1);
        return address >= 0x100;
    }
}
