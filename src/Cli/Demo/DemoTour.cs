using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Cli.Hosting;
using Cli.Presentation;
using Replay.Packages;
using Replay.Recording;
using Replay.Replaying;
using Replay.Timelines;
using Replay.Verification;
using Vmm.Platform;
using Vmm.Time;

namespace Cli.Demo;

/// <summary>Records the demo kernel until its bug shows, and goes back to the cause, telling what it does.</summary>
internal sealed class DemoTour(CommandContext context, string path)
{
    private const int CpuCount = 4, MaximumSeed = 50;
    private const ulong MemorySizeBytes = 64UL << 20, CheckpointInterval = 250_000;
    private const string BugText = "BUG: lost update";

    private readonly TextWriter _out = context.Out;
    private readonly DemoKernel _kernel = DemoKernel.Load();

    public void Run()
    {
        _out.WriteLine("The demo kernel has four CPUs and four tasks that pay money into one account. Its lock is broken, but most runs go well.");
        _out.WriteLine();
        _out.WriteLine("1. Record it, with a scheduler that shakes out races (--chaos), until a run goes wrong.");
        ulong seed = RecordUntilBug();

        using RecordingFile recording = OpenRecording.OpenFile(path, context);
        _out.WriteLine();
        _out.WriteLine("2. Replay it and compare every output and state digest.");
        VerificationReport report = RecordingVerifier.Verify(recording, 0, null, context.Cancellation);
        if (!report.IsGood) throw CommandException.Failed($"{path} does not verify: {report.Problem}");
        _out.WriteLine($"   {Words.Count(report.ReplayedInstructions)} instructions replayed, {Words.Plural(report.DigestCount, "digest")} as recorded. It will do exactly this for ever.");

        using var timeline = new Timeline(recording);
        timeline.Seek(timeline.End, null, context.Cancellation);
        ConsoleOutput(timeline);
        LostUpdate lost = FindLostUpdate(recording);
        ExplainLostUpdate(timeline, lost);
        StepBack(timeline, lost);
        SuggestCommands(lost, seed);
    }

    private ulong RecordUntilBug()
    {
        for (ulong seed = 1; seed <= MaximumSeed; seed++)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            var configuration = new MachineConfiguration
            {
                Engine = context.Engine, CpuCount = CpuCount, MemorySizeBytes = MemorySizeBytes, ChaosSeed = seed,
                Images = [new MachineImage("kernel", "demo64.elf", _kernel.Content)],
            };
            var options = new RecorderOptions { Path = path, Overwrite = true, RecordedFrom = "ttvm demo", CheckpointInterval = CheckpointInterval };
            using var recorder = new Recorder(configuration, new NoInput(), new HostServices(), options);
            RecorderStop stop = recorder.Run(ulong.MaxValue, context.Cancellation);
            recorder.Finish();
            if (stop == RecorderStop.Cancelled) throw new OperationCanceledException(context.Cancellation);
            using RecordingFile recording = OpenRecording.OpenFile(path, context);
            string line = LastLine(recording);
            _out.WriteLine($"   seed {seed}: {Words.Count(recording.End.InstructionCount)} instructions, and the guest says: {line}");
            if (line.Contains(BugText, StringComparison.Ordinal))
            {
                _out.WriteLine($"   {path}: {Words.Size(recording.Sizes.FileSizeBytes)}, the kernel included.");
                return seed;
            }
        }
        throw CommandException.Failed($"none of {MaximumSeed} seeds shows the bug");
    }

    private void ConsoleOutput(Timeline timeline)
    {
        _out.WriteLine();
        _out.WriteLine("3. From the end, go back to where the guest complains, and to the last write of the balance.");
        Replay.Queries.ConsoleOutput found = timeline.FindConsole(BugText, reverse: true) ?? throw CommandException.Failed("the recording does not have the bug's message");
        _out.WriteLine($"   '{BugText}' was complete at position {found.At}.");
        MachineEvent? write = timeline.LastWrite(_kernel.BalanceAddress, 8, isPhysical: false, null, context.Cancellation);
        if (write is { } last)
            _out.WriteLine($"   The balance, at 0x{_kernel.BalanceAddress:x}, was last written at {last.At} by vCPU {last.CpuIndex}: {last.Value}, already wrong.");
    }

    private LostUpdate FindLostUpdate(RecordingFile recording)
    {
        _out.WriteLine();
        _out.WriteLine("4. Watch balance and lock through the whole recording: a deposit reads the balance, adds to it and writes it, and nobody may write in between.");
        var search = new LostUpdateSearch(_kernel);
        using var replayer = new Replayer(recording);
        search.Run(replayer, recording.End);
        if (search.Found is not { } lost) throw CommandException.Failed("no lost update was found, although the guest complains");
        _out.WriteLine($"   {Words.Count((long)search.WriteCount)} deposits; {search.LostCount} of them were overwritten by a CPU with an older balance. The last two that raced:");
        return lost;
    }

    private void ExplainLostUpdate(Timeline timeline, LostUpdate lost)
    {
        (Deposit first, Deposit second) = (lost.Lost, lost.Overwriting);
        var rows = new List<(MachineEvent Event, string Meaning)>
        {
            (first.LockTest, "tests the lock: 0, it is free"),
            (second.LockTest, "tests the lock: 0, it is free"),
            (first.LockSet, "sets it, and believes that it has it"),
            (second.LockSet, "sets it, and believes that it has it"),
            (first.Read, $"reads the balance: {first.Read.Value}"),
            (second.Read, $"reads the balance: {second.Read.Value}"),
            (first.Write, $"writes {first.Write.Value}"),
            (second.Write, $"writes {second.Write.Value}: the {first.Amount} of vCPU {first.CpuIndex} are lost"),
        };
        rows.Sort(static (a, b) => a.Event.At.CompareTo(b.Event.At));
        _out.WriteLine();
        foreach ((MachineEvent e, string meaning) in rows)
        {
            timeline.Seek(e.At, null, context.Cancellation);
            string instruction = Disassembly.At(timeline.Machine, timeline.Machine.Vcpus[e.CpuIndex], e.Rip);
            _out.WriteLine($"   {e.At,-10} vCPU {e.CpuIndex}  {instruction,-42} {meaning}");
        }
        if (lost.OtherCount > 0) _out.WriteLine($"   ({Words.Plural(lost.OtherCount, "deposit")} of others between the last two lines went the same way)");
        _out.WriteLine();
        _out.WriteLine("   The lock's test and its set are two instructions, and the other CPU came between them: guests/demo64/locks.c, BrokenLock_acquire.");
    }

    private void StepBack(Timeline timeline, LostUpdate lost)
    {
        Position at = SecondSet(lost);
        timeline.Seek(at, null, context.Cancellation);
        _out.WriteLine();
        _out.WriteLine("5. Stand on the instruction that sets the lock a second time, and step back:");
        var lines = new List<string> { $"=> {PlaceView.Line(timeline.Machine)}" };
        for (int i = 0; i < 4; i++)
        {
            timeline.StepBack();
            lines.Add($"   {PlaceView.Line(timeline.Machine)}");
        }
        lines.Reverse();
        foreach (string line in lines) _out.WriteLine($"   {line}");
    }

    private void SuggestCommands(LostUpdate lost, ulong seed)
    {
        Position test = lost.Overwriting.LockTest.At, set = SecondSet(lost), write = lost.Overwriting.Write.At;
        (string What, string Command)[] commands =
        [
            ("registers where the balance is overwritten", $"ttvm regs {path} --at {write}"),
            ("the balance just before", $"ttvm mem {path} --at {write} --address 0x{_kernel.BalanceAddress:x} --length 8"),
            ("who wrote it before that", $"ttvm find {path} --last-write 0x{_kernel.BalanceAddress:x} --size 8 --from {write}"),
            ("who set or cleared the lock before the second set", $"ttvm find {path} --last-write 0x{_kernel.LockAddress:x} --size 4 --from {set}"),
            ("from the test of the lock, 20 steps forward", $"ttvm forward {path} --at {test} --steps 20"),
            ("the same backwards", $"ttvm back {path} --at {write} --steps 20"),
            ("how the lock's address is translated", $"ttvm pagetables {path} --at {set} --address 0x{_kernel.LockAddress:x}"),
            ("what the guest had printed by then", $"ttvm console {path} --at {set}"),
            ("a run with a lock that works", $"ttvm record -o good.ttvm --kernel guests/prebuilt/demo64.elf --append lock=mcs --cpus 4 --memory 64M --chaos {seed}"),
        ];
        _out.WriteLine();
        _out.WriteLine("Now you. Go anywhere, in any order:");
        foreach ((string what, string command) in commands)
        {
            _out.WriteLine();
            _out.WriteLine($"   # {what}");
            _out.WriteLine($"   {command}");
        }
    }

    private static Position SecondSet(in LostUpdate lost)
    {
        Position a = lost.Lost.LockSet.At, b = lost.Overwriting.LockSet.At;
        return a > b ? a : b;
    }

    private static string LastLine(RecordingFile recording)
    {
        string text = Encoding.ASCII.GetString(recording.Console.ReadBytes(recording.End)).TrimEnd();
        return text[(text.LastIndexOf('\n') + 1)..];
    }
}
