using Iced.Intel;
using Vmm.Decoding;
using Vmm.Paging;

namespace Vmm.Translation;

/// <summary>
/// Accesses through one register that follow each other: the registers that a function saves and restores, fields of a structure. The page is looked up once for all of them, from
/// the first byte to the last; where that fails they are done one by one, out of line.
/// </summary>
internal sealed partial class BlockTranslator
{
    /// <summary>Bytes from the first that a group reaches to the last: little, so that it seldom lies across pages.</summary>
    private const int MostSpan = TlbWindow.WidestAccess;

    /// <summary>By instruction of the group that is being made: where its access is, from the lowest address of the group.</summary>
    private readonly int[] _groupOffsets = new int[Block.MaximumLength];
    /// <summary>By instruction: see <see cref="BaseOf"/>, and which operand is in memory.</summary>
    private readonly sbyte[] _bases = new sbyte[Block.MaximumLength], _memoryOperands = new sbyte[Block.MaximumLength];
    /// <summary>The address register holds where the group is in the host.</summary>
    private bool _inGroup;

    /// <summary>What a group is found to be.</summary>
    /// <param name="End">The instruction behind its last access.</param>
    /// <param name="Low">Displacement of its first byte from the register.</param>
    /// <param name="Span">Bytes.</param>
    /// <param name="Access">What it does to memory, all in all.</param>
    private readonly record struct AccessGroup(int End, int Low, int Span, Access Access);

    /// <summary>Makes the instructions of a group that begins at the current one, and moves behind it. True: the block ends there.</summary>
    private bool TranslateGroup(AccessGroup group, int[] starts)
    {
        int first = _index, @base = BaseOf(first);
        var slow = _e.NewLabel();
        var behind = _e.NewLabel();
        _e.Lea(WordSize, HostRegister.Address, Operand.At(InRegister(@base, HostRegister.Value), group.Low));
        HostFlagsLost();
        int window = StackWindowOf(@base) is var stack and >= 0 ? stack : group.Access == Access.Read ? WindowForLoads(AddressNow(_instructions[first])) : -1;
        Look(group.Access, group.Span, window, slow);
        FlagTrack before = _flags;
        _inGroup = true;
        bool ended = false;
        for (; _index < group.End; _index++)
        {
            starts[_index] = _e.Position;
            _targetOffset = _groupOffsets[_index];
            ended = TranslateOne();
        }
        _inGroup = false;
        _targetOffset = 0;
        HostFlagsLost();
        FlagTrack after = _flags;
        if (!ended) _e.Bind(behind);
        _later.Add((before, first, () =>
        {
            _e.Bind(slow);
            for (; _index < group.End; _index++) TranslateOne();
            if (ended) return;
            HostFlagsLost();
            // Whatever changes where flags are is not part of a group, or does so here as well.
            Invariant.Check(_flags == after);
            _e.Jump(behind);
        }));
        return ended;
    }

    /// <summary>The group that begins at an instruction; null: fewer than two accesses.</summary>
    private AccessGroup? GroupAt(int first)
    {
        int @base = BaseOf(first);
        if (@base < 0) return null;
        int moved = 0, low = int.MaxValue, high = int.MinValue, accesses = 0, end = first;
        var access = Access.Read;
        for (int i = first; i < _count; i++)
        {
            if (!CanBeInGroup(i)) break;
            if (BaseOf(i) is var used && used >= 0)
            {
                if (used != @base || OffsetOf(i, moved) is not { } offset) break;
                int size = GroupedSize(i), newLow = System.Math.Min(low, offset), newHigh = System.Math.Max(high, offset + size);
                if (newHigh - newLow > MostSpan) break;
                (low, high) = (newLow, newHigh);
                _groupOffsets[i] = offset;
                if (IsStore(i)) access = Access.Write;
                accesses++;
                end = i + 1;
            }
            if (EndsBlock(_shapes[i]) || MovesOf(i, @base) is not { } by) break;
            moved += by;
        }
        if (accesses < 2) return null;
        for (int i = first; i < end; i++) _groupOffsets[i] -= low;
        return new AccessGroup(end, low, high - low, access);
    }

    /// <summary>Its access is plain, it leaves the address register alone, and it needs no flags that may have been lost.</summary>
    private bool CanBeInGroup(int index)
    {
        ref readonly Instruction i = ref _instructions[index];
        switch (_shapes[index])
        {
            case Shape.Move or Shape.Extend or Shape.Test or Shape.Nop or Shape.Push or Shape.Pop or Shape.Call or Shape.Return: break;
            case Shape.Binary: if (ReadsFlags(Shape.Binary, i)) return false; break;
            case Shape.LoadAddress: return IsMapped(GuestOf(i.Op0Register));
            case Shape.Negate or Shape.Not or Shape.Shift: return i.Op0Kind == OpKind.Register;
            case Shape.Vector: if (_memoryOperands[index] < 0 || VectorForms.NeedsAlignment(i)) return false; break;
            // Right behind a comparison the host's flags are there.
            case Shape.BranchIf: return index > 0 && _shapes[index - 1] is Shape.Binary or Shape.Test;
            default: return false;
        }
        return _memoryOperands[index] < 0 || BaseOf(index) >= 0;
    }

    private static bool EndsBlock(Shape shape) => shape is Shape.Call or Shape.Return;

    /// <summary>The guest register that the instruction reaches memory through, with a displacement alone; negative: it does not.</summary>
    private int BaseOf(int index) => _bases[index];

    private int FindBase(int index)
    {
        if (BaseIsImplicit(_shapes[index])) return Rsp;
        ref readonly Instruction i = ref _instructions[index];
        if (_shapes[index] is Shape.LoadAddress or Shape.Nop || _memoryOperands[index] < 0) return -1;
        bool plain = i.MemoryBase.IsGPR() && i.MemoryBase.GetSize() == WordSize && i.MemoryIndex == Register.None && i.MemorySegment is not (Register.FS or Register.GS);
        return plain ? GuestOf(i.MemoryBase) : -1;
    }

    /// <summary>Where the access is, from where the register pointed at the group's start, which it has moved from by so much.</summary>
    private int? OffsetOf(int index, int moved)
    {
        switch (_shapes[index])
        {
            case Shape.Push or Shape.Call: return moved - WordSize;
            case Shape.Pop or Shape.Return: return moved;
        }
        long displacement = (long)_instructions[index].MemoryDisplacement64;
        if (!Is64) displacement = (int)displacement;
        return displacement is > -(1 << 30) and < 1 << 30 ? moved + (int)displacement : null;
    }

    private int GroupedSize(int index) => BaseIsImplicit(_shapes[index]) ? WordSize : _instructions[index].MemorySize.GetSize();

    private static bool BaseIsImplicit(Shape shape) => shape is Shape.Push or Shape.Pop or Shape.Call or Shape.Return;

    private bool IsStore(int index)
    {
        if (BaseIsImplicit(_shapes[index])) return _shapes[index] is Shape.Push or Shape.Call;
        return _memoryOperands[index] == 0 && _shapes[index] != Shape.Test && _instructions[index].Mnemonic != Mnemonic.Cmp;
    }

    /// <summary>How far the instruction moves the register; null: nobody knows.</summary>
    private int? MovesOf(int index, int @base)
    {
        Shape shape = _shapes[index];
        ref readonly Instruction i = ref _instructions[index];
        if (shape is Shape.Push or Shape.Pop && @base == Rsp) return shape == Shape.Push ? -WordSize : WordSize;
        if (shape is Shape.Push or Shape.Nop or Shape.BranchIf || i.Op0Kind != OpKind.Register || i.Op0Register.IsVectorRegister() || GuestOf(i.Op0Register) != @base) return 0;
        if (shape is Shape.Test || i.Mnemonic == Mnemonic.Cmp) return 0;
        if (shape != Shape.Binary || i.Op0Register.GetSize() != WordSize || !IsImmediate(i, 1)) return null;
        return i.Mnemonic switch
        {
            Mnemonic.Add => ImmediateOf(i, 1),
            Mnemonic.Sub => -ImmediateOf(i, 1),
            _ => null,
        };
    }
}
