using Vmm.Cpu;
using Vmm.Decoding;
using Vmm.Interpretation.FloatingPoint;

namespace Vmm.Interpretation;

/// <summary>A two-operand operation, as a type argument: every form of FADD is one instantiation.</summary>
internal interface IX87Operation
{
    static abstract Float80 Apply(ref Float80Context context, Float80 destination, Float80 source);
}

internal readonly struct AddOperation : IX87Operation
{
    public static Float80 Apply(ref Float80Context context, Float80 destination, Float80 source) =>
        Float80Arithmetic.Add(ref context, destination, source);
}

internal readonly struct SubtractOperation : IX87Operation
{
    public static Float80 Apply(ref Float80Context context, Float80 destination, Float80 source) =>
        Float80Arithmetic.Subtract(ref context, destination, source);
}

internal readonly struct ReverseSubtractOperation : IX87Operation
{
    public static Float80 Apply(ref Float80Context context, Float80 destination, Float80 source) =>
        Float80Arithmetic.Subtract(ref context, source, destination);
}

internal readonly struct MultiplyOperation : IX87Operation
{
    public static Float80 Apply(ref Float80Context context, Float80 destination, Float80 source) =>
        Float80Arithmetic.Multiply(ref context, destination, source);
}

internal readonly struct DivideOperation : IX87Operation
{
    public static Float80 Apply(ref Float80Context context, Float80 destination, Float80 source) =>
        Float80Arithmetic.Divide(ref context, destination, source);
}

internal readonly struct ReverseDivideOperation : IX87Operation
{
    public static Float80 Apply(ref Float80Context context, Float80 destination, Float80 source) =>
        Float80Arithmetic.Divide(ref context, source, destination);
}

/// <summary>FADD, FSUB, FSUBR, FMUL, FDIV, FDIVR in all forms; FSQRT, FABS, FCHS, FRNDINT, FSCALE, FXTRACT, FPREM, FPREM1 (SDM 1 8.3.5).</summary>
internal static class X87Arithmetic
{
    /// <summary>ST(0) and ST(i), either one the destination.</summary>
    public static Completion Registers<TOperation>(Vcpu vcpu, in DecodedInstruction d) where TOperation : IX87Operation =>
        Registers<TOperation>(vcpu, in d, false);

    public static Completion RegistersPop<TOperation>(Vcpu vcpu, in DecodedInstruction d) where TOperation : IX87Operation =>
        Registers<TOperation>(vcpu, in d, true);

    private static Completion Registers<TOperation>(Vcpu vcpu, in DecodedInstruction d, bool pop) where TOperation : IX87Operation
    {
        if (X87Unit.IsBlocked(vcpu, out Completion fault)) return fault;
        ref VcpuState state = ref vcpu.State;
        X87Unit.RecordInstruction(ref state, in d);
        if (X87Unit.IsEmpty(in state, d.Destination) || X87Unit.IsEmpty(in state, d.Source))
        {
            if (!X87Unit.StackUnderflow(vcpu, in d)) return Completion.Next;
            X87Unit.Write(ref state, d.Destination, Float80.Indefinite);
        }
        else
        {
            Float80Context context = X87Unit.Context(in state);
            Float80 result = TOperation.Apply(ref context, X87Unit.Read(ref state, d.Destination), X87Unit.Read(ref state, d.Source));
            if (!X87Unit.TryFinish(vcpu, in d, in context)) return Completion.Next;
            X87Unit.Write(ref state, d.Destination, result);
        }

        if (pop) X87Unit.Pop(ref state);
        return Completion.Next;
    }

    /// <summary>ST(0) and memory.</summary>
    public static Completion Memory<TOperation, TFormat>(Vcpu vcpu, in DecodedInstruction d)
        where TOperation : IX87Operation
        where TFormat : IX87Format
    {
        if (X87Unit.IsBlocked(vcpu, out Completion fault)) return fault;
        if (!vcpu.TryAddress(in d, TFormat.SizeBytes, false, out ulong linear)
            || !TFormat.TryLoad(vcpu, linear, out Float80 operand, out bool denormal)) return Completion.Fault;
        ref VcpuState state = ref vcpu.State;
        X87Unit.RecordMemory(ref state, in d, linear);
        if (X87Unit.IsEmpty(in state, 0))
        {
            if (X87Unit.StackUnderflow(vcpu, in d)) X87Unit.Write(ref state, 0, Float80.Indefinite);
            return Completion.Next;
        }

        Float80Context context = X87Unit.Context(in state);
        context.IsMemoryOperandDenormal = denormal;
        Float80 result = TOperation.Apply(ref context, X87Unit.Read(ref state, 0), operand);
        if (X87Unit.TryFinish(vcpu, in d, in context)) X87Unit.Write(ref state, 0, result);
        return Completion.Next;
    }

    public static Completion Fabs(Vcpu vcpu, in DecodedInstruction d)
    {
        if (!TryUnary(vcpu, in d, out Completion completion)) return completion;
        ref VcpuState state = ref vcpu.State;
        X87Unit.ClearC1(ref state);
        X87Unit.Write(ref state, 0, X87Unit.Read(ref state, 0).Absolute);
        return Completion.Next;
    }

    public static Completion Fchs(Vcpu vcpu, in DecodedInstruction d)
    {
        if (!TryUnary(vcpu, in d, out Completion completion)) return completion;
        ref VcpuState state = ref vcpu.State;
        X87Unit.ClearC1(ref state);
        X87Unit.Write(ref state, 0, X87Unit.Read(ref state, 0).Negated);
        return Completion.Next;
    }

    public static Completion Fsqrt(Vcpu vcpu, in DecodedInstruction d)
    {
        if (!TryUnary(vcpu, in d, out Completion completion)) return completion;
        Float80Context context = X87Unit.Context(in vcpu.State);
        Float80 result = Float80Arithmetic.SquareRoot(ref context, X87Unit.Read(ref vcpu.State, 0));
        return Replace(vcpu, in d, in context, result);
    }

    public static Completion Frndint(Vcpu vcpu, in DecodedInstruction d)
    {
        if (!TryUnary(vcpu, in d, out Completion completion)) return completion;
        Float80Context context = X87Unit.Context(in vcpu.State);
        Float80 result = Float80Remainder.RoundToInteger(ref context, X87Unit.Read(ref vcpu.State, 0));
        return Replace(vcpu, in d, in context, result);
    }

    public static Completion Fscale(Vcpu vcpu, in DecodedInstruction d)
    {
        if (!TryBinary(vcpu, in d, out Completion completion)) return completion;
        Float80Context context = X87Unit.Context(in vcpu.State);
        Float80 result = Float80Remainder.Scale(ref context, X87Unit.Read(ref vcpu.State, 0), X87Unit.Read(ref vcpu.State, 1));
        return Replace(vcpu, in d, in context, result);
    }

    /// <summary>The exponent replaces ST(0), then the significand is pushed.</summary>
    public static Completion Fxtract(Vcpu vcpu, in DecodedInstruction d)
    {
        if (X87Unit.IsBlocked(vcpu, out Completion fault)) return fault;
        ref VcpuState state = ref vcpu.State;
        X87Unit.RecordInstruction(ref state, in d);
        if (X87Unit.IsEmpty(in state, 0) || !X87Unit.IsEmpty(in state, -1))
        {
            bool masked = X87Unit.IsEmpty(in state, 0) ? X87Unit.StackUnderflow(vcpu, in d) : X87Unit.StackOverflow(vcpu, in d);
            if (!masked) return Completion.Next;
            X87Unit.Write(ref state, 0, Float80.Indefinite);
            X87Unit.Push(ref state, Float80.Indefinite);
            return Completion.Next;
        }

        Float80Context context = X87Unit.Context(in state);
        Float80 exponent = Float80Remainder.Extract(ref context, X87Unit.Read(ref state, 0), out Float80 significand);
        if (!X87Unit.TryFinish(vcpu, in d, in context)) return Completion.Next;
        X87Unit.Write(ref state, 0, exponent);
        X87Unit.Push(ref state, significand);
        return Completion.Next;
    }

    public static Completion Fprem(Vcpu vcpu, in DecodedInstruction d) => Remainder(vcpu, in d, false);

    public static Completion Fprem1(Vcpu vcpu, in DecodedInstruction d) => Remainder(vcpu, in d, true);

    private static Completion Remainder(Vcpu vcpu, in DecodedInstruction d, bool nearest)
    {
        if (X87Unit.IsBlocked(vcpu, out Completion fault)) return fault;
        ref VcpuState state = ref vcpu.State;
        // Whatever happens, the reduction is not partial unless it says so.
        state.X87Status = (ushort)(state.X87Status & ~X87Unit.C2);
        if (!TryBinary(vcpu, in d, out Completion completion)) return completion;
        Float80Context context = X87Unit.Context(in state);
        Float80 result = Float80Remainder.Remainder(
            ref context, X87Unit.Read(ref state, 0), X87Unit.Read(ref state, 1), nearest, out ulong quotient, out bool partial);
        if (!X87Unit.TryFinish(vcpu, in d, in context)) return Completion.Next;
        X87Unit.Write(ref state, 0, result);
        if (result.IsNaN) return Completion.Next;
        // SDM 2A FPREM: the quotient's bits 2, 1 and 0 go to C0, C3 and C1.
        int conditions = ((quotient & 4) != 0 ? X87Unit.C0 : 0) | ((quotient & 2) != 0 ? X87Unit.C3 : 0)
            | ((quotient & 1) != 0 ? X87Unit.C1 : 0);
        X87Unit.SetConditions(ref state, partial ? X87Unit.C2 : conditions);
        return Completion.Next;
    }

    /// <summary>The beginning of an operation on ST(0). False: it has ended.</summary>
    internal static bool TryUnary(Vcpu vcpu, in DecodedInstruction d, out Completion completion)
    {
        if (X87Unit.IsBlocked(vcpu, out completion)) return false;
        X87Unit.RecordInstruction(ref vcpu.State, in d);
        if (!X87Unit.IsEmpty(in vcpu.State, 0)) return true;
        if (X87Unit.StackUnderflow(vcpu, in d)) X87Unit.Write(ref vcpu.State, 0, Float80.Indefinite);
        return false;
    }

    /// <summary>The beginning of an operation on ST(0) and ST(1) with its result in ST(0). False: it has ended.</summary>
    internal static bool TryBinary(Vcpu vcpu, in DecodedInstruction d, out Completion completion)
    {
        if (X87Unit.IsBlocked(vcpu, out completion)) return false;
        X87Unit.RecordInstruction(ref vcpu.State, in d);
        if (!X87Unit.IsEmpty(in vcpu.State, 0) && !X87Unit.IsEmpty(in vcpu.State, 1)) return true;
        if (X87Unit.StackUnderflow(vcpu, in d)) X87Unit.Write(ref vcpu.State, 0, Float80.Indefinite);
        return false;
    }

    internal static Completion Replace(Vcpu vcpu, in DecodedInstruction d, in Float80Context context, Float80 result)
    {
        if (X87Unit.TryFinish(vcpu, in d, in context)) X87Unit.Write(ref vcpu.State, 0, result);
        return Completion.Next;
    }
}
