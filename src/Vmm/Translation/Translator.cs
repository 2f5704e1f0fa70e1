using System;
using System.Collections.Generic;
using System.Runtime.ExceptionServices;
using Vmm.Cpu;
using Vmm.Decoding;
using Vmm.Host;
using Vmm.Memory;

namespace Vmm.Translation;

/// <summary>
/// The fast engine of a machine: makes code from blocks that are warm, keeps it, chains it, and runs it. Whatever it does not take, the interpreter does; both can follow each
/// other at any instruction.
/// </summary>
internal sealed class Translator : ITranslator, IDisposable
{
    /// <summary>A block is translated when it is entered for this time: making code of it costs what the interpreter loses in some hundred entries.</summary>
    public const int WarmAt = 320;
    private const int NeverWarm = int.MinValue;

    private readonly PhysicalMemory _memory;
    private readonly CodeCache _cache;
    private readonly CommonCode _common;
    private readonly BlockTranslator _blocks;
    private readonly TraceBuilder _traces;
    private readonly List<TranslatedBlock> _made = [];
    private readonly List<VcpuTranslation> _vcpus = [];
    private readonly int _warmAt;
    /// <summary>The edge by which code was left last; negative: none.</summary>
    private int _openEdge = -1;
    /// <summary>The empty inline cache by which code was left last; negative: none.</summary>
    private int _openInlineCache = -1;

    private Translator(PhysicalMemory memory, ExecutableMemory code, BlockCache blocks, int warmAt)
    {
        _memory = memory;
        _warmAt = warmAt;
        _cache = new CodeCache(code);
        _common = new CommonCode(_cache, Helpers.SlowReadAddress, Helpers.SlowWriteAddress, Helpers.ExecuteAddress, Helpers.ReportAddress,
            Helpers.ComputeFlagsAddress, Helpers.OpenWindowAddress);
        _cache.EndCommon();
        _blocks = new BlockTranslator(_cache, _common, Sites, blocks.Decoder);
        _traces = new TraceBuilder(blocks, warmAt);
    }

    /// <summary>Null: the host has no memory for generated code, and the interpreter serves.</summary>
    /// <param name="memory">The guest's memory.</param>
    /// <param name="blocks">Its decoded blocks.</param>
    /// <param name="vcpus">Who will run code.</param>
    /// <param name="warmAt">How often a block is entered before it is translated.</param>
    public static Translator? TryCreate(PhysicalMemory memory, BlockCache blocks, IEnumerable<Vcpu> vcpus, int warmAt)
    {
        if (ExecutableMemory.TryAllocate(CodeCache.SizeBytes) is not { } code) return null;
        var translator = new Translator(memory, code, blocks, warmAt);
        foreach (Vcpu vcpu in vcpus) translator._vcpus.Add(new VcpuTranslation(vcpu, translator));
        return translator;
    }

    /// <summary>Places in code that can leave it.</summary>
    public SiteTable Sites { get; } = new();

    public TranslationCounters Counters { get; } = new();

    /// <summary>Everything that was made and not thrown away.</summary>
    public IReadOnlyList<TranslatedBlock> Made => _made;

    /// <summary>The bytes of a block's code.</summary>
    public Span<byte> BytesOf(TranslatedBlock code) => _cache.BytesOf(code.Entry, code.SizeBytes);

    public HostCodeStop TryRun(Vcpu vcpu, Block block, ref ulong count, ulong limit)
    {
        if (limit - count <= VcpuTranslation.Margin || block.Page < 0 || block.Heat < 0 || (block.MayHaveBreakpoint && IsLeftForBreakpoint(vcpu, block))) return HostCodeStop.NotTaken;
        if (block.HostCode is null && ++block.Heat < _warmAt) return HostCodeStop.NotTaken;
        if (TranslationMode.Of(vcpu) is not { } mode || CodeOf(vcpu, block, mode) is not { } code) return HostCodeStop.NotTaken;
        return Run(vcpu, code, ref count, limit);
    }

    /// <summary>Which instruction came before is lost in code; and a repeated instruction is done by single iterations.</summary>
    private static bool IsLeftForBreakpoint(Vcpu vcpu, Block block) =>
        vcpu.Interpreter.Breakpoints is { TellsWay: true } || (block.Instructions[0].Traits & (InstructionTraits.Rep | InstructionTraits.Repne)) != 0;

    private TranslatedBlock? CodeOf(Vcpu vcpu, Block block, TranslationMode mode)
    {
        for (var code = (TranslatedBlock?)block.HostCode; code is not null; code = code.Next)
            if (code.Mode == mode) return code;
        if (block.SecondPage >= 0)
        {
            block.Heat = NeverWarm;
            return null;
        }
        if (_cache.IsFull) Clear();
        Block trace = _traces.From(block);
        TranslatedBlock? made = _blocks.Translate(vcpu, trace, mode, _memory.Ram.Page(block.Page));
        if (made is null)
        {
            block.Heat = NeverWarm;
            return null;
        }
        made.Next = (TranslatedBlock?)block.HostCode;
        block.HostCode = made;
        _made.Add(made);
        Counters.Blocks++;
        Counters.Instructions += trace.Instructions.Length;
        Counters.CodeBytes += made.SizeBytes;
        return made;
    }

    /// <summary>Makes all code that there is once more, and throws it away: for who measures how long that takes.</summary>
    public int MakeAgain()
    {
        List<TranslatedBlock> all = [.. _made];
        foreach (TranslatedBlock made in all)
        {
            if (_cache.IsFull) Clear();
            _blocks.Translate(_vcpus[0].Vcpu, made.Block, made.Mode, _memory.Ram.Page(made.Block.Page));
        }
        Clear();
        return all.Count;
    }

    /// <summary>Throws all code away.</summary>
    private void Clear()
    {
        foreach (TranslatedBlock made in _made) made.Block.ForgetCode();
        _made.Clear();
        Counters.Clears++;
        Sites.Clear();
        _cache.Clear();
        _openEdge = -1;
        _openInlineCache = -1;
        foreach (VcpuTranslation vcpu in _vcpus) vcpu.JumpCaches.Clear();
    }

    private HostCodeStop Run(Vcpu vcpu, TranslatedBlock code, ref ulong count, ulong limit)
    {
        VcpuTranslation t = _vcpus[vcpu.Index];
        ref EngineRoom room = ref t.Room;
        room.JumpCache = t.JumpCaches.Take(vcpu.FetchTag << TranslationMode.NumberBits | code.Mode.Number);
        Connect(t, code);
        room.Budget = (long)(limit - count - VcpuTranslation.Margin);
        room.FlagKind = 0;
        room.OpenInlineCache = -1;
        t.Limit = limit;
        t.Faulted = false;
        vcpu.CountLimit = limit;
        vcpu.BlockLimit = int.MaxValue;
        int exit = Helpers.Enter(_common.Enter, vcpu.Frame.Address, code.Entry);
        Count(exit, room.Budget);
        DeferredFlags.Settle(ref room, ref vcpu.State);
        Site site = Sites[room.Site];
        vcpu.CurrentBlock = site.Block;
        vcpu.OpIndex = site.Index;
        count = exit == ExitCode.Handler ? t.Count : t.CountAtBlock;
        if (t.Thrown is { } thrown)
        {
            t.Thrown = null;
            ExceptionDispatchInfo.Throw(thrown);
        }
        switch (exit)
        {
            case ExitCode.Edge:
                vcpu.State.Rip = site.Target;
                if (room.Budget >= 0 && site.PatchAddress != 0) _openEdge = room.Site;
                break;
            case ExitCode.Indirect when room.OpenInlineCache >= 0:
                LeftByInlineCache(room.OpenInlineCache, vcpu.State.Rip);
                break;
            case ExitCode.Behind:
                count += (uint)site.Index + 1;
                vcpu.State.Rip = site.Block.Instructions[site.Index].NextRip;
                break;
            case ExitCode.Handler when t.Faulted:
                return HostCodeStop.Fault;
            case ExitCode.Discarded:
                t.JumpCaches.Forget(vcpu.State.Rip);
                break;
        }
        return HostCodeStop.Boundary;
    }

    /// <summary>
    /// What a block becomes, for people. Null: it is not translated (16-bit code, segments with bases, an instruction across pages, or a handler at its top). The code is made anew and
    /// not kept for running.
    /// </summary>
    public BlockListing? List(Vcpu vcpu, Block block)
    {
        if (block.Page < 0 || block.SecondPage >= 0 || TranslationMode.Of(vcpu) is not { } mode) return null;
        if (_cache.IsFull) Clear();
        block = _traces.From(block);
        ReadOnlySpan<byte> page = _memory.Ram.Page(block.Page);
        if (_blocks.Translate(vcpu, block, mode, page) is not { } made) return null;
        var instructions = new List<ListedInstruction>();
        for (int i = 0; i < block.Instructions.Length; i++)
        {
            ref readonly DecodedInstruction d = ref block.Instructions[i];
            instructions.Add(new ListedInstruction(d.Rip, page.Slice(block.OffsetOf(d.Rip), d.Length).ToArray(), made.Starts[i], _blocks.IsByHandler(i)));
        }
        Dictionary<ulong, string> names = _common.Names;
        foreach (int fill in _blocks.InlineCacheFills) names[(ulong)(made.Entry + fill)] = "fill_inline_cache";
        return new BlockListing(block.CodeSize, instructions, (ulong)made.Entry, BytesOf(made).ToArray(), made.Starts[^1], names, FrameNames.Of(mode));
    }

    private void Count(int exit, long budget)
    {
        Counters.Entries++;
        switch (exit)
        {
            case ExitCode.Edge:
                Counters.EdgeExits++;
                if (budget < 0) Counters.BudgetExits++;
                break;
            case ExitCode.Indirect: Counters.IndirectExits++; break;
            case ExitCode.Behind: Counters.BehindExits++; break;
            case ExitCode.Handler: Counters.HandlerExits++; break;
            default: Counters.DiscardedExits++; break;
        }
    }

    /// <summary>Lets the code that was left by an edge go on here directly, and makes the block known to transfers that compute their target.</summary>
    private void Connect(VcpuTranslation t, TranslatedBlock code)
    {
        if (_openEdge >= 0)
        {
            Site edge = Sites[_openEdge];
            _openEdge = -1;
            if (edge.Target == code.Block.Rip && MayLeadTo(edge, code)) code.LinkFrom(edge.PatchAddress);
        }
        if (_openInlineCache >= 0)
        {
            Site site = Sites[_openInlineCache];
            _openInlineCache = -1;
            if (IsOnPageOf(site, code.Block.Rip) && MayLeadTo(site, code)) code.FillInlineCache(site.PatchAddress);
        }
        ref JumpCacheEntry entry = ref t.JumpCaches.Entry(code.Block.Rip);
        entry.Rip = code.Block.Rip;
        entry.Code = code.Entry;
    }

    /// <summary>A place in code may jump to other code directly: both lie on one page, and mean the same mode.</summary>
    private static bool MayLeadTo(in Site site, TranslatedBlock code) => site.Block.Page == code.Block.Page && site.Block.IsValid && site.Mode == code.Mode;

    private void LeftByInlineCache(int number, ulong target)
    {
        Site site = Sites[number];
        if (IsOnPageOf(site, target)) _openInlineCache = number;
        else InlineCache.Disable(_cache, site.PatchAddress);
    }

    private static bool IsOnPageOf(in Site site, ulong rip) => rip >> 12 == site.Block.Rip >> 12;

    public void Dispose()
    {
        foreach (VcpuTranslation vcpu in _vcpus) vcpu.Dispose();
        _cache.Dispose();
    }
}
