using Vmm.Decoding;

namespace Vmm.Translation;

/// <summary>
/// Blocks that go back to their own start. The first time round runs as any block does, and knows nothing of the flags at its top. From then on a copy runs, at whose top the flags are
/// what they are at the jump back: their sources are still in registers, so that nothing is stored each time round.
/// </summary>
internal sealed partial class BlockTranslator
{
    /// <summary>Where a loop begins in the code, as processors fetch it.</summary>
    private const int LoopAlignment = 32;

    /// <summary>Of the copy, in which nobody is interested.</summary>
    private readonly int[] _startsInLoop = new int[Block.MaximumLength + 1];
    /// <summary>Null: the block has no copy.</summary>
    private Loop? _loop;
    /// <summary>The block itself is being translated: what is put behind it may jump to a copy, but makes none.</summary>
    private bool _mayCopy;

    /// <summary>A block's copy.</summary>
    /// <param name="Top">Where it starts.</param>
    /// <param name="AtTop">The flags there.</param>
    private sealed record Loop(Label Top, FlagTrack AtTop)
    {
        /// <summary>Where the block itself goes on behind what is copied; null: nowhere.</summary>
        public Label? Behind { get; set; }
        /// <summary>The flags there.</summary>
        public FlagTrack AtBehind { get; set; }
        /// <summary>The first instruction that is not copied.</summary>
        public int End { get; set; }
    }

    /// <summary>Jumps back to the block's start, after so many instructions, if a copy's top can take the flags as they are. False: nothing has been emitted.</summary>
    private bool TryGoRound(int executed)
    {
        if (_flags.Place != FlagPlace.Sources || (_loop is null && !_mayCopy)) return false;
        FlagTrack flags = _flags with { Host = 0 };
        if (_loop is null) _loop = new Loop(_e.NewLabel(), flags);
        else if (_loop.AtTop != flags) return false;
        int site = AddSite(target: _block.Rip);
        Spend(executed);
        _e.JumpIf(Condition.NotSign, _loop.Top);
        _flags = flags;
        Settle();
        Exit(ExitCode.Edge, site);
        return true;
    }

    /// <summary>What was translated last has made a copy necessary: it has everything up to here.</summary>
    private void EndLoop(bool ended)
    {
        if (_loop is not { End: 0 } loop) return;
        loop.End = _index;
        loop.AtBehind = _flags;
        if (!ended)
        {
            loop.Behind = _e.NewLabel();
            _e.Bind(loop.Behind);
        }
        Later(EmitLoop);
    }

    private void EmitLoop()
    {
        Loop loop = _loop!;
        _e.Align(LoopAlignment);
        _e.Bind(loop.Top);
        _flags = loop.AtTop;
        _index = 0;
        if (TranslateTo(loop.End, _startsInLoop)) return;
        if (loop.Behind is not null && _flags == loop.AtBehind)
        {
            _e.Jump(loop.Behind);
            return;
        }
        ulong next = loop.End < _count ? _instructions[loop.End].IP : _block.EndRip;
        _index--;
        Edge(next, loop.End);
    }
}
