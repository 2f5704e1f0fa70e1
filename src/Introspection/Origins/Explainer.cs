using System;
using System.Collections.Generic;
using Iced.Intel;
using Introspection.Text;
using Vmm.Cpu;
using Vmm.Platform;

namespace Introspection.Origins;

/// <summary>
/// Says what a transition made a value from, by what its instruction does (SDM 2). All of the location's bytes were written by it. An instruction without a rule of
/// its own is explained by what it reads.
/// </summary>
internal sealed class Explainer(Transition transition, ValueLocation location, Machine machine)
{
    private readonly InstructionInfoFactory _factory = new();
    private readonly Instruction _instruction = transition.Instruction;

    private int Cpu => transition.CpuIndex;
    private IReadOnlyList<OperandSource> Operands => transition.Operands;
    private UInt128 Value => transition.Value;
    private Mnemonic Mnemonic => _instruction.Mnemonic;
    private int Size => location.SizeBytes;

    public Explanation Explain()
    {
        if (location is { IsRegister: false } && transition.IsStoredByChip) return HardwareRules.StoredByChip(transition);
        if (!transition.IsInstruction || (location.IsRegister && location.CpuIndex != Cpu)) return HardwareRules.Delivered(transition, location);
        if (ProcessorRules.Explain(transition, location) is { } defined) return defined;
        if (location.IsRegister) return ExplainRegister();
        return ExplainMemory();
    }

    // ---- Registers.

    private Explanation ExplainRegister()
    {
        if (location.Kind == LocationKind.Flags) return ExplainFlags();
        int operand = DestinationOperand(out int offset);
        if (operand < 0) return ExplainImplied();
        int size = Operands[operand].SizeBytes;
        if (location.Kind == LocationKind.General && offset >= size)
            return Explanation.Constant(0, "a result of 32 bits clears the upper half of the register");
        return ExplainOperand(operand, offset, size);
    }

    // The explicit operand that is the register; -1: none is, or it is only read.
    private int DestinationOperand(out int offset)
    {
        offset = 0;
        ref readonly InstructionInfo info = ref _factory.GetInfo(_instruction);
        for (int i = 0; i < Operands.Count; i++)
        {
            if (info.GetOpAccess(i) is not (OpAccess.Write or OpAccess.ReadWrite or OpAccess.CondWrite or OpAccess.ReadCondWrite)) continue;
            if (Operands[i].Part is not { } part || part.Kind != location.Kind || part.Number != location.Number) continue;
            offset = (int)location.Address - part.Offset;
            if (offset >= 0) return i;
        }
        return -1;
    }

    private Explanation ExplainImplied()
    {
        bool isPointer = location.Kind == LocationKind.General && location.Number == 4;
        int stackSlot = Math.Max(2, Math.Abs(_instruction.StackPointerIncrement));
        switch (Mnemonic)
        {
            case Mnemonic.Lodsb or Mnemonic.Lodsw or Mnemonic.Lodsd or Mnemonic.Lodsq when location.Number == 0: return CopyOperand(1, (int)location.Address);
            case Mnemonic.Leave when location.Number == 5: return Copy(transition.Frame.At((int)location.Address, Math.Min(Size, stackSlot)), "the caller's frame pointer");
            case Mnemonic.Leave when isPointer: return Step(ValueLocation.General(Cpu, 5, 0, 8));
            case Mnemonic.Popad or Mnemonic.Popa when !isPointer:
                int slot = Mnemonic == Mnemonic.Popad ? 4 : 2;
                return Copy(transition.Stack.At((7 - location.Number) * slot + (int)location.Address, Size), "popped");
            case Mnemonic.Iretq when isPointer: return Copy(transition.Stack.At(24 + (int)location.Address, Size), "the stack pointer of the interrupted code");
            case Mnemonic.Cmpxchg when location.Number == 0: return CopyOperand(0, (int)location.Address);
            case Mnemonic.Cmpxchg8b or Mnemonic.Cmpxchg16b:
                int half = Mnemonic == Mnemonic.Cmpxchg8b ? 4 : 8, at = (int)location.Address + (location.Number == 2 ? half : 0);
                return (int)location.Address < half ? Copy(Operands[0].At(Cpu, at, Math.Min(Size, half - (int)location.Address)), "loaded by the comparison") : Zero();
            case Mnemonic.Cbw or Mnemonic.Cwde or Mnemonic.Cdqe:
                int from = Mnemonic switch { Mnemonic.Cbw => 1, Mnemonic.Cwde => 2, _ => 4 };
                return Extended([ValueLocation.General(Cpu, 0, 0, from)], from, (int)location.Address, isSigned: true);
            case Mnemonic.Cwd or Mnemonic.Cdq or Mnemonic.Cqo:
                return new Explanation(OriginKind.Computed, $"{ValueLocation.Text(Value)}: the sign of rax", [new SourceValue(ValueLocation.General(Cpu, 0, 0, 8), OriginRole.Value)]);
            case Mnemonic.Fxrstor or Mnemonic.Fxrstor64 or Mnemonic.Xrstor or Mnemonic.Xrstor64 when location.Kind == LocationKind.Xmm:
                return Copy(Beyond(0, 160 + location.Number * 16 + (int)location.Address), "restored");
        }
        if (isPointer && (_instruction.IsStackInstruction || _instruction.StackPointerIncrement != 0)) return Step(ValueLocation.General(Cpu, 4, 0, 8));
        return Generic();
    }

    private Explanation ExplainFlags()
    {
        if (Mnemonic is Mnemonic.Popf or Mnemonic.Popfd or Mnemonic.Popfq)
        {
            int size = Mnemonic switch { Mnemonic.Popf => 2, Mnemonic.Popfd => 4, _ => 8 };
            return new Explanation(OriginKind.Computed, $"{ValueLocation.Text(Value)}: popped flags", Sources(transition.Stack.At(0, size), OriginRole.Value));
        }
        return Generic();
    }

    // ---- Memory.

    private Explanation ExplainMemory()
    {
        ref readonly InstructionInfo info = ref _factory.GetInfo(_instruction);
        for (int i = 0; i < Operands.Count; i++)
        {
            if (Operands[i].Range is not { } range || range.OffsetOf(location.Address, Math.Max(1, Operands[i].SizeBytes)) is not { } offset) continue;
            if (info.GetOpAccess(i) is OpAccess.Read or OpAccess.NoMemAccess or OpAccess.CondRead) continue;
            return ExplainOperand(i, offset, Operands[i].SizeBytes);
        }
        int pushed = -_instruction.StackPointerIncrement;
        if (pushed > 0 && transition.Pushed.OffsetOf(location.Address, pushed) is { } slot) return ExplainPush(slot, pushed);
        return HardwareRules.Frame(transition, location) ?? Explanation.End(OriginKind.Unexplained, $"{transition.Text} stored it in a way that is not followed");
    }

    private Explanation ExplainPush(int offset, int pushed)
    {
        if (Mnemonic == Mnemonic.Call) return Explanation.Constant(Value, "the address behind a call, to return to");
        if (Mnemonic == Mnemonic.Push)
        {
            OperandSource source = Operands[0];
            if (source.Constant is not null) return Explanation.Constant(Value, "in the instruction");
            if (offset >= source.SizeBytes) return Zero();
            // A push of a selector writes the other bytes as zeros, or not at all.
            if (source.Part is null && source.Range is null) return ProcessorRules.Register(source.Register, Value);
            return Copy(source.At(Cpu, offset, Math.Min(Size, source.SizeBytes - offset)), "pushed");
        }
        if (Mnemonic is Mnemonic.Pushf or Mnemonic.Pushfd or Mnemonic.Pushfq)
            return new Explanation(OriginKind.Computed, $"{ValueLocation.Text(Value)}: the flags, pushed", [new SourceValue(ValueLocation.Flags(Cpu), OriginRole.Value)]);
        if (Mnemonic is Mnemonic.Pushad or Mnemonic.Pusha)
        {
            int slot = pushed / 8, within = offset % slot;
            if (within + Size <= slot) return Copy([ValueLocation.General(Cpu, 7 - offset / slot, within, Size)], "pushed");
        }
        if (Mnemonic == Mnemonic.Enter) return Copy([ValueLocation.General(Cpu, 5, offset % 8, Size)], "pushed");
        return HardwareRules.Frame(transition, location) ?? Generic();
    }

    // ---- An explicit operand that was written.

    private Explanation ExplainOperand(int operand, int offset, int size)
    {
        if (IsZeroing()) return Explanation.Constant(Value, $"{transition.Text} does so whatever the register held");
        if (_instruction.IsStringInstruction) return Operands.Count > 1 && operand == 0 ? CopyOperand(1, offset) : Generic();
        switch (Mnemonic)
        {
            case Mnemonic.Mov or Mnemonic.Movzx or Mnemonic.Movnti or Mnemonic.Movd or Mnemonic.Movq or Mnemonic.Movaps or Mnemonic.Movups or Mnemonic.Movapd or Mnemonic.Movupd
                or Mnemonic.Movdqa or Mnemonic.Movdqu or Mnemonic.Lddqu or Mnemonic.Movntdq or Mnemonic.Movntps or Mnemonic.Movntpd or Mnemonic.Movntdqa:
                return CopyOperand(1, offset);
            case Mnemonic.Movsx or Mnemonic.Movsxd: return CopyOperand(1, offset, isSigned: true);
            case >= Mnemonic.Cmova and <= Mnemonic.Cmovs: return CopyOperand(1, offset);
            case Mnemonic.Movss or Mnemonic.Movsd or Mnemonic.Movlps or Mnemonic.Movlpd: return ScalarMove(offset);
            case Mnemonic.Movhps or Mnemonic.Movhpd: return UpperMove(operand, offset);
            case Mnemonic.Xchg: return CopyOperand(1 - operand, offset);
            case Mnemonic.Xadd when operand == 1: return CopyOperand(0, offset);
            case Mnemonic.Pop: return Copy(transition.Stack.At(offset, Math.Min(Size, size - offset)), "popped");
            case Mnemonic.Cmpxchg when operand == 0:
                return (transition.After.ReadRFlags() & RFlags.Zero) != 0 ? CopyOperand(1, offset) : CopyOperand(0, offset);
            case Mnemonic.Cmpxchg8b or Mnemonic.Cmpxchg16b when operand == 0:
                int half = Mnemonic == Mnemonic.Cmpxchg8b ? 4 : 8;
                if ((transition.After.ReadRFlags() & RFlags.Zero) == 0) return CopyOperand(0, offset);
                return offset % half + Size <= half ? Copy([ValueLocation.General(Cpu, offset < half ? 3 : 1, offset % half, Size)], "exchanged") : Generic();
            case Mnemonic.Fxsave or Mnemonic.Fxsave64 or Mnemonic.Xsave or Mnemonic.Xsave64 or Mnemonic.Xsaveopt or Mnemonic.Xsavec when offset is >= 160 and < 416:
                int at = (offset - 160) % 16;
                return at + Size <= 16 ? Copy([ValueLocation.Xmm(Cpu, (offset - 160) / 16, at, Size)], "saved") : Generic();
            default: return Generic();
        }
    }

    private bool IsZeroing() => _instruction.OpCount == 2 && _instruction.Op0Kind == OpKind.Register && _instruction.Op1Kind == OpKind.Register
        && _instruction.Op0Register == _instruction.Op1Register
        && Mnemonic is Mnemonic.Xor or Mnemonic.Sub or Mnemonic.Pxor or Mnemonic.Xorps or Mnemonic.Xorpd or Mnemonic.Pcmpeqb or Mnemonic.Pcmpeqw or Mnemonic.Pcmpeqd
            or Mnemonic.Psubb or Mnemonic.Psubw or Mnemonic.Psubd or Mnemonic.Psubq or Mnemonic.Pandn;

    // The upper part of the register is cleared when the source is memory, and stays when it is a register.
    private Explanation ScalarMove(int offset)
    {
        OperandSource source = Operands[1];
        int size = Mnemonic == Mnemonic.Movss ? 4 : 8;
        if (offset + Size <= size) return Copy(source.At(Cpu, offset, Size), "moved");
        bool clears = source.Range is not null && Mnemonic is Mnemonic.Movss or Mnemonic.Movsd;
        if (clears) return offset >= size ? Zero() : Extended(source.At(Cpu, 0, size), size, offset, isSigned: false);
        return offset >= size ? Copy(Operands[0].At(Cpu, offset, Size), "left as it was") : Generic();
    }

    private Explanation UpperMove(int operand, int offset)
    {
        if (Operands[0].Range is not null) return Copy(Operands[1].At(Cpu, 8 + offset, Size), "moved");
        if (offset >= 8) return Copy(Operands[1].At(Cpu, offset - 8, Size), "moved");
        return offset + Size <= 8 ? Copy(Operands[operand].At(Cpu, offset, Size), "left as it was") : Generic();
    }

    private Explanation CopyOperand(int operand, int offset, bool isSigned = false)
    {
        OperandSource source = Operands[operand];
        if (source.Constant is not null) return Explanation.Constant(Value, "in the instruction");
        if (source.Part is null && source.Range is null) return ProcessorRules.Register(source.Register, Value);
        int size = source.Register.IsXMM() ? Math.Min(source.SizeBytes, Math.Max(OperandSource.DestinationSize(_instruction), offset + Size)) : source.SizeBytes;
        if (Mnemonic == Mnemonic.Movd) size = 4;
        if (Mnemonic == Mnemonic.Movq) size = 8;
        if (offset >= size && !isSigned) return Zero();
        if (offset + Size > size || isSigned) return Extended(source.At(Cpu, 0, size), size, offset, isSigned);
        return Copy(source.At(Cpu, offset, Size), null);
    }

    // ---- What it comes down to.

    private Explanation Zero() => Explanation.Constant(0, "the operand is narrower, and zeros are put before it");

    /// <summary>The very bytes; checked by the values before and after.</summary>
    private Explanation Copy(IReadOnlyList<ValueLocation> sources, string? why)
    {
        if (sources.Count == 0) return Explanation.End(OriginKind.Unexplained, $"{transition.Text} reads what cannot be found again");
        if (ReadFromChip(sources) is { } chip) return chip;
        int size = 0;
        foreach (ValueLocation source in sources) size += source.SizeBytes;
        string extended = size < Size ? ", extended with zeros" : "";
        return new Explanation(OriginKind.Copy, $"{ValueLocation.Text(Value)} from {Join(sources)}{extended}{(why is null ? "" : $", {why}")}", Sources(sources, OriginRole.Value));
    }

    private Explanation Extended(IReadOnlyList<ValueLocation> sources, int size, int offset, bool isSigned)
    {
        if (sources.Count == 0) return Explanation.End(OriginKind.Unexplained, $"{transition.Text} reads what cannot be found again");
        if (ReadFromChip(sources) is { } chip) return chip;
        if (offset > 0 && offset < size && sources.Count == 1) return Copy([sources[0].Slice(offset, Math.Min(Size, size - offset))], null);
        if (offset == 0 && Size <= size && sources.Count == 1) return Copy([sources[0].Slice(0, Size)], null);
        string how = offset >= size ? "the sign of" : isSigned ? "extended with the sign, from" : "extended with zeros, from";
        OriginKind kind = isSigned && offset >= size ? OriginKind.Computed : OriginKind.Copy;
        return new Explanation(kind, $"{ValueLocation.Text(Value)}: {how} {Join(sources)}", Sources(sources, OriginRole.Value));
    }

    private Explanation? ReadFromChip(IReadOnlyList<ValueLocation> sources)
    {
        ValueLocation first = sources[0];
        return first.IsRegister || machine.Memory.RamOffset(first.Address) >= 0 ? null : HardwareRules.ReadFromChip(transition, first.Address, Value);
    }

    /// <summary>The stack pointer, moved.</summary>
    private Explanation Step(ValueLocation from)
    {
        UInt128 old = from.Read(transition.Before);
        UInt128 now = ValueLocation.General(Cpu, 4, 0, 8).Read(transition.After);
        bool isBack = now < old;
        string text = location.Address == 0 && Size == 8
            ? $"{ValueLocation.Text(now)} = {ValueLocation.Text(old)} {(isBack ? "-" : "+")} {ValueLocation.Text(isBack ? old - now : now - old)}"
            : $"{ValueLocation.Text(Value)}: the stack pointer moved";
        return new Explanation(OriginKind.Computed, text, [new SourceValue(from, OriginRole.Value)]);
    }

    /// <summary>Everything that the instruction reads, but for what addresses are made of.</summary>
    private Explanation Generic()
    {
        var sources = new List<SourceValue>();
        var values = new List<UInt128>();
        ref readonly InstructionInfo info = ref _factory.GetInfo(_instruction);
        bool isLea = Mnemonic == Mnemonic.Lea;
        for (int i = 0; i < Operands.Count; i++)
        {
            OperandSource operand = Operands[i];
            bool isRead = info.GetOpAccess(i) is OpAccess.Read or OpAccess.ReadWrite or OpAccess.CondRead or OpAccess.ReadCondWrite;
            if (!isRead || isLea) continue;
            values.Add(operand.Constant is { } constant ? ValueLocation.Cut(constant, OperandSource.DestinationSize(_instruction)) : operand.Value);
            int size = Math.Min(operand.SizeBytes, ValueLocation.MaximumSizeBytes);
            IReadOnlyList<ValueLocation> places = size == 0 ? [] : operand.At(Cpu, 0, size);
            if (places.Count > 0 && ReadFromChip(places) is { } chip) return chip;
            foreach (ValueLocation place in places) Add(sources, place, sources.Count == 0 ? OriginRole.Value : OriginRole.Operand);
        }
        foreach (UsedRegister used in info.GetUsedRegisters())
        {
            if (used.Access is OpAccess.Write or OpAccess.CondWrite or OpAccess.None || RegisterPart.Of(used.Register) is not { } part) continue;
            if (!isLea && (IsExplicit(part) || IsAddress(info, used.Register) || (_instruction.IsStackInstruction && part is { Kind: LocationKind.General, Number: 4 }))) continue;
            var place = new ValueLocation(part.Kind, Cpu, part.Number, (ulong)part.Offset, part.SizeBytes);
            values.Add(place.Read(transition.Before));
            Add(sources, place, sources.Count == 0 ? OriginRole.Value : OriginRole.Operand);
        }
        if (_instruction.RflagsRead != RflagsBits.None) Add(sources, ValueLocation.Flags(Cpu), sources.Count == 0 ? OriginRole.Value : OriginRole.Flags);
        return new Explanation(sources.Count == 0 ? OriginKind.Constant : OriginKind.Computed, Describe(values), sources);
    }

    private string Describe(List<UInt128> values)
    {
        int size = OperandSource.DestinationSize(_instruction);
        bool carry = (transition.Before.ReadRFlags() & RFlags.Carry) != 0;
        bool isWhole = location.Kind != LocationKind.Flags && Math.Min(Size, size) == size;
        UInt128? computed = location.Kind == LocationKind.Flags ? null : Arithmetic.Evaluate(Mnemonic, values, size, carry);
        if (computed is { } result && (result == Value || (isWhole && result == ValueLocation.Cut(Value, size)))) return Arithmetic.Equation(Mnemonic, result, values, carry);
        if (location.Kind == LocationKind.Flags) return $"{ValueLocation.Text(Value)}: the flags of {transition.Text}";
        return computed is { } whole ? $"{ValueLocation.Text(Value)} is part of {Arithmetic.Equation(Mnemonic, whole, values, carry)}" : Arithmetic.Equation(Mnemonic, Value, values, carry);
    }

    private bool IsExplicit(RegisterPart part)
    {
        foreach (OperandSource operand in Operands)
            if (operand.Part is { } own && own.Kind == part.Kind && own.Number == part.Number) return true;
        return false;
    }

    private static bool IsAddress(in InstructionInfo info, Register register)
    {
        foreach (UsedMemory memory in info.GetUsedMemory())
            if (memory.Base.GetFullRegister() == register.GetFullRegister() || memory.Index.GetFullRegister() == register.GetFullRegister()) return true;
        return false;
    }

    /// <summary>Registers that the addresses of what was read or written were made of.</summary>
    public IReadOnlyList<SourceValue> Addresses()
    {
        var sources = new List<SourceValue>();
        if (!transition.IsInstruction || _instruction.IsInvalid || Mnemonic == Mnemonic.Lea) return sources;
        ref readonly InstructionInfo info = ref _factory.GetInfo(_instruction);
        foreach (UsedMemory memory in info.GetUsedMemory())
            foreach (Register register in (Register[])[memory.Base, memory.Index])
                if (RegisterPart.Of(register) is { } part) Add(sources, new ValueLocation(part.Kind, Cpu, part.Number, (ulong)part.Offset, part.SizeBytes), OriginRole.Address);
        return sources;
    }

    // The rest of a long operand, such as FXSAVE's area.
    private IReadOnlyList<ValueLocation> Beyond(int operand, int offset) => Operands[operand].At(Cpu, offset, Size);

    private static List<SourceValue> Sources(IReadOnlyList<ValueLocation> places, OriginRole role)
    {
        var sources = new List<SourceValue>();
        foreach (ValueLocation place in places) Add(sources, place, role);
        return sources;
    }

    private static void Add(List<SourceValue> sources, ValueLocation place, OriginRole role)
    {
        foreach (SourceValue known in sources)
            if (known.Location == place) return;
        sources.Add(new SourceValue(place, role));
    }

    private static string Join(IReadOnlyList<ValueLocation> places) => places.Count == 1 ? places[0].ToString() : $"{places[0]} and {places[1]}";
}
