using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using Gdb.Memory;
using Replay.Packages;
using Replay.Timelines;
using TestKit;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Gdb.Tests.Sessions;

/// <summary>The real gdb on Debian's kernel, without symbols: every expected position is computed by a timeline of our own.</summary>
public sealed class DebianKernelTests
{
    private const ulong RecordedCount = 150_000_000;

    [Fact]
    [Trait("Category", "Slow")]
    public void Steps_and_watchpoints_go_back()
    {
        HostTool.Require("gdb", "gdb");
        string kernel = GuestImages.LinuxCloudKernel();
        using var recorded = new GuestRecording(new MachineConfiguration
        {
            CpuCount = 2, MemorySizeBytes = 256 << 20, CommandLine = "console=ttyS0 earlyprintk=serial",
            Images = [new MachineImage("kernel", Path.GetFileName(kernel), File.ReadAllBytes(kernel))],
        }, interval: 10_000_000, until: RecordedCount);
        RecordingFile recording = recorded.File;
        using var timeline = new Timeline(recording);
        timeline.Seek(recording.End);
        int cpu = timeline.Machine.CurrentCpuIndex;
        ulong stackTop = timeline.Machine.Vcpus[cpu].State.Rsp;
        var states = new List<(Position At, ulong Rip)>();
        ulong count = timeline.Position.InstructionCount;
        while (states.Count < 10)
        {
            timeline.StepBack();
            if (timeline.Position.InstructionCount < count) states.Add((timeline.Position, timeline.Machine.Vcpus[cpu].State.Rip));
            count = timeline.Position.InstructionCount;
        }
        timeline.Seek(recording.End);
        MachineEvent last = LastChange(timeline, cpu, stackTop), before = LastChange(timeline, cpu, stackTop);

        using var served = new ServedRecording(recording, recording.End);
        string[] steps = new string[20];
        for (int i = 0; i < 10; i++) (steps[i * 2], steps[i * 2 + 1]) = ("reverse-stepi", "monitor position");
        IReadOnlyList<string> said = GdbRun.Do(served.Target, null,
        [
            .. steps, "print/x $pc", "monitor seek end", "maintenance flush register-cache", "info threads",
            string.Create(CultureInfo.InvariantCulture, $"watch -location *(unsigned long*)0x{stackTop:x}"), "reverse-continue", "monitor position", "print/x $pc",
            "reverse-continue", "monitor position", "continue", "monitor position",
        ]);
        for (int i = 0; i < 10; i++) Assert.Contains($"position {states[i].At} of", said[i * 2 + 1]);
        Assert.Contains($"0x{states[9].Rip:x}", said[20]);
        Assert.Contains("Hardware watchpoint", said[25]);
        Assert.Contains($"position {last.At} of", said[26]);
        Assert.Contains($"0x{last.Rip:x}", said[27]);
        Assert.Contains($"position {before.At} of", said[29]);
        Assert.Contains($"position {before.At.InstructionCount + 1} of", said[31]);
    }

    // gdb passes over writes of what was there before.
    private static MachineEvent LastChange(Timeline timeline, int cpu, ulong address)
    {
        while (true)
        {
            MachineEvent write = timeline.LastWrite(address, 8, isPhysical: false)!.Value;
            ulong before = Value(timeline, cpu, address);
            timeline.StepForward();
            ulong after = Value(timeline, cpu, address);
            timeline.Seek(write.At);
            if (before != after) return write;
        }
    }

    private static ulong Value(Timeline timeline, int cpu, ulong address)
    {
        var bytes = new byte[8];
        Assert.Equal(8, LinearMemory.Read(timeline.Machine, timeline.Machine.Vcpus[cpu], address, bytes));
        return BitConverter.ToUInt64(bytes);
    }
}
