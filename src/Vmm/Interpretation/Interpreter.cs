using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Vmm.Cpu;
using Vmm.Decoding;

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

    /// <summary>What to report; blocks begin at each. Null for none.</summary>
    public CodeBreakpoints? Breakpoints { get; set; }

    private readonly JumpEntry[] _jumps = new JumpEntry[JumpCacheSize];

    /// <summary>
    /// Executes until <see cref="Vcpu.CurrentCount"/> reaches <paramref name="limit"/> or something needs the machine. On return <paramref name="count"/> is the InstructionCount, and the
    /// instructions before it are retired.
    /// </summary>
    public InterpreterStop Run(ref ulong count, ulong limit)
    {
        Vcpu c = vcpu;
        while (true)
        {
            Block? block = Lookup(c);
            if (block is null) return InterpreterStop.Fault;
            DecodedInstruction[] instructions = block.Instructions;
            c.CurrentBlock = block;
            c.CountBase = count;
            c.CountLimit = limit;
            c.BlockLimit = (int)System.Math.Min((ulong)instructions.Length, limit - count);
            if (Breakpoints is not null) ReportBreakpoint(c, block);
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
    private void ReportBreakpoint(Vcpu c, Block block)
    {
        ulong linear = c.FetchIsSegmented ? (uint)(c.State.Rip + c.State.Segment(SegmentIndex.Cs).Base) : c.State.Rip;
        c.OpIndex = 0;
        if (!Breakpoints!.Contains(linear, block.Physical)) return;
        c.CountLimit = c.CountBase + 1;
        c.Bus.OnBreakpoint(c, linear, block.Physical);
    }

    /// <summary>The block at RIP. Null: a fault is pending.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Block? Lookup(Vcpu c)
    {
        ulong rip = c.State.Rip, linear = rip;
        if (c.FetchIsSegmented)
        {
            linear = (uint)(rip + c.State.Segment(SegmentIndex.Cs).Base);
        }
        ref JumpEntry entry = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_jumps), (nint)((uint)(linear ^ (linear >> 13)) & (JumpCacheSize - 1)));
        ulong tag = c.Mmu.Space.FetchGeneration << 4 | c.FetchMode;
        if (entry.Linear == linear && entry.Tag == tag && entry.Block.IsValid && entry.Block.Rip == rip) return entry.Block;
        return Find(c, linear, tag, ref entry);
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
        return new Block(block.Instructions[..kept], block.Rip, block.Physical, block.CodeSize, -1, 0, -1);
    }

    /// <summary>Forgets which blocks were entered (a restored snapshot, new breakpoints).</summary>
    public void Clear() => System.Array.Clear(_jumps);
}
