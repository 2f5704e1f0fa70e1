using Vmm.Cpu;
using Vmm.Decoding;
using Vmm.Interpretation.FloatingPoint;

namespace Vmm.Interpretation;

/// <summary>FLD, FST, FILD, FIST, FISTTP, FBLD, FBSTP, FXCH and FCMOVcc (SDM 1 8.3.3).</summary>
internal static class X87Transfer
{
    // ---- Loads.

    public static Completion Fld_sti(Vcpu vcpu, in DecodedInstruction d)
    {
        if (X87Unit.IsBlocked(vcpu, out Completion fault)) return fault;
        ref VcpuState state = ref vcpu.State;
        X87Unit.RecordInstruction(ref state, in d);
        X87Unit.ClearC1(ref state);
        if (X87Unit.IsEmpty(in state, d.Destination))
        {
            // An empty source comes before a full destination.
            if (X87Unit.StackUnderflow(vcpu, in d)) X87Unit.Push(ref state, Float80.Indefinite);
            return Completion.Next;
        }

        X87Unit.PushChecked(vcpu, in d, X87Unit.Read(ref state, d.Destination));
        return Completion.Next;
    }

    /// <summary>FLD m32fp and m64fp: conversion can raise the invalid and denormal-operand exceptions.</summary>
    public static Completion Fld<TFormat>(Vcpu vcpu, in DecodedInstruction d) where TFormat : IX87Format
    {
        if (X87Unit.IsBlocked(vcpu, out Completion fault)) return fault;
        if (!vcpu.TryAddress(in d, TFormat.SizeBytes, false, out ulong linear)
            || !TFormat.TryLoad(vcpu, linear, out Float80 value, out bool denormal)) return Completion.Fault;
        ref VcpuState state = ref vcpu.State;
        X87Unit.RecordMemory(ref state, in d, linear);
        X87Unit.ClearC1(ref state);
        if (X87Unit.IsEmpty(in state, -1))
        {
            Float80Context context = X87Unit.Context(in state);
            if (value.IsNaN) value = context.PropagateNaN(value);
            else if (denormal) context.Raised |= X87Exceptions.Denormal;
            X87Unit.Report(vcpu, in d, context.Raised, false);
            // An unmasked denormal-operand exception does not keep the value from being loaded; an invalid one does.
            if ((context.Raised & ~context.Masked & X87Exceptions.Invalid) != 0) return Completion.Next;
        }

        X87Unit.PushChecked(vcpu, in d, value);
        return Completion.Next;
    }

    /// <summary>FLD m80fp, FILD and FBLD: exact, whatever the operand.</summary>
    public static Completion LoadExact<TFormat>(Vcpu vcpu, in DecodedInstruction d) where TFormat : IX87Format
    {
        if (X87Unit.IsBlocked(vcpu, out Completion fault)) return fault;
        if (!vcpu.TryAddress(in d, TFormat.SizeBytes, false, out ulong linear)
            || !TFormat.TryLoad(vcpu, linear, out Float80 value, out _)) return Completion.Fault;
        X87Unit.RecordMemory(ref vcpu.State, in d, linear);
        X87Unit.ClearC1(ref vcpu.State);
        X87Unit.PushChecked(vcpu, in d, value);
        return Completion.Next;
    }

    // ---- Stores.

    public static Completion Fst_sti(Vcpu vcpu, in DecodedInstruction d) => StoreRegister(vcpu, in d, 0);

    public static Completion Fstp_sti(Vcpu vcpu, in DecodedInstruction d) => StoreRegister(vcpu, in d, 1);

    private static Completion StoreRegister(Vcpu vcpu, in DecodedInstruction d, int pops)
    {
        if (X87Unit.IsBlocked(vcpu, out Completion fault)) return fault;
        ref VcpuState state = ref vcpu.State;
        X87Unit.RecordInstruction(ref state, in d);
        X87Unit.ClearC1(ref state);
        Float80 value = X87Unit.Read(ref state, 0);
        if (X87Unit.IsEmpty(in state, 0))
        {
            if (!X87Unit.StackUnderflow(vcpu, in d)) return Completion.Next;
            value = Float80.Indefinite;
        }

        X87Unit.Write(ref state, d.Destination, value);
        X87Unit.Pop(ref state, pops);
        return Completion.Next;
    }

    public static Completion Fst_m32fp(Vcpu vcpu, in DecodedInstruction d) => StoreSingle(vcpu, in d, 0);

    public static Completion Fstp_m32fp(Vcpu vcpu, in DecodedInstruction d) => StoreSingle(vcpu, in d, 1);

    public static Completion Fst_m64fp(Vcpu vcpu, in DecodedInstruction d) => StoreDouble(vcpu, in d, 0);

    public static Completion Fstp_m64fp(Vcpu vcpu, in DecodedInstruction d) => StoreDouble(vcpu, in d, 1);

    private static Completion StoreSingle(Vcpu vcpu, in DecodedInstruction d, int pops)
    {
        if (!TryBeginStore(vcpu, in d, 4, out ulong linear, out bool empty, out Completion fault)) return fault;
        Float80Context context = StoreContext(vcpu, empty);
        uint bits = Float80Conversions.ToSingle(ref context, empty ? Float80.Indefinite : X87Unit.Read(ref vcpu.State, 0));
        if (!context.IsStoreSuppressed && !vcpu.TryWrite(linear, bits)) return Completion.Fault;
        return EndStore(vcpu, in d, linear, in context, pops);
    }

    private static Completion StoreDouble(Vcpu vcpu, in DecodedInstruction d, int pops)
    {
        if (!TryBeginStore(vcpu, in d, 8, out ulong linear, out bool empty, out Completion fault)) return fault;
        Float80Context context = StoreContext(vcpu, empty);
        ulong bits = Float80Conversions.ToDouble(ref context, empty ? Float80.Indefinite : X87Unit.Read(ref vcpu.State, 0));
        if (!context.IsStoreSuppressed && !vcpu.TryWrite(linear, bits)) return Completion.Fault;
        return EndStore(vcpu, in d, linear, in context, pops);
    }

    public static Completion Fstp_m80fp(Vcpu vcpu, in DecodedInstruction d)
    {
        if (!TryBeginStore(vcpu, in d, 10, out ulong linear, out bool empty, out Completion fault)) return fault;
        Float80Context context = StoreContext(vcpu, empty);
        Float80 value = empty ? Float80.Indefinite : X87Unit.Read(ref vcpu.State, 0);
        if (!context.IsStoreSuppressed && !TryWriteTenBytes(vcpu, linear, value.Significand, value.SignExponent)) return Completion.Fault;
        return EndStore(vcpu, in d, linear, in context, 1);
    }

    public static Completion Fbstp_m80bcd(Vcpu vcpu, in DecodedInstruction d)
    {
        if (!TryBeginStore(vcpu, in d, 10, out ulong linear, out bool empty, out Completion fault)) return fault;
        Float80Context context = StoreContext(vcpu, empty);
        ulong low = Float80Conversions.BcdIndefiniteLow;
        ushort high = Float80Conversions.BcdIndefiniteHigh;
        if (!empty) low = Float80Conversions.ToBcd(ref context, X87Unit.Read(ref vcpu.State, 0), out high);
        if (!context.IsStoreSuppressed && !TryWriteTenBytes(vcpu, linear, low, high)) return Completion.Fault;
        return EndStore(vcpu, in d, linear, in context, 1);
    }

    public static Completion Fist<TFormat, TInteger>(Vcpu vcpu, in DecodedInstruction d)
        where TFormat : IX87Integer<TInteger>
        where TInteger : unmanaged
        => StoreInteger<TFormat, TInteger>(vcpu, in d, (RoundingMode)((vcpu.State.X87Control >> 10) & 3), 0);

    public static Completion Fistp<TFormat, TInteger>(Vcpu vcpu, in DecodedInstruction d)
        where TFormat : IX87Integer<TInteger>
        where TInteger : unmanaged
        => StoreInteger<TFormat, TInteger>(vcpu, in d, (RoundingMode)((vcpu.State.X87Control >> 10) & 3), 1);

    public static Completion Fisttp<TFormat, TInteger>(Vcpu vcpu, in DecodedInstruction d)
        where TFormat : IX87Integer<TInteger>
        where TInteger : unmanaged
        => StoreInteger<TFormat, TInteger>(vcpu, in d, RoundingMode.Truncate, 1);

    private static Completion StoreInteger<TFormat, TInteger>(Vcpu vcpu, in DecodedInstruction d, RoundingMode mode, int pops)
        where TFormat : IX87Integer<TInteger>
        where TInteger : unmanaged
    {
        int size = TFormat.SizeBytes;
        if (!TryBeginStore(vcpu, in d, size, out ulong linear, out bool empty, out Completion fault)) return fault;
        Float80Context context = StoreContext(vcpu, empty);
        long value = long.MinValue >> (64 - (size * 8));
        if (!empty) value = Float80Conversions.ToInteger(ref context, X87Unit.Read(ref vcpu.State, 0), size * 8, mode);
        if (!context.IsStoreSuppressed && !vcpu.TryWrite(linear, TFormat.Truncate(value))) return Completion.Fault;
        return EndStore(vcpu, in d, linear, in context, pops);
    }

    private static bool TryBeginStore(
        Vcpu vcpu, in DecodedInstruction d, int sizeBytes, out ulong linear, out bool empty, out Completion fault)
    {
        linear = 0;
        empty = X87Unit.IsEmpty(in vcpu.State, 0);
        if (X87Unit.IsBlocked(vcpu, out fault)) return false;
        if (vcpu.TryAddress(in d, sizeBytes, true, out linear)) return true;
        fault = Completion.Fault;
        return false;
    }

    private static Float80Context StoreContext(Vcpu vcpu, bool empty)
    {
        Float80Context context = X87Unit.Context(in vcpu.State);
        if (empty) context.Raised = X87Exceptions.Invalid | X87Exceptions.StackFault;
        return context;
    }

    private static bool TryWriteTenBytes(Vcpu vcpu, ulong linear, ulong low, ushort high) =>
        vcpu.TryProbeWrite(linear, 10) && vcpu.TryWrite(linear, low) && vcpu.TryWrite(linear + 8, high);

    // Only now, when no memory fault can come any more, does the x87's own state change.
    private static Completion EndStore(Vcpu vcpu, in DecodedInstruction d, ulong linear, in Float80Context context, int pops)
    {
        ref VcpuState state = ref vcpu.State;
        X87Unit.RecordMemory(ref state, in d, linear);
        X87Unit.Report(vcpu, in d, context.Raised, context.RoundedUp);
        if (!context.IsStoreSuppressed) X87Unit.Pop(ref state, pops);
        return Completion.Next;
    }

    // ---- Between registers.

    public static Completion Fxch(Vcpu vcpu, in DecodedInstruction d)
    {
        if (X87Unit.IsBlocked(vcpu, out Completion fault)) return fault;
        ref VcpuState state = ref vcpu.State;
        X87Unit.RecordInstruction(ref state, in d);
        X87Unit.ClearC1(ref state);
        bool firstEmpty = X87Unit.IsEmpty(in state, 0), secondEmpty = X87Unit.IsEmpty(in state, d.Source);
        if ((firstEmpty || secondEmpty) && !X87Unit.StackUnderflow(vcpu, in d)) return Completion.Next;
        Float80 first = firstEmpty ? Float80.Indefinite : X87Unit.Read(ref state, 0);
        Float80 second = secondEmpty ? Float80.Indefinite : X87Unit.Read(ref state, d.Source);
        X87Unit.Write(ref state, d.Source, first);
        X87Unit.Write(ref state, 0, second);
        return Completion.Next;
    }

    public static Completion Fcmovb(Vcpu vcpu, in DecodedInstruction d) => ConditionalMove(vcpu, in d, vcpu.State.Carry());

    public static Completion Fcmovnb(Vcpu vcpu, in DecodedInstruction d) => ConditionalMove(vcpu, in d, !vcpu.State.Carry());

    public static Completion Fcmove(Vcpu vcpu, in DecodedInstruction d) => ConditionalMove(vcpu, in d, vcpu.State.Zero());

    public static Completion Fcmovne(Vcpu vcpu, in DecodedInstruction d) => ConditionalMove(vcpu, in d, !vcpu.State.Zero());

    public static Completion Fcmovbe(Vcpu vcpu, in DecodedInstruction d) =>
        ConditionalMove(vcpu, in d, vcpu.State.Carry() || vcpu.State.Zero());

    public static Completion Fcmovnbe(Vcpu vcpu, in DecodedInstruction d) =>
        ConditionalMove(vcpu, in d, !vcpu.State.Carry() && !vcpu.State.Zero());

    public static Completion Fcmovu(Vcpu vcpu, in DecodedInstruction d) => ConditionalMove(vcpu, in d, vcpu.State.Parity());

    public static Completion Fcmovnu(Vcpu vcpu, in DecodedInstruction d) => ConditionalMove(vcpu, in d, !vcpu.State.Parity());

    private static Completion ConditionalMove(Vcpu vcpu, in DecodedInstruction d, bool condition)
    {
        if (X87Unit.IsBlocked(vcpu, out Completion fault)) return fault;
        ref VcpuState state = ref vcpu.State;
        X87Unit.RecordInstruction(ref state, in d);
        // The stack is checked whether or not the condition holds.
        if (X87Unit.IsEmpty(in state, 0) || X87Unit.IsEmpty(in state, d.Source))
        {
            if (X87Unit.StackUnderflow(vcpu, in d)) X87Unit.Write(ref state, 0, Float80.Indefinite);
        }
        else if (condition)
        {
            X87Unit.Write(ref state, 0, X87Unit.Read(ref state, d.Source));
        }

        return Completion.Next;
    }
}
