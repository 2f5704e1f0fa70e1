using System.Runtime.CompilerServices;
using Vmm.Decoding;

namespace Vmm.Cpu;

/// <summary>One virtual CPU: its state, and the services that instruction handlers use.</summary>
public sealed class Vcpu
{
    public VcpuState State;

    public Vcpu(int index) => Index = index;

    /// <summary>0 for the bootstrap processor; also the initial APIC ID.</summary>
    public int Index { get; }

    /// <summary>Why the last handler returned <see cref="Completion.Fault"/>.</summary>
    public PendingException PendingException;

    // ---- Faults. A handler returns what these return and has changed nothing before.

    [MethodImpl(MethodImplOptions.NoInlining)]
    public Completion Fault(Vector vector, uint errorCode = 0)
    {
        PendingException = new PendingException(vector, errorCode);
        return Completion.Fault;
    }

    public Completion GeneralProtection(uint errorCode = 0) => Fault(Vector.GeneralProtection, errorCode);
    public Completion InvalidOpcode() => Fault(Vector.InvalidOpcode);
    public Completion DeviceNotAvailable() => Fault(Vector.DeviceNotAvailable);

    // ---- Memory operands.

    /// <summary>
    /// The linear address of the instruction's memory operand of <paramref name="sizeBytes"/> bytes, checked against its segment. False: a fault is pending.
    /// </summary>
    public bool TryAddress(in DecodedInstruction instruction, int sizeBytes, bool write, out ulong linear) => throw new InvariantException("not built yet");

    /// <summary>Reads guest memory at the current privilege. False: a fault is pending.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryRead<T>(ulong linear, out T value) where T : unmanaged => throw new InvariantException("not built yet");

    /// <summary>Writes guest memory at the current privilege. False: a fault is pending and nothing was written.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryWrite<T>(ulong linear, T value) where T : unmanaged => throw new InvariantException("not built yet");

    /// <summary>Makes sure that a later write of <paramref name="sizeBytes"/> bytes there cannot fault (for read-modify-write and multi-part stores). False: a fault is pending.</summary>
    public bool TryProbeWrite(ulong linear, int sizeBytes) => throw new InvariantException("not built yet");
}
