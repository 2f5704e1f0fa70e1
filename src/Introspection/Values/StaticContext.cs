using Introspection.State;
using Symbols.Variables;

namespace Introspection.Values;

/// <summary>No frame: what global variables need of one, which is memory and where the file is loaded. Locals are named by it, and have no values.</summary>
internal sealed class StaticContext(GuestView view, ulong bias, ulong pc = 0) : ILocationContext
{
    public ulong Pc => pc;

    public ulong Bias => bias;

    public bool TryReadRegister(int register, out ulong value)
    {
        value = 0;
        return false;
    }

    public bool TryReadMemory(ulong address, int sizeBytes, out ulong value)
    {
        ulong? read = view.ReadNumber(address, sizeBytes);
        value = read ?? 0;
        return read is not null;
    }

    public bool TryCfa(out ulong cfa)
    {
        cfa = 0;
        return false;
    }

    public bool TryEntryRegister(int register, out ulong value)
    {
        value = 0;
        return false;
    }

    public bool TryThreadLocal(ulong offset, out ulong address)
    {
        address = 0;
        return false;
    }
}
