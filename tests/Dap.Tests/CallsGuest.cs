using System;
using System.IO;
using Replay.Recording;
using TestKit;
using Vmm.Platform;
using Xunit;

namespace Dap.Tests;

/// <summary>A recording of guests/calls.c, compiled with gcc when it is made.</summary>
internal sealed class CallsGuest : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-dap").FullName;

    /// <param name="optimization">As gcc's -O0.</param>
    /// <param name="source">A copy of the source to compile; null: the one in the repository.</param>
    public CallsGuest(string optimization, string? source = null)
    {
        HostTool.Require("gcc", "gcc");
        string kernel = Path.Combine(_folder, "calls.elf");
        ToolResult result = HostTool.Run("gcc",
        [
            "-m32", optimization, "-g", "-gdwarf-5", "-ffreestanding", "-nostdlib", "-static", "-fno-pic", "-no-pie", "-fno-stack-protector", "-fcf-protection=none",
            "-fno-asynchronous-unwind-tables", "-mgeneral-regs-only", "-Wl,--build-id=none,-z,noexecstack,--no-warn-rwx-segments",
            "-T", Repository.PathOf("tests/Dap.Tests/guests/calls.ld"), "-o", kernel, source ?? Source,
        ], TimeSpan.FromMinutes(1));
        Assert.True(result.ExitCode == 0, result.Error);
        var configuration = new MachineConfiguration
        {
            CpuCount = 1, MemorySizeBytes = 16 << 20, Images = [new MachineImage("kernel", "calls.elf", File.ReadAllBytes(kernel))],
        };
        Recording = Path.Combine(_folder, "calls.ttvm");
        using var recorder = new Recorder(configuration, new NoInput(), new StandingHost(), new RecorderOptions { Path = Recording, CheckpointInterval = 500, RecordedFrom = "a test" });
        recorder.Run(1_000_000);
        recorder.Finish();
    }

    public static string Source => Repository.PathOf("tests/Dap.Tests/guests/calls.c");

    public string Recording { get; }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
