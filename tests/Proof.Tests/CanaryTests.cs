using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Cli.Lockstep;
using Replay.Packages;
using Replay.Recording;
using Replay.Replaying;
using Replay.Verification;
using TestKit;
using Vmm.Memory;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Proof.Tests;

/// <summary>The canary: an engine with one deliberately wrong handler must be caught, by lockstep and by verification, and the place must be named.</summary>
public sealed class CanaryTests
{
    private const ulong Interval = 100_000;

    [Theory]
    [InlineData(1, null)]
    [InlineData(4, 2UL)]
    public void Lockstep_names_the_instruction_with_the_wrong_handler(int cpuCount, ulong? chaosSeed)
    {
        using var folder = new RecordingFolder("canary-lockstep");
        using (RecordingFile recording = folder.Record("good.ttvm", Kernels.Demo64(cpuCount, chaosSeed), interval: Interval))
        {
            AddInstruction add = AddInstruction.Find(recording);
            using LockstepSide right = new BlockSide(recording, "interp", EngineKind.Interpreter), wrong = new WrongSide(recording, add);
            LockstepDifference? difference = new LockstepRun(right, wrong, 10_000).Run(Position.Start, recording.End, null, default);
            Assert.NotNull(difference);
            Assert.True(difference.IsExact);
            Assert.Equal(add.Position, difference.Before);
            Assert.Contains(" add r", difference.Instruction, StringComparison.Ordinal);
            Assert.NotEmpty(difference.Difference.Lines);
            // And two right engines agree: it is not the comparison that is wrong.
            using LockstepSide first = new BlockSide(recording, "translate", EngineKind.Translator), second = new SingleStepSide(recording);
            Assert.Null(new LockstepRun(first, second, 10_000).Run(Position.Start, recording.End, null, default));
        }
        folder.Succeed();
    }

    [Theory]
    [InlineData(1, null)]
    [InlineData(4, 2UL)]
    public void Lockstep_names_the_block_with_the_wrong_code(int cpuCount, ulong? chaosSeed)
    {
        using var folder = new RecordingFolder("canary-code");
        using (RecordingFile recording = folder.Record("good.ttvm", Kernels.Demo64(cpuCount, chaosSeed), interval: Interval))
        {
            using LockstepSide right = new BlockSide(recording, "interp", EngineKind.Interpreter);
            using var wrong = new WrongCode(recording);
            LockstepDifference? difference = new LockstepRun(right, wrong, 10_000).Run(Position.Start, recording.End, null, default);
            Assert.NotEmpty(wrong.Rips);
            Assert.NotNull(difference);
            Assert.Equal(LockstepPrecision.GeneratedBlock, difference.Precision);
            Assert.NotEmpty(difference.Difference.Lines);
            // The instruction whose code is wrong is one of the block's.
            using var replayer = new Replayer(recording);
            replayer.RunTo(difference.Before);
            var executed = new List<ulong>();
            for (; replayer.Position <= difference.After; replayer.Step()) executed.Add(replayer.Machine.Vcpus[replayer.Machine.CurrentCpuIndex].State.Rip);
            Assert.InRange(executed.Count, 1, 100);
            Assert.NotEmpty(wrong.Rips.Intersect(executed));
        }
        folder.Succeed();
    }

    [Fact]
    public void What_a_wrong_engine_recorded_does_not_verify()
    {
        MachineConfiguration configuration = Kernels.Demo64(2, 7);
        using var folder = new RecordingFolder("canary-verify");
        AddInstruction add;
        using (RecordingFile good = folder.Record("good.ttvm", configuration)) add = AddInstruction.Find(good);
        Position bad = CheckRecordedWrongly(folder, "wrong.ttvm", configuration, recorder =>
        {
            recorder.Machine.Engine = EngineKind.Interpreter;
            WrongHandler.Put(recorder.Machine, add, WrongHandler.Wrong);
            recorder.Run(ulong.MaxValue);
        });
        AssertFoundSoon(folder.PathOf("wrong.ttvm"), add.Position, bad);
        folder.Succeed();
    }

    [Fact]
    public void A_byte_that_changed_by_itself_is_found_at_the_next_checkpoint()
    {
        const ulong count = 650_000;
        const ulong address = 0xC0_0000;
        using var folder = new RecordingFolder("canary-byte");
        Position bad = CheckRecordedWrongly(folder, "wrong.ttvm", Kernels.Demo64(2, 7), recorder =>
        {
            recorder.Run(count);
            // A page that the guest does not use: only the digests can tell.
            recorder.Machine.Memory.Write(new GuestPhysicalAddress(address), (byte)(recorder.Machine.Memory.Read<byte>(new GuestPhysicalAddress(address)) ^ 0x10));
            recorder.Run(ulong.MaxValue);
        });
        AssertFoundSoon(folder.PathOf("wrong.ttvm"), new Position(count), bad);
        ToolResult bisect = Ttvm.Expect(1, ["bisect", folder.PathOf("wrong.ttvm")]);
        Assert.Contains($"physical 0x{address:x}", bisect.Output, StringComparison.Ordinal);
        Assert.Contains("replay does not write that byte", bisect.Output, StringComparison.Ordinal);
        folder.Succeed();
    }

    private static Position CheckRecordedWrongly(RecordingFolder folder, string file, MachineConfiguration configuration, Action<Recorder> run)
    {
        string path = folder.PathOf(file);
        using (var recorder = new Recorder(configuration, new NoInput(), new RealHost(), new RecorderOptions { Path = path, CheckpointInterval = Interval }))
        {
            run(recorder);
            recorder.Finish();
        }
        // One line says where, beside a recording that is good, and so does the report.
        string junit = folder.PathOf("verify.xml"), good = Repository.PathOf("traces/demo32.ttvm");
        ToolResult verified = Ttvm.Expect(1, ["verify", good, path, "--junit", junit]);
        Assert.Contains($"{good}: good.", verified.Output, StringComparison.Ordinal);
        string line = Assert.Single(verified.Error.TrimEnd().Split('\n'));
        Match place = Regex.Match(line, @"\(first seen at (?<at>\d+(:\d+)?), vCPU \d at 0x[0-9a-f]+: \S.*; `ttvm bisect");
        Assert.True(line.StartsWith($"ttvm: {path} does not verify: ", StringComparison.Ordinal) && place.Success, line);
        XElement failed = Assert.Single(XDocument.Load(junit).Descendants("failure"));
        Assert.Contains($"first seen at {place.Groups["at"].Value}, vCPU ", failed.Attribute("message")!.Value, StringComparison.Ordinal);
        using RecordingFile recording = RecordingFile.Open(path);
        VerificationReport report = RecordingVerifier.Verify(recording);
        Assert.False(report.IsGood);
        TestContext.Current.TestOutputHelper?.WriteLine(report.Problem);
        Assert.Equal(report.FirstBad.ToString(), place.Groups["at"].Value);
        return report.FirstBad!.Value;
    }

    // Not before it happened, and no later than at the first checkpoint behind.
    private static void AssertFoundSoon(string path, Position happened, Position found)
    {
        using RecordingFile recording = RecordingFile.Open(path);
        Assert.InRange(found.InstructionCount, happened.InstructionCount, happened.InstructionCount + Interval + 1);
        ToolResult bisect = Ttvm.Expect(1, ["bisect", path]);
        Assert.Contains("the recorded run did something else", bisect.Output, StringComparison.Ordinal);
        Position from = Position.Start;
        foreach (Replay.Checkpoints.CheckpointInfo checkpoint in recording.Checkpoints)
            if (checkpoint.Position <= happened) from = checkpoint.Position;
        Assert.Contains($"at {from}: the first bad transition lies between it and {found}", bisect.Output, StringComparison.Ordinal);
    }

    /// <summary>The interpreter with a wrong handler in it.</summary>
    private sealed class WrongSide : LockstepSide
    {
        public WrongSide(RecordingFile recording, AddInstruction add) : base(recording, "wrong", EngineKind.Interpreter) => WrongHandler.Put(Machine, add, WrongHandler.Wrong);

        public override void RunTo(ulong count) => Replayer.RunTo(new Position(count));
    }
}
