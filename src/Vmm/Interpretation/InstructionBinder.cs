using System;
using System.Collections.Generic;
using Iced.Intel;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation;

/// <summary>Gives each decoded instruction its handler, asking one family after the other.</summary>
internal static unsafe class InstructionBinder
{
    /// <summary>What <see cref="Cpuid"/> offers, in Iced's terms: an instruction that needs anything else is undefined.</summary>
    private static bool IsOffered(CpuidFeature feature) => feature is CpuidFeature.INTEL8086 or CpuidFeature.INTEL8086_ONLY or CpuidFeature.INTEL186
        or CpuidFeature.INTEL286 or CpuidFeature.INTEL386 or CpuidFeature.INTEL486 or CpuidFeature.X64 or CpuidFeature.FPU or CpuidFeature.FPU287
        or CpuidFeature.FPU387 or CpuidFeature.CMOV or CpuidFeature.CX8 or CpuidFeature.CMPXCHG16B or CpuidFeature.CPUID or CpuidFeature.FXSR
        or CpuidFeature.MMX or CpuidFeature.SSE or CpuidFeature.SSE2 or CpuidFeature.SSE3 or CpuidFeature.SSSE3 or CpuidFeature.SSE4_1
        or CpuidFeature.SSE4_2 or CpuidFeature.POPCNT or CpuidFeature.XSAVE or CpuidFeature.XSAVEOPT or CpuidFeature.SYSCALL or CpuidFeature.SEP
        or CpuidFeature.RDTSCP or CpuidFeature.TSC or CpuidFeature.MSR or CpuidFeature.CLFSH or CpuidFeature.INVPCID or CpuidFeature.SMAP
        or CpuidFeature.PAUSE or CpuidFeature.MULTIBYTENOP;

    public static void Bind(in Instruction i, ref DecodedInstruction d)
    {
        if (i.IsInvalid)
        {
            // More than 15 bytes is #GP(0) (SDM 3A 6.15), anything else #UD.
            d.Handler = i.Length >= 15 ? new(&TooLong) : new(&SystemInstructions.Ud);
            return;
        }
        d.Handler = First(i, ref d);
        if (!d.Handler.IsNull) return;
        if (X87Binder.TryBind(i, ref d) || MmxBinder.TryBind(i, ref d) || Sse.SseBinder.TryBind(i, ref d)) return;
        d.Handler = IsWithinModel(i) ? new(&Unimplemented) : new(&SystemInstructions.Ud);
    }

    private static Handler First(in Instruction i, ref DecodedInstruction d)
    {
        Handler handler = DataMovement.Bind(i, ref d);
        if (handler.IsNull) handler = Arithmetic.Bind(i, d);
        if (handler.IsNull) handler = ControlTransfer.Bind(i, ref d);
        if (handler.IsNull) handler = StackInstructions.Bind(i, ref d);
        if (handler.IsNull) handler = Shifts.Bind(i, d);
        if (handler.IsNull) handler = StringInstructions.Bind(i, ref d);
        if (handler.IsNull) handler = MultiplyDivide.Bind(i, d);
        if (handler.IsNull) handler = BitInstructions.Bind(i, d);
        if (handler.IsNull) handler = FlagInstructions.Bind(i);
        if (handler.IsNull) handler = PortIo.Bind(i, ref d);
        if (handler.IsNull) handler = SegmentInstructions.Bind(i, ref d);
        if (handler.IsNull) handler = FarInstructions.Bind(i, ref d);
        if (handler.IsNull) handler = SystemInstructions.Bind(i, ref d);
        return handler;
    }

    private static bool IsWithinModel(in Instruction i)
    {
        foreach (CpuidFeature feature in i.CpuidFeatures)
            if (!IsOffered(feature)) return false;
        return i.Encoding == EncodingKind.Legacy;
    }

    private static Completion TooLong(Vcpu c, in DecodedInstruction d) => c.GeneralProtection();

    /// <summary>The model offers it and nobody executes it: a gap of ours, which ends the run where it can be looked at.</summary>
    private static Completion Unimplemented(Vcpu c, in DecodedInstruction d)
    {
        c.Bus.OnUnimplemented(c, ((Code)d.Code).ToString());
        return c.InvalidOpcode();
    }
}
