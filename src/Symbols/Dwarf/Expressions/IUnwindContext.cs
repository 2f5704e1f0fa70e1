namespace Symbols.Dwarf.Expressions;

/// <summary>The stopped program, as unwinding sees it. Registers have DWARF's numbers (System V ABI, x86-64 figure 3.36).</summary>
public interface IUnwindContext
{
    /// <summary>A register's value in the frame that is unwound; false if it is not known.</summary>
    bool TryReadRegister(int register, out ulong value);

    /// <summary>1 to 8 bytes of memory, little-endian; false if they cannot be read.</summary>
    bool TryReadMemory(ulong address, int sizeBytes, out ulong value);
}
