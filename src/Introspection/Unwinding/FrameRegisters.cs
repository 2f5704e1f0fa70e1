using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Introspection.State;
using Introspection.Values;
using Symbols.Dwarf.Expressions;
using Symbols.Dwarf.Frames;
using Vmm.Cpu;

namespace Introspection.Unwinding;

/// <summary>The registers of a frame as far as they are known, numbered as instructions do: RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15; and memory.</summary>
public sealed class FrameRegisters : IUnwindContext
{
    public const int Rcx = 1, Rsp = 4, Rbp = 5;
    private const int GeneralCount = 16;

    // System V ABI, psABI-x86-64 figure 3.36; psABI-i386 figure 2.14 has the processor's own order.
    private static readonly int[] s_dwarf64 = [0, 2, 1, 3, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15];

    private readonly GuestView _view;
    private readonly ulong[] _values;
    private uint _known;
    // The vCPU's own are the innermost frame's: calls keep none (psABI-x86-64, 3.2.1).
    private bool _hasVectors;
    // What the code would push, by the offset of its slot.
    private Dictionary<ulong, ulong?>? _pushed;

    private FrameRegisters(GuestView view, ulong[] values, uint known, ulong rip)
    {
        _view = view;
        _values = values;
        _known = known;
        Rip = rip;
    }

    public ulong Rip { get; set; }

    /// <summary>It is a program's in user mode.</summary>
    public bool IsUser { get; set; }

    public bool Is64 => _view.CodeSize == 64;

    public int PointerSize => Math.Max(2, _view.CodeSize / 8);

    /// <summary>The innermost frame's: the vCPU's.</summary>
    public static FrameRegisters Of(GuestView view)
    {
        ref VcpuState s = ref view.Vcpu.State;
        var values = new ulong[GeneralCount];
        for (int i = 0; i < GeneralCount; i++) values[i] = s.General[i];
        return new FrameRegisters(view, values, (1u << GeneralCount) - 1, s.Rip) { IsUser = s.Cpl == 3, _hasVectors = true };
    }

    public FrameRegisters Copy() => new(_view, [.. _values], _known, Rip)
    {
        IsUser = IsUser, _hasVectors = _hasVectors, _pushed = _pushed is null ? null : new(_pushed),
    };

    public ulong? this[int register]
    {
        get => (_known >> register & 1) != 0 ? _values[register] : null;
        set
        {
            _values[register] = value ?? 0;
            _known = value is null ? _known & ~(1u << register) : _known | 1u << register;
        }
    }

    /// <summary>Linear address of the code.</summary>
    public ulong Code => _view.CodeAddressOf(Rip);

    /// <summary>Linear address of the top of the stack; 0: unknown.</summary>
    public ulong Stack => this[Rsp] is { } stack ? _view.StackAddressOf(stack) : 0;

    /// <summary>A number on the stack; null: unknown, or no memory.</summary>
    public ulong? OnStack(ulong offset) => _view.ReadNumber(_view.StackAddressOf(offset), PointerSize);

    /// <summary>Notes what code that is followed, and not run, would have pushed.</summary>
    internal void Push(ulong offset, ulong? value) => (_pushed ??= [])[offset] = value;

    /// <summary>What it would find there; null: unknown.</summary>
    internal ulong? Pushed(ulong offset) => _pushed is not null && _pushed.TryGetValue(offset, out ulong? value) ? value : null;

    /// <summary>The caller's registers, from what call frame information gives.</summary>
    public FrameRegisters Caller(UnwoundFrame frame)
    {
        var caller = new FrameRegisters(_view, new ulong[GeneralCount], 0, frame.ReturnAddress) { IsUser = IsUser };
        for (int i = 0; i < (Is64 ? GeneralCount : 8); i++)
            if (frame.TryRegister(i, out ulong value)) caller[NumberOf(i)] = value;
        return caller;
    }

    public bool TryReadRegister(int register, out ulong value)
    {
        bool isProgramCounter = register == (Is64 ? 16 : 8);
        ulong? known = isProgramCounter ? Rip : (uint)register < (Is64 ? 16u : 8u) ? this[NumberOf(register)] : null;
        value = known ?? 0;
        if (known is not null) return true;
        Span<byte> low = stackalloc byte[8];
        bool isVector = TryReadVector(register, low);
        if (isVector) value = BitConverter.ToUInt64(low);
        return isVector;
    }

    /// <summary>
    /// The bytes of an XMM register (DWARF's numbers 17 to 32, 21 to 28 in 32-bit code) or of one of the x87's stack (33 to 40, 11 to 18); false: it is none, or not known,
    /// as in frames that have called others.
    /// </summary>
    public bool TryReadVector(int register, Span<byte> bytes)
    {
        int stack = register - (Is64 ? 33 : 11);
        if (_hasVectors && stack is >= 0 and < 8)
        {
            WideRegisters.ReadStack(ref _view.Vcpu.State, stack, bytes);
            return true;
        }
        int index = register - (Is64 ? 17 : 21);
        if (!_hasVectors || index < 0 || index >= (Is64 ? 16 : 8)) return false;
        Span<byte> held = stackalloc byte[16];
        MemoryMarshal.Write(held, _view.Vcpu.State.Xmm[index]);
        held[..Math.Min(16, bytes.Length)].CopyTo(bytes);
        return true;
    }

    public bool TryReadMemory(ulong address, int sizeBytes, out ulong value)
    {
        ulong? read = _view.ReadNumber(address, sizeBytes);
        value = read ?? 0;
        return read is not null;
    }

    private int NumberOf(int dwarfRegister) => Is64 ? s_dwarf64[dwarfRegister] : dwarfRegister;
}
