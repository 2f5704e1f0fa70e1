using System.Collections.Generic;
using Iced.Intel;
using Introspection.Code;
using Introspection.State;

namespace Introspection.Unwinding;

/// <summary>
/// Finds the caller of code that has no unwind information, as that of assemblers: follows it, without running it, to the RET or IRET that ends it, and counts what
/// it does to the stack pointer. How high the stack is at an instruction does not depend on the way there, so that any way will do: the straight one first, branches
/// where it leads nowhere.
/// </summary>
public sealed class ReturnFollower(GuestView view, Disassembler disassembler)
{
    private const int MaximumInstructionCount = 1024, MaximumWayCount = 64;
    // RAX, RCX, RDX, RSI, RDI, R8 to R11: a call may change them.
    private const int CallerSaved = 0b1111_1100_0111;

    private readonly HashSet<ulong> _visited = [];
    // Ways that were not gone, the likely ones last.
    private readonly List<FrameRegisters> _ways = [];

    /// <summary>The caller's registers; null: the code does something to the stack that is not understood, or goes on for too long.</summary>
    /// <param name="frame">The registers in the code.</param>
    /// <param name="isInterrupt">It ends with a return from an interrupt or a system call: the caller's instruction has not begun.</param>
    public FrameRegisters? Follow(FrameRegisters frame, out bool isInterrupt)
    {
        isInterrupt = false;
        if (view.CodeSize == 16 || frame[FrameRegisters.Rsp] is not { } bottom) return null;
        _visited.Clear();
        _ways.Clear();
        _ways.Add(frame.Copy());
        int count = 0;
        while (_ways.Count > 0)
        {
            FrameRegisters way = _ways[^1];
            _ways.RemoveAt(_ways.Count - 1);
            while (_visited.Add(way.Code) && count++ < MaximumInstructionCount)
            {
                Instruction instruction = disassembler.Decode(way.Code);
                if (instruction.IsInvalid) break;
                way.Rip += (ulong)instruction.Length;
                if (IsEnd(way, instruction, out isInterrupt, out bool isFound))
                {
                    if (isFound) return way;
                    break;
                }
                if (!TryApply(way, instruction, bottom)) break;
            }
        }
        return null;
    }

    // The code ends here; and what it returns to, which the registers then are, can be.
    private bool IsEnd(FrameRegisters way, in Instruction instruction, out bool isInterrupt, out bool isFound)
    {
        isInterrupt = isFound = false;
        if (CodeShape.IsReturn(instruction))
        {
            isFound = Return(way, instruction.OpCount > 0 ? instruction.GetImmediate(0) : 0);
            return true;
        }
        // To another function, which will return for this one; or by a table of jumps, and then no return address is at the top of the stack.
        if (instruction.FlowControl == FlowControl.IndirectBranch)
        {
            isFound = Return(way, 0);
            return true;
        }
        if (CodeShape.IsInterruptReturn(instruction)) isInterrupt = isFound = InterruptReturn(way);
        else if (CodeShape.IsSystemReturn(instruction)) isInterrupt = isFound = SystemReturn(way);
        else return false;
        return true;
    }

    private bool Return(FrameRegisters r, ulong poppedBytes)
    {
        if (r[FrameRegisters.Rsp] is not { } stack || r.OnStack(stack) is not { } address) return false;
        r.Rip = address;
        r[FrameRegisters.Rsp] = stack + (ulong)r.PointerSize + poppedBytes;
        return CodeShape.IsBehindCall(disassembler, r.Code, out _);
    }

    // SDM 3A 6.14.3: in 64-bit mode all five are always there; in others SS:ESP only where the privilege level changes.
    private bool InterruptReturn(FrameRegisters r)
    {
        if (r[FrameRegisters.Rsp] is not { } stack) return false;
        ulong size = (ulong)r.PointerSize;
        if (r.OnStack(stack) is not { } address || r.OnStack(stack + size) is not { } selector || r.OnStack(stack + 2 * size) is not { } flags) return false;
        // Bit 1 of the flags is always set, and a code selector is never null.
        if ((flags & 2) == 0 || selector is < 4 or > 0xFFFF) return false;
        bool hasStack = r.Is64 || (selector & 3) != 0;
        ulong? outer = hasStack ? r.OnStack(stack + 3 * size) : stack + 3 * size;
        if (outer is null) return false;
        r.Rip = address;
        r[FrameRegisters.Rsp] = outer;
        r.IsUser = (selector & 3) == 3;
        return view.Translate(r.Code) is not null;
    }

    private bool SystemReturn(FrameRegisters r)
    {
        if (!r.Is64 || r[FrameRegisters.Rcx] is not { } address || r[FrameRegisters.Rsp] is null) return false;
        r.Rip = address;
        r.IsUser = true;
        return view.Translate(r.Code) is not null;
    }

    // False: this way ends here.
    private bool TryApply(FrameRegisters r, in Instruction i, ulong bottom)
    {
        switch (i.Mnemonic)
        {
            case Mnemonic.Jmp:
                if (i.FlowControl != FlowControl.UnconditionalBranch) return false;
                r.Rip += i.NearBranchTarget - i.NextIP;
                return true;
            case Mnemonic.Call:
                for (int register = 0; register < 12; register++)
                    if ((CallerSaved >> register & 1) != 0) r[register] = null;
                return true;
            case Mnemonic.Ud2 or Mnemonic.Int3 or Mnemonic.Hlt:
                // It may go on behind, as in a warning of Linux; more likely the call before does not return.
                if (_ways.Count < MaximumWayCount) _ways.Insert(0, r.Copy());
                return false;
        }
        if (i.FlowControl == FlowControl.ConditionalBranch && _ways.Count < MaximumWayCount)
        {
            FrameRegisters other = r.Copy();
            other.Rip += i.NearBranchTarget - i.NextIP;
            _ways.Add(other);
            return true;
        }
        return StackEffect.TryApply(r, i, bottom) && i.FlowControl is FlowControl.Next or FlowControl.ConditionalBranch or FlowControl.Interrupt;
    }
}
