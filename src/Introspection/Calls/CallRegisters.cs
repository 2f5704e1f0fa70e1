using System;
using Introspection.State;
using Vmm.Cpu;

namespace Introspection.Calls;

/// <summary>The registers that pass arguments and results, as they were at a function's first instruction or behind its return.</summary>
public sealed class CallRegisters
{
    /// <summary>XMM registers that pass anything (System V ABI, AMD64 supplement, figure 3.4).</summary>
    private const int XmmCount = 8;
    private const int GeneralCount = 16;

    private readonly ulong[] _general = new ulong[GeneralCount];
    private readonly ulong[] _xmm = new ulong[2 * XmmCount];
    private X87Register _top;

    private CallRegisters() { }

    /// <summary>16, 32 or 64: how the code is decoded.</summary>
    public int CodeSize { get; private init; }

    /// <summary>Linear address of the top of the stack.</summary>
    public ulong Stack { get; private init; }

    /// <summary>Bytes of a stack slot.</summary>
    public int WordBytes => CodeSize / 8;

    public static CallRegisters Of(in GuestView view)
    {
        ref VcpuState s = ref view.Vcpu.State;
        var registers = new CallRegisters { CodeSize = view.CodeSize, Stack = view.StackAddress };
        for (int i = 0; i < GeneralCount; i++) registers._general[i] = registers.CodeSize == 64 ? s.General[i] : (uint)s.General[i];
        for (int i = 0; i < XmmCount; i++)
        {
            registers._xmm[2 * i] = s.XmmAs<ulong>(i)[0];
            registers._xmm[2 * i + 1] = s.XmmAs<ulong>(i)[1];
        }
        registers._top = s.X87[s.X87Status >> 11 & 7];
        return registers;
    }

    /// <summary>A general register by its number: RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 and so on.</summary>
    public ulong General(int number) => _general[number];

    /// <summary>A half of an XMM register.</summary>
    public ulong Xmm(int number, int half) => _xmm[2 * number + half];

    /// <summary>The top of the x87 stack.</summary>
    public X87Register X87Top => _top;

    /// <summary>A general register by name, with or without a <c>$</c>; null: there is none of that name here.</summary>
    public ulong? ByName(string name)
    {
        ReadOnlySpan<char> bare = name.StartsWith('$') ? name.AsSpan(1) : name;
        for (int i = 0; i < GeneralCount; i++)
        {
            if (bare.SequenceEqual(RegisterFile.General[i])) return _general[i];
            if (i < 8 && bare.Length == 3 && bare[0] == 'e' && bare[1..].SequenceEqual(RegisterFile.General[i].AsSpan(1))) return (uint)_general[i];
        }
        return null;
    }
}
