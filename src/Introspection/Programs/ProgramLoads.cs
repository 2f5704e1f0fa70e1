using System.Collections.Generic;
using Introspection.Linux;
using Introspection.State;

namespace Introspection.Programs;

/// <summary>
/// The moments at which a Linux guest has mapped a program's code, and none of it has run yet: a new program is about to be started (arch/x86/kernel/process_64.c,
/// <c>start_thread</c>), or a file was mapped, as libraries are (mm/mmap.c, <c>mmap_region</c> tells <c>perf_event_mmap</c>).
/// </summary>
public static class ProgramLoads
{
    private const string Mapped = "perf_event_mmap";
    private static readonly string[] s_functions = ["start_thread", Mapped];

    /// <summary>Linear addresses of the instructions before which to look; empty: the kernel has none of these functions.</summary>
    public static IReadOnlyList<ulong> Addresses(LinuxKernel kernel)
    {
        var addresses = new List<ulong>();
        foreach (string function in s_functions) addresses.AddRange(kernel.AddressesOf(function));
        return addresses;
    }

    /// <summary>Code may have been mapped: a mapping of data does not count. The view's vCPU stands at one of the addresses.</summary>
    public static bool IsOfCode(LinuxKernel kernel, GuestView view)
    {
        if (kernel.NameOf(view.CodeAddress, out _) != Mapped || kernel.Layout is not { } layout) return true;
        // Its argument is the struct vm_area_struct; VM_EXEC is 4 (include/linux/mm.h).
        return layout.Number(kernel.Memory, view.Vcpu.State.Rdi, "vm_area_struct", "vm_flags") is not { } flags || (flags & 4) != 0;
    }
}
