using System;
using System.Collections.Generic;
using Iced.Intel;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Translation;

/// <summary>
/// Turns a block into code of the host: most instructions are carried over with their registers renamed and their memory operands led through the soft TLB; what is sensitive
/// or rare is executed by its handler (Adams and Agesen, "A Comparison of Software and Hardware Techniques for x86 Virtualization", ASPLOS 2006).
/// <para>
/// At every point where code can be left the whole state is exact. Guest registers are in their host registers or in the frame; flags are where <see cref="FlagTrack"/> says.
/// What hardly ever runs (slow paths, exits, branches taken out of the middle) is put behind the block.
/// </para>
/// </summary>
internal sealed partial class BlockTranslator(CodeCache cache, CommonCode common, SiteTable sites, InstructionDecoder decoder)
{
    private readonly Emitter _e = new();
    private readonly Instruction[] _instructions = new Instruction[Block.MaximumLength];
    private readonly Shape[] _shapes = new Shape[Block.MaximumLength];
    private readonly bool[] _observed = new bool[Block.MaximumLength];
    private readonly List<(FlagTrack Flags, int Index, Action Emit)> _later = [];

    /// <summary>Where the code is that empty inline caches jump to.</summary>
    private readonly List<int> _fills = [];

    private Vcpu _vcpu = null!;
    private Block _block = null!;
    private TranslationMode _mode;
    private int _count;
    private int _index;
    private FlagTrack _flags;
    /// <summary>What is emitted may be left right behind the instruction, whatever comes next.</summary>
    private bool _onSlowPath;
    /// <summary>Of the access from where the address register points.</summary>
    private int _targetOffset;

    private bool Is64 => _mode.CodeSize == 64;
    /// <summary>Size of addresses and of the stack's slots.</summary>
    private int WordSize => _mode.CodeSize / 8;
    /// <summary>A transfer here leads to the next instruction of a trace.</summary>
    private bool GoesOn => _index < _count - 1;
    private ref readonly Instruction Current => ref _instructions[_index];
    /// <summary>Somebody can ask for the flags of the current instruction.</summary>
    private bool IsObserved => _observed[_index] || _onSlowPath;

    /// <summary>
    /// Makes code from a block or trace on a page whose bytes are <paramref name="page"/>, as <paramref name="vcpu"/> is about to enter it. Null: it would call a handler and be left, which
    /// the interpreter does as well.
    /// </summary>
    public TranslatedBlock? Translate(Vcpu vcpu, Block block, TranslationMode mode, ReadOnlySpan<byte> page)
    {
        _vcpu = vcpu;
        _block = block;
        _mode = mode;
        _count = block.Instructions.Length;
        decoder.DecodeAgain(page, block, _instructions.AsSpan(0, _count));
        for (int i = 0; i < _count; i++)
        {
            _shapes[i] = ShapeOf(_instructions[i], block.Instructions[i]);
            // A trace goes on there.
            if (_shapes[i] == Shape.Jump && i < _count - 1) _shapes[i] = Shape.Nop;
        }
        for (int i = 0; i < _count; i++)
        {
            _memoryOperands[i] = (sbyte)MemoryOperandOf(_instructions[i]);
            _bases[i] = (sbyte)FindBase(i);
        }
        if (_shapes[0] == Shape.HandlerAndLeave || _shapes[0] == Shape.Handler && _count == 1) return null;
        FindObserved();

        _e.Begin(cache.NextAddress);
        _later.Clear();
        _flags = FlagTrack.AtEntry;
        _index = 0;
        _fills.Clear();
        _loop = null;
        // Each time round is reported.
        _mayCopy = !block.MayHaveBreakpoint;
        if (block.MayHaveBreakpoint) Report();
        var starts = new int[_count + 1];
        bool ended = TranslateTo(_count, starts);
        _mayCopy = false;
        // Nothing comes behind an instruction after which the code is left.
        for (int i = _index; i < _count; i++) starts[i] = _e.Position;
        _index = _count - 1;
        if (!ended) Edge(block.EndRip, _count);
        starts[_count] = _e.Position;
        // What comes later may leave more for later.
        for (int i = 0; i < _later.Count; i++)
        {
            (_flags, _index, Action emit) = _later[i];
            emit();
        }
        int discarded = _e.Position;
        EmitDiscarded();
        int size = _e.Position;
        nint start = cache.Commit(_e);
        return new TranslatedBlock(block, mode, start, size, starts, start + discarded, cache);
    }

    /// <summary>Translates from the current instruction to before another one, and says where each one's code starts. True: the block ends in between.</summary>
    private bool TranslateTo(int end, int[] starts)
    {
        while (_index < end)
        {
            bool ended;
            if (GroupAt(_index) is { } group) ended = TranslateGroup(group, starts);
            else
            {
                starts[_index] = _e.Position;
                ended = TranslateOne();
                _index++;
            }
            EndLoop(ended);
            if (ended) return true;
        }
        return false;
    }

    /// <summary>Of the block that was translated last: offsets in its code that empty inline caches jump to.</summary>
    public IReadOnlyList<int> InlineCacheFills => _fills;

    /// <summary>The instruction of the block that was translated last is executed by its handler.</summary>
    public bool IsByHandler(int index) => _shapes[index] is Shape.Handler or Shape.HandlerAndLeave;

    /// <summary>Where the entry leads once the block's bytes have changed: out, to look again.</summary>
    private void EmitDiscarded()
    {
        _e.LoadConstant(HostRegister.Value, _block.Rip);
        _e.Store(8, StateField.Rip, HostRegister.Value);
        _index = 0;
        Exit(ExitCode.Discarded, AddSite());
    }

    /// <summary>Emits something behind the block, with the flags as they are known now.</summary>
    private void Later(Action emit) => _later.Add((_flags, _index, emit));

    private int AddSite(Access access = default, int sizeBytes = 0, ulong target = 0) => sites.Add(new Site(_block, _mode, _index, access, sizeBytes, target, 0));

    /// <summary>Leaves the code. The flags have been settled.</summary>
    private void Exit(int code, int site)
    {
        _e.StoreImmediate(4, EngineRoom.SiteField, site);
        _e.StoreImmediate(4, EngineRoom.ExitCodeField, code);
        _e.JumpTo(common.Exit);
    }

    /// <summary>Executes the current instruction by its handler; returns if the block goes on behind it.</summary>
    private void ExecuteByHandler()
    {
        Settle();
        _e.StoreImmediate(4, EngineRoom.SiteField, AddSite());
        _e.CallTo(common.Execute);
        _flags = FlagTrack.AtEntry;
    }

    /// <summary>At the top: somebody is told that the block is about to be executed.</summary>
    private void Report()
    {
        _e.StoreImmediate(4, EngineRoom.SiteField, AddSite());
        _e.CallTo(common.Report);
    }

    /// <summary>True: the block ends behind the current instruction.</summary>
    private bool TranslateOne()
    {
        switch (_shapes[_index])
        {
            case Shape.Move: Move(); return false;
            case Shape.Extend: Extend(); return false;
            case Shape.LoadAddress: LoadAddress(); return false;
            case Shape.Binary: Binary(); return false;
            case Shape.Test: TestOperands(); return false;
            case Shape.Increment: IncrementOperand(); return false;
            case Shape.Negate: NegateOperand(); return false;
            case Shape.Not: NotOperand(); return false;
            case Shape.Shift: ShiftByConstant(); return false;
            case Shape.ShiftByCl: ShiftByCl(); return false;
            case Shape.DoubleShift: DoubleShift(); return false;
            case Shape.Rotate: RotateByConstant(); return false;
            case Shape.RotateByCl: RotateByCl(); return false;
            case Shape.MultiplyTruncating: MultiplyTruncating(); return false;
            case Shape.Multiply: Multiply(); return false;
            case Shape.Divide: Divide(); return false;
            case Shape.SignExtendAccumulator: SignExtendAccumulator(); return false;
            case Shape.ByteSwap: ByteSwap(); return false;
            case Shape.Exchange: Exchange(); return false;
            case Shape.ExchangeAdd: ExchangeAdd(); return false;
            case Shape.CompareExchange: CompareExchange(); return false;
            case Shape.BitTest: BitTest(); return false;
            case Shape.BitScan: BitScan(); return false;
            case Shape.PopulationCount: PopulationCount(); return false;
            case Shape.ConditionalMove: ConditionalMove(); return false;
            case Shape.ConditionalSet: ConditionalSet(); return false;
            case Shape.Push: Push(); return false;
            case Shape.PushMemory: PushMemory(); return false;
            case Shape.Pop: Pop(); return false;
            case Shape.Leave: Leave(); return false;
            case Shape.Nop: return false;
            case Shape.Vector: Vector(); return false;
            case Shape.VectorComparison: VectorComparison(); return false;
            case Shape.StoreX87Control: StoreX87Control(); return false;
            case Shape.RepeatedStore or Shape.RepeatedMove: RepeatedString(); return false;
            case Shape.BranchIf: BranchIf(); return false;
            case Shape.Jump: Edge(Current.NearBranchTarget, _index + 1); return true;
            case Shape.Call: return Call();
            case Shape.JumpIndirect: JumpIndirect(); return true;
            case Shape.CallIndirect: CallIndirect(); return true;
            case Shape.Return: return Return();
            case Shape.HandlerAndLeave:
                ExecuteByHandler();
                LeaveBehind();
                return true;
            default:
                ExecuteByHandler();
                return false;
        }
    }

    /// <summary>Behind an instruction that has changed what the translation takes for granted.</summary>
    private void LeaveBehind() => Exit(ExitCode.Behind, AddSite());
}
