using System;
using Symbols.Dwarf.Expressions;

namespace Symbols.Expressions;

/// <summary>The memory of an environment, for locations that depend on what an object holds.</summary>
internal sealed class EnvironmentMemory(IExpressionEnvironment environment) : IUnwindContext
{
    public bool TryReadRegister(int register, out ulong value)
    {
        value = 0;
        return false;
    }

    public bool TryReadMemory(ulong address, int sizeBytes, out ulong value)
    {
        Span<byte> bytes = stackalloc byte[8];
        bytes.Clear();
        bool isThere = environment.Read(address, false, bytes[..sizeBytes]) == sizeBytes;
        value = isThere ? BitConverter.ToUInt64(bytes) : 0;
        return isThere;
    }
}
