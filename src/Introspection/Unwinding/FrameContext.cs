using System;
using Introspection.Programs;
using Symbols.Variables;

namespace Introspection.Unwinding;

/// <summary>A frame of the guest, for what debug information says about where its variables are.</summary>
public sealed class FrameContext : ILocationContext
{
    private readonly FrameRegisters _registers;
    private readonly CallFrame _frame;

    /// <param name="frame">With its registers.</param>
    /// <param name="registers">Those of the frame.</param>
    /// <param name="file">Whose variables are asked for.</param>
    public FrameContext(in CallFrame frame, FrameRegisters registers, LoadedFile file)
    {
        _frame = frame;
        _registers = registers;
        File = file;
    }

    public ulong Pc => _frame.Lookup - Bias;

    public ulong Bias => File.Bias;

    /// <summary>Whose variables are asked for.</summary>
    public LoadedFile File { get; }

    /// <summary>The caller's frame, where it is known: values at the function's entry can be told from the call.</summary>
    public FrameContext? Caller { get; init; }

    public bool TryReadRegister(int register, out ulong value) => _registers.TryReadRegister(register, out value);

    public int ReadRegister(int register, Span<byte> bytes)
    {
        if (_registers.TryReadVector(register, bytes)) return Math.Min(16, bytes.Length);
        if (!TryReadRegister(register, out ulong value)) return 0;
        BitConverter.GetBytes(value).AsSpan(0, Math.Min(8, bytes.Length)).CopyTo(bytes);
        return Math.Min(8, bytes.Length);
    }

    public bool TryReadMemory(ulong address, int sizeBytes, out ulong value) => _registers.TryReadMemory(address, sizeBytes, out value);

    public bool TryCfa(out ulong cfa)
    {
        cfa = _frame.ReturnStack;
        return _frame.ReturnSlot != 0 && cfa != 0;
    }

    public bool TryEntryRegister(int register, out ulong value)
    {
        value = 0;
        return Caller is { } caller && _frame.ReturnAddress != 0
            && caller.File.Dwarf.TryCallSiteValue(_frame.ReturnAddress - caller.Bias, register, caller, out value);
    }

    // FS base is where 64-bit programs and GS base where 32-bit ones keep it; variants I and II of the TLS ABI differ by module, which is not known here.
    public bool TryThreadLocal(ulong offset, out ulong address)
    {
        address = 0;
        return false;
    }
}
