using System.Collections.Generic;
using Vmm.Decoding;

namespace Vmm.Translation;

/// <summary>The code that was made from a block for a mode.</summary>
/// <param name="block">The block.</param>
/// <param name="mode">The mode.</param>
/// <param name="entry">Host address to jump to.</param>
/// <param name="sizeBytes">Bytes of code.</param>
/// <param name="starts">Where each instruction's code starts, then where what hardly ever runs does.</param>
/// <param name="discarded">Where the entry leads once the block is discarded.</param>
/// <param name="cache">What holds the code.</param>
internal sealed class TranslatedBlock(Block block, TranslationMode mode, nint entry, int sizeBytes, int[] starts, nint discarded, CodeCache cache) : HostCode
{
    public Block Block { get; } = block;
    public TranslationMode Mode { get; } = mode;
    /// <summary>Host address to jump to.</summary>
    public nint Entry { get; } = entry;
    public int SizeBytes { get; } = sizeBytes;
    /// <summary>Offsets of each instruction's code, then of what hardly ever runs.</summary>
    public IReadOnlyList<int> Starts => starts;
    /// <summary>The same block's code for another mode.</summary>
    public TranslatedBlock? Next { get; set; }

    /// <summary>Displacements of jumps in other code that lead here.</summary>
    private readonly List<nint> _links = [];

    /// <summary>Makes the jump of an edge lead here.</summary>
    public void LinkFrom(nint patchAddress)
    {
        cache.PatchDisplacement(patchAddress, Entry);
        _links.Add(patchAddress);
    }

    /// <summary>Inline caches that jump here, and what they jump to when they are empty.</summary>
    private readonly List<(nint At, nint Fill)> _inlineCaches = [];

    /// <summary>Lets an empty inline cache jump here, or nowhere for ever.</summary>
    public void FillInlineCache(nint at)
    {
        nint fill = InlineCache.FillOf(cache, at);
        if (InlineCache.TryFill(cache, at, Block.Rip, Mode.CodeSize == 64, Entry)) _inlineCaches.Add((at, fill));
        else InlineCache.Disable(cache, at);
    }

    public override void Discard()
    {
        for (TranslatedBlock? code = this; code is not null; code = code.Next)
        {
            cache.PatchJump(code.Entry, code.DiscardedEntry);
            // Behind the jump is the way out of the code.
            foreach (nint link in code._links) cache.PatchToNext(link);
            code._links.Clear();
            foreach ((nint at, nint fill) in code._inlineCaches) cache.PatchJump(at, fill);
            code._inlineCaches.Clear();
        }
    }

    private nint DiscardedEntry { get; } = discarded;
}
