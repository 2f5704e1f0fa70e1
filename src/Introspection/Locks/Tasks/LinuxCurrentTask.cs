using Introspection.Linux;
using Introspection.State;
using Vmm.Cpu;

namespace Introspection.Locks.Tasks;

/// <summary>The current task of a Linux kernel's CPU, by its per-CPU variable: in the kernel, GS is the base of these.</summary>
/// <param name="kernel">Whose symbols are used; at which moment it was found does not matter.</param>
public sealed class LinuxCurrentTask(LinuxKernel kernel) : ICurrentTask
{
    private readonly ulong? _variable = kernel.CurrentTaskVariable;
    private readonly KernelImage _image = kernel.Image;

    public ulong Of(in GuestView view)
    {
        if (_variable is not { } variable) return 0;
        ref VcpuState state = ref view.Vcpu.State;
        // An offset to where the image has per-CPU variables, or an address that is one.
        ulong gs = state.Segment(SegmentIndex.Gs).Base;
        if (gs >> 63 == 0) gs = state.KernelGsBase;
        return gs >> 63 == 0 ? 0 : view.ReadNumber(gs + variable, 8) ?? 0;
    }

    public string? NameOf(in GuestView view, ulong task) =>
        LinuxKernel.TryFind(view, _image)?.Tasks.Read(task) is { } found ? $"{found.Name} ({found.Pid})" : null;
}
