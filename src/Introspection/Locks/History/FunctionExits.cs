using System.Collections.Generic;
using Iced.Intel;
using Introspection.Code;
using Introspection.Unwinding;

namespace Introspection.Locks.History;

/// <summary>
/// Finds the instructions at which a function returns, by going all its ways: RET, or a jump to a RET that others share, as kernels have it against Retbleed. Functions that it ends
/// with a jump to belong to it.
/// </summary>
internal sealed class FunctionExits(Disassembler disassembler)
{
    private const int MaximumInstructionCount = 8192;

    /// <summary>Adds them; false: none was found.</summary>
    /// <param name="entry">Linear address of the function's first instruction.</param>
    /// <param name="exits">Gets the instructions at which it returns.</param>
    /// <param name="callees">Gets the functions that it calls directly.</param>
    public bool TryAdd(ulong entry, HashSet<ulong> exits, HashSet<ulong> callees)
    {
        var visited = new HashSet<ulong>();
        var ways = new Stack<ulong>();
        ways.Push(entry);
        bool isFound = false;
        while (ways.TryPop(out ulong address))
        {
            while (visited.Count < MaximumInstructionCount && visited.Add(address))
            {
                Instruction i = disassembler.Decode(address);
                if (i.IsInvalid) break;
                bool isJump = i.FlowControl == FlowControl.UnconditionalBranch && i.Mnemonic == Mnemonic.Jmp;
                if (CodeShape.IsReturn(i) || (isJump && CodeShape.IsReturn(disassembler.Decode(i.NearBranchTarget))))
                {
                    exits.Add(address);
                    isFound = true;
                    break;
                }
                if (i.FlowControl == FlowControl.Call && i.Mnemonic == Mnemonic.Call) callees.Add(i.NearBranchTarget);
                if (i.FlowControl == FlowControl.ConditionalBranch) ways.Push(i.NearBranchTarget);
                if (!isJump && i.FlowControl is not (FlowControl.Next or FlowControl.ConditionalBranch or FlowControl.Call or FlowControl.IndirectCall)) break;
                address = isJump ? i.NearBranchTarget : i.NextIP;
            }
        }
        return isFound;
    }
}
