using Vmm.Cpu;
using Vmm.Platform;

namespace Gdb.Running;

/// <summary>What tells whether a transition was a step of a vCPU: an instruction (or one REP iteration) of its own, or an interrupt or exception delivered to it.</summary>
/// <param name="Count">The machine's InstructionCount.</param>
/// <param name="Rip">The vCPU's.</param>
/// <param name="Rsp">The vCPU's.</param>
/// <param name="Cpl">The vCPU's.</param>
internal readonly record struct VcpuMark(ulong Count, ulong Rip, ulong Rsp, byte Cpl)
{
    public static VcpuMark Of(Machine machine, int cpuIndex)
    {
        ref VcpuState s = ref machine.Vcpus[cpuIndex].State;
        return new VcpuMark(machine.InstructionCount, s.Rip, s.Rsp, s.Cpl);
    }
}
