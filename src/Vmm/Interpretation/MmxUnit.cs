using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation;

/// <summary>MMX registers: the significands of the x87 registers by physical number (SDM 1 9.2, SDM 3A 12.2).</summary>
internal static class MmxUnit
{
    /// <summary>#UD, #NM and #MF of an MMX instruction (SDM 3A 12.1, table 22-18).</summary>
    public static bool IsBlocked(Vcpu vcpu, out Completion fault)
    {
        ref VcpuState state = ref vcpu.State;
        fault = Completion.Next;
        if ((state.Cr0 & Cr0.Emulation) != 0) fault = vcpu.InvalidOpcode();
        else if ((state.Cr0 & Cr0.TaskSwitched) != 0) fault = vcpu.DeviceNotAvailable();
        else return X87Unit.HasPendingException(vcpu, out fault);
        return true;
    }

    /// <summary>An MMX instruction makes all tags valid and the top of stack 0 (SDM 3A table 12-1).</summary>
    public static void Enter(ref VcpuState state)
    {
        state.X87Tags = 0xFF;
        X87Unit.SetTop(ref state, 0);
    }

    public static ulong Read(ref VcpuState state, int register) => X87Unit.Physical(ref state, register).Significand;

    /// <summary>Sign and exponent become ones.</summary>
    public static void Write(ref VcpuState state, int register, ulong value)
    {
        ref X87Register target = ref X87Unit.Physical(ref state, register);
        target.Significand = value;
        target.SignExponent = 0xFFFF;
    }

    /// <summary>Operand 1: an MMX register, or memory of <paramref name="sizeBytes"/> 4 or 8. False: a fault is pending.</summary>
    public static bool TryReadSource(Vcpu vcpu, in DecodedInstruction d, int sizeBytes, out ulong value)
    {
        if (!d.HasMemory)
        {
            value = Read(ref vcpu.State, d.Source);
            return true;
        }

        value = 0;
        if (!vcpu.TryAddress(in d, sizeBytes, false, out ulong linear)) return false;
        if (sizeBytes == 8) return vcpu.TryRead(linear, out value);
        if (!vcpu.TryRead(linear, out uint low)) return false;
        value = low;
        return true;
    }
}
