using System.IO;
using System.Security.Cryptography;
using TestKit;
using Vmm.Memory;
using Vmm.Platform;
using Vmm.Snapshots;

namespace Machine.Tests;

/// <summary>Machines that boot our kernels, and what tests compare of them.</summary>
internal static class Guest
{
    public static Vmm.Platform.Machine Boot(string kernel, Silence world, int cpus = 1, ulong? chaos = null, string commandLine = "") => new(new MachineConfiguration
    {
        CpuCount = cpus,
        ChaosSeed = chaos,
        MemorySizeBytes = 64 << 20,
        CommandLine = commandLine,
        Images = [new MachineImage("kernel", Path.GetFileName(kernel), File.ReadAllBytes(kernel))],
    }, world, world);

    public static Vmm.Platform.Machine Demo64(Silence world, int cpus = 2, ulong? chaos = null) => Boot(GuestImages.PrebuiltDemo64, world, cpus, chaos);

    public static byte[] State(Vmm.Platform.Machine machine)
    {
        var writer = new StateWriter();
        machine.SaveState(writer);
        return writer.Written.ToArray();
    }

    /// <summary>A hash of the whole state and of every page.</summary>
    public static string Digest(Vmm.Platform.Machine machine)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(State(machine));
        foreach (PagedMemory memory in machine.PagedMemories)
            for (int page = 0; page < memory.PageCount; page++) hash.AppendData(memory.Page(page));
        return System.Convert.ToHexString(hash.GetHashAndReset());
    }

    /// <summary>A new machine of the same configuration that takes over state and pages.</summary>
    public static Vmm.Platform.Machine Clone(Vmm.Platform.Machine machine, Silence world)
    {
        var clone = new Vmm.Platform.Machine(machine.Configuration, world, world);
        for (int m = 0; m < machine.PagedMemories.Count; m++)
            for (int page = 0; page < machine.PagedMemories[m].PageCount; page++)
                machine.PagedMemories[m].Page(page).CopyTo(clone.PagedMemories[m].WritablePage(page));
        clone.RestoreState(new StateReader(State(machine)));
        return clone;
    }
}
