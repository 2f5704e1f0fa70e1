using System.Runtime.CompilerServices;
using Vmm.Cpu;
using Vmm.Decoding;
using Vmm.Interpretation.FloatingPoint;

namespace Vmm.Interpretation;

/// <summary>
/// What all x87 handlers share: the register stack, the status word and its exceptions, the instruction and data pointers (SDM 1 8.1).
/// </summary>
/// <remarks>
/// An unmasked exception sets ES and B and is delivered as #MF before the next waiting instruction. That is the native mode of CR0.NE = 1; the
/// external one (FERR# to IRQ 13) is not modelled, and CR0.NE = 0 gets #MF too. FIP, FCS, FDP and FDS follow every non-control instruction;
/// FOP only one that leaves an unmasked exception, as on every processor since the Pentium 4 (SDM 1 8.1.9).
/// </remarks>
internal static class X87Unit
{
    public const int C0 = 0x0100, C1 = 0x0200, C2 = 0x0400, C3 = 0x4000;
    public const int Conditions = C0 | C1 | C2 | C3;
    public const int ErrorSummary = 0x0080, Busy = 0x8000;
    public const int TopShift = 11, TopMask = 7 << TopShift;

    /// <summary>FINIT's control word: all masked, extended precision, nearest.</summary>
    public const ushort InitialControl = 0x037F;

    // ---- Before an instruction.

    /// <summary>#NM of any x87 instruction, waiting or not.</summary>
    public static bool IsUnavailable(Vcpu vcpu, out Completion fault)
    {
        fault = Completion.Next;
        if ((vcpu.State.Cr0 & (Cr0.Emulation | Cr0.TaskSwitched)) == 0) return false;
        fault = vcpu.DeviceNotAvailable();
        return true;
    }

    /// <summary>#NM, and #MF for an exception that an earlier instruction left pending (waiting instructions).</summary>
    public static bool IsBlocked(Vcpu vcpu, out Completion fault) => IsUnavailable(vcpu, out fault) || HasPendingException(vcpu, out fault);

    public static bool HasPendingException(Vcpu vcpu, out Completion fault)
    {
        fault = Completion.Next;
        if ((vcpu.State.X87Status & ErrorSummary) == 0) return false;
        fault = vcpu.Fault(Vector.X87FloatingPoint);
        return true;
    }

    // ---- The register stack.

    public static int Top(in VcpuState state) => (state.X87Status >> TopShift) & 7;

    public static void SetTop(ref VcpuState state, int top) =>
        state.X87Status = (ushort)((state.X87Status & ~TopMask) | ((top & 7) << TopShift));

    public static bool IsEmpty(in VcpuState state, int index) => (state.X87Tags & (1 << ((Top(in state) + index) & 7))) == 0;

    public static ref X87Register Physical(ref VcpuState state, int number) =>
        ref Unsafe.Add(ref Unsafe.As<X87Registers, X87Register>(ref state.X87), number & 7);

    public static Float80 Read(ref VcpuState state, int index)
    {
        ref X87Register register = ref Physical(ref state, Top(in state) + index);
        return new Float80((ushort)register.SignExponent, register.Significand);
    }

    /// <summary>Writes ST(index) and tags it valid.</summary>
    public static void Write(ref VcpuState state, int index, Float80 value)
    {
        int number = (Top(in state) + index) & 7;
        ref X87Register register = ref Physical(ref state, number);
        register.Significand = value.Significand;
        register.SignExponent = value.SignExponent;
        state.X87Tags |= (byte)(1 << number);
    }

    public static void Free(ref VcpuState state, int index) => state.X87Tags &= (byte)~(1 << ((Top(in state) + index) & 7));

    public static void Push(ref VcpuState state, Float80 value)
    {
        SetTop(ref state, Top(in state) - 1);
        Write(ref state, 0, value);
    }

    public static void Pop(ref VcpuState state)
    {
        Free(ref state, 0);
        SetTop(ref state, Top(in state) + 1);
    }

    public static void Pop(ref VcpuState state, int count)
    {
        for (int i = 0; i < count; i++) Pop(ref state);
    }

    // ---- Exceptions.

    public static Float80Context Context(in VcpuState state) => Float80Context.FromControlWord(state.X87Control);

    /// <summary>Puts an operation's exceptions and C1 into the status word. False: it was stopped, and its operands must stay.</summary>
    public static bool TryFinish(Vcpu vcpu, in DecodedInstruction d, in Float80Context context)
    {
        Report(vcpu, in d, context.Raised, context.RoundedUp && !context.IsStopped);
        return !context.IsStopped;
    }

    /// <summary>Sets exception flags and C1; an unmasked one becomes pending.</summary>
    public static void Report(Vcpu vcpu, in DecodedInstruction d, X87Exceptions raised, bool c1)
    {
        ref VcpuState state = ref vcpu.State;
        int status = (state.X87Status & ~C1) | (int)raised | (c1 ? C1 : 0);
        state.X87Status = (ushort)status;
        if (((int)raised & ~state.X87Control & (int)X87Exceptions.Maskable) == 0) return;
        state.X87Status = (ushort)(status | ErrorSummary | Busy);
        RecordOpcode(vcpu, in d);
    }

    /// <summary>A source register is empty. True: masked, and the response is the indefinite value (SDM 1 8.5.1.1).</summary>
    public static bool StackUnderflow(Vcpu vcpu, in DecodedInstruction d)
    {
        Report(vcpu, in d, X87Exceptions.Invalid | X87Exceptions.StackFault, false);
        return (vcpu.State.X87Control & (int)X87Exceptions.Invalid) != 0;
    }

    /// <summary>Room for <paramref name="value"/> to be pushed, or else the stack-overflow response (SDM 1 8.5.1.1).</summary>
    public static void PushChecked(Vcpu vcpu, in DecodedInstruction d, Float80 value)
    {
        ref VcpuState state = ref vcpu.State;
        if (!IsEmpty(in state, -1))
        {
            if (StackOverflow(vcpu, in d)) Push(ref state, Float80.Indefinite);
            return;
        }

        Push(ref state, value);
    }

    /// <summary>The register to push into is not empty. True: masked.</summary>
    public static bool StackOverflow(Vcpu vcpu, in DecodedInstruction d)
    {
        Report(vcpu, in d, X87Exceptions.Invalid | X87Exceptions.StackFault, true);
        return (vcpu.State.X87Control & (int)X87Exceptions.Invalid) != 0;
    }

    public static void ClearC1(ref VcpuState state) => state.X87Status = (ushort)(state.X87Status & ~C1);

    public static void SetConditions(ref VcpuState state, int conditions) =>
        state.X87Status = (ushort)((state.X87Status & ~Conditions) | conditions);

    /// <summary>After the control or status word was loaded: ES and B follow from flags and masks (SDM 2A FLDCW, FLDENV).</summary>
    public static void UpdateErrorSummary(ref VcpuState state)
    {
        bool pending = (state.X87Status & ~state.X87Control & (int)X87Exceptions.Maskable) != 0;
        int status = state.X87Status & ~(ErrorSummary | Busy);
        state.X87Status = (ushort)(pending ? status | ErrorSummary | Busy : status);
    }

    // ---- Pointers.

    public static void RecordInstruction(ref VcpuState state, in DecodedInstruction d)
    {
        state.X87InstructionPointer = d.Rip;
        state.X87InstructionSelector = state.Segment(SegmentIndex.Cs).Selector;
    }

    /// <summary>FIP and FDP of an instruction with a memory operand at <paramref name="linear"/>.</summary>
    public static void RecordMemory(ref VcpuState state, in DecodedInstruction d, ulong linear)
    {
        RecordInstruction(ref state, in d);
        ref SegmentRegister segment = ref state.Segment(d.Segment);
        ulong offset = linear - segment.Base;
        state.X87DataPointer = (d.Traits & InstructionTraits.Long) != 0 ? offset : (uint)offset;
        state.X87DataSelector = segment.Selector;
    }

    // FOP is the low three bits of the escape byte and the ModR/M byte. Neither is kept in a decoded instruction, so they are fetched again; the
    // instruction was just executed from there, and where the page has gone meanwhile FOP keeps its value.
    private static void RecordOpcode(Vcpu vcpu, in DecodedInstruction d)
    {
        ulong linear = vcpu.State.Segment(SegmentIndex.Cs).Base + d.Rip;
        PendingException before = vcpu.PendingException;
        for (int i = 0; i < d.Length - 1; i++)
        {
            ulong at = linear + (uint)i;
            if ((d.Traits & InstructionTraits.Long) == 0) at = (uint)at;
            if (!vcpu.TryRead(at, out byte escape)) break;
            if ((escape & 0xF8) != 0xD8) continue;
            if (!vcpu.TryRead(at + 1, out byte modRm)) break;
            vcpu.State.X87Opcode = (ushort)(((escape & 7) << 8) | modRm);
            return;
        }

        vcpu.PendingException = before;
    }
}
