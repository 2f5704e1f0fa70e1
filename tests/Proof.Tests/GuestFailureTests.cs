using System;
using System.Buffers.Binary;
using System.IO;
using Replay.Packages;
using Replay.Recording;
using Replay.Replaying;
using Replay.Timelines;
using Replay.Verification;
using TestKit;
using Vmm.Cpu;
using Vmm.Platform;
using Xunit;

namespace Proof.Tests;

/// <summary>A guest that runs into a triple fault, or an instruction that there is not, ends its recording; the recording is whole and can be debugged at its end.</summary>
public sealed class GuestFailureTests
{
    private const uint Kernel = 0x10_0000;
    private const ulong Marker = 0x600D_F00D;

    [Fact]
    public void A_triple_fault_ends_the_recording_where_it_can_be_debugged()
    {
        // mov eax, marker; mov esp, 110000h; push eax; lidt [120000h], which is all zero; ud2
        (byte[] image, uint entry) = TinyKernel([0xB8, 0x0D, 0xF0, 0x0D, 0x60, 0xBC, 0, 0, 0x11, 0, 0x50, 0x0F, 0x01, 0x1D, 0, 0, 0x12, 0, 0x0F, 0x0B]);
        Check("triple-fault", image, OutcomeKind.TripleFault, "exception InvalidOpcode could not be delivered", faultRip: entry + 18);
    }

    [Fact]
    public void An_instruction_outside_the_model_ends_the_recording_where_it_can_be_debugged()
    {
        // mov eax, marker; mov esp, 110000h; push eax; vaddps ymm0, ymm0, ymm0: AVX is not in CPUID, so #UD it is, which this guest does not handle.
        (byte[] image, uint entry) = TinyKernel([0xB8, 0x0D, 0xF0, 0x0D, 0x60, 0xBC, 0, 0, 0x11, 0, 0x50, 0x0F, 0x01, 0x1D, 0, 0, 0x12, 0, 0xC5, 0xFC, 0x58, 0xC0]);
        Check("no-avx", image, OutcomeKind.TripleFault, "exception InvalidOpcode could not be delivered", faultRip: entry + 18);
    }

    [Fact]
    public void An_instruction_without_a_handler_ends_the_recording_before_it()
    {
        // Everything that CPUID offers has a handler. This machine loses one while it runs: that of the ADD at a breakpoint.
        using var folder = new RecordingFolder("unimplemented");
        string path = folder.PathOf("unimplemented.ttvm");
        MachineConfiguration configuration = Kernels.Demo64(1, null);
        AddInstruction add;
        using (RecordingFile good = folder.Record("good.ttvm", configuration)) add = AddInstruction.Find(good);
        using (var recorder = new Recorder(configuration, new NoInput(), new RealHost(), new RecorderOptions { Path = path, CheckpointInterval = 100_000 }))
        {
            // Handlers are the interpreter's; generated code has no need of that of an ADD.
            recorder.Machine.Engine = EngineKind.Interpreter;
            WrongHandler.Put(recorder.Machine, add, WrongHandler.Missing);
            Assert.Equal(RecorderStop.Ended, recorder.Run(ulong.MaxValue));
            recorder.Finish();
        }
        using (RecordingFile recording = RecordingFile.Open(path))
        {
            Assert.Equal(OutcomeKind.Unimplemented, recording.Outcome.Kind);
            Assert.Equal($"the instruction Add_rm64_r64 at RIP 0x{add.Linear:x} is not implemented", recording.Outcome.Detail);
            Assert.Equal(add.Position, recording.End);
            using var timeline = new Timeline(recording);
            timeline.Seek(recording.End with { InstructionCount = recording.End.InstructionCount - 1, EventOrdinal = 0 });
            Assert.Equal(recording.End.InstructionCount - 1, timeline.Position.InstructionCount);
            // The engine that has the handler does not end there, and says so.
            Assert.Equal(recording.End, Assert.Throws<ReplayDivergenceException>(() => timeline.Seek(recording.End)).Position);
        }
        Assert.Contains("is not implemented", Ttvm.Expect(0, ["info", path]).Output, StringComparison.Ordinal);
        folder.Succeed();
    }

    private static void Check(string name, byte[] image, OutcomeKind outcome, string sentence, uint faultRip)
    {
        using var folder = new RecordingFolder(name);
        string kernel = folder.PathOf("kernel"), path = folder.PathOf("failed.ttvm");
        File.WriteAllBytes(kernel, image);
        ToolResult result = Ttvm.Expect(1, ["record", "-o", path, "--kernel", kernel, "--memory", "2M"]);
        Assert.Contains(sentence, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(path + ".partial"));
        Ttvm.Expect(0, ["verify", path]);
        Assert.Contains("600df00d", Ttvm.Expect(0, ["regs", path, "--at", "end"]).Output, StringComparison.OrdinalIgnoreCase);
        using (RecordingFile recording = RecordingFile.Open(path))
        {
            Assert.Equal(outcome, recording.Outcome.Kind);
            Assert.Contains(sentence, recording.Outcome.Detail, StringComparison.Ordinal);
            using var timeline = new Timeline(recording);
            timeline.Seek(recording.End);
            Vcpu vcpu = timeline.Machine.Vcpus[0];
            Assert.Equal((faultRip, Marker), (vcpu.State.Rip, vcpu.State.Rax));
            Assert.Equal(outcome, timeline.Machine.Outcome.Kind);
            Assert.Equal(TimelineStopReason.End, timeline.StepForward().Reason);
            // Three instructions back: nothing has been pushed yet.
            timeline.StepBack(3);
            Assert.Equal(OutcomeKind.None, timeline.Machine.Outcome.Kind);
            timeline.Seek(recording.End);
            Assert.NotNull(timeline.LastWrite(0x11_0000 - 4, 4, isPhysical: true));
            Assert.Equal(Marker, timeline.Machine.Vcpus[0].State.Rax);
            Assert.True(RecordingVerifier.Verify(recording).IsGood);
        }
        folder.Succeed();
    }

    // A Multiboot 1 image whose header says where it goes (section 3.1.3 of its specification), with code right behind.
    private static (byte[] Image, uint Entry) TinyKernel(byte[] code)
    {
        const uint magic = 0x1BADB002, flags = 1 << 16, entry = Kernel + 32;
        var image = new byte[0x100];
        uint[] header = [magic, flags, unchecked(0u - magic - flags), Kernel, Kernel, 0, 0x13_0000, entry];
        for (int i = 0; i < header.Length; i++) BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(4 * i), header[i]);
        code.CopyTo(image, 32);
        return (image, entry);
    }
}
