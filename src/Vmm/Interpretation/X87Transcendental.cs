using Vmm.Cpu;
using Vmm.Decoding;
using Vmm.Interpretation.FloatingPoint;

namespace Vmm.Interpretation;

/// <summary>F2XM1, FYL2X, FYL2XP1, FSIN, FCOS, FSINCOS, FPTAN and FPATAN (SDM 1 8.3.7-8.3.10).</summary>
internal static class X87Transcendental
{
    public static Completion F2xm1(Vcpu vcpu, in DecodedInstruction d)
    {
        if (!X87Arithmetic.TryUnary(vcpu, in d, out Completion completion)) return completion;
        Float80Context context = X87Unit.Context(in vcpu.State);
        Float80 result = Float80Transcendental.PowerOfTwoMinusOne(ref context, X87Unit.Read(ref vcpu.State, 0));
        return X87Arithmetic.Replace(vcpu, in d, in context, result);
    }

    public static Completion Fyl2x(Vcpu vcpu, in DecodedInstruction d)
    {
        if (!TryBinaryPop(vcpu, in d, out Completion completion)) return completion;
        Float80Context context = X87Unit.Context(in vcpu.State);
        Float80 result = Float80Transcendental.Logarithm(ref context, X87Unit.Read(ref vcpu.State, 1), X87Unit.Read(ref vcpu.State, 0));
        return ReplaceAndPop(vcpu, in d, in context, result);
    }

    public static Completion Fyl2xp1(Vcpu vcpu, in DecodedInstruction d)
    {
        if (!TryBinaryPop(vcpu, in d, out Completion completion)) return completion;
        Float80Context context = X87Unit.Context(in vcpu.State);
        Float80 result = Float80Transcendental.LogarithmOfOnePlus(
            ref context, X87Unit.Read(ref vcpu.State, 1), X87Unit.Read(ref vcpu.State, 0));
        return ReplaceAndPop(vcpu, in d, in context, result);
    }

    public static Completion Fpatan(Vcpu vcpu, in DecodedInstruction d)
    {
        if (!TryBinaryPop(vcpu, in d, out Completion completion)) return completion;
        Float80Context context = X87Unit.Context(in vcpu.State);
        Float80 result = Float80Transcendental.ArcTangent(ref context, X87Unit.Read(ref vcpu.State, 1), X87Unit.Read(ref vcpu.State, 0));
        return ReplaceAndPop(vcpu, in d, in context, result);
    }

    public static Completion Fsin(Vcpu vcpu, in DecodedInstruction d)
    {
        if (!TryAngle(vcpu, in d, false, out Completion completion)) return completion;
        Float80Context context = X87Unit.Context(in vcpu.State);
        Float80 result = Float80Transcendental.Sine(ref context, X87Unit.Read(ref vcpu.State, 0));
        return X87Arithmetic.Replace(vcpu, in d, in context, result);
    }

    public static Completion Fcos(Vcpu vcpu, in DecodedInstruction d)
    {
        if (!TryAngle(vcpu, in d, false, out Completion completion)) return completion;
        Float80Context context = X87Unit.Context(in vcpu.State);
        Float80 result = Float80Transcendental.Cosine(ref context, X87Unit.Read(ref vcpu.State, 0));
        return X87Arithmetic.Replace(vcpu, in d, in context, result);
    }

    public static Completion Fsincos(Vcpu vcpu, in DecodedInstruction d)
    {
        if (!TryAngle(vcpu, in d, true, out Completion completion)) return completion;
        Float80Context context = X87Unit.Context(in vcpu.State);
        Float80 sine = Float80Transcendental.SineCosine(ref context, X87Unit.Read(ref vcpu.State, 0), out Float80 cosine);
        if (!X87Unit.TryFinish(vcpu, in d, in context)) return Completion.Next;
        X87Unit.Write(ref vcpu.State, 0, sine);
        X87Unit.Push(ref vcpu.State, cosine);
        return Completion.Next;
    }

    /// <summary>The tangent, then 1.0 for compatibility with the 8087; a NaN is pushed twice.</summary>
    public static Completion Fptan(Vcpu vcpu, in DecodedInstruction d)
    {
        if (!TryAngle(vcpu, in d, true, out Completion completion)) return completion;
        Float80Context context = X87Unit.Context(in vcpu.State);
        Float80 tangent = Float80Transcendental.Tangent(ref context, X87Unit.Read(ref vcpu.State, 0));
        if (!X87Unit.TryFinish(vcpu, in d, in context)) return Completion.Next;
        X87Unit.Write(ref vcpu.State, 0, tangent);
        X87Unit.Push(ref vcpu.State, tangent.IsNaN ? tangent : Float80.One);
        return Completion.Next;
    }

    // The beginning of a trigonometric instruction. False: it has ended; C2 is set where the operand is out of range.
    private static bool TryAngle(Vcpu vcpu, in DecodedInstruction d, bool pushes, out Completion completion)
    {
        if (X87Unit.IsBlocked(vcpu, out completion)) return false;
        ref VcpuState state = ref vcpu.State;
        X87Unit.RecordInstruction(ref state, in d);
        state.X87Status = (ushort)(state.X87Status & ~X87Unit.C2);
        bool underflow = X87Unit.IsEmpty(in state, 0), overflow = pushes && !X87Unit.IsEmpty(in state, -1);
        if (underflow || overflow)
        {
            if (!(underflow ? X87Unit.StackUnderflow(vcpu, in d) : X87Unit.StackOverflow(vcpu, in d))) return false;
            X87Unit.Write(ref state, 0, Float80.Indefinite);
            if (pushes) X87Unit.Push(ref state, Float80.Indefinite);
            return false;
        }

        Float80 angle = X87Unit.Read(ref state, 0);
        if (angle.IsUnsupported || !Float80Transcendental.IsOutOfRange(angle)) return true;
        state.X87Status = (ushort)((state.X87Status & ~X87Unit.C1) | X87Unit.C2);
        return false;
    }

    // The beginning of an operation on ST(1) and ST(0) that replaces ST(1) and pops.
    private static bool TryBinaryPop(Vcpu vcpu, in DecodedInstruction d, out Completion completion)
    {
        if (X87Unit.IsBlocked(vcpu, out completion)) return false;
        ref VcpuState state = ref vcpu.State;
        X87Unit.RecordInstruction(ref state, in d);
        if (!X87Unit.IsEmpty(in state, 0) && !X87Unit.IsEmpty(in state, 1)) return true;
        if (!X87Unit.StackUnderflow(vcpu, in d)) return false;
        X87Unit.Write(ref state, 1, Float80.Indefinite);
        X87Unit.Pop(ref state);
        return false;
    }

    private static Completion ReplaceAndPop(Vcpu vcpu, in DecodedInstruction d, in Float80Context context, Float80 result)
    {
        if (!X87Unit.TryFinish(vcpu, in d, in context)) return Completion.Next;
        X87Unit.Write(ref vcpu.State, 1, result);
        X87Unit.Pop(ref vcpu.State);
        return Completion.Next;
    }
}
