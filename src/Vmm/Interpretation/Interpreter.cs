using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Vmm.Cpu;
using Vmm.Decoding;
using Vmm.Paging;

namespace Vmm.Interpretation;

/// <summary>Why <see cref="Interpreter.Run"/> came back.</summary>
internal enum InterpreterStop
{
    /// <summary>CountLimit was reached, or a handler asked the machine to look (Vcpu.EndBlockSoon, EndBlock at a limit).</summary>
    Boundary,
    /// <summary>An instruction faulted: Vcpu.PendingException is to be delivered; RIP is at the instruction.</summary>
    Fault,
}

/// <summary>The reference engine: executes decoded blocks of one vCPU, handler by handler.</summary>
internal sealed class Interpreter(Vcpu vcpu, BlockCache blocks)
{
    private const int JumpCacheSize = 8192;

    /// <summary>A recently entered block, valid while the translation of its address is (Tag).</summary>
    private struct JumpEntry
    {
        public ulong Linear;
        public ulong Tag;
        public Block Block;
    }

    /// <summary>Addresses to report; blocks begin at each. Null for none.</summary>
    public BreakpointSet? Breakpoints { get; set; }

    /// <summary>Takes over blocks that are warm; null: nobody does.</summary>
    public ITranslator? Translator { get; set; }

    private readonly JumpEntry[] _jumps = new JumpEntry[JumpCacheSize];
    private ulong? _lastCode;

    /// <summary>While a breakpoint is reported: linear address of the instruction that this vCPU executed before; null: not known.</summary>
    public ulong? PreviousCode { get; private set; }

    /// <summary>
    /// Executes until <see cref="Vcpu.CurrentCount"/> reaches <paramref name="limit"/> or something needs the machine. On return <paramref name="count"/> is the InstructionCount, and the
    /// instructions before it are retired.
    /// </summary>
    public InterpreterStop Run(ref ulong count, ulong limit)
    {
        Vcpu c = vcpu;
        ITranslator? translator = Translator;
        Block? last = null;
        while (true)
        {
            Block? block = Next(c, last);
            if (block is null) return InterpreterStop.Fault;
            HostCodeStop stop = translator is null ? HostCodeStop.NotTaken : translator.TryRun(c, block, ref count, limit);
            if (stop == HostCodeStop.Fault) return InterpreterStop.Fault;
            if (stop == HostCodeStop.Boundary)
            {
                last = c.CurrentBlock;
                if (count >= limit || c.BlockLimit == 0) return InterpreterStop.Boundary;
                continue;
            }
            DecodedInstruction[] instructions = block.Instructions;
            c.CountBase = count;
            c.CountLimit = limit;
            c.BlockLimit = (int)System.Math.Min((ulong)instructions.Length, limit - count);
            if (block.MayHaveBreakpoint)
            {
                ReportBreakpoint(c, last, block);
                if (c.StopsBefore)
                {
                    c.StopsBefore = false;
                    return InterpreterStop.Boundary;
                }
            }
            if (!ReferenceEquals(last, block)) c.CurrentBlock = last = block;
            ref DecodedInstruction d = ref MemoryMarshal.GetArrayDataReference(instructions);
            int index = 0;
            Completion completion;
            do
            {
                c.OpIndex = index;
                completion = d.Handler.Invoke(c, in d);
                if (completion != Completion.Next) goto Special;
                d = ref Unsafe.Add(ref d, 1);
                index++;
            }
            while (index < c.BlockLimit);

            count = c.CountBase + (uint)index;
            c.State.Rip = index == instructions.Length ? block.EndRip : d.Rip;
            if (count >= limit || c.BlockLimit == 0) return InterpreterStop.Boundary;
            continue;

        Special:
            if (completion == Completion.Fault)
            {
                count = c.CountBase + (uint)index;
                c.State.Rip = d.Rip;
                return InterpreterStop.Fault;
            }
            count = c.CountBase + (uint)index + 1;
            if (completion == Completion.Repeat) c.State.Rip = d.Rip;
            if (count >= limit || c.BlockLimit == 0) return InterpreterStop.Boundary;
        }
    }

    /// <summary>
    /// Reports an instruction that is about to execute, if it has a breakpoint. A repeated string instruction then does one iteration at a time, so that what is
    /// reported does not depend on where runs were stopped.
    /// </summary>
    private void ReportBreakpoint(Vcpu c, Block? last, Block block)
    {
        ulong linear = LinearOf(c, c.State.Rip);
        if (!HasBreakpoint(c, linear)) return;
        PreviousCode = last is null ? _lastCode : LinearOf(c, last.Instructions[c.OpIndex].Rip);
        c.CurrentBlock = block;
        c.OpIndex = 0;
        // One further on in the block has its full limit: a breakpoint must not change where runs end.
        if ((block.Instructions[0].Traits & (InstructionTraits.Rep | InstructionTraits.Repne)) != 0) c.CountLimit = c.CountBase + 1;
        c.Bus.OnBreakpoint(c, linear);
    }

    /// <summary>The same from generated code that enters a block, and does not know where from. The vCPU stands there.</summary>
    public void ReportBreakpoint()
    {
        ulong linear = LinearOf(vcpu, vcpu.State.Rip);
        if (!HasBreakpoint(vcpu, linear)) return;
        PreviousCode = null;
        vcpu.Bus.OnBreakpoint(vcpu, linear);
    }

    /// <summary>A run is over: what was executed last is remembered for the next one's breakpoints.</summary>
    public void EndRun()
    {
        if (Breakpoints is not null && vcpu.CurrentBlock is { } block) _lastCode = LinearOf(vcpu, block.Instructions[vcpu.OpIndex].Rip);
    }

    private static ulong LinearOf(Vcpu c, ulong rip) => c.FetchIsSegmented ? (uint)(rip + c.State.Segment(SegmentIndex.Cs).Base) : rip;

    private bool HasBreakpoint(Vcpu c, ulong linear) => Breakpoints is not null && (Breakpoints.Linear.Contains(linear) || HasPhysicalBreakpoint(c, linear));

    // The block at this address was just looked up, so the translation is there.
    private bool HasPhysicalBreakpoint(Vcpu c, ulong linear) => Breakpoints!.Physical.Count > 0
        && c.Mmu.TryTranslate(linear, AccessKind.Fetch, false, out ulong physical) && Breakpoints.Physical.Contains(physical);

    /// <summary>The block at RIP, which follows <paramref name="last"/>. Null: a fault is pending.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Block? Next(Vcpu c, Block? last)
    {
        if (last is not null)
        {
            ulong rip = c.State.Rip, tag = c.FetchTag;
            if (last.FirstSuccessor is { } first && first.Rip == rip && last.FirstSuccessorTag == tag && first.IsValid) return first;
            if (last.SecondSuccessor is { } second && second.Rip == rip && last.SecondSuccessorTag == tag && second.IsValid) return second;
        }
        return Lookup(c, last);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private Block? Lookup(Vcpu c, Block? last)
    {
        ulong rip = c.State.Rip, linear = c.FetchIsSegmented ? (uint)(rip + c.State.Segment(SegmentIndex.Cs).Base) : rip, tag = c.FetchTag;
        ref JumpEntry entry = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_jumps), (nint)((uint)(linear ^ (linear >> 13)) & (JumpCacheSize - 1)));
        bool known = entry.Linear == linear && entry.Tag == tag && entry.Block.IsValid && entry.Block.Rip == rip;
        Block? block = known ? entry.Block : Find(c, linear, tag, ref entry);
        if (block is not null && block.Page >= 0 && last is not null && c.FetchIsFlat) Link(last, block, tag);
        return block;
    }

    /// <summary>Remembers a successor; the older of the two ways makes room.</summary>
    private static void Link(Block last, Block block, ulong tag)
    {
        last.SecondSuccessor = last.FirstSuccessor;
        last.SecondSuccessorTag = last.FirstSuccessorTag;
        last.FirstSuccessor = block;
        last.FirstSuccessorTag = tag;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private Block? Find(Vcpu c, ulong linear, ulong tag, ref JumpEntry entry)
    {
        ref SegmentRegister cs = ref c.State.Segment(SegmentIndex.Cs);
        bool limited = c.FetchIsSegmented && cs.Limit != uint.MaxValue;
        if (limited && c.State.Rip > cs.Limit)
        {
            c.GeneralProtection();
            return null;
        }
        Block? block = blocks.Find(c, linear, c.CodeSize);
        if (block is null) return null;
        if (limited && block.EndRip - 1 > cs.Limit) block = CutAtLimit(c, block, cs.Limit);
        if (block is null || block.Page < 0) return block;
        entry.Linear = linear;
        entry.Tag = tag;
        entry.Block = block;
        return block;
    }

    /// <summary>The instructions of a block that lie within CS's limit; none: #GP (SDM 3A 5.3).</summary>
    private static Block? CutAtLimit(Vcpu c, Block block, uint limit)
    {
        int kept = 0;
        while (kept < block.Instructions.Length && block.Instructions[kept].NextRip - 1 <= limit) kept++;
        if (kept == 0)
        {
            c.GeneralProtection();
            return null;
        }
        return new Block(block.Instructions[..kept], block.Rip, block.CodeSize, -1, 0, -1) { MayHaveBreakpoint = block.MayHaveBreakpoint };
    }

    /// <summary>Forgets which blocks were entered (new breakpoints).</summary>
    public void Clear() => System.Array.Clear(_jumps);

    /// <summary>Forgets all that it has done (a restored snapshot).</summary>
    public void Reset()
    {
        Clear();
        _lastCode = null;
    }
}
