using System.Linq;
using Introspection.Calls;
using Introspection.State;
using Replay.Checkpoints;
using Replay.Packages;
using Replay.Queries;
using Replay.Timelines;
using Symbols.Elf;
using Vmm.Cpu;
using Xunit;

namespace Introspection.Tests.Calls;

/// <summary>Functions of the demo kernel, run in a diversion.</summary>
public sealed class FunctionCallerTests(Recordings recordings)
{
    private static ulong AddressOf(ElfImage kernel, string name) => kernel.Symbols.ByName(name).First(symbol => symbol.IsDefined).Address;

    [Fact]
    public void A_function_takes_its_arguments_and_gives_its_result()
    {
        RecordingFile recording = recordings.File;
        using ElfImage kernel = ElfImage.Open(recording.Configuration.FindImage("kernel")!.Content, "kernel");
        using var timeline = new Timeline(recording);
        // In the kernel, with its stack.
        Assert.Equal(TimelineStopReason.Hit, timeline.Continue([StopCondition.Breakpoint(AddressOf(kernel, "bank_deposit"))]).Reason);
        StateDigest before = timeline.Digest();
        using Diversion diversion = timeline.Divert();
        int cpu = diversion.Machine.CurrentCpuIndex;
        VcpuState registers = diversion.Machine.Vcpus[cpu].State;
        var view = new GuestView(diversion.Machine, diversion.Machine.Vcpus[cpu]);
        var caller = new FunctionCaller(diversion, cpu);

        ulong account = AddressOf(kernel, "account");
        Assert.Equal(new CallOutcome(account, null), caller.Call(AddressOf(kernel, "memset"), [account, 0x5A, 16]));
        Assert.Equal(0x5A5A5A5A5A5A5A5Aul, view.ReadNumber(account + 8, 8));
        // What it did to registers is undone.
        Assert.Equal(registers.Rip, view.Vcpu.State.Rip);
        for (int i = 0; i < 16; i++) Assert.Equal(registers.General[i], view.Vcpu.State.General[i]);
        // The recording is as it was.
        Assert.Equal(before, timeline.Digest());
    }

    /// <summary>Not even the instruction that comes next is executed: it is where the function returns to.</summary>
    [Fact]
    public void Nothing_runs_but_the_function()
    {
        RecordingFile recording = recordings.File;
        using ElfImage kernel = ElfImage.Open(recording.Configuration.FindImage("kernel")!.Content, "kernel");
        using var timeline = new Timeline(recording);
        ulong account = AddressOf(kernel, "account");
        // Right before the store of the new balance.
        Assert.Equal(TimelineStopReason.Hit, timeline.Continue([StopCondition.Watch(account + 24, 8, WatchAccess.Write, isPhysical: false)]).Reason);
        using Diversion diversion = timeline.Divert();
        int cpu = diversion.Machine.CurrentCpuIndex;
        var view = new GuestView(diversion.Machine, diversion.Machine.Vcpus[cpu]);
        for (int i = 0; i < 3; i++)
        {
            Assert.Null(new FunctionCaller(diversion, cpu).Call(AddressOf(kernel, "memset"), [account + 24, (ulong)i, 8]).Problem);
            Assert.Equal((ulong)i * 0x0101010101010101, view.ReadNumber(account + 24, 8));
        }
    }

    [Fact]
    public void What_cannot_be_called_is_said()
    {
        RecordingFile recording = recordings.File;
        using ElfImage kernel = ElfImage.Open(recording.Configuration.FindImage("kernel")!.Content, "kernel");
        using var timeline = new Timeline(recording);
        timeline.Continue([StopCondition.Breakpoint(AddressOf(kernel, "bank_deposit"))]);
        using Diversion diversion = timeline.Divert();
        var caller = new FunctionCaller(diversion, diversion.Machine.CurrentCpuIndex);
        Assert.Contains("no code", caller.Call(0x1234_5678_9000, []).Problem, System.StringComparison.Ordinal);
        // It panics, which ends the machine.
        Assert.Contains("ended", caller.Call(AddressOf(kernel, "panic"), [AddressOf(kernel, "account")]).Problem, System.StringComparison.Ordinal);
    }
}
