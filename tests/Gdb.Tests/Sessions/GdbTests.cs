using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text.RegularExpressions;
using Replay.Packages;
using Replay.Queries;
using Replay.Timelines;
using TestKit;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Gdb.Tests.Sessions;

/// <summary>The real gdb on a recording of the demo kernel: what it shows is compared with what a timeline says.</summary>
public sealed partial class GdbTests(DemoRecordings recordings) : IClassFixture<DemoRecordings>
{
    private RecordingFile Recording => recordings.Demo.File;

    [Fact]
    public void It_shows_vcpus_registers_and_source()
    {
        using var served = new ServedRecording(Recording, Recording.End);
        using var timeline = new Timeline(Recording);
        timeline.Seek(Recording.End);
        ulong rip = timeline.Machine.Vcpus[0].State.Rip, cr3 = timeline.Machine.Vcpus[0].State.Cr3;
        IReadOnlyList<string> said = GdbRun.Do(served.Target, GuestImages.PrebuiltDemo64,
            "info threads", "info registers rip cr0 cr3 efer", "x/i $pc", "print $xmm0.uint128", "info float", "thread 2", "backtrace", "monitor help", "stepi");
        Assert.Contains("vCPU 0: running, ring 0, 64-bit code, its turn", said[0]);
        Assert.Contains("vCPU 1: halted", said[0]);
        Assert.Contains($"0x{rip:x}", said[1]);
        Assert.Contains($"0x{cr3:x}", said[1]);
        Assert.Contains("[ PE ET WP PG ]", said[1]);
        Assert.Contains("LMA", said[1]);
        Assert.Contains("<machine_exit+", said[2]);
        Assert.Contains("= 0", said[3]);
        Assert.Contains("Control Word", said[4]);
        Assert.Contains("Switching to thread 2", said[5]);
        Assert.Contains("idle_loop", said[6]);
        Assert.Contains("lastwrite", said[7]);
        Assert.Contains("No more reverse-execution history", said[8]);
    }

    [Fact]
    public void Breakpoints_stop_in_both_directions()
    {
        ulong deposit = Address("bank_deposit");
        using var timeline = new Timeline(Recording);
        timeline.Seek(Recording.End);
        var expected = new List<Position>();
        for (int i = 0; i < 3; i++) expected.Add(timeline.ReverseContinue([StopCondition.Breakpoint(deposit)]).Position);
        using var served = new ServedRecording(Recording, Recording.End);
        IReadOnlyList<string> said = GdbRun.Do(served.Target, GuestImages.PrebuiltDemo64,
            "break *bank_deposit", "reverse-continue", "monitor position", "reverse-continue", "monitor position", "reverse-continue", "monitor position",
            "continue", "monitor position", "hbreak *bank_deposit", "delete 1", "continue", "monitor position");
        Assert.Contains("hit Breakpoint 1, bank_deposit (amount=", said[1]);
        Assert.Equal([expected[0], expected[1], expected[2], expected[1], expected[0]], [At(said[2]), At(said[4]), At(said[6]), At(said[8]), At(said[12])]);
        Assert.Contains("hit Breakpoint 2, bank_deposit", said[11]);
    }

    [Fact]
    public void Watchpoints_find_the_last_write()
    {
        ulong total = Address("&ledger.total");
        using var timeline = new Timeline(Recording);
        timeline.Seek(Recording.End);
        MachineEvent last = timeline.LastWrite(total, 8, isPhysical: false)!.Value, before = timeline.LastWrite(total, 8, isPhysical: false)!.Value;
        using var served = new ServedRecording(Recording, Recording.End);
        IReadOnlyList<string> said = GdbRun.Do(served.Target, GuestImages.PrebuiltDemo64,
            "watch ledger.total", "reverse-continue", "monitor position", "reverse-continue", "monitor position", "continue", "monitor position", "continue", "print ledger.total",
            $"monitor lastwrite 0x{total:x}");
        Assert.Contains("Hardware watchpoint 1: ledger.total", said[1]);
        Assert.Contains($"Old value = {last.Value}", said[1]);
        Assert.Contains("bank_deposit", said[1]);
        Assert.Equal(last.At, At(said[2]));
        Assert.Equal(before.At, At(said[4]));
        Assert.Contains($"New value = {before.Value}", said[5]);
        Assert.Equal(new Position(before.At.InstructionCount + 1), At(said[6]));
        Assert.Contains($"New value = {last.Value}", said[7]);
        Assert.Contains($"= {last.Value}", said[8]);
        // From behind the last write.
        Assert.Contains($"position {last.At}\n", said[9]);
    }

    [Fact]
    public void Instruction_and_line_steps_go_back()
    {
        ulong deposit = Address("bank_deposit");
        using var timeline = new Timeline(Recording);
        timeline.Seek(Recording.End);
        timeline.ReverseContinue([StopCondition.Breakpoint(deposit)]);
        int cpu = timeline.Machine.CurrentCpuIndex;
        var rips = new List<ulong>();
        while (rips.Count < 5)
        {
            timeline.StepBack();
            if (timeline.Machine.CurrentCpuIndex == cpu && (rips.Count == 0 || rips[^1] != timeline.Machine.Vcpus[cpu].State.Rip))
                rips.Add(timeline.Machine.Vcpus[cpu].State.Rip);
        }
        using var served = new ServedRecording(Recording, Recording.End);
        IReadOnlyList<string> said = GdbRun.Do(served.Target, GuestImages.PrebuiltDemo64,
            "break *bank_deposit", "reverse-continue", "reverse-stepi 5", "print $pc", "stepi 5", "print $pc", "delete",
            "next", "next", "step", "reverse-step", "reverse-next", "reverse-finish", "info line *$pc");
        Assert.Contains($"0x{rips[4]:x}", said[3]);
        Assert.Contains("<bank_deposit>", said[5]);
        Assert.Contains("bank.c", said[1]);
        for (int i = 7; i <= 11; i++) Assert.Matches(@"(?m)^(0x[0-9a-f]+\t)?\d+\t|\) at guests/demo64/", said[i]);
        Assert.Contains("syscall_dispatch", said[12] + said[13]);
    }

    [Fact]
    public void Seeking_and_changing()
    {
        using var served = new ServedRecording(Recording, Recording.End);
        ulong middle = Recording.End.InstructionCount / 2;
        using var timeline = new Timeline(Recording);
        timeline.Seek(new Position(middle));
        ulong rip = timeline.Machine.Vcpus[timeline.Machine.CurrentCpuIndex].State.Rip;
        IReadOnlyList<string> said = GdbRun.Do(served.Target, GuestImages.PrebuiltDemo64,
            string.Create(CultureInfo.InvariantCulture, $"monitor seek {middle}"), "maintenance flush register-cache", $"thread {timeline.Machine.CurrentCpuIndex + 1}", "print $pc",
            "set variable ledger.total = 77", "print ledger.total", "monitor position", "reverse-stepi", "maintenance flush register-cache", "print ledger.total", "monitor position");
        Assert.Contains($"0x{rip:x}", said[3]);
        Assert.Contains("= 77", said[5]);
        Assert.Contains("diversion", said[6]);
        Assert.Contains("the diversion is dropped", said[7]);
        Assert.DoesNotContain("= 77\n", said[9] + "\n", StringComparison.Ordinal);
        Assert.Equal(new Position(middle), At(said[10]));
    }

    [Fact]
    public void A_32_bit_guest_is_an_i386()
    {
        string kernel = GuestImages.Demo32();
        using var recorded = new GuestRecording(new MachineConfiguration
        {
            MemorySizeBytes = 32 << 20, Images = [new MachineImage("kernel", "demo32.elf", File.ReadAllBytes(kernel))],
        }, interval: 100_000, until: 10_000_000);
        using var served = new ServedRecording(recorded.File, recorded.File.End);
        IReadOnlyList<string> said = GdbRun.Do(served.Target, kernel, "show architecture", "info registers eip cr0", "backtrace 2", "reverse-stepi", "monitor position");
        Assert.Contains("i386\"", said[0]);
        Assert.Contains("PE", said[1]);
        Assert.Contains("machine_exit", said[2]);
        Assert.Equal(new Position(recorded.File.End.InstructionCount - 1), At(said[4]));
    }

    private static Position At(string answer)
    {
        Match match = PositionText().Match(answer);
        Assert.True(match.Success, answer);
        uint ordinal = match.Groups[2].Success ? uint.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture) : 0;
        return new Position(ulong.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture), ordinal);
    }

    // gdb itself knows where things are: it reads the symbols without a target.
    private static ulong Address(string expression)
    {
        HostTool.Require("gdb", "gdb");
        ToolResult result = HostTool.Run("gdb", ["-nx", "-q", "-batch", "-ex", $"print/x (unsigned long)({expression})", GuestImages.PrebuiltDemo64], TimeSpan.FromMinutes(1));
        return Convert.ToUInt64(result.Output[(result.Output.IndexOf("0x", StringComparison.Ordinal) + 2)..].Trim(), 16);
    }

    [GeneratedRegex(@"position (\d+)(?::(\d+))? ")]
    private static partial Regex PositionText();
}
