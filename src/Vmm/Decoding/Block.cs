using System.Collections.Generic;

namespace Vmm.Decoding;

/// <summary>
/// A run of decoded instructions that is entered at the top: it goes on past conditional branches that are not taken and ends at other
/// transfers, at a page's end, or when it is long enough.
/// </summary>
internal sealed class Block(DecodedInstruction[] instructions, ulong rip, int codeSize, int page, int offset, int secondPage)
{
    public const int MaximumLength = 64;

    public readonly DecodedInstruction[] Instructions = instructions;
    public readonly ulong Rip = rip;
    /// <summary>16, 32 or 64.</summary>
    public readonly int CodeSize = codeSize;
    /// <summary>RAM page that holds its bytes, and where in the page they start; -1 for code outside RAM, which is not kept.</summary>
    public readonly int Page = page, Offset = offset;
    /// <summary>RAM page that holds the end of an instruction across pages, then the only one of the block; else -1.</summary>
    public readonly int SecondPage = secondPage;
    /// <summary>False once a store changed its bytes.</summary>
    public bool IsValid { get; private set; } = true;
    /// <summary>A breakpoint may lie at its top. New breakpoints make all blocks anew.</summary>
    public bool MayHaveBreakpoint;

    /// <summary>The blocks that were entered after this one (a branch has two ways), each valid while the vCPU's FetchTag is the one beside it.</summary>
    public Block? FirstSuccessor, SecondSuccessor;
    public ulong FirstSuccessorTag, SecondSuccessorTag;

    /// <summary>How often it was looked at for translation.</summary>
    public int Heat;

    /// <summary>What was made from it, if it was warm; a translator's business.</summary>
    public HostCode? HostCode;

    /// <summary>Of a trace: the blocks whose instructions it has, in the order in which they are executed. Null: it is a block of its own.</summary>
    private IReadOnlyList<Block>? _parts;
    /// <summary>The traces that it is a part of.</summary>
    private List<Block>? _traces;

    public bool IsTrace => _parts is not null;

    /// <summary>Of a trace, the block at its top; else itself.</summary>
    public Block Head => _parts?[0] ?? this;

    /// <summary>A trace: blocks of one page that are executed one after the other, by jumps, calls and the returns from them. Code is made from it, but it is not interpreted.</summary>
    public static Block TraceOf(IReadOnlyList<Block> parts)
    {
        var instructions = new List<DecodedInstruction>();
        foreach (Block part in parts) instructions.AddRange(part.Instructions);
        Block head = parts[0];
        var trace = new Block([.. instructions], head.Rip, head.CodeSize, head.Page, head.Offset, -1) { _parts = parts };
        foreach (Block part in parts)
        {
            part._traces ??= [];
            part._traces.RemoveAll(static old => !old.IsValid);
            if (!part._traces.Contains(trace)) part._traces.Add(trace);
        }
        return trace;
    }

    /// <summary>Its bytes, or those of a part, have changed: it is never executed again.</summary>
    public void Invalidate()
    {
        IsValid = false;
        DropCode();
        if (_traces is null) return;
        foreach (Block trace in _traces)
        {
            trace.IsValid = false;
            trace.Head.DropCode();
        }
        _traces = null;
    }

    private void DropCode()
    {
        HostCode?.Discard();
        HostCode = null;
    }

    /// <summary>The code that was made from it is gone.</summary>
    public void ForgetCode()
    {
        Head.HostCode = null;
        if (_parts is not null) IsValid = false;
    }

    public int SizeBytes => (int)(EndRip - Rip);

    /// <summary>Which bytes of one of its pages are the block's.</summary>
    public (int Offset, int SizeBytes) RangeIn(int page)
    {
        const int pageSize = Memory.PagedMemory.PageSizeBytes;
        if (SecondPage < 0) return (Offset, SizeBytes);
        return page == Page ? (Offset, pageSize - Offset) : (0, Offset + SizeBytes - pageSize);
    }

    /// <summary>Where in its page an address is.</summary>
    public int OffsetOf(ulong rip) => Offset + (int)(long)(rip - Rip);

    /// <summary>RIP after the last instruction.</summary>
    public ulong EndRip => Instructions[^1].NextRip;
}
