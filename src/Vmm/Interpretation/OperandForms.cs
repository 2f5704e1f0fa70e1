using Iced.Intel;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation;

/// <summary>
/// Picks, at decode time, the instantiation of an operation for an instruction's operand size and operand kinds. Each instantiation
/// is compiled to code without a branch on either.
/// </summary>
internal static unsafe class OperandForms
{
    /// <summary>Size in bytes of operand 0.</summary>
    public static int SizeOf(in Instruction i) => SizeOf(i, 0);

    public static int SizeOf(in Instruction i, int operand) => i.GetOpKind(operand) switch
    {
        OpKind.Register => i.GetOpRegister(operand).GetSize(),
        OpKind.Memory => i.MemorySize.GetSize(),
        OpKind.Immediate8 => 1,
        OpKind.Immediate16 or OpKind.Immediate8to16 => 2,
        OpKind.Immediate32 or OpKind.Immediate8to32 => 4,
        _ => 8,
    };

    /// <summary>The operand is memory that needs no segment check.</summary>
    public static bool IsFlat(in DecodedInstruction d) => (d.Traits & InstructionTraits.Long) != 0 && d.AddressSize == 8;

    public static Handler Binary<TOp>(in Instruction i, in DecodedInstruction d) where TOp : IBinaryOperation => SizeOf(i) switch
    {
        1 => Binary<TOp, byte>(i, d),
        2 => Binary<TOp, ushort>(i, d),
        4 => Binary<TOp, uint>(i, d),
        _ => Binary<TOp, ulong>(i, d),
    };

    private static Handler Binary<TOp, T>(in Instruction i, in DecodedInstruction d) where TOp : IBinaryOperation where T : unmanaged
    {
        bool immediate = i.Op1Kind is not (OpKind.Register or OpKind.Memory);
        if (i.Op0Kind == OpKind.Register)
        {
            if (immediate) return new(&BinaryHandler<TOp, T, DestinationRegister<T>, ImmediateOperand<T>>);
            if (i.Op1Kind == OpKind.Register) return new(&BinaryHandler<TOp, T, DestinationRegister<T>, SourceRegister<T>>);
            return IsFlat(d) ? new(&BinaryHandler<TOp, T, DestinationRegister<T>, FlatMemory<T>>)
                : new(&BinaryHandler<TOp, T, DestinationRegister<T>, SegmentedMemory<T>>);
        }
        if (IsFlat(d))
        {
            return immediate ? new(&BinaryHandler<TOp, T, FlatMemory<T>, ImmediateOperand<T>>)
                : new(&BinaryHandler<TOp, T, FlatMemory<T>, SourceRegister<T>>);
        }
        return immediate ? new(&BinaryHandler<TOp, T, SegmentedMemory<T>, ImmediateOperand<T>>)
            : new(&BinaryHandler<TOp, T, SegmentedMemory<T>, SourceRegister<T>>);
    }

    public static Handler Unary<TOp>(in Instruction i, in DecodedInstruction d) where TOp : IUnaryOperation => SizeOf(i) switch
    {
        1 => Unary<TOp, byte>(i, d),
        2 => Unary<TOp, ushort>(i, d),
        4 => Unary<TOp, uint>(i, d),
        _ => Unary<TOp, ulong>(i, d),
    };

    private static Handler Unary<TOp, T>(in Instruction i, in DecodedInstruction d) where TOp : IUnaryOperation where T : unmanaged
    {
        if (i.Op0Kind == OpKind.Register) return new(&UnaryHandler<TOp, T, DestinationRegister<T>>);
        return IsFlat(d) ? new(&UnaryHandler<TOp, T, FlatMemory<T>>) : new(&UnaryHandler<TOp, T, SegmentedMemory<T>>);
    }

    private static Completion BinaryHandler<TOp, T, TDestination, TSource>(Vcpu c, in DecodedInstruction d)
        where TOp : IBinaryOperation where T : unmanaged where TDestination : IOperand<T> where TSource : IOperand<T>
    {
        if (!TSource.TryRead(c, d, out ulong b)) return Completion.Fault;
        if (!TOp.Writes)
        {
            if (!TDestination.TryRead(c, d, out ulong a)) return Completion.Fault;
            TOp.Compute<T>(ref c.State, a, b);
            return Completion.Next;
        }
        if (!TDestination.TryBeginUpdate(c, d, out ulong old, out ulong linear, out nint host)) return Completion.Fault;
        TDestination.EndUpdate(c, d, linear, host, TOp.Compute<T>(ref c.State, old, b));
        return Completion.Next;
    }

    private static Completion UnaryHandler<TOp, T, TDestination>(Vcpu c, in DecodedInstruction d)
        where TOp : IUnaryOperation where T : unmanaged where TDestination : IOperand<T>
    {
        if (!TDestination.TryBeginUpdate(c, d, out ulong old, out ulong linear, out nint host)) return Completion.Fault;
        TDestination.EndUpdate(c, d, linear, host, TOp.Compute<T>(ref c.State, old));
        return Completion.Next;
    }
}
