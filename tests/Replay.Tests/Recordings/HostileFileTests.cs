using System;
using System.IO;
using Replay.Packages;
using Replay.Recording;
using Replay.Replaying;
using Replay.Timelines;
using Replay.Verification;
using Vmm.Time;
using Xunit;

namespace Replay.Tests.Recordings;

/// <summary>Damaged recordings are answered with one sentence, and damage is never called good.</summary>
public sealed class HostileFileTests
{
    [Theory]
    [InlineData("recorded")]
    [InlineData("packed")]
    [InlineData("trimmed")]
    public void Flipped_and_cut_files_are_refused_or_found_bad(string kind)
    {
        using var test = new TestRecording();
        using (RecordingFile recording = test.Record(TestRecording.Demo64(2, 5, Vmm.Platform.ClockKind.Host), interval: 30_000,
            until: 150_000))
        {
            Assert.True(RecordingVerifier.Verify(recording, cancellation: TestContext.Current.CancellationToken).IsGood);
            string other = test.FilePath + ".other";
            if (kind == "packed") RecordingCompactor.Compact(recording, other, overwrite: false, stripImages: false, cancellation: TestContext.Current.CancellationToken);
            if (kind == "trimmed") RecordingTrimmer.Trim(recording, new Position(70_000), recording.End, other, overwrite: false, cancellation: TestContext.Current.CancellationToken);
            if (kind != "recorded") File.Move(other, test.FilePath, overwrite: true);
        }
        byte[] whole = File.ReadAllBytes(test.FilePath);
        var random = new Random(11);
        int refused = 0, bad = 0, unharmed = 0;
        for (int round = 0; round < 300; round++)
        {
            byte[] bytes = (byte[])whole.Clone();
            if (round % 5 == 0) bytes = bytes[..random.Next(bytes.Length)];
            else
                for (int n = random.Next(1, 4); n > 0; n--) bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(test.FilePath, bytes);
            try
            {
                using RecordingFile recording = RecordingFile.Open(test.FilePath);
                Walk(recording);
                VerificationReport report = RecordingVerifier.Verify(recording, 1, cancellation: TestContext.Current.CancellationToken);
                if (report.IsGood) unharmed++;
                else
                {
                    bad++;
                    CheckSentence(report.Problem);
                }
            }
            catch (RecordingFormatException e)
            {
                refused++;
                CheckSentence(e.Message);
            }
        }
        Assert.InRange(refused, 60, 300);
        // A stretch is smaller: more of it is its directory, manifest and indices, which are read when it is opened.
        Assert.InRange(bad, kind == "recorded" ? 60 : 30, 300);
        // Zip fields that nothing depends on: dates, names in local headers.
        Assert.InRange(unharmed, 0, 5);
    }

    [Fact]
    public void Other_files_are_not_recordings()
    {
        string path = Path.GetTempFileName();
        File.WriteAllText(path, "just some text, long enough to be looked at by a reader of zip files");
        RecordingFormatException e = Assert.Throws<RecordingFormatException>(() => RecordingFile.Open(path));
        Assert.Equal($"{path} is not a recording, or was cut off: it does not end with a zip directory", e.Message);
        File.Delete(path);
        Assert.Throws<FileNotFoundException>(() => RecordingFile.Open(path));
    }

    // A user looks around before anything is verified.
    private static void Walk(RecordingFile recording)
    {
        try
        {
            using var timeline = new Timeline(recording);
            timeline.Seek(new Position(recording.End.InstructionCount - recording.InstructionCount / 4));
            timeline.StepBack();
            timeline.Seek(recording.End);
            recording.Console.ReadBytes(recording.End);
        }
        catch (ReplayDivergenceException e)
        {
            CheckSentence(e.Message);
        }
    }

    private static void CheckSentence(string message)
    {
        Assert.NotEmpty(message);
        Assert.DoesNotContain('\n', message);
    }
}
