using System.Runtime.Intrinsics;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation.Sse;

/// <summary>CMPPS and kin, COMISS and kin, PTEST.</summary>
internal static class SseCompare
{
    /// <summary>CMPPS, CMPPD: a mask of ones where the predicate holds.</summary>
    public static Completion Packed<TFormat>(Vcpu vcpu, in DecodedInstruction d)
        where TFormat : struct, IBinaryFormat
    {
        if (!SseOperand.TryReadVector(vcpu, in d, out Vector128<byte> source)) return Completion.Fault;
        FloatEnvironment environment = new(vcpu.State.Mxcsr);
        Vector128<byte> result = vcpu.State.XmmAs<byte>(d.Destination);
        for (int i = 0; i < SseLanes<TFormat>.Count; i++)
        {
            ulong a = SseLanes<TFormat>.Get(ref result, i), b = SseLanes<TFormat>.Get(ref source, i);
            SseLanes<TFormat>.Set(ref result, i, Holds<TFormat>(a, b, (int)d.Immediate, ref environment) ? ulong.MaxValue : 0);
        }

        return SseArithmetic.Finish(vcpu, in d, in environment, result);
    }

    /// <summary>CMPSS, CMPSD.</summary>
    public static Completion Scalar<TFormat>(Vcpu vcpu, in DecodedInstruction d)
        where TFormat : struct, IBinaryFormat
    {
        if (!SseArithmetic.TryReadScalar<TFormat>(vcpu, in d, out ulong b)) return Completion.Fault;
        FloatEnvironment environment = new(vcpu.State.Mxcsr);
        ref Vector128<byte> destination = ref vcpu.State.XmmAs<byte>(d.Destination);
        bool holds = Holds<TFormat>(SseLanes<TFormat>.Get(ref destination, 0), b, (int)d.Immediate, ref environment);
        if (!environment.TryCommit(vcpu)) return Completion.Fault;
        SseLanes<TFormat>.Set(ref destination, 0, holds ? ulong.MaxValue : 0);
        return Completion.Next;
    }

    /// <summary>COMISS, COMISD: IE for any NaN.</summary>
    public static Completion Ordered<TFormat>(Vcpu vcpu, in DecodedInstruction d)
        where TFormat : struct, IBinaryFormat => ToFlags<TFormat>(vcpu, in d, signalsQuietNaN: true);

    /// <summary>UCOMISS, UCOMISD: IE for signaling NaNs only.</summary>
    public static Completion Unordered<TFormat>(Vcpu vcpu, in DecodedInstruction d)
        where TFormat : struct, IBinaryFormat => ToFlags<TFormat>(vcpu, in d, signalsQuietNaN: false);

    public static Completion Ptest(Vcpu vcpu, in DecodedInstruction d)
    {
        if (!SseOperand.TryReadVector(vcpu, in d, out Vector128<byte> source)) return Completion.Fault;
        Vector128<byte> destination = vcpu.State.XmmAs<byte>(d.Destination);
        bool zero = (source & destination) == Vector128<byte>.Zero;
        bool carry = Vector128.AndNot(source, destination) == Vector128<byte>.Zero;
        vcpu.State.SetArithmeticFlags(cf: carry, pf: false, af: false, zf: zero, sf: false, of: false);
        return Completion.Next;
    }

    private static Completion ToFlags<TFormat>(Vcpu vcpu, in DecodedInstruction d, bool signalsQuietNaN)
        where TFormat : struct, IBinaryFormat
    {
        if (!SseArithmetic.TryReadScalar<TFormat>(vcpu, in d, out ulong b)) return Completion.Fault;
        FloatEnvironment environment = new(vcpu.State.Mxcsr);
        ulong a = SseLanes<TFormat>.Get(ref vcpu.State.XmmAs<byte>(d.Destination), 0);
        FloatRelation relation = SoftFloat<TFormat>.Compare(a, b, signalsQuietNaN, ref environment);
        if (!environment.TryCommit(vcpu)) return Completion.Fault;
        bool unordered = relation == FloatRelation.Unordered;
        vcpu.State.SetArithmeticFlags(
            cf: unordered || relation == FloatRelation.Less,
            pf: unordered,
            af: false,
            zf: unordered || relation == FloatRelation.Equal,
            sf: false,
            of: false);
        return Completion.Next;
    }

    /// <summary>The predicates EQ, LT, LE, UNORD, then their negations (SDM 2A table 3-1); LT and LE signal quiet NaNs.</summary>
    private static bool Holds<TFormat>(ulong a, ulong b, int predicate, ref FloatEnvironment environment)
        where TFormat : struct, IBinaryFormat
    {
        bool signals = (predicate & 3) is 1 or 2;
        FloatRelation relation = SoftFloat<TFormat>.Compare(a, b, signals, ref environment);
        bool holds = (predicate & 3) switch
        {
            0 => relation == FloatRelation.Equal,
            1 => relation == FloatRelation.Less,
            2 => relation is FloatRelation.Less or FloatRelation.Equal,
            _ => relation == FloatRelation.Unordered,
        };
        return holds != ((predicate & 4) != 0);
    }
}
