using Symbols.Variables;

namespace Symbols.Tests.Variables;

/// <summary><see cref="ConstantContext"/> as a frame.</summary>
internal sealed class ConstantLocationContext(ulong pc) : ILocationContext
{
    private readonly ConstantContext _machine = new();

    public ulong Pc => pc;

    public ulong Bias => 0;

    public bool TryCfa(out ulong cfa)
    {
        cfa = 0x7000;
        return true;
    }

    public bool TryEntryRegister(int register, out ulong value) => _machine.TryReadRegister(register, out value);

    public bool TryThreadLocal(ulong offset, out ulong address)
    {
        address = 0x9000 + offset;
        return true;
    }

    public bool TryReadRegister(int register, out ulong value) => _machine.TryReadRegister(register, out value);

    public bool TryReadMemory(ulong address, int sizeBytes, out ulong value) => _machine.TryReadMemory(address, sizeBytes, out value);
}
