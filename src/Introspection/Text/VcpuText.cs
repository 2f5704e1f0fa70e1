using Introspection.State;
using Vmm.Cpu;

namespace Introspection.Text;

/// <summary>What a vCPU is at, in words.</summary>
public static class VcpuText
{
    /// <summary>Its mode: "real mode", "virtual-8086 mode", "ring 0, 64-bit".</summary>
    public static string Mode(in GuestView view)
    {
        ref VcpuState s = ref view.Vcpu.State;
        return !s.IsProtected ? "real mode" : s.IsVirtual8086 ? "virtual-8086 mode" : $"ring {s.Cpl}, {view.CodeSize}-bit";
    }
}
