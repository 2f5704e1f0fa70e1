using System.Runtime.CompilerServices;
using Iced.Intel;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation;

/// <summary>Near JMP, CALL, RET, Jcc, LOOPcc, JrCXZ. A conditional branch that is not taken goes on in the same block.</summary>
internal static unsafe class ControlTransfer
{
    public static Handler Bind(in Instruction i, ref DecodedInstruction d)
    {
        bool longMode = (d.Traits & InstructionTraits.Long) != 0;
        switch (i.FlowControl)
        {
            case FlowControl.ConditionalBranch:
                // The counter of LOOPcc and JrCXZ has the address size (SDM 2A LOOP).
                if (!i.IsJccShortOrNear) d.AddressSize = (byte)(i.OpCode.AddressSize / 8);
                switch (i.Mnemonic)
                {
                    case Mnemonic.Loop: return new(&Loop);
                    case Mnemonic.Loope: return new(&Loope);
                    case Mnemonic.Loopne: return new(&Loopne);
                    case Mnemonic.Jcxz or Mnemonic.Jecxz or Mnemonic.Jrcxz: return new(&Jrcxz);
                }
                if (!i.IsJccShortOrNear) return default;
                return longMode ? Conditional<Direct>(i.ConditionCode) : Conditional<Checked>(i.ConditionCode);
            case FlowControl.UnconditionalBranch:
                return i.IsJmpShortOrNear ? (longMode ? new(&JmpLong) : new(&Jmp)) : default;
            case FlowControl.IndirectBranch:
                if (!i.IsJmpNearIndirect) return default;
                d.OperandSize = (byte)OperandForms.SizeOf(i);
                return i.Op0Kind == OpKind.Register ? new(&JmpRegister) : new(&JmpMemory);
            case FlowControl.Call:
                if (!i.IsCallNear) return default;
                d.OperandSize = (byte)(-i.StackPointerIncrement);
                return longMode && d.OperandSize == 8 ? new(&CallLong) : new(&Call);
            case FlowControl.IndirectCall:
                if (!i.IsCallNearIndirect) return default;
                d.OperandSize = (byte)OperandForms.SizeOf(i);
                return i.Op0Kind == OpKind.Register ? new(&CallRegister) : new(&CallMemory);
            case FlowControl.Return:
                switch (i.Code)
                {
                    case Code.Retnq: return new(&RetLong);
                    case Code.Retnw or Code.Retnw_imm16: d.OperandSize = 2; return new(&Ret);
                    case Code.Retnd or Code.Retnd_imm16: d.OperandSize = 4; return new(&Ret);
                    case Code.Retnq_imm16: d.OperandSize = 8; return new(&Ret);
                }
                return default;
            default:
                return default;
        }
    }

    /// <summary>Sets RIP for a near transfer, or leaves #GP pending: outside CS's limit, or not canonical (SDM 2A JMP).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryBranch(Vcpu c, ulong target, bool longMode)
    {
        if (longMode ? (ulong)((long)(target << 16) >> 16) != target : target > c.State.Segment(SegmentIndex.Cs).Limit)
        {
            c.GeneralProtection();
            return false;
        }
        c.State.Rip = target;
        return true;
    }

    private static bool IsLong(in DecodedInstruction d) => (d.Traits & InstructionTraits.Long) != 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Completion Branch(Vcpu c, in DecodedInstruction d, ulong target) =>
        TryBranch(c, target, IsLong(d)) ? Completion.EndBlock : Completion.Fault;

    private static Completion JmpLong(Vcpu c, in DecodedInstruction d)
    {
        // A relative target of canonical code can leave the canonical range only at its very edge: the fetch there faults.
        c.State.Rip = d.Immediate;
        return Completion.EndBlock;
    }

    private static Completion Jmp(Vcpu c, in DecodedInstruction d) => Branch(c, d, d.Immediate);

    private static ulong TargetRegister(Vcpu c, in DecodedInstruction d) => d.OperandSize switch
    {
        2 => c.State.Register<ushort>(d.Destination),
        4 => c.State.Register<uint>(d.Destination),
        _ => c.State.Register<ulong>(d.Destination),
    };

    private static bool TryTargetMemory(Vcpu c, in DecodedInstruction d, out ulong target)
    {
        target = 0;
        return c.TryAddress(d, d.OperandSize, false, out ulong linear) && Stack.TryReadSized(c, linear, d.OperandSize, out target);
    }

    private static Completion JmpRegister(Vcpu c, in DecodedInstruction d) => Branch(c, d, TargetRegister(c, d));

    private static Completion JmpMemory(Vcpu c, in DecodedInstruction d) =>
        TryTargetMemory(c, d, out ulong target) ? Branch(c, d, target) : Completion.Fault;

    private static Completion CallLong(Vcpu c, in DecodedInstruction d)
    {
        ref ulong rsp = ref c.State.Rsp;
        if (!c.TryWrite(rsp - 8, d.NextRip)) return Completion.Fault;
        rsp -= 8;
        c.State.Rip = d.Immediate;
        return Completion.EndBlock;
    }

    private static Completion Call(Vcpu c, in DecodedInstruction d) => CallTo(c, d, d.Immediate);

    private static Completion CallRegister(Vcpu c, in DecodedInstruction d) => CallTo(c, d, TargetRegister(c, d));

    private static Completion CallMemory(Vcpu c, in DecodedInstruction d) =>
        TryTargetMemory(c, d, out ulong target) ? CallTo(c, d, target) : Completion.Fault;

    private static Completion CallTo(Vcpu c, in DecodedInstruction d, ulong target)
    {
        ulong oldRip = c.State.Rip;
        if (!TryBranch(c, target, IsLong(d))) return Completion.Fault;
        if (Stack.TryPush(c, d.OperandSize, d.NextRip)) return Completion.EndBlock;
        c.State.Rip = oldRip;
        return Completion.Fault;
    }

    private static Completion RetLong(Vcpu c, in DecodedInstruction d)
    {
        if (!c.TryRead(c.State.Rsp, out ulong target)) return Completion.Fault;
        if (!TryBranch(c, target, true)) return Completion.Fault;
        c.State.Rsp += 8;
        return Completion.EndBlock;
    }

    private static Completion Ret(Vcpu c, in DecodedInstruction d)
    {
        if (!Stack.TryPeek(c, 0, d.OperandSize, out ulong target)) return Completion.Fault;
        if (!TryBranch(c, target, IsLong(d))) return Completion.Fault;
        Stack.SetPointer(c, c.State.Rsp + d.OperandSize + (ushort)d.Immediate, Stack.PointerMask(c));
        return Completion.EndBlock;
    }

    // ---- Jcc

    private interface ICondition
    {
        static abstract bool IsTrue(in VcpuState s);
    }

    private readonly struct O : ICondition { public static bool IsTrue(in VcpuState s) => s.Overflow(); }
    private readonly struct No : ICondition { public static bool IsTrue(in VcpuState s) => !s.Overflow(); }
    private readonly struct B : ICondition { public static bool IsTrue(in VcpuState s) => s.Carry(); }
    private readonly struct Ae : ICondition { public static bool IsTrue(in VcpuState s) => !s.Carry(); }
    private readonly struct E : ICondition { public static bool IsTrue(in VcpuState s) => s.Zero(); }
    private readonly struct Ne : ICondition { public static bool IsTrue(in VcpuState s) => !s.Zero(); }
    private readonly struct Be : ICondition { public static bool IsTrue(in VcpuState s) => s.Carry() || s.Zero(); }
    private readonly struct A : ICondition { public static bool IsTrue(in VcpuState s) => !s.Carry() && !s.Zero(); }
    private readonly struct S : ICondition { public static bool IsTrue(in VcpuState s) => s.Sign(); }
    private readonly struct Ns : ICondition { public static bool IsTrue(in VcpuState s) => !s.Sign(); }
    private readonly struct P : ICondition { public static bool IsTrue(in VcpuState s) => s.Parity(); }
    private readonly struct Np : ICondition { public static bool IsTrue(in VcpuState s) => !s.Parity(); }
    private readonly struct L : ICondition { public static bool IsTrue(in VcpuState s) => s.Sign() != s.Overflow(); }
    private readonly struct Ge : ICondition { public static bool IsTrue(in VcpuState s) => s.Sign() == s.Overflow(); }
    private readonly struct Le : ICondition { public static bool IsTrue(in VcpuState s) => s.Zero() || s.Sign() != s.Overflow(); }
    private readonly struct G : ICondition { public static bool IsTrue(in VcpuState s) => !s.Zero() && s.Sign() == s.Overflow(); }

    /// <summary>Whether the target has to be compared with CS's limit.</summary>
    private interface ITargetCheck
    {
        static abstract bool IsNeeded { get; }
    }

    private readonly struct Checked : ITargetCheck { public static bool IsNeeded => true; }
    private readonly struct Direct : ITargetCheck { public static bool IsNeeded => false; }

    private static Handler Conditional<TCheck>(ConditionCode condition) where TCheck : ITargetCheck => condition switch
    {
        ConditionCode.o => new(&Jcc<O, TCheck>),
        ConditionCode.no => new(&Jcc<No, TCheck>),
        ConditionCode.b => new(&Jcc<B, TCheck>),
        ConditionCode.ae => new(&Jcc<Ae, TCheck>),
        ConditionCode.e => new(&Jcc<E, TCheck>),
        ConditionCode.ne => new(&Jcc<Ne, TCheck>),
        ConditionCode.be => new(&Jcc<Be, TCheck>),
        ConditionCode.a => new(&Jcc<A, TCheck>),
        ConditionCode.s => new(&Jcc<S, TCheck>),
        ConditionCode.ns => new(&Jcc<Ns, TCheck>),
        ConditionCode.p => new(&Jcc<P, TCheck>),
        ConditionCode.np => new(&Jcc<Np, TCheck>),
        ConditionCode.l => new(&Jcc<L, TCheck>),
        ConditionCode.ge => new(&Jcc<Ge, TCheck>),
        ConditionCode.le => new(&Jcc<Le, TCheck>),
        _ => new(&Jcc<G, TCheck>),
    };

    private static Completion Jcc<TCondition, TCheck>(Vcpu c, in DecodedInstruction d) where TCondition : ICondition where TCheck : ITargetCheck
    {
        if (!TCondition.IsTrue(c.State)) return Completion.Next;
        if (TCheck.IsNeeded && d.Immediate > c.State.Segment(SegmentIndex.Cs).Limit) return c.GeneralProtection();
        c.State.Rip = d.Immediate;
        return Completion.EndBlock;
    }

    // ---- LOOP, JrCXZ: the counter has the address size

    private static ulong DecrementCounter(Vcpu c, in DecodedInstruction d)
    {
        switch (d.AddressSize)
        {
            case 2: return --c.State.Register<ushort>(8);
            case 4: return c.State.Rcx = (uint)c.State.Rcx - 1U;
            default: return --c.State.Rcx;
        }
    }

    private static Completion LoopWhile(Vcpu c, in DecodedInstruction d, bool condition)
    {
        ulong oldCounter = c.State.Rcx;
        bool taken = DecrementCounter(c, d) != 0 && condition;
        if (!taken) return Completion.Next;
        if (TryBranch(c, d.Immediate, IsLong(d))) return Completion.EndBlock;
        c.State.Rcx = oldCounter;
        return Completion.Fault;
    }

    private static Completion Loop(Vcpu c, in DecodedInstruction d) => LoopWhile(c, d, true);
    private static Completion Loope(Vcpu c, in DecodedInstruction d) => LoopWhile(c, d, c.State.Zero());
    private static Completion Loopne(Vcpu c, in DecodedInstruction d) => LoopWhile(c, d, !c.State.Zero());

    private static Completion Jrcxz(Vcpu c, in DecodedInstruction d)
    {
        ulong counter = d.AddressSize == 2 ? (ushort)c.State.Rcx : d.AddressSize == 4 ? (uint)c.State.Rcx : c.State.Rcx;
        return counter == 0 ? Branch(c, d, d.Immediate) : Completion.Next;
    }
}
