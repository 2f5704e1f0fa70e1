using System.Collections.Generic;
using Symbols.Dwarf.Expressions;
using Symbols.Dwarf.Frames;
using Symbols.Variables;

namespace Symbols.Tests.Variables;

/// <summary>A frame that gdb dumped, for our evaluator. Its frame address is our unwinder's.</summary>
internal sealed class StopContext(GdbStop stop, GdbFrame frame, ulong pc, FrameUnwinder unwinder) : ILocationContext
{
    public ulong Pc => pc;

    public ulong Bias => stop.Bias;

    public bool TryCfa(out ulong cfa)
    {
        UnwoundFrame caller = unwinder.Unwind(pc, this);
        cfa = caller.Cfa;
        return cfa != 0;
    }

    /// <summary>What the call sites say that the callers passed; null: nothing is known.</summary>
    internal IReadOnlyDictionary<int, ulong>? Entry { get; init; }

    public bool TryEntryRegister(int register, out ulong value)
    {
        value = 0;
        return Entry is not null && Entry.TryGetValue(register, out value);
    }

    public bool TryThreadLocal(ulong offset, out ulong address)
    {
        address = 0;
        return false;
    }

    public bool TryReadRegister(int register, out ulong value) => frame.Registers.TryGetValue(register, out value);

    public bool TryReadMemory(ulong address, int sizeBytes, out ulong value)
    {
        value = 0;
        foreach ((ulong start, byte[] bytes) in stop.Memory)
        {
            if (address < start || address - start + (ulong)sizeBytes > (ulong)bytes.Length) continue;
            for (int i = sizeBytes - 1; i >= 0; i--) value = (value << 8) | bytes[(int)(address - start) + i];
            return true;
        }
        return false;
    }
}
