using System;
using Symbols.Dwarf.Expressions;

namespace Symbols.Variables;

/// <summary>A frame of the stopped program, as location expressions see it.</summary>
public interface ILocationContext : IUnwindContext
{
    /// <summary>The frame's instruction, as its file has it: for a frame that made a call, inside of that call's instruction.</summary>
    ulong Pc { get; }

    /// <summary>The canonical frame address: the stack pointer before the frame's function was called (DW_OP_call_frame_cfa); false: not known.</summary>
    bool TryCfa(out ulong cfa);

    /// <summary>A register's value when the frame's function was entered (DW_OP_entry_value); false: not known.</summary>
    bool TryEntryRegister(int register, out ulong value);

    /// <summary>Where the thread's own storage is, for an offset in the module's (DW_OP_form_tls_address); false: not known.</summary>
    bool TryThreadLocal(ulong offset, out ulong address);

    /// <summary>What is added to addresses of the file to get the guest's (DW_OP_addr).</summary>
    ulong Bias { get; }

    /// <summary>A register's lowest bytes, for those that are wider than 8; gives how many are known.</summary>
    int ReadRegister(int register, Span<byte> bytes)
    {
        if (!TryReadRegister(register, out ulong value)) return 0;
        int count = Math.Min(bytes.Length, 8);
        for (int i = 0; i < count; i++) bytes[i] = (byte)(value >> (i * 8));
        return count;
    }
}
