using Gdb.Memory;
using Vmm.Cpu;
using Vmm.Platform;

namespace Gdb.Sessions;

/// <summary>A vCPU in a line of `info threads`.</summary>
internal static class VcpuDescription
{
    /// <summary>"vCPU 0: running, ring 0, 64-bit code, its turn".</summary>
    public static string Of(Machine machine, Vcpu vcpu)
    {
        ref VcpuState s = ref vcpu.State;
        string activity = s.Activity switch
        {
            VcpuActivity.Halted => "halted",
            VcpuActivity.WaitingForSipi => "waiting to be started",
            VcpuActivity.Shutdown => "shut down by a triple fault",
            _ => "running",
        };
        string mode = !s.IsProtected ? "real mode" : s.IsVirtual8086 ? "virtual-8086 mode" : $"ring {s.Cpl}, {LinearMemory.CodeSize(vcpu)}-bit code";
        return $"vCPU {vcpu.Index}: {activity}, {mode}{(vcpu.Index == machine.CurrentCpuIndex ? ", its turn" : "")}";
    }
}
