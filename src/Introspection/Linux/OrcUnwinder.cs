using System;
using System.Collections.Generic;
using Symbols.Kallsyms;
using Symbols.Types;

namespace Introspection.Linux;

/// <summary>One frame of a kernel stack.</summary>
/// <param name="Rip">What comes next in it.</param>
/// <param name="Rsp">Its stack pointer.</param>
/// <param name="Rbp">Its frame pointer register; null: not known.</param>
/// <param name="IsInterrupted">Its instruction has not begun; else it lies behind a call.</param>
public readonly record struct OrcFrame(ulong Rip, ulong Rsp, ulong? Rbp, bool IsInterrupted)
{
    // VSYSCALL_ADDR (arch/x86/include/uapi/asm/vsyscall.h): programs may call what looks like a page of the kernel's.
    private const ulong SystemCallPage = 0xffffffffff600000, SystemCallPageBytes = 4096;

    /// <summary>It is a program's.</summary>
    public bool IsUser => Rip >> 63 == 0 || Rip - SystemCallPage < SystemCallPageBytes;

    /// <summary>Its stack is not the one of the frame that it was found from.</summary>
    public bool IsOtherStack { get; init; }

    /// <summary>Address of the <c>pt_regs</c> that were saved when it was interrupted; 0: none, or not all of them.</summary>
    internal ulong Registers { get; init; }

    /// <summary>Registers that the frame itself has, by their names in <c>pt_regs</c>; null: only those that were saved are known.</summary>
    internal Func<string, ulong?>? Held { get; init; }
}

/// <summary>
/// Callers by the kernel's own unwind tables in its memory (Documentation/x86/orc-unwinder.rst, arch/x86/kernel/unwind_orc.c): 64-bit kernels since 4.14 that were
/// built with them, as distributions do. They know every instruction of the kernel, entry code included.
/// </summary>
public sealed class OrcUnwinder
{
    private const int MaximumFrames = 256;
    private const int MaximumEntries = 1 << 24;
    private const int PointerBytes = 8;

    // arch/x86/include/asm/orc_types.h, ORC_REG_*.
    private const uint Undefined = 0, PreviousStack = 1, Dx = 2, Di = 3, FramePointer = 4, StackPointer = 5, R10 = 6, R13 = 7, FramePointerIndirect = 8, StackPointerIndirect = 9;

    private readonly LinuxKernel _kernel;
    private readonly KernelLayout _layout;
    private readonly Shape _shape;

    private enum Kind
    {
        Undefined,
        End,
        Call,
        Registers,
        PartialRegisters,
    }

    // Where struct orc_entry has its parts, in bits; types were counted otherwise as long as there was a bit for the end.
    private sealed record Shape(ulong Size, (int At, int Bits) Stack, (int At, int Bits) Frame, (int At, int Bits) StackRegister, (int At, int Bits) FrameRegister,
        (int At, int Bits) Type, (int At, int Bits)? End);

    private readonly record struct Entry(uint StackRegister, short StackOffset, uint FrameRegister, short FrameOffset, Kind Kind);

    private OrcUnwinder(LinuxKernel kernel, KernelLayout layout, Shape shape)
    {
        _kernel = kernel;
        _layout = layout;
        _shape = shape;
    }

    /// <summary>Null: the kernel has no such tables.</summary>
    internal static OrcUnwinder? TryMake(LinuxKernel kernel) =>
        kernel.Layout is { } layout && kernel.Types?.FindType("orc_entry", TypeTag.Struct) is RecordType record && ShapeOf(record) is { } shape
        && kernel.Image.Symbols.AddressOf("__start_orc_unwind_ip") is not null ? new OrcUnwinder(kernel, layout, shape) : null;

    /// <summary>The frames of a thread that does not run, the innermost first; empty: it runs, or its stack cannot be read.</summary>
    public IReadOnlyList<OrcFrame> StackOf(LinuxTask task)
    {
        if (_kernel.Tasks.FrameOf(task) is not { } saved) return [];
        return Walk(new OrcFrame(saved.Rip, saved.Rsp, saved.Rbp, IsInterrupted: false));
    }

    /// <summary>A frame and its callers in the kernel.</summary>
    public IReadOnlyList<OrcFrame> Walk(OrcFrame innermost)
    {
        var frames = new List<OrcFrame>();
        for (OrcFrame? frame = innermost; frame is { } known && frames.Count < MaximumFrames; frame = Caller(known)) frames.Add(known);
        return frames;
    }

    /// <summary>The frame's caller, or what it interrupted; null: user mode, the outermost, or it cannot be told.</summary>
    public OrcFrame? Caller(in OrcFrame frame) => Outer(frame) is { IsUser: false } caller ? caller : null;

    /// <summary>A register as it was when this frame was interrupted or entered the kernel, by its name in <c>pt_regs</c>; null: it was not saved.</summary>
    public ulong? SavedRegister(in OrcFrame frame, string name) => frame.Registers == 0 ? null : Saved(frame.Registers, name);

    /// <summary>The frame's caller, what it interrupted, or the program that entered the kernel; null: the outermost, or it cannot be told.</summary>
    public OrcFrame? Outer(in OrcFrame frame)
    {
        if (Find(frame.IsInterrupted ? frame.Rip : frame.Rip - 1) is not { } entry || StackBefore(frame, entry) is not { } stack) return null;
        ulong? rip, rsp = stack;
        ulong registers = 0;
        switch (entry.Kind)
        {
            case Kind.Call:
                rip = Read(stack - PointerBytes);
                break;
            case Kind.Registers:
                registers = stack;
                rip = Saved(registers, "ip");
                rsp = Saved(registers, "sp");
                break;
            case Kind.PartialRegisters:
                // Only what the processor itself pushes is there.
                ulong partial = stack - (_layout.Offset("pt_regs", "ip") ?? 0);
                rip = Saved(partial, "ip");
                rsp = Saved(partial, "sp");
                break;
            default:
                return null;
        }
        if (rip is not { } next || rsp is not { } nextStack || (next >> 63 == 0 && entry.Kind == Kind.Call)) return null;
        // A stack only shrinks on the way out; another one may be anywhere: an interrupt's, and the one below an interrupt's own, whose top points to it.
        bool isOtherStack = entry.StackRegister is StackPointerIndirect or FramePointerIndirect;
        if (entry.Kind == Kind.Call && !isOtherStack && nextStack <= frame.Rsp) return null;
        ulong? rbp = entry.FrameRegister switch
        {
            PreviousStack => Read(stack + (ulong)entry.FrameOffset),
            FramePointer => frame.Rbp is { } known ? Read(known + (ulong)entry.FrameOffset) : null,
            _ => registers != 0 ? Saved(registers, "bp") : frame.Rbp,
        };
        return new OrcFrame(next, nextStack, rbp, entry.Kind != Kind.Call) { Registers = registers, IsOtherStack = isOtherStack };
    }

    private ulong? StackBefore(in OrcFrame frame, in Entry entry)
    {
        ulong offset = (ulong)entry.StackOffset;
        return entry.StackRegister switch
        {
            StackPointer => frame.Rsp + offset,
            FramePointer => frame.Rbp + offset,
            StackPointerIndirect => Read(frame.Rsp) + offset,
            FramePointerIndirect => frame.Rbp is { } known ? Read(known + offset) : null,
            R10 => Held(frame, "r10"),
            R13 => Held(frame, "r13"),
            Di => Held(frame, "di"),
            Dx => Held(frame, "dx"),
            _ => null,
        };
    }

    // Where a function has just aligned its stack, or has left it for another one, another register has the way back.
    private ulong? Held(in OrcFrame frame, string register) => frame.Held is { } held ? held(register) : SavedRegister(frame, register);

    private Entry? Find(ulong address)
    {
        KallsymsTable symbols = _kernel.Image.Symbols;
        if (_kernel.Modules.Find(address) is { } module)
            return module.Orc is { } own ? Find(address, own.Addresses, own.Entries, own.Count) : null;
        if (symbols.AddressOf("__start_orc_unwind_ip") is not { } start || symbols.AddressOf("__stop_orc_unwind_ip") is not { } stop) return null;
        return symbols.AddressOf("__start_orc_unwind") is { } entries && stop > start ? Find(address, start, entries, (stop - start) / 4) : null;
    }

    // Addresses are distances from where they themselves are, in order; an entry holds up to the next one's.
    private Entry? Find(ulong address, ulong addresses, ulong entries, ulong count)
    {
        if (count is 0 or > MaximumEntries) return null;
        ulong low = 0, high = count;
        while (low < high)
        {
            ulong middle = (low + high) / 2, at = addresses + (middle * 4);
            if (_kernel.Memory.ReadNumber(at, 4) is not { } distance) return null;
            if (at + (ulong)(int)distance <= address) low = middle + 1;
            else high = middle;
        }
        return low == 0 ? null : Decode(entries + ((low - 1) * _shape.Size));
    }

    private Entry? Decode(ulong at)
    {
        if (_kernel.Memory.ReadNumber(at, (int)_shape.Size) is not { } bits) return null;
        uint type = Field(bits, _shape.Type);
        Kind kind = _shape.End is { } end
            ? Field(bits, end) != 0 ? Kind.End : type switch { 0 => Kind.Call, 1 => Kind.Registers, 2 => Kind.PartialRegisters, _ => Kind.Undefined }
            : type <= (uint)Kind.PartialRegisters ? (Kind)type : Kind.Undefined;
        uint stackRegister = Field(bits, _shape.StackRegister);
        if (stackRegister == Undefined) kind = Kind.Undefined;
        return new Entry(stackRegister, (short)Field(bits, _shape.Stack), Field(bits, _shape.FrameRegister), (short)Field(bits, _shape.Frame), kind);
    }

    private static uint Field(ulong bits, (int At, int Bits) field) => (uint)((bits >> field.At) & ((1UL << field.Bits) - 1));

    private static Shape? ShapeOf(RecordType record)
    {
        var members = new Dictionary<string, (int At, int Bits)>(StringComparer.Ordinal);
        foreach (RecordMember member in record.Members)
            if (member.Name is { } name) members[name] = ((int)member.BitOffset & 63, (int)Math.Min(32, member.IsBitField ? member.BitSize : (member.Type.SizeBytes ?? 0) * 8));
        if (record.SizeBytes is not (> 0 and <= 8 and { } size)) return null;
        if (!members.TryGetValue("sp_offset", out var stack) || !members.TryGetValue("bp_offset", out var frame) || !members.TryGetValue("type", out var type)) return null;
        if (!members.TryGetValue("sp_reg", out var stackRegister) || !members.TryGetValue("bp_reg", out var frameRegister)) return null;
        return new Shape(size, stack, frame, stackRegister, frameRegister, type, members.TryGetValue("end", out var end) ? end : null);
    }

    private ulong? Read(ulong address) => _kernel.Memory.ReadNumber(address, PointerBytes);

    private ulong? Saved(ulong registers, string name) => _layout.Number(_kernel.Memory, registers, "pt_regs", name);
}
