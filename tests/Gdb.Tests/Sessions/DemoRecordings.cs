using System;
using System.IO;
using TestKit;
using Vmm.Platform;

namespace Gdb.Tests.Sessions;

/// <summary>A recording of the demo kernel with two vCPUs, made once.</summary>
public sealed class DemoRecordings : IDisposable
{
    public GuestRecording Demo { get; } = new(new MachineConfiguration
    {
        CpuCount = 2, MemorySizeBytes = 32 << 20, Images = [new MachineImage("kernel", "demo64.elf", File.ReadAllBytes(GuestImages.PrebuiltDemo64))],
    }, interval: 200_000, until: 100_000_000);

    public void Dispose() => Demo.Dispose();
}
