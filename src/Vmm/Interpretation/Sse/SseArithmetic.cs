using System.Runtime.Intrinsics;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation.Sse;

/// <summary>ADD, SUB, MUL, DIV, MIN, MAX and SQRT, packed and scalar; horizontal forms, dot products, rounding (SDM 2A and 2B).</summary>
internal static class SseArithmetic
{
    /// <summary>ADDPS, ADDPD, SUBPS, ... SQRTPD.</summary>
    public static Completion Packed<TFormat, TOperation>(Vcpu vcpu, in DecodedInstruction d)
        where TFormat : struct, IBinaryFormat
        where TOperation : struct, IFloatOperation
    {
        if (!SseOperand.TryReadVector(vcpu, in d, out Vector128<byte> source)) return Completion.Fault;
        FloatEnvironment environment = new(vcpu.State.Mxcsr);
        Vector128<byte> result = vcpu.State.XmmAs<byte>(d.Destination);
        for (int i = 0; i < SseLanes<TFormat>.Count; i++)
        {
            ulong a = SseLanes<TFormat>.Get(ref result, i), b = SseLanes<TFormat>.Get(ref source, i);
            SseLanes<TFormat>.Set(ref result, i, HostFloat.Apply<TFormat, TOperation>(a, b, ref environment));
        }

        return Finish(vcpu, in d, in environment, result);
    }

    /// <summary>ADDSS, ADDSD, ... SQRTSD: the low element; the others of the destination stay.</summary>
    public static Completion Scalar<TFormat, TOperation>(Vcpu vcpu, in DecodedInstruction d)
        where TFormat : struct, IBinaryFormat
        where TOperation : struct, IFloatOperation
    {
        if (!TryReadScalar<TFormat>(vcpu, in d, out ulong b)) return Completion.Fault;
        FloatEnvironment environment = new(vcpu.State.Mxcsr);
        ref Vector128<byte> destination = ref vcpu.State.XmmAs<byte>(d.Destination);
        ulong result = HostFloat.Apply<TFormat, TOperation>(SseLanes<TFormat>.Get(ref destination, 0), b, ref environment);
        if (!environment.TryCommit(vcpu)) return Completion.Fault;
        SseLanes<TFormat>.Set(ref destination, 0, result);
        return Completion.Next;
    }

    /// <summary>HADDPS, HADDPD, HSUBPS, HSUBPD: neighbours of the destination, then neighbours of the source.</summary>
    public static Completion Horizontal<TFormat, TOperation>(Vcpu vcpu, in DecodedInstruction d)
        where TFormat : struct, IBinaryFormat
        where TOperation : struct, IFloatOperation
    {
        if (!SseOperand.TryReadVector(vcpu, in d, out Vector128<byte> source)) return Completion.Fault;
        FloatEnvironment environment = new(vcpu.State.Mxcsr);
        Vector128<byte> destination = vcpu.State.XmmAs<byte>(d.Destination), result = default;
        int half = SseLanes<TFormat>.Count / 2;
        for (int i = 0; i < half; i++)
        {
            SseLanes<TFormat>.Set(ref result, i, Neighbours<TFormat, TOperation>(ref destination, i, ref environment));
            SseLanes<TFormat>.Set(ref result, i + half, Neighbours<TFormat, TOperation>(ref source, i, ref environment));
        }

        return Finish(vcpu, in d, in environment, result);
    }

    /// <summary>ADDSUBPS, ADDSUBPD: even elements are subtracted, odd ones added.</summary>
    public static Completion AddSubtract<TFormat>(Vcpu vcpu, in DecodedInstruction d)
        where TFormat : struct, IBinaryFormat
    {
        if (!SseOperand.TryReadVector(vcpu, in d, out Vector128<byte> source)) return Completion.Fault;
        FloatEnvironment environment = new(vcpu.State.Mxcsr);
        Vector128<byte> result = vcpu.State.XmmAs<byte>(d.Destination);
        for (int i = 0; i < SseLanes<TFormat>.Count; i++)
        {
            ulong a = SseLanes<TFormat>.Get(ref result, i), b = SseLanes<TFormat>.Get(ref source, i);
            SseLanes<TFormat>.Set(ref result, i, (i & 1) == 0
                ? HostFloat.Apply<TFormat, FloatSubtract>(a, b, ref environment)
                : HostFloat.Apply<TFormat, FloatAdd>(a, b, ref environment));
        }

        return Finish(vcpu, in d, in environment, result);
    }

    /// <summary>DPPS, DPPD: immediate bits 4 and up select the products to sum, bits 0 and up the elements to set.</summary>
    public static Completion DotProduct<TFormat>(Vcpu vcpu, in DecodedInstruction d)
        where TFormat : struct, IBinaryFormat
    {
        if (!SseOperand.TryReadVector(vcpu, in d, out Vector128<byte> source)) return Completion.Fault;
        FloatEnvironment environment = new(vcpu.State.Mxcsr);
        Vector128<byte> destination = vcpu.State.XmmAs<byte>(d.Destination), products = default, result = default;
        int selection = (int)d.Immediate;
        for (int i = 0; i < SseLanes<TFormat>.Count; i++)
        {
            if ((selection >> (4 + i) & 1) == 0) continue;
            ulong a = SseLanes<TFormat>.Get(ref destination, i), b = SseLanes<TFormat>.Get(ref source, i);
            SseLanes<TFormat>.Set(ref products, i, HostFloat.Apply<TFormat, FloatMultiply>(a, b, ref environment));
        }

        // The products are a step of their own: with an unmasked exception in them nothing is summed (SDM 2A, DPPS, SIMD exceptions).
        if (!environment.TryCommit(vcpu)) return Completion.Fault;
        ulong sum = Neighbours<TFormat, FloatAdd>(ref products, 0, ref environment);
        if (SseLanes<TFormat>.Count == 4)
        {
            ulong upper = Neighbours<TFormat, FloatAdd>(ref products, 1, ref environment);
            if (!environment.TryCommit(vcpu)) return Completion.Fault;
            sum = HostFloat.Apply<TFormat, FloatAdd>(sum, upper, ref environment);
        }

        for (int i = 0; i < SseLanes<TFormat>.Count; i++)
        {
            if ((selection >> i & 1) != 0) SseLanes<TFormat>.Set(ref result, i, sum);
        }

        return Finish(vcpu, in d, in environment, result);
    }

    /// <summary>ROUNDPS, ROUNDPD.</summary>
    public static Completion RoundPacked<TFormat>(Vcpu vcpu, in DecodedInstruction d)
        where TFormat : struct, IBinaryFormat
    {
        if (!SseOperand.TryReadVector(vcpu, in d, out Vector128<byte> source)) return Completion.Fault;
        FloatEnvironment environment = new(vcpu.State.Mxcsr);
        Vector128<byte> result = default;
        for (int i = 0; i < SseLanes<TFormat>.Count; i++)
            SseLanes<TFormat>.Set(ref result, i, Round<TFormat>(SseLanes<TFormat>.Get(ref source, i), in d, ref environment));
        return Finish(vcpu, in d, in environment, result);
    }

    /// <summary>ROUNDSS, ROUNDSD.</summary>
    public static Completion RoundScalar<TFormat>(Vcpu vcpu, in DecodedInstruction d)
        where TFormat : struct, IBinaryFormat
    {
        if (!TryReadScalar<TFormat>(vcpu, in d, out ulong source)) return Completion.Fault;
        FloatEnvironment environment = new(vcpu.State.Mxcsr);
        ulong result = Round<TFormat>(source, in d, ref environment);
        if (!environment.TryCommit(vcpu)) return Completion.Fault;
        SseLanes<TFormat>.Set(ref vcpu.State.XmmAs<byte>(d.Destination), 0, result);
        return Completion.Next;
    }

    public static bool TryReadScalar<TFormat>(Vcpu vcpu, in DecodedInstruction d, out ulong value)
        where TFormat : struct, IBinaryFormat
    {
        if (TFormat.SizeBytes == 8) return SseOperand.TryReadLow(vcpu, in d, out value);
        bool read = SseOperand.TryReadLow(vcpu, in d, out uint low);
        value = low;
        return read;
    }

    public static Completion Finish(Vcpu vcpu, in DecodedInstruction d, in FloatEnvironment environment, Vector128<byte> result)
    {
        if (!environment.TryCommit(vcpu)) return Completion.Fault;
        vcpu.State.XmmAs<byte>(d.Destination) = result;
        return Completion.Next;
    }

    private static ulong Neighbours<TFormat, TOperation>(ref Vector128<byte> vector, int pair, ref FloatEnvironment environment)
        where TFormat : struct, IBinaryFormat
        where TOperation : struct, IFloatOperation =>
        HostFloat.Apply<TFormat, TOperation>(
            SseLanes<TFormat>.Get(ref vector, pair * 2), SseLanes<TFormat>.Get(ref vector, pair * 2 + 1), ref environment);

    /// <summary>Immediate of ROUNDPS and kin: bits 0..1 rounding, bit 2 take MXCSR's instead, bit 3 no PE (SDM 2B figure 4-24).</summary>
    private static ulong Round<TFormat>(ulong a, in DecodedInstruction d, ref FloatEnvironment environment)
        where TFormat : struct, IBinaryFormat
    {
        Rounding rounding = (d.Immediate & 4) != 0 ? environment.Rounding : (Rounding)(d.Immediate & 3);
        return SoftFloat<TFormat>.RoundToIntegral(a, rounding, raisesPrecision: (d.Immediate & 8) == 0, ref environment);
    }
}
