using System;
using System.IO;
using TestKit;
using Vmm.Platform;
using Xunit;

namespace Introspection.Tests.Calls;

/// <summary>A recording of guest/calls.c, compiled with gcc when it is made.</summary>
internal sealed class CallGuest : IDisposable
{
    public CallGuest(string folder, string size, string optimization, ulong checkpointInterval)
    {
        HostTool.Require("gcc", "gcc");
        Kernel = Path.Combine(folder, $"calls{size}{optimization}.elf");
        string source = Repository.PathOf("tests/Introspection.Tests/Calls/guest");
        bool is64 = size == "-m64";
        ToolResult result = HostTool.Run("gcc",
        [
            size, optimization, "-g", "-gdwarf-5", "-ffreestanding", "-nostdlib", "-static", "-fno-pic", "-no-pie", "-fno-stack-protector", "-fcf-protection=none", "-mno-red-zone",
            "-fno-asynchronous-unwind-tables", "-msse2", "-Wl,--build-id=none,-z,noexecstack,--no-warn-rwx-segments", "-T", Path.Combine(source, "calls.ld"),
            "-o", Kernel, Path.Combine(source, is64 ? "boot64.S" : "boot32.S"), Path.Combine(source, "calls.c"),
        ], TimeSpan.FromMinutes(1));
        Assert.True(result.ExitCode == 0, result.Error);
        var configuration = new MachineConfiguration
        {
            CpuCount = 1, MemorySizeBytes = 16 << 20, Images = [new MachineImage("kernel", "calls.elf", File.ReadAllBytes(Kernel))],
        };
        Recording = Path.Combine(folder, $"calls{size}{optimization}.ttvm");
        CallAssert.Record(configuration, Recording, checkpointInterval, 1_000_000);
    }

    public string Kernel { get; }

    public string Recording { get; }

    public void Dispose() => File.Delete(Recording);
}
