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

    /// <summary>Its bytes have changed: it is never executed again.</summary>
    public void Invalidate()
    {
        IsValid = false;
        HostCode?.Discard();
    }

    public int SizeBytes => (int)(EndRip - Rip);

    /// <summary>Which bytes of one of its pages are the block's.</summary>
    public (int Offset, int SizeBytes) RangeIn(int page)
    {
        const int pageSize = Memory.PagedMemory.PageSizeBytes;
        if (SecondPage < 0) return (Offset, SizeBytes);
        return page == Page ? (Offset, pageSize - Offset) : (0, Offset + SizeBytes - pageSize);
    }

    /// <summary>RIP after the last instruction.</summary>
    public ulong EndRip => Instructions[^1].NextRip;
}
