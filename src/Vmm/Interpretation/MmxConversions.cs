using System.Runtime.Intrinsics;
using Vmm.Cpu;
using Vmm.Decoding;
using Vmm.Interpretation.FloatingPoint;
using Vmm.Interpretation.Sse;

namespace Vmm.Interpretation;

/// <summary>CVTPI2PS, CVTPI2PD and CVT(T)PS2PI, CVT(T)PD2PI: between MMX integers and packed floats, under MXCSR (SDM 1 10.4.4, 11.4.1.6).</summary>
internal static class MmxConversions
{
    private const uint DenormalsAreZeros = 1u << 6;

    // A source in memory leaves the x87 state of CVTPI2PD alone (SDM 2A CVTPI2PD).
    public static Completion Cvtpi2pd_xmm_mmm64(Vcpu vcpu, in DecodedInstruction d)
    {
        if (ExtendedState.IsSseUnavailable(vcpu, out Completion fault)) return fault;
        if (!d.HasMemory && X87Unit.HasPendingException(vcpu, out fault)) return fault;
        if (!MmxUnit.TryReadSource(vcpu, in d, 8, out ulong source)) return Completion.Fault;
        if (!d.HasMemory) MmxUnit.Enter(ref vcpu.State);
        Float80Context context = Context(vcpu.State.Mxcsr);
        ulong low = Float80Conversions.ToDouble(ref context, Float80Conversions.FromInteger((int)source));
        ulong high = Float80Conversions.ToDouble(ref context, Float80Conversions.FromInteger((int)(source >> 32)));
        vcpu.State.XmmAs<ulong>(d.Destination) = Vector128.Create(low, high);
        return Completion.Next;
    }

    public static Completion Cvtpi2ps_xmm_mmm64(Vcpu vcpu, in DecodedInstruction d)
    {
        if (ExtendedState.IsSseUnavailable(vcpu, out Completion fault) || X87Unit.HasPendingException(vcpu, out fault)) return fault;
        if (!MmxUnit.TryReadSource(vcpu, in d, 8, out ulong source)) return Completion.Fault;
        Float80Context context = Context(vcpu.State.Mxcsr);
        uint low = Float80Conversions.ToSingle(ref context, Float80Conversions.FromInteger((int)source));
        uint high = Float80Conversions.ToSingle(ref context, Float80Conversions.FromInteger((int)(source >> 32)));
        if (!TryCommit(vcpu, in context)) return Completion.Fault;
        MmxUnit.Enter(ref vcpu.State);
        ref Vector128<ulong> destination = ref vcpu.State.XmmAs<ulong>(d.Destination);
        destination = destination.WithElement(0, low | ((ulong)high << 32));
        return Completion.Next;
    }

    public static Completion Cvtps2pi_mm_xmmm64(Vcpu vcpu, in DecodedInstruction d) => FromSingles(vcpu, in d, false);

    public static Completion Cvttps2pi_mm_xmmm64(Vcpu vcpu, in DecodedInstruction d) => FromSingles(vcpu, in d, true);

    public static Completion Cvtpd2pi_mm_xmmm128(Vcpu vcpu, in DecodedInstruction d) => FromDoubles(vcpu, in d, false);

    public static Completion Cvttpd2pi_mm_xmmm128(Vcpu vcpu, in DecodedInstruction d) => FromDoubles(vcpu, in d, true);

    private static Completion FromSingles(Vcpu vcpu, in DecodedInstruction d, bool truncate)
    {
        if (ExtendedState.IsSseUnavailable(vcpu, out Completion fault) || X87Unit.HasPendingException(vcpu, out fault)) return fault;
        ulong source = vcpu.State.XmmAs<ulong>(d.Source).ToScalar();
        if (d.HasMemory && (!vcpu.TryAddress(in d, 8, false, out ulong linear) || !vcpu.TryRead(linear, out source)))
            return Completion.Fault;
        Float80 low = Float80Conversions.FromSingle((uint)source, out bool lowDenormal);
        Float80 high = Float80Conversions.FromSingle((uint)(source >> 32), out bool highDenormal);
        return ToIntegers(vcpu, in d, low, lowDenormal, high, highDenormal, truncate);
    }

    private static Completion FromDoubles(Vcpu vcpu, in DecodedInstruction d, bool truncate)
    {
        if (ExtendedState.IsSseUnavailable(vcpu, out Completion fault) || X87Unit.HasPendingException(vcpu, out fault)) return fault;
        ulong lowBits, highBits;
        if (d.HasMemory)
        {
            if (!vcpu.TryAddress(in d, 16, false, out ulong linear)) return Completion.Fault;
            if ((linear & 15) != 0) return vcpu.GeneralProtection();
            if (!vcpu.TryRead(linear, out lowBits) || !vcpu.TryRead(linear + 8, out highBits)) return Completion.Fault;
        }
        else
        {
            Vector128<ulong> source = vcpu.State.XmmAs<ulong>(d.Source);
            lowBits = source.GetElement(0);
            highBits = source.GetElement(1);
        }

        Float80 low = Float80Conversions.FromDouble(lowBits, out bool lowDenormal);
        Float80 high = Float80Conversions.FromDouble(highBits, out bool highDenormal);
        return ToIntegers(vcpu, in d, low, lowDenormal, high, highDenormal, truncate);
    }

    private static Completion ToIntegers(
        Vcpu vcpu, in DecodedInstruction d, Float80 low, bool lowDenormal, Float80 high, bool highDenormal, bool truncate)
    {
        uint mxcsr = vcpu.State.Mxcsr;
        Float80Context context = Context(mxcsr);
        RoundingMode mode = truncate ? RoundingMode.Truncate : context.Rounding;
        bool flush = (mxcsr & DenormalsAreZeros) != 0;
        uint lowInteger = (uint)Float80Conversions.ToInteger(ref context, flush && lowDenormal ? default : low, 32, mode);
        uint highInteger = (uint)Float80Conversions.ToInteger(ref context, flush && highDenormal ? default : high, 32, mode);
        if (!TryCommit(vcpu, in context)) return Completion.Fault;
        MmxUnit.Enter(ref vcpu.State);
        MmxUnit.Write(ref vcpu.State, d.Destination, lowInteger | ((ulong)highInteger << 32));
        return Completion.Next;
    }

    private static Float80Context Context(uint mxcsr) =>
        new((RoundingMode)((mxcsr >> 13) & 3), 64, (X87Exceptions)((mxcsr >> 7) & (uint)X87Exceptions.Maskable));

    // The x87's exceptions are MXCSR's, bit by bit.
    private static bool TryCommit(Vcpu vcpu, in Float80Context context) =>
        new FloatEnvironment(vcpu.State.Mxcsr) { Raised = (uint)(context.Raised & X87Exceptions.Maskable) }.TryCommit(vcpu);
}
