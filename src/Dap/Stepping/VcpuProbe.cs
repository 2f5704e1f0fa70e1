using Replay.Queries;
using Vmm.Platform;

namespace Dap.Stepping;

/// <summary>Picks transitions that concern a vCPU: it retires an instruction, or is sent elsewhere.</summary>
/// <param name="cpuIndex">The vCPU.</param>
/// <param name="exceptAtRip">Not those of the instruction there; null: of any.</param>
internal sealed class VcpuProbe(int cpuIndex, ulong? exceptAtRip) : ITransitionProbe
{
    private ulong _rip, _count;
    private int _turn;

    public int CpuIndex => cpuIndex;

    public void Before(Machine machine)
    {
        _rip = machine.Vcpus[cpuIndex].State.Rip;
        _count = machine.InstructionCount;
        _turn = machine.CurrentCpuIndex;
    }

    public bool After(Machine machine) =>
        _rip != exceptAtRip && ((machine.InstructionCount != _count && _turn == cpuIndex) || machine.Vcpus[cpuIndex].State.Rip != _rip);
}
