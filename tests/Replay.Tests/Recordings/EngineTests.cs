using System;
using Replay.Packages;
using Replay.Recording;
using Replay.Replaying;
using Replay.Timelines;
using Replay.Verification;
using Vmm.Platform;
using Xunit;

namespace Replay.Tests.Recordings;

/// <summary>What executes is the choice of who records and of who opens, each for its own machines.</summary>
public sealed class EngineTests
{
    [Fact]
    public void Each_recording_has_the_engine_it_was_opened_with()
    {
        using var test = new TestRecording();
        MachineConfiguration configuration = TestRecording.Demo64();
        Guid translated = Record(test, configuration with { Engine = EngineKind.Translator }), interpreted = Record(test, configuration with { Engine = EngineKind.Interpreter });
        Assert.Equal(interpreted, translated);
        using RecordingFile one = RecordingFile.Open(test.FilePath, engine: EngineKind.Interpreter), other = RecordingFile.Open(test.FilePath, engine: EngineKind.Translator),
            third = RecordingFile.Open(test.FilePath);
        foreach ((RecordingFile recording, EngineKind engine) in
            ((RecordingFile, EngineKind)[])[(one, EngineKind.Interpreter), (other, EngineKind.Translator), (third, EngineKind.Auto)])
        {
            using (var timeline = new Timeline(recording)) Assert.Equal(engine, timeline.Machine.Engine);
            using (var replayer = new Replayer(recording)) Assert.Equal(engine, replayer.Machine.Engine);
            Assert.True(RecordingVerifier.Verify(recording).IsGood);
        }
    }

    private static Guid Record(TestRecording test, MachineConfiguration configuration)
    {
        using (Recorder recorder = test.Begin(configuration))
        {
            Assert.Equal(configuration.Engine, recorder.Machine.Engine);
            recorder.Run(ulong.MaxValue);
            recorder.Finish();
        }
        using RecordingFile recording = RecordingFile.Open(test.FilePath);
        return recording.Identity;
    }
}
