using System.Collections.Generic;
using Iced.Intel;
using Introspection.Code;
using Introspection.Programs;
using Introspection.State;
using Symbols.Dwarf.Frames;

namespace Introspection.Unwinding;

/// <summary>
/// Finds the callers of a vCPU's code, out of the kernel into the program that called it. In this order: by call frame information; by a Linux kernel's own tables; by
/// following code without any from its function's beginning, or to its return, which leads out of interrupt handlers written in assembler too; by frame pointers ([RBP] is the caller's RBP,
/// [RBP+8] the return address); and, for the innermost frame alone, by looking for something like a return address on the stack.
/// </summary>
public sealed class StackUnwinder
{
    public const int MaximumDepth = 256;
    private const int MaximumGuessedSlots = 512;

    private readonly GuestView _view;
    private readonly SymbolSet _symbols;
    private readonly Disassembler _disassembler;
    private readonly ReturnFollower _follower;
    private readonly EntryFollower _entries;
    private readonly SystemCallEntry _systemCalls;
    private readonly KernelFrames _kernel;

    public StackUnwinder(GuestView view, SymbolSet symbols)
    {
        _view = view;
        _symbols = symbols;
        _disassembler = new Disassembler(view);
        _follower = new ReturnFollower(view, _disassembler);
        _entries = new EntryFollower(view, _disassembler);
        _systemCalls = new SystemCallEntry(view, _disassembler);
        _kernel = new KernelFrames(view, symbols);
    }

    /// <summary>The innermost frame alone, with its caller as far as it is known.</summary>
    public CallFrame Innermost() => Walk(1)[0];

    /// <summary>From the innermost frame outwards.</summary>
    public List<CallFrame> Walk(int maximumDepth = MaximumDepth)
    {
        var frames = new List<CallFrame>();
        FrameRegisters registers = FrameRegisters.Of(_view);
        var frame = new CallFrame(registers.Code, registers.Stack, FrameOrigin.Innermost, IsExact: true) { Registers = registers };
        while (frames.Count < maximumDepth)
        {
            if (CallerOf(registers, frame) is not { } caller)
            {
                frames.Add(frame);
                break;
            }
            frames.Add(frame with { ReturnSlot = caller.Slot, ReturnAddress = caller.Frame.Code, ReturnStack = caller.Frame.Stack });
            (registers, frame) = (caller.Registers, caller.Frame);
        }
        return frames;
    }

    private readonly record struct Caller(FrameRegisters Registers, CallFrame Frame, ulong Slot);

    private Caller? CallerOf(FrameRegisters registers, in CallFrame frame)
    {
        if (registers.Stack == 0) return null;
        if (frame.Origin == FrameOrigin.Innermost && Retpoline.Caller(registers, _disassembler) is { } jumped
            && Make(registers, jumped, FrameOrigin.Code, isInterrupt: false) is { } thunk)
            return thunk;
        if (ByInformation(registers, frame, out bool isOutermost) is { } informed) return informed;
        if (isOutermost) return null;
        if (_kernel.Caller(registers, frame.IsExact, out bool isEntered, out bool isOtherStack) is { } known
            && Make(registers, known, FrameOrigin.CallFrameInformation, isEntered, isOtherStack) is { } tabled)
            return tabled;
        if (ByCode(registers, frame) is { } followed) return followed;
        if (ByFramePointer(registers, frame) is { } chained) return chained;
        return frame.Origin == FrameOrigin.Innermost && registers[FrameRegisters.Rbp] != 0 ? ByGuess(registers) : null;
    }

    private Caller? ByInformation(FrameRegisters registers, in CallFrame frame, out bool isOutermost)
    {
        isOutermost = false;
        foreach (LoadedFile file in _symbols.Files)
        {
            if (file.Is64 != registers.Is64 || !file.Covers(frame.Lookup)) continue;
            UnwoundFrame unwound = file.Unwind(frame.Lookup, registers);
            isOutermost = unwound.IsOutermost;
            if (unwound.Problem is not null || unwound.ReturnAddress == 0) continue;
            return Make(registers, registers.Caller(unwound), FrameOrigin.CallFrameInformation, unwound.IsSignalFrame);
        }
        return null;
    }

    private Caller? ByCode(FrameRegisters registers, in CallFrame frame)
    {
        bool isSystemCall = _systemCalls.Covers(registers);
        if (isSystemCall && frame.Origin == FrameOrigin.Innermost && _systemCalls.FromRegisters(registers) is { } program)
            return Make(registers, program, FrameOrigin.Code, isInterrupt: true);
        if (_symbols.KnownNameOf(frame.Lookup, out ulong offset) is not null && _entries.Follow(registers, frame.Lookup - offset) is { } entered
            && Make(registers, entered, FrameOrigin.Code, isInterrupt: false) is { } called)
            return called;
        if (_follower.Follow(registers, out bool isInterrupt) is { } followed && Make(registers, followed, FrameOrigin.Code, isInterrupt) is { } returned) return returned;
        return isSystemCall && _systemCalls.FromStack(registers) is { } saved ? Make(registers, saved, FrameOrigin.Code, isInterrupt: true) : null;
    }

    private Caller? ByFramePointer(FrameRegisters registers, in CallFrame frame)
    {
        if (registers[FrameRegisters.Rbp] is not { } framePointer) return null;
        ulong size = (ulong)registers.PointerSize, offset = framePointer + size;
        ulong? outer = null;
        if (frame.Origin == FrameOrigin.Innermost && SlotWithoutFrame(registers) is { } slot)
        {
            // RBP is still, or again, the caller's.
            offset = slot;
            outer = framePointer;
        }
        else if (framePointer == 0)
        {
            return null;
        }
        outer ??= registers.OnStack(framePointer);
        if (registers.OnStack(offset) is not { } address || address == 0) return null;
        FrameRegisters caller = registers.Copy();
        caller.Rip = address;
        caller[FrameRegisters.Rsp] = offset + size;
        caller[FrameRegisters.Rbp] = outer;
        return Make(registers, caller, FrameOrigin.FramePointer, isInterrupt: false);
    }

    // In a function's first instructions, and at its last one, its frame does not stand.
    private ulong? SlotWithoutFrame(FrameRegisters registers)
    {
        Instruction next = _disassembler.Decode(registers.Code);
        ulong stack = registers[FrameRegisters.Rsp]!.Value;
        if (CodeShape.IsReturn(next) || CodeShape.IsPushOfFramePointer(next)) return stack;
        return CodeShape.IsFrameSetup(next) ? stack + (ulong)registers.PointerSize : null;
    }

    private Caller? ByGuess(FrameRegisters registers)
    {
        ulong size = (ulong)registers.PointerSize, stack = registers[FrameRegisters.Rsp]!.Value;
        for (int i = 0; i < MaximumGuessedSlots; i++, stack += size)
        {
            if (registers.OnStack(stack) is not { } address) return null;
            if (address < 0x1000) continue;
            FrameRegisters caller = registers.Copy();
            caller.Rip = address;
            caller[FrameRegisters.Rsp] = stack + size;
            if (Make(registers, caller, FrameOrigin.Guess, isInterrupt: false) is { } found) return found;
        }
        return null;
    }

    // Null: it cannot be. A caller's code can be read and, unless it was interrupted, has just called; its stack lies above. Of a program that ends nothing may be mapped any more,
    // and what the kernel has saved of it still holds.
    private Caller? Make(FrameRegisters from, FrameRegisters caller, FrameOrigin origin, bool isInterrupt, bool isOtherStack = false)
    {
        bool isProgram = isInterrupt && caller.IsUser && !from.IsUser && origin == FrameOrigin.CallFrameInformation;
        if (caller.Stack == 0 || (!isProgram && _view.Translate(caller.Code) is null)) return null;
        if (!isInterrupt && !isOtherStack && caller.Stack <= from.Stack) return null;
        if (!isInterrupt && !CodeShape.IsBehindCall(_disassembler, caller.Code, out _)
            && !(origin == FrameOrigin.CallFrameInformation && CodeShape.IsBehindFarReturn(_disassembler, caller.Code)))
            return null;
        ulong slot = isInterrupt ? 0 : caller.Stack - (ulong)from.PointerSize;
        return new Caller(caller, new CallFrame(caller.Code, caller.Stack, origin, isInterrupt) { Registers = caller }, slot);
    }
}
