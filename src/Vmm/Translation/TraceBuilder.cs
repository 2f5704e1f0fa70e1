using System.Collections.Generic;
using Iced.Intel;
using Vmm.Decoding;

namespace Vmm.Translation;

/// <summary>
/// Finds out what is executed behind a warm block: where a jump, a call or the return from that call leads on the same page, to a block that is warm itself, they become one trace, in
/// which such a jump is nothing at all, a call only a push, and a return a comparison.
/// </summary>
internal sealed class TraceBuilder(BlockCache blocks, int warmAt)
{
    /// <summary>How much less often than the first block another may have been entered: it was reached by other ways than this as well.</summary>
    private const int Cooler = 4;

    private readonly List<Block> _parts = [];
    private readonly Stack<ulong> _returns = [];

    /// <summary>The trace that begins with a block; the block itself, if nothing can be joined to it.</summary>
    public Block From(Block head)
    {
        _parts.Clear();
        _parts.Add(head);
        _returns.Clear();
        int length = head.Instructions.Length;
        while (!head.MayHaveBreakpoint && TryFollow(_parts[^1], out ulong target, out bool isCall))
        {
            if (blocks.FindBeside(head, target) is not { MayHaveBreakpoint: false } next || !IsWarm(next)) break;
            // Round a loop there is nothing more to be gained; but a function calls itself with the stack elsewhere, and returns.
            if (!isCall && _parts.Contains(next)) break;
            length += next.Instructions.Length;
            if (length > blocks.MaximumLength) break;
            _parts.Add(next);
        }
        return _parts.Count == 1 ? head : Block.TraceOf([.. _parts]);
    }

    private bool IsWarm(Block block) => block.HostCode is not null || block.Heat >= warmAt / Cooler;

    private bool TryFollow(Block block, out ulong target, out bool isCall)
    {
        ref readonly DecodedInstruction last = ref block.Instructions[^1];
        target = last.Immediate;
        isCall = false;
        switch ((Code)last.Code)
        {
            case Code.Jmp_rel8_64 or Code.Jmp_rel32_64 or Code.Jmp_rel8_32 or Code.Jmp_rel32_32: return true;
            case Code.Call_rel32_64 or Code.Call_rel32_32:
                isCall = true;
                _returns.Push(last.NextRip);
                return true;
            case Code.Retnq or Code.Retnd: return _returns.TryPop(out target);
            default: return false;
        }
    }
}
