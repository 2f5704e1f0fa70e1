namespace Introspection.Unwinding;

/// <summary>How a frame was found.</summary>
public enum FrameOrigin
{
    /// <summary>It is the vCPU's own.</summary>
    Innermost,
    /// <summary>By DWARF's call frame information.</summary>
    CallFrameInformation,
    /// <summary>By following the code below it, from its function's beginning or to its return.</summary>
    Code,
    /// <summary>By the chain of frame pointers.</summary>
    FramePointer,
    /// <summary>The stack holds an address behind a call, which may have been left there.</summary>
    Guess,
}

/// <summary>One call that has not returned, or code that was interrupted. All addresses are linear.</summary>
/// <param name="Code">The instruction that comes next in it.</param>
/// <param name="Stack">Its stack pointer, when what it called has returned.</param>
/// <param name="Origin">How it was found.</param>
/// <param name="IsExact">The instruction at <paramref name="Code"/> has not begun; else it lies behind a call, which is what the frame is about.</param>
public readonly record struct CallFrame(ulong Code, ulong Stack, FrameOrigin Origin, bool IsExact)
{
    /// <summary>The stack slot that holds this frame's return address; 0: unknown.</summary>
    public ulong ReturnSlot { get; init; }

    /// <summary>Where its caller goes on; 0: unknown.</summary>
    public ulong ReturnAddress { get; init; }

    /// <summary>What the caller's stack pointer will be.</summary>
    public ulong ReturnStack { get; init; }

    /// <summary>It is a program's, in user mode: below a kernel's frames, the program that called or was interrupted.</summary>
    public bool IsUser => Registers?.IsUser == true;

    /// <summary>The frame's registers as far as they are known; null: it was not unwound.</summary>
    public FrameRegisters? Registers { get; init; }

    /// <summary>An address of the instruction that the frame is about, for symbols: behind a call may be another function.</summary>
    public ulong Lookup => IsExact ? Code : Code - 1;
}
