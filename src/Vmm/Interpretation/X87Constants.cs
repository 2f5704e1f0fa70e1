using Vmm.Cpu;
using Vmm.Decoding;
using Vmm.Interpretation.FloatingPoint;

namespace Vmm.Interpretation;

/// <summary>The load-constant instructions: constants of 66 bits, rounded by the rounding control (SDM 1 8.3.4, SDM 2A FLD1).</summary>
internal static class X87Constants
{
    public static Completion Fld1(Vcpu vcpu, in DecodedInstruction d) => Load(vcpu, in d, Float80.One);

    public static Completion Fldz(Vcpu vcpu, in DecodedInstruction d) => Load(vcpu, in d, default);

    // Of each irrational constant the 64 bits truncated, and whether rounding to nearest goes up.

    public static Completion Fldl2t(Vcpu vcpu, in DecodedInstruction d) => Load(vcpu, in d, 1, 0xD49A_784B_CD1B_8AFE, false);

    public static Completion Fldl2e(Vcpu vcpu, in DecodedInstruction d) => Load(vcpu, in d, 0, 0xB8AA_3B29_5C17_F0BB, true);

    public static Completion Fldpi(Vcpu vcpu, in DecodedInstruction d) => Load(vcpu, in d, 1, 0xC90F_DAA2_2168_C234, true);

    public static Completion Fldlg2(Vcpu vcpu, in DecodedInstruction d) => Load(vcpu, in d, -2, 0x9A20_9A84_FBCF_F798, true);

    public static Completion Fldln2(Vcpu vcpu, in DecodedInstruction d) => Load(vcpu, in d, -1, 0xB172_17F7_D1CF_79AB, true);

    private static Completion Load(Vcpu vcpu, in DecodedInstruction d, int exponent, ulong truncated, bool nearestIsUp)
    {
        bool up = (RoundingMode)((vcpu.State.X87Control >> 10) & 3) switch
        {
            RoundingMode.Nearest => nearestIsUp,
            RoundingMode.Up => true,
            _ => false,
        };
        return Load(vcpu, in d, new Float80(false, Float80.Bias + exponent, up ? truncated + 1 : truncated));
    }

    private static Completion Load(Vcpu vcpu, in DecodedInstruction d, Float80 value)
    {
        if (X87Unit.IsBlocked(vcpu, out Completion fault)) return fault;
        X87Unit.RecordInstruction(ref vcpu.State, in d);
        X87Unit.ClearC1(ref vcpu.State);
        X87Unit.PushChecked(vcpu, in d, value);
        return Completion.Next;
    }
}
