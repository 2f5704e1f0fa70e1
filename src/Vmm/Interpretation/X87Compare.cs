using Vmm.Cpu;
using Vmm.Decoding;
using Vmm.Interpretation.FloatingPoint;

namespace Vmm.Interpretation;

/// <summary>FCOM, FUCOM, FCOMI, FUCOMI, FICOM, FTST and FXAM (SDM 1 8.3.6).</summary>
internal static class X87Compare
{
    public static Completion Fcom(Vcpu vcpu, in DecodedInstruction d) => Registers(vcpu, in d, d.Source, false, 0);

    public static Completion Fcomp(Vcpu vcpu, in DecodedInstruction d) => Registers(vcpu, in d, d.Source, false, 1);

    public static Completion Fcompp(Vcpu vcpu, in DecodedInstruction d) => Registers(vcpu, in d, 1, false, 2);

    public static Completion Fucom(Vcpu vcpu, in DecodedInstruction d) => Registers(vcpu, in d, d.Source, true, 0);

    public static Completion Fucomp(Vcpu vcpu, in DecodedInstruction d) => Registers(vcpu, in d, d.Source, true, 1);

    public static Completion Fucompp(Vcpu vcpu, in DecodedInstruction d) => Registers(vcpu, in d, 1, true, 2);

    private static Completion Registers(Vcpu vcpu, in DecodedInstruction d, int source, bool quiet, int pops)
    {
        if (X87Unit.IsBlocked(vcpu, out Completion fault)) return fault;
        ref VcpuState state = ref vcpu.State;
        X87Unit.RecordInstruction(ref state, in d);
        bool empty = X87Unit.IsEmpty(in state, 0) || X87Unit.IsEmpty(in state, source);
        return Compare(vcpu, in d, empty ? default : X87Unit.Read(ref state, source), false, empty, quiet, pops);
    }

    public static Completion Memory<TFormat>(Vcpu vcpu, in DecodedInstruction d) where TFormat : IX87Format => Memory<TFormat>(vcpu, in d, 0);

    public static Completion MemoryPop<TFormat>(Vcpu vcpu, in DecodedInstruction d) where TFormat : IX87Format => Memory<TFormat>(vcpu, in d, 1);

    private static Completion Memory<TFormat>(Vcpu vcpu, in DecodedInstruction d, int pops) where TFormat : IX87Format
    {
        if (X87Unit.IsBlocked(vcpu, out Completion fault)) return fault;
        if (!vcpu.TryAddress(in d, TFormat.SizeBytes, false, out ulong linear)
            || !TFormat.TryLoad(vcpu, linear, out Float80 operand, out bool denormal)) return Completion.Fault;
        X87Unit.RecordMemory(ref vcpu.State, in d, linear);
        return Compare(vcpu, in d, operand, denormal, X87Unit.IsEmpty(in vcpu.State, 0), false, pops);
    }

    public static Completion Ftst(Vcpu vcpu, in DecodedInstruction d)
    {
        if (X87Unit.IsBlocked(vcpu, out Completion fault)) return fault;
        X87Unit.RecordInstruction(ref vcpu.State, in d);
        return Compare(vcpu, in d, default, false, X87Unit.IsEmpty(in vcpu.State, 0), false, 0);
    }

    private static Completion Compare(
        Vcpu vcpu, in DecodedInstruction d, Float80 operand, bool denormal, bool empty, bool quiet, int pops)
    {
        ref VcpuState state = ref vcpu.State;
        Float80Relation relation = Float80Relation.Unordered;
        bool pop;
        if (empty)
        {
            pop = X87Unit.StackUnderflow(vcpu, in d);
        }
        else
        {
            Float80Context context = X87Unit.Context(in state);
            context.IsMemoryOperandDenormal = denormal;
            relation = Float80Conversions.Compare(ref context, X87Unit.Read(ref state, 0), operand, quiet);
            pop = X87Unit.TryFinish(vcpu, in d, in context);
        }

        // Processors set the condition codes even under an unmasked exception, where the SDM says they do not; only popping is held back.
        X87Unit.SetConditions(ref state, relation switch
        {
            Float80Relation.Greater => 0,
            Float80Relation.Less => X87Unit.C0,
            Float80Relation.Equal => X87Unit.C3,
            _ => X87Unit.C3 | X87Unit.C2 | X87Unit.C0,
        });
        if (pop) X87Unit.Pop(ref state, pops);
        return Completion.Next;
    }

    public static Completion Fcomi(Vcpu vcpu, in DecodedInstruction d) => CompareToFlags(vcpu, in d, false, 0);

    public static Completion Fcomip(Vcpu vcpu, in DecodedInstruction d) => CompareToFlags(vcpu, in d, false, 1);

    public static Completion Fucomi(Vcpu vcpu, in DecodedInstruction d) => CompareToFlags(vcpu, in d, true, 0);

    public static Completion Fucomip(Vcpu vcpu, in DecodedInstruction d) => CompareToFlags(vcpu, in d, true, 1);

    private static Completion CompareToFlags(Vcpu vcpu, in DecodedInstruction d, bool quiet, int pops)
    {
        if (X87Unit.IsBlocked(vcpu, out Completion fault)) return fault;
        ref VcpuState state = ref vcpu.State;
        X87Unit.RecordInstruction(ref state, in d);
        Float80Relation relation = Float80Relation.Unordered;
        bool pop;
        if (X87Unit.IsEmpty(in state, 0) || X87Unit.IsEmpty(in state, d.Source))
        {
            pop = X87Unit.StackUnderflow(vcpu, in d);
        }
        else
        {
            Float80Context context = X87Unit.Context(in state);
            relation = Float80Conversions.Compare(ref context, X87Unit.Read(ref state, 0), X87Unit.Read(ref state, d.Source), quiet);
            pop = X87Unit.TryFinish(vcpu, in d, in context);
        }

        bool unordered = relation == Float80Relation.Unordered;
        state.FlagsZero = unordered || relation == Float80Relation.Equal ? 0u : 1u;
        // Parity is even for 0 and odd for 1; CF is bit 63 and OF, bit 63 xor bit 62, is cleared.
        state.FlagsSignParity = unordered ? 0u : 1u;
        state.FlagsCarries = unordered || relation == Float80Relation.Less ? 3ul << 62 : 0;
        state.FlagsAdjust = 0;
        if (pop) X87Unit.Pop(ref state, pops);
        return Completion.Next;
    }

    public static Completion Fxam(Vcpu vcpu, in DecodedInstruction d)
    {
        if (X87Unit.IsBlocked(vcpu, out Completion fault)) return fault;
        ref VcpuState state = ref vcpu.State;
        X87Unit.RecordInstruction(ref state, in d);
        Float80 value = X87Unit.Read(ref state, 0);
        int conditions = X87Unit.C2;
        if (X87Unit.IsEmpty(in state, 0)) conditions = X87Unit.C3 | X87Unit.C0;
        else if (value.IsUnsupported) conditions = 0;
        else if (value.IsNaN) conditions = X87Unit.C0;
        else if (value.IsInfinity) conditions = X87Unit.C2 | X87Unit.C0;
        else if (value.IsZero) conditions = X87Unit.C3;
        else if (value.IsDenormal) conditions = X87Unit.C3 | X87Unit.C2;
        X87Unit.SetConditions(ref state, conditions | (value.IsNegative ? X87Unit.C1 : 0));
        return Completion.Next;
    }
}
