using System;
using System.Linq;
using Vmm.Cpu;
using Vmm.Decoding;
using Vmm.Interpretation;
using Vmm.Memory;
using Vmm.Paging;
using Vmm.Translation;

namespace Vmm.Tests.Engines;

/// <summary>
/// The smallest machine that executes: one vCPU, its memory and MMU, the decoded blocks and the interpreter, wired as in the real machine.
/// No chips, no clock, no scheduler.
/// </summary>
internal sealed class TestMachine : IStoreListener, ITranslationListener, IDisposable
{
    private readonly ShadowPageTables _shadows;
    private readonly BlockCache _blocks;
    private readonly Interpreter _interpreter;

    private readonly Translator? _translator;

    /// <param name="memorySizeBytes">Of its RAM.</param>
    /// <param name="warmAt">How often a block is entered before it is translated; 0: all is interpreted.</param>
    /// <param name="blockLength">Instructions in a block, at most.</param>
    public TestMachine(ulong memorySizeBytes, int warmAt = 0, int blockLength = Block.MaximumLength)
    {
        Memory = new PhysicalMemory(memorySizeBytes) { StoreListener = this };
        _shadows = new ShadowPageTables(Memory) { Listener = this };
        _blocks = new BlockCache(Memory) { Listener = this, MaximumLength = blockLength };
        Vcpu = new Vcpu(0, Bus);
        Vcpu.Mmu = new Mmu(Vcpu, Memory, _shadows, Bus);
        _translator = warmAt > 0 ? Translator.TryCreate(Memory, _blocks, [Vcpu], warmAt) : null;
        Vcpu.Interpreter = _interpreter = new Interpreter(Vcpu, _blocks) { Translator = _translator };
        for (int page = 0; page < Memory.Ram.PageCount; page++) Memory.Ram.AddTraits(page, PageTraits.Dirty); // as after its first store in an epoch
    }

    public PhysicalMemory Memory { get; }
    public TestBus Bus { get; } = new();
    public Vcpu Vcpu { get; }

    /// <summary>How much of the generated code was made from traces.</summary>
    public int TraceCount => _translator?.Made.Count(code => code.Block.IsTrace) ?? 0;

    /// <summary>Makes the caches agree with a state that was set from outside.</summary>
    public void Reload()
    {
        Vcpu.Mmu.Reload();
        Vcpu.UpdateFetchMode();
        Vcpu.Mmu.UpdatePrivilege();
    }

    /// <summary>Retires up to <paramref name="instructionLimit"/> instructions. True: it ended with a fault that is pending, not delivered.</summary>
    public bool RunToFault(ulong instructionLimit)
    {
        ulong count = 0;
        while (count < instructionLimit && Vcpu.State.Activity == VcpuActivity.Running)
        {
            if (_interpreter.Run(ref count, instructionLimit) == InterpreterStop.Fault) return true;
        }
        return false;
    }

    /// <summary>Reports the execution of instructions, by linear address.</summary>
    public void SetBreakpoints(params ulong[] linear)
    {
        _interpreter.Breakpoints = _blocks.Decoder.BlockStarts = new BreakpointSet(linear, [], tellsWay: false);
        _blocks.Clear();
        _interpreter.Clear();
    }

    /// <summary>Runs until so many instructions, iterations included, are retired, and says how many were.</summary>
    public ulong Run(ulong limit)
    {
        ulong count = 0;
        while (count < limit && _interpreter.Run(ref count, limit) != InterpreterStop.Fault) { }
        return count;
    }

    public void BeforeStore(int pageIndex, int offset, int sizeBytes)
    {
    }

    public void AfterStore(int pageIndex, int offset, int sizeBytes)
    {
        PageTraits traits = Memory.Ram.TraitsOf(pageIndex);
        if ((traits & PageTraits.PageTable) != 0) _shadows.OnTracedWrite(pageIndex, offset, sizeBytes);
        if ((traits & PageTraits.Code) != 0 && _blocks.OnStore(pageIndex, offset, sizeBytes)) Vcpu.EndBlockSoon();
    }

    public void OnDropped(ShadowPageTable table, ulong linear, int shift)
    {
        if (shift == 12) Vcpu.Mmu.FlushPage(linear);
        else Vcpu.Mmu.Flush();
        Vcpu.UpdateFetchMode();
        Vcpu.EndBlockSoon();
    }

    public bool IsInUse(ShadowPageTable table) => false;

    public void OnPageProtected(int pageIndex) => Vcpu.Mmu.ProtectPage(pageIndex);

    public void Dispose()
    {
        _translator?.Dispose();
        Memory.Dispose();
    }
}
