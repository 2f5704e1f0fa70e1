using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;

namespace Vmm.Host.Sandbox;

/// <summary>An instruction of classic BPF, <c>struct sock_filter</c> (include/uapi/linux/filter.h).</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct BpfInstruction(ushort Code, byte IfTrue, byte IfFalse, uint Operand);

/// <summary>Builds a seccomp filter: a classic BPF program over <c>struct seccomp_data</c>. Jumps only lead over a return, so that what is written is what happens.</summary>
internal sealed class BpfProgram
{
    // BPF_LD | BPF_W | BPF_ABS, BPF_ALU | BPF_AND | BPF_K, BPF_JMP | ... | BPF_K, BPF_RET | BPF_K
    private const ushort Load = 0x20, And = 0x54, IfEqual = 0x15, IfAbove = 0x25, IfAtLeast = 0x35, IfAnySet = 0x45, Ret = 0x06;
    private const uint NumberOffset = 0, ArchitectureOffset = 4, ArgumentsOffset = 16, ArgumentSizeBytes = 8;

    private readonly List<BpfInstruction> _code = [];

    public BpfInstruction[] ToArray() => [.. _code];

    public void LoadArchitecture() => Add(Load, ArchitectureOffset);

    public void LoadNumber() => Add(Load, NumberOffset);

    public BpfProgram Return(uint action)
    {
        Add(Ret, action);
        return this;
    }

    /// <summary>If what is loaded is something else.</summary>
    public void ReturnUnless(uint value, uint action) => Guarded(IfEqual, value, returnsIfTrue: false, action);

    /// <summary>If what is loaded is greater.</summary>
    public void ReturnIfAbove(uint value, uint action) => Guarded(IfAbove, value, returnsIfTrue: true, action);

    // What follows is about the low 32 bits of an argument by its number, from 0.

    public BpfProgram ReturnIfEqual(int argument, uint value, uint action) => OfArgument(argument).Guarded(IfEqual, value, returnsIfTrue: true, action);

    public BpfProgram ReturnUnlessEqual(int argument, uint value, uint action) => OfArgument(argument).Guarded(IfEqual, value, returnsIfTrue: false, action);

    public BpfProgram ReturnIfAny(int argument, uint bits, uint action) => OfArgument(argument).Guarded(IfAnySet, bits, returnsIfTrue: true, action);

    public BpfProgram ReturnUnlessAny(int argument, uint bits, uint action) => OfArgument(argument).Guarded(IfAnySet, bits, returnsIfTrue: false, action);

    public BpfProgram ReturnUnlessMasked(int argument, uint mask, uint value, uint action)
    {
        OfArgument(argument).Add(And, mask);
        return Guarded(IfEqual, value, returnsIfTrue: false, action);
    }

    /// <summary>With the number loaded: for this call the body decides, which allows what it does not return for.</summary>
    public void Judge(SystemCall call, Action<BpfProgram> body)
    {
        var own = new BpfProgram();
        body(own);
        own.Return(SystemCallFilter.Allow);
        _code.Add(new BpfInstruction(IfEqual, 0, checked((byte)own._code.Count), (uint)call));
        _code.AddRange(own._code);
    }

    /// <summary>With the number loaded: allows those of a list in rising order, and refuses what lies between them; what lies behind them goes on.</summary>
    public void AllowAmong(List<int> numbers, uint refuse)
    {
        for (int i = 0; i < numbers.Count;)
        {
            int first = numbers[i], last = first;
            while (++i < numbers.Count && numbers[i] == last + 1) last++;
            _code.Add(new BpfInstruction(IfAbove, 3, 0, (uint)last));
            Guarded(IfAtLeast, (uint)first, returnsIfTrue: false, refuse);
            Add(Ret, SystemCallFilter.Allow);
        }
    }

    private BpfProgram OfArgument(int argument)
    {
        Add(Load, ArgumentsOffset + (uint)argument * ArgumentSizeBytes);
        return this;
    }

    private BpfProgram Guarded(ushort condition, uint operand, bool returnsIfTrue, uint action)
    {
        _code.Add(new BpfInstruction(condition, (byte)(returnsIfTrue ? 0 : 1), (byte)(returnsIfTrue ? 1 : 0), operand));
        Add(Ret, action);
        return this;
    }

    private void Add(ushort code, uint operand) => _code.Add(new BpfInstruction(code, 0, 0, operand));
}
