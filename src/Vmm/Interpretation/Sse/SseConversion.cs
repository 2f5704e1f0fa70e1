using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation.Sse;

/// <summary>Which rounding a conversion to integers uses.</summary>
internal interface IConversionRounding
{
    static abstract Rounding Of(in FloatEnvironment environment);
}

/// <summary>MXCSR.RC: CVTPS2DQ, CVTSD2SI, ...</summary>
internal readonly struct CurrentRounding : IConversionRounding
{
    public static Rounding Of(in FloatEnvironment environment) => environment.Rounding;
}

/// <summary>Toward zero: CVTTPS2DQ, CVTTSD2SI, ...</summary>
internal readonly struct Truncation : IConversionRounding
{
    public static Rounding Of(in FloatEnvironment environment) => Rounding.TowardZero;
}

/// <summary>CVTxx2xx between integers, single and double precision (SDM 2A).</summary>
internal static class SseConversion
{
    /// <summary>CVTSI2SS, CVTSI2SD from r/m32 (int) or r/m64 (long).</summary>
    public static Completion FromGeneral<TFormat, TInteger>(Vcpu vcpu, in DecodedInstruction d)
        where TFormat : struct, IBinaryFormat
        where TInteger : unmanaged
    {
        if (!SseOperand.TryReadGeneral(vcpu, in d, out TInteger source)) return Completion.Fault;
        long integer = Unsafe.SizeOf<TInteger>() == 4 ? Unsafe.BitCast<TInteger, int>(source) : Unsafe.BitCast<TInteger, long>(source);
        FloatEnvironment environment = new(vcpu.State.Mxcsr);
        ulong result = SoftFloat<TFormat>.FromInteger(integer, ref environment);
        if (!environment.TryCommit(vcpu)) return Completion.Fault;
        SseLanes<TFormat>.Set(ref vcpu.State.XmmAs<byte>(d.Destination), 0, result);
        return Completion.Next;
    }

    /// <summary>CVTSS2SI, CVTSD2SI, CVTTSS2SI, CVTTSD2SI to r32 (int) or r64 (long).</summary>
    public static Completion ToGeneral<TFormat, TInteger, TRounding>(Vcpu vcpu, in DecodedInstruction d)
        where TFormat : struct, IBinaryFormat
        where TInteger : unmanaged
        where TRounding : struct, IConversionRounding
    {
        if (!SseArithmetic.TryReadScalar<TFormat>(vcpu, in d, out ulong source)) return Completion.Fault;
        FloatEnvironment environment = new(vcpu.State.Mxcsr);
        int bits = Unsafe.SizeOf<TInteger>() * 8;
        ulong result = SoftFloat<TFormat>.ToInteger(source, bits, TRounding.Of(in environment), ref environment);
        if (!environment.TryCommit(vcpu)) return Completion.Fault;
        vcpu.State.Register<ulong>(d.Destination) = bits == 32 ? (uint)result : result;
        return Completion.Next;
    }

    public static Completion Cvtdq2ps(Vcpu vcpu, in DecodedInstruction d)
    {
        if (!SseOperand.TryReadVector(vcpu, in d, out Vector128<byte> source)) return Completion.Fault;
        FloatEnvironment environment = new(vcpu.State.Mxcsr);
        Vector128<byte> result = default;
        for (int i = 0; i < 4; i++)
        {
            int integer = (int)SseLanes<Binary32>.Get(ref source, i);
            SseLanes<Binary32>.Set(ref result, i, SoftFloat<Binary32>.FromInteger(integer, ref environment));
        }

        return SseArithmetic.Finish(vcpu, in d, in environment, result);
    }

    /// <summary>Exact, so it raises nothing.</summary>
    public static Completion Cvtdq2pd(Vcpu vcpu, in DecodedInstruction d)
    {
        if (!SseOperand.TryReadLow(vcpu, in d, out ulong source)) return Completion.Fault;
        vcpu.State.XmmAs<double>(d.Destination) = Vector128.Create((double)(int)source, (int)(source >> 32));
        return Completion.Next;
    }

    /// <summary>CVTPS2DQ, CVTTPS2DQ.</summary>
    public static Completion PackedSingleToIntegers<TRounding>(Vcpu vcpu, in DecodedInstruction d)
        where TRounding : struct, IConversionRounding => PackedToIntegers<Binary32, TRounding>(vcpu, in d);

    /// <summary>CVTPD2DQ, CVTTPD2DQ: two integers, the upper half is zeroed.</summary>
    public static Completion PackedDoubleToIntegers<TRounding>(Vcpu vcpu, in DecodedInstruction d)
        where TRounding : struct, IConversionRounding => PackedToIntegers<Binary64, TRounding>(vcpu, in d);

    public static Completion Cvtps2pd(Vcpu vcpu, in DecodedInstruction d)
    {
        if (!SseOperand.TryReadLow(vcpu, in d, out ulong source)) return Completion.Fault;
        FloatEnvironment environment = new(vcpu.State.Mxcsr);
        ulong low = SoftFloat<Binary64>.From<Binary32>((uint)source, ref environment);
        ulong high = SoftFloat<Binary64>.From<Binary32>(source >> 32, ref environment);
        return SseArithmetic.Finish(vcpu, in d, in environment, Vector128.Create(low, high).AsByte());
    }

    /// <summary>Two singles; the upper half is zeroed.</summary>
    public static Completion Cvtpd2ps(Vcpu vcpu, in DecodedInstruction d)
    {
        if (!SseOperand.TryReadVector(vcpu, in d, out Vector128<byte> source)) return Completion.Fault;
        FloatEnvironment environment = new(vcpu.State.Mxcsr);
        ulong low = SoftFloat<Binary32>.From<Binary64>(SseLanes<Binary64>.Get(ref source, 0), ref environment);
        ulong high = SoftFloat<Binary32>.From<Binary64>(SseLanes<Binary64>.Get(ref source, 1), ref environment);
        return SseArithmetic.Finish(vcpu, in d, in environment, Vector128.Create(low | (high << 32), 0).AsByte());
    }

    /// <summary>CVTSS2SD, CVTSD2SS: the low element; the rest of the destination stays.</summary>
    public static Completion Scalar<TTarget, TSource>(Vcpu vcpu, in DecodedInstruction d)
        where TTarget : struct, IBinaryFormat
        where TSource : struct, IBinaryFormat
    {
        if (!SseArithmetic.TryReadScalar<TSource>(vcpu, in d, out ulong source)) return Completion.Fault;
        FloatEnvironment environment = new(vcpu.State.Mxcsr);
        ulong result = SoftFloat<TTarget>.From<TSource>(source, ref environment);
        if (!environment.TryCommit(vcpu)) return Completion.Fault;
        SseLanes<TTarget>.Set(ref vcpu.State.XmmAs<byte>(d.Destination), 0, result);
        return Completion.Next;
    }

    private static Completion PackedToIntegers<TFormat, TRounding>(Vcpu vcpu, in DecodedInstruction d)
        where TFormat : struct, IBinaryFormat
        where TRounding : struct, IConversionRounding
    {
        if (!SseOperand.TryReadVector(vcpu, in d, out Vector128<byte> source)) return Completion.Fault;
        FloatEnvironment environment = new(vcpu.State.Mxcsr);
        Vector128<byte> result = default;
        for (int i = 0; i < SseLanes<TFormat>.Count; i++)
        {
            ulong element = SseLanes<TFormat>.Get(ref source, i);
            ulong integer = SoftFloat<TFormat>.ToInteger(element, 32, TRounding.Of(in environment), ref environment);
            SseLanes<Binary32>.Set(ref result, i, integer);
        }

        return SseArithmetic.Finish(vcpu, in d, in environment, result);
    }
}
