using System;
using System.Collections.Generic;
using System.IO;
using TestKit;
using Vmm.Platform;

namespace Proof.Tests;

/// <summary>A machine with a real kernel, and how far to record it.</summary>
/// <param name="Configuration">The machine.</param>
/// <param name="UntilCount">InstructionCount at which to stop a guest that does not end by itself.</param>
/// <param name="Outcome">How it ends.</param>
/// <param name="Prints">What it must have printed.</param>
internal sealed record Kernel(MachineConfiguration Configuration, ulong UntilCount, OutcomeKind Outcome, string Prints);

/// <summary>The kernels of the proofs, by name.</summary>
internal static class Kernels
{
    private const string LinuxCommandLine = "console=ttyS0";

    public static Kernel Get(string name) => name switch
    {
        "cloud, 1 vCPU" => Linux(GuestImages.LinuxCloudKernel(), 1),
        "cloud, 2 vCPUs" => Linux(GuestImages.LinuxCloudKernel(), 2),
        "cloud, 2 vCPUs, host clock" => Linux(GuestImages.LinuxCloudKernel(), 2, ClockKind.Host),
        "cloud, 4 vCPUs, chaos" => Linux(GuestImages.LinuxCloudKernel(), 4, chaosSeed: 5),
        "amd64, 1 vCPU" => Linux(GuestImages.LinuxKernel(), 1, memoryMiB: 192),
        // Without modules Mach ends in a panic and waits for a key; memtest tests for ever.
        "GNU Mach" => new Kernel(Machine(GuestImages.GnuMach(), "console=com0", 64), 200_000_000, OutcomeKind.None, "panic ../kern/bootstrap.c"),
        "memtest86+" => new Kernel(Machine(GuestImages.Memtest64(), LinuxCommandLine, 64), 300_000_000, OutcomeKind.None, "\x1b["),
        _ => throw new ArgumentException(name),
    };

    public static MachineConfiguration Demo64(int cpuCount, ulong? chaosSeed, ClockKind clock = ClockKind.Virtual, string commandLine = "") =>
        Machine(GuestImages.PrebuiltDemo64, commandLine, 16) with { CpuCount = cpuCount, ChaosSeed = chaosSeed, Clock = clock };

    /// <summary>One of the guests that need next to nothing.</summary>
    public static MachineConfiguration Small(string kernel) => Machine(kernel, "", 2);

    /// <summary>One of guests/storms.</summary>
    public static MachineConfiguration Storm(string name) => Machine(GuestImages.Own($"storm-{name}.elf"), "", 16);

    private static Kernel Linux(string kernel, int cpuCount, ClockKind clock = ClockKind.Virtual, ulong? chaosSeed = null, int memoryMiB = 128)
    {
        MachineConfiguration machine = Machine(kernel, LinuxCommandLine, memoryMiB);
        var images = new List<MachineImage>(machine.Images) { Image("initrd", GuestImages.Initramfs()) };
        machine = machine with { CpuCount = cpuCount, Clock = clock, ChaosSeed = chaosSeed, Images = images };
        return new Kernel(machine, ulong.MaxValue, OutcomeKind.PowerOff, "ttvm: workload done");
    }

    private static MachineConfiguration Machine(string kernel, string commandLine, int memoryMiB) => new()
    {
        CommandLine = commandLine, MemorySizeBytes = (ulong)memoryMiB << 20, Images = [Image("kernel", kernel)],
    };

    private static MachineImage Image(string role, string path) => new(role, Path.GetFileName(path), File.ReadAllBytes(path));
}
