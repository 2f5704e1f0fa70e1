using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Symbols.Dwarf;
using Symbols.Dwarf.Expressions;
using Symbols.Dwarf.Frames;
using Symbols.Variables;

namespace Symbols.Tests.Variables;

/// <summary>A frame that gdb dumped, for our evaluator. Its frame address is our unwinder's.</summary>
internal sealed class StopContext(GdbStop stop, GdbFrame frame, ulong pc, FrameUnwinder unwinder) : ILocationContext
{
    /// <summary>A frame of a stop with its callers; null: there is no such frame.</summary>
    internal static StopContext? Of(GdbStop stop, int index, DwarfInfo info, FrameUnwinder unwinder)
    {
        if (index >= stop.Frames.Count) return null;
        GdbFrame frame = stop.Frames[index];
        ulong pc = frame.Pc - stop.Bias - (index == 0 ? 0ul : 1);
        int next = index + Math.Max(1, info.FramesAt(pc).Count);
        return new StopContext(stop, frame, pc, unwinder) { Info = info, Caller = Of(stop, next, info, unwinder) };
    }

    public ulong Pc => pc;

    public ulong Bias => stop.Bias;

    public bool TryCfa(out ulong cfa)
    {
        UnwoundFrame caller = unwinder.Unwind(pc, this);
        cfa = caller.Cfa;
        return cfa != 0;
    }

    /// <summary>The frame that called this one's function; null: it is the outermost one that was looked at.</summary>
    internal StopContext? Caller { get; set; }

    internal DwarfInfo? Info { get; init; }

    public bool TryEntryRegister(int register, out ulong value)
    {
        value = 0;
        return Caller is not null && Info is not null && Info.TryCallSiteValue(Caller.Pc + 1, register, Caller, out value);
    }

    public bool TryThreadLocal(ulong offset, out ulong address)
    {
        address = 0;
        return false;
    }

    public bool TryReadRegister(int register, out ulong value)
    {
        if (frame.Registers.TryGetValue(register, out value)) return true;
        bool isThere = frame.Vectors.TryGetValue(register, out byte[]? wide);
        value = isThere ? BinaryPrimitives.ReadUInt64LittleEndian(wide) : 0;
        return isThere;
    }

    public int ReadRegister(int register, Span<byte> bytes)
    {
        byte[] held = frame.Vectors.GetValueOrDefault(register) ?? (TryReadRegister(register, out ulong value) ? BitConverter.GetBytes(value) : []);
        int count = Math.Min(held.Length, bytes.Length);
        held.AsSpan(0, count).CopyTo(bytes);
        return count;
    }

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
