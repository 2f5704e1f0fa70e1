using System.Collections.Generic;
using System.Runtime.InteropServices;
using Vmm.Cpu;
using Vmm.Memory;
using Vmm.Paging;

namespace Vmm.Decoding;

/// <summary>
/// All decoded blocks of a machine, by where their bytes are and how they were decoded. A page with blocks carries <see cref="PageTraits.Code"/>, and a
/// store to their bytes discards them.
/// </summary>
internal sealed class BlockCache(PhysicalMemory memory)
{
    private readonly record struct Key(ulong Physical, ulong Rip, int CodeSize);

    /// <summary>When this many blocks exist they are all thrown away; code that is still warm is decoded again.</summary>
    private const int MaximumCount = 400_000;

    /// <summary>What a page without RAM reads as.</summary>
    private static readonly byte[] s_nothing = MakeNothing();

    private readonly Dictionary<Key, Block> _blocks = [];
    private readonly Dictionary<int, List<Block>> _byPage = [];
    /// <summary>By RAM page: bit n is set when some block has bytes among the 64 from n * 64 on. Data beside code is told from it cheaply.</summary>
    private readonly ulong[] _granules = new ulong[memory.Ram.PageCount];

    public InstructionDecoder Decoder { get; } = new();

    /// <summary>Instructions in a new block, at most.</summary>
    public int MaximumLength { get; set; } = Block.MaximumLength;

    internal ITranslationListener? Listener { get; set; }

    public int Count => _blocks.Count;

    /// <summary>
    /// The block at the vCPU's RIP, decoded if need be. Null: a fault of the fetch is pending.
    /// </summary>
    public Block? Find(Vcpu c, ulong linear, int codeSize)
    {
        if (!c.Mmu.TryTranslate(linear, AccessKind.Fetch, false, out ulong physical)) return null;
        if (c.State.Cpl != 3 && (linear & ShadowPageTable.UpperHalf) == 0) c.Mmu.Space.IsLowerHalfSupervisors = true;
        ulong rip = c.State.Rip;
        if (_blocks.TryGetValue(new Key(physical, rip, codeSize), out Block? block) && block.IsValid)
        {
            if (block.SecondPage < 0) return block;
            // The rest of an instruction lies on the next linear page, which may be another physical one than before.
            if (!TryFindNextPage(c, linear, out int secondPage)) return null;
            if (secondPage == block.SecondPage) return block;
        }
        return Decode(c, linear, physical, rip, codeSize);
    }

    /// <summary>The block at an address on the page of another, which lies on one page; null: none is known there.</summary>
    public Block? FindBeside(Block block, ulong rip)
    {
        if (rip >> PagedMemory.PageShift != block.Rip >> PagedMemory.PageShift) return null;
        ulong physical = memory.AddressOfPage(block.Page).Value + (uint)block.OffsetOf(rip);
        return _blocks.TryGetValue(new Key(physical, rip, block.CodeSize), out Block? found) && found.IsValid && found.SecondPage < 0 ? found : null;
    }

    private Block? Decode(Vcpu c, ulong linear, ulong physical, ulong rip, int codeSize)
    {
        int within = (int)(physical & 0xFFF), page = PageOf(physical), secondPage = -1;
        DecodedInstruction[] instructions = Decoder.Decode(BytesOf(page)[within..], rip, linear, codeSize, MaximumLength, physical);
        bool kept = page >= 0;
        if (instructions.Length == 0)
        {
            if (!TryFindNextPage(c, linear, out secondPage)) return null;
            instructions = [Decoder.DecodeAcross(BytesOf(secondPage), rip, codeSize)];
            kept &= secondPage >= 0;
        }
        // Where segments have bases, one block may lie at several linear addresses.
        bool marked = Decoder.BlockStarts is { } starts && (linear != rip || starts.Contains(linear, physical));
        // Code outside RAM (a mistake of the guest's, mostly) is decoded each time.
        if (!kept) return new Block(instructions, rip, codeSize, -1, within, -1) { MayHaveBreakpoint = marked };
        var block = new Block(instructions, rip, codeSize, page, within, secondPage) { MayHaveBreakpoint = marked };
        if (_blocks.Count >= MaximumCount) Clear();
        _blocks[new Key(physical, rip, codeSize)] = block;
        Add(block, page);
        if (secondPage >= 0) Add(block, secondPage);
        return block;
    }

    /// <summary>The RAM page behind the one that holds <paramref name="linear"/>. False: a fault of the fetch is pending.</summary>
    private bool TryFindNextPage(Vcpu c, ulong linear, out int page)
    {
        ulong next = (linear & ~0xFFFUL) + 0x1000;
        if (!c.State.IsLongMode) next = (uint)next;
        bool found = c.Mmu.TryTranslate(next, AccessKind.Fetch, false, out ulong physical);
        page = found ? PageOf(physical) : -1;
        return found;
    }

    private System.ReadOnlySpan<byte> BytesOf(int page) => page >= 0 ? memory.Ram.Page(page) : s_nothing;

    private int PageOf(ulong physical)
    {
        long offset = memory.RamOffset(physical);
        return offset < 0 ? -1 : (int)(offset >> PagedMemory.PageShift);
    }

    private void Add(Block block, int page)
    {
        ref List<Block>? list = ref CollectionsMarshal.GetValueRefOrAddDefault(_byPage, page, out _);
        list ??= [];
        list.Add(block);
        _granules[page] |= GranulesOf(block.RangeIn(page));
        if ((memory.Ram.TraitsOf(page) & PageTraits.Code) != 0) return;
        memory.Ram.AddTraits(page, PageTraits.Code);
        Listener?.OnPageProtected(page);
    }

    /// <summary>A store was done to a page with code. True when it hit the bytes of a block.</summary>
    public bool OnStore(int page, int offset, int sizeBytes)
    {
        ulong stored = GranulesOf((offset, sizeBytes));
        if ((_granules[page] & stored) == 0 || !_byPage.TryGetValue(page, out List<Block>? blocks)) return false;
        bool hit = false;
        ulong left = 0;
        for (int b = blocks.Count - 1; b >= 0; b--)
        {
            Block block = blocks[b];
            (int first, int size) = block.RangeIn(page);
            if (block.IsValid && (offset >= first + size || offset + sizeBytes <= first))
            {
                left |= GranulesOf((first, size));
                continue;
            }
            // A block that the store to its other page made invalid is forgotten here as well.
            hit |= block.IsValid;
            blocks.RemoveAt(b);
            Forget(block);
        }
        _granules[page] = left;
        if (blocks.Count > 0) return hit;
        _byPage.Remove(page);
        memory.Ram.RemoveTraits(page, PageTraits.Code);
        return hit;
    }

    /// <summary>The granules of a range that lies in one page.</summary>
    private static ulong GranulesOf((int Offset, int SizeBytes) range)
    {
        int first = range.Offset >> 6, last = (range.Offset + range.SizeBytes - 1) >> 6;
        return (ulong.MaxValue >> (63 - last + first)) << first;
    }

    private static byte[] MakeNothing()
    {
        var bytes = new byte[PagedMemory.PageSizeBytes];
        System.Array.Fill(bytes, (byte)0xFF);
        return bytes;
    }

    private void Forget(Block block)
    {
        block.Invalidate();
        var key = new Key(memory.AddressOfPage(block.Page).Value + (uint)block.Offset, block.Rip, block.CodeSize);
        // One across pages may have been forgotten by its other page, and made anew.
        if (_blocks.TryGetValue(key, out Block? known) && ReferenceEquals(known, block)) _blocks.Remove(key);
    }

    /// <summary>Discards the blocks of pages that are absent: what will be fetched may be something else. Where a snapshot leaves a page as it is, its code stays.</summary>
    public void ForgetAbsent()
    {
        foreach ((int page, List<Block> blocks) in _byPage)
        {
            PageTraits traits = memory.Ram.TraitsOf(page);
            if ((traits & PageTraits.Absent) == 0) continue;
            foreach (Block block in blocks) Forget(block);
            memory.Ram.RemoveTraits(page, PageTraits.Code);
            _granules[page] = 0;
            _byPage.Remove(page);
        }
    }

    public void Clear()
    {
        foreach (Block block in _blocks.Values) block.Invalidate();
        foreach (int page in _byPage.Keys)
        {
            memory.Ram.RemoveTraits(page, PageTraits.Code);
            _granules[page] = 0;
        }
        _blocks.Clear();
        _byPage.Clear();
    }
}
