using Vmm.Decoding;

namespace Vmm.Translation;

/// <summary>The code that was made from a block for a mode.</summary>
internal sealed class TranslatedBlock(Block block, TranslationMode mode, nint entry, int sizeBytes, nint discarded, CodeCache cache) : HostCode
{
    public Block Block { get; } = block;
    public TranslationMode Mode { get; } = mode;
    /// <summary>Host address to jump to.</summary>
    public nint Entry { get; } = entry;
    public int SizeBytes { get; } = sizeBytes;
    /// <summary>The same block's code for another mode.</summary>
    public TranslatedBlock? Next { get; set; }

    public override void Discard()
    {
        for (TranslatedBlock? code = this; code is not null; code = code.Next) cache.PatchJump(code.Entry, code.DiscardedEntry);
    }

    private nint DiscardedEntry { get; } = discarded;
}
