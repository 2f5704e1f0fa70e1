using System;
using System.Collections.Generic;
using Iced.Intel;
using Introspection.State;
using Vmm.Cpu;
using Vmm.Memory;
using Vmm.Platform;

namespace Introspection.Origins;

/// <summary>Linear memory up to a page long, with where it physically is before an instruction executes.</summary>
internal readonly record struct CapturedRange(ulong Linear, ulong? First, ulong? Next)
{
    private const ulong PageMask = PagedMemory.PageSizeBytes - 1;

    public static CapturedRange Of(in GuestView view, ulong linear)
    {
        ulong at = view.CodeSize == 64 ? linear : (uint)linear;
        return new CapturedRange(at, view.Translate(at), view.Translate((at | PageMask) + 1));
    }

    /// <summary>Where some of its bytes are: one place, or two where they cross into another page; empty: nowhere.</summary>
    public IReadOnlyList<ValueLocation> At(int offset, int sizeBytes)
    {
        int here = (int)Math.Min((ulong)sizeBytes, (ulong)Math.Max(0, (long)(PagedMemory.PageSizeBytes - (int)(Linear & PageMask)) - offset));
        if ((here > 0 && First is null) || (here < sizeBytes && Next is null)) return [];
        ulong behind = (ulong)(offset + here) - (PageMask + 1 - (Linear & PageMask));
        if (here == sizeBytes) return [ValueLocation.Memory(First!.Value + (ulong)offset, sizeBytes)];
        if (here == 0) return [ValueLocation.Memory(Next!.Value + behind, sizeBytes)];
        ulong first = First!.Value + (ulong)offset, next = Next!.Value;
        return first + (ulong)here == next ? [ValueLocation.Memory(first, sizeBytes)] : [ValueLocation.Memory(first, here), ValueLocation.Memory(next, sizeBytes - here)];
    }

    /// <summary>The offset of a physical address in its first <paramref name="sizeBytes"/> bytes; null: it is not in there.</summary>
    public int? OffsetOf(ulong physical, int sizeBytes)
    {
        ulong left = PageMask + 1 - (Linear & PageMask);
        if (First is { } first && physical - first < Math.Min(left, (ulong)sizeBytes)) return (int)(physical - first);
        if (Next is { } next && (ulong)sizeBytes > left && physical - next < (ulong)sizeBytes - left) return (int)(physical - next + left);
        return null;
    }
}

/// <summary>What an operand was before its instruction executed.</summary>
internal sealed class OperandSource
{
    private OperandSource(int sizeBytes) => SizeBytes = sizeBytes;

    public int SizeBytes { get; }
    /// <summary>The register, if it is one that is followed.</summary>
    public RegisterPart? Part { get; private init; }
    /// <summary>The register, if it is one.</summary>
    public Register Register { get; private init; }
    public CapturedRange? Range { get; private init; }
    public UInt128? Constant { get; private init; }
    public UInt128 Value { get; private init; }

    /// <summary>Where some bytes of the operand are; empty: nowhere that is followed.</summary>
    public IReadOnlyList<ValueLocation> At(int cpuIndex, int offset, int sizeBytes)
    {
        if (Range is { } range) return range.At(offset, sizeBytes);
        return Part is { } part ? [new ValueLocation(part.Kind, cpuIndex, part.Number, (ulong)(part.Offset + offset), sizeBytes)] : [];
    }

    public static OperandSource Of(in Instruction instruction, int operand, in GuestView view)
    {
        OpKind kind = instruction.GetOpKind(operand);
        if (kind == OpKind.Register) return OfRegister(instruction.GetOpRegister(operand), view);
        if (IsImmediate(kind))
        {
            int size = DestinationSize(instruction);
            UInt128 value = ValueLocation.Cut(instruction.GetImmediate(operand), size);
            return new OperandSource(size) { Constant = value, Value = value };
        }
        VcpuState state = view.Vcpu.State;
        int bytes = Math.Clamp(instruction.MemorySize.GetSize(), 1, 512);
        if (!instruction.TryGetVirtualAddress(operand, 0, out ulong linear, TryGet)) return new OperandSource(0);
        CapturedRange range = CapturedRange.Of(view, linear);
        return new OperandSource(bytes) { Range = range, Value = ReadAll(view.Machine, range.At(0, Math.Min(bytes, ValueLocation.MaximumSizeBytes))) };

        bool TryGet(Register register, int element, int elementSize, out ulong value)
        {
            value = Get(state, register) ?? 0;
            return Get(state, register) is not null;
        }
    }

    public static OperandSource OfRegister(Register register, in GuestView view)
    {
        if (RegisterPart.Of(register) is not { } part) return new OperandSource(register.GetSize()) { Register = register };
        var location = new ValueLocation(part.Kind, view.Vcpu.Index, part.Number, (ulong)part.Offset, part.SizeBytes);
        return new OperandSource(part.SizeBytes) { Part = part, Register = register, Value = location.Read(view.Machine) };
    }

    public static UInt128 ReadAll(Machine machine, IReadOnlyList<ValueLocation> locations)
    {
        UInt128 value = 0;
        int bits = 0;
        foreach (ValueLocation location in locations)
        {
            value |= location.Read(machine) << bits;
            bits += location.SizeBytes * 8;
        }
        return value;
    }

    public static bool IsImmediate(OpKind kind) => kind is >= OpKind.Immediate8 and <= OpKind.Immediate32to64;

    /// <summary>Bytes of the first operand; of a push, of what is pushed.</summary>
    public static int DestinationSize(in Instruction instruction)
    {
        if (instruction.Mnemonic == Mnemonic.Push) return Math.Abs(instruction.StackPointerIncrement);
        if (instruction.Op0Kind == OpKind.Register) return instruction.Op0Register.GetSize();
        return Math.Clamp(instruction.MemorySize.GetSize(), 1, ValueLocation.MaximumSizeBytes);
    }

    private static ulong? Get(VcpuState state, Register register)
    {
        if (RegisterPart.Of(register) is { Kind: LocationKind.General } part)
            return (ulong)ValueLocation.Cut((UInt128)state.General[part.Number] >> part.Offset * 8, part.SizeBytes);
        bool isFlat = state.IsLongMode && state.Segment(SegmentIndex.Cs).IsLong;
        return register switch
        {
            Register.ES => isFlat ? 0 : state.Segment(SegmentIndex.Es).Base, Register.CS => isFlat ? 0 : state.Segment(SegmentIndex.Cs).Base,
            Register.SS => isFlat ? 0 : state.Segment(SegmentIndex.Ss).Base, Register.DS => isFlat ? 0 : state.Segment(SegmentIndex.Ds).Base,
            Register.FS => state.Segment(SegmentIndex.Fs).Base, Register.GS => state.Segment(SegmentIndex.Gs).Base,
            _ => null,
        };
    }
}
