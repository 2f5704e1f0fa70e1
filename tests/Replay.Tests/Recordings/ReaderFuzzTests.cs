using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Replay.Packages;
using Replay.Recording;
using Replay.Replaying;
using Replay.Timelines;
using Replay.Verification;
using TestKit;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Replay.Tests.Recordings;

/// <summary>
/// Hostile recordings, which are right by their checksums, are opened, walked over and verified: each is refused with a sentence, found to be bad, or harmless; none crashes the
/// reader, keeps it busy, or makes it take memory without bound. By default a few hundred; TTVM_FUZZ_SECONDS=600 makes a campaign of ten minutes, TTVM_FUZZ_SEED begins elsewhere.
/// </summary>
[Collection(nameof(Alone))]
public sealed class ReaderFuzzTests(ITestOutputHelper output)
{
    private const int DefaultRounds = 1000;
    private const long MaximumGrowthBytes = 512L << 20;
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(1);

    /// <summary>Nothing else may take memory or time meanwhile.</summary>
    [CollectionDefinition(nameof(Alone), DisableParallelization = true)]
    public sealed class Alone;

    [Fact]
    public void Hostile_recordings_do_no_harm()
    {
        int seconds = Number("TTVM_FUZZ_SECONDS", 0), seed = Number("TTVM_FUZZ_SEED", 1);
        string folder = Directory.CreateTempSubdirectory("ttvm-fuzz").FullName, path = Path.Combine(folder, "hostile.ttvm");
        RecordingMutator[] mutators = [.. Corpus(folder).Select(file => new RecordingMutator(file, folder))];
        var outcomes = new SortedDictionary<string, int>(StringComparer.Ordinal);
        long before = GC.GetTotalMemory(forceFullCollection: true), most = 0;
        TimeSpan slowest = TimeSpan.Zero;
        var watch = Stopwatch.StartNew();
        int round = 0;
        for (; seconds > 0 ? watch.Elapsed.TotalSeconds < seconds : round < DefaultRounds; round++)
        {
            // Each file is a function of its number: a failing one can be made again.
            var random = new Random(unchecked(seed * 1_000_003 + round));
            string what = mutators[random.Next(mutators.Length)].Write(path, random);
            TimeSpan began = watch.Elapsed;
            string outcome = Try(path, $"round {round} of seed {seed} ({what})");
            if (watch.Elapsed - began > slowest) slowest = watch.Elapsed - began;
            outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
            most = Math.Max(most, Environment.WorkingSet);
            if (round % 100 == 99) Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, MaximumGrowthBytes);
        }
        output.WriteLine($"{round} files in {watch.Elapsed.TotalSeconds:F0} s: {string.Join(", ", outcomes.Select(static one => $"{one.Value} {one.Key}"))}; "
            + $"the slowest took {slowest.TotalSeconds:F1} s, memory at most {most >> 20} MiB, {GC.GetTotalMemory(true) - before >> 10} KiB managed more than at first");
        Directory.Delete(folder, recursive: true);
        // The damage does get where it matters.
        Assert.All((string[])["refused", "bad"], outcome => Assert.True(outcomes.GetValueOrDefault(outcome) > round / 20, outcome));
    }

    // With and without time as an input, cut, and packed: every kind of record and frame.
    private static IEnumerable<string> Corpus(string folder)
    {
        using var test = new TestRecording();
        using RecordingFile recording = test.Record(TestRecording.Demo64(2, 5, ClockKind.Host), interval: 30_000, until: 150_000);
        string recorded = Path.Combine(folder, "recorded.ttvm"), trimmed = Path.Combine(folder, "trimmed.ttvm"), packed = Path.Combine(folder, "packed.ttvm");
        File.Copy(test.FilePath, recorded);
        RecordingTrimmer.Trim(recording, new Position(70_000), recording.End, trimmed, overwrite: false);
        RecordingCompactor.Compact(recording, packed, overwrite: false, stripImages: false);
        return [recorded, trimmed, packed];
    }

    private static string Try(string path, string which)
    {
        var task = Task.Factory.StartNew(() => Read(path), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        if (Task.WaitAny([task], s_longest) < 0) Assert.Fail($"{which} keeps the reader busy; {Keep(path)}");
        if (task.Exception is { } failure) Assert.Fail($"{which}; {Keep(path)}: {failure.InnerException}");
        return task.GetAwaiter().GetResult();
    }

    private static string Read(string path)
    {
        // A position that lies far away may take long, but not longer than somebody wants to wait.
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            using RecordingFile recording = RecordingFile.Open(path);
            string walk = Walk(recording, patience.Token);
            VerificationReport report = RecordingVerifier.Verify(recording, 1, cancellation: patience.Token);
            Assert.True(report.IsGood || (report.Problem.Length > 0 && !report.Problem.Any(char.IsControl)), report.Problem);
            return report.IsGood ? $"harmless{walk}" : "bad";
        }
        catch (RecordingFormatException e)
        {
            Assert.False(e.Message.Length == 0 || e.Message.Any(char.IsControl), e.Message);
            return "refused";
        }
        catch (OperationCanceledException)
        {
            return "given up";
        }
    }

    private static string Walk(RecordingFile recording, CancellationToken cancellation)
    {
        try
        {
            using var timeline = new Timeline(recording);
            timeline.Seek(new Position(recording.End.InstructionCount - recording.InstructionCount / 4), null, cancellation);
            timeline.StepBack(3, null, cancellation);
            timeline.Seek(recording.End, null, cancellation);
            recording.Console.ReadBytes(recording.End);
            _ = recording.ReadInputs().Count();
            return "";
        }
        catch (ReplayDivergenceException)
        {
            return ", but diverges";
        }
    }

    private static string Keep(string path)
    {
        string folder = Directory.CreateDirectory(Path.Combine(Repository.Artifacts, "failures")).FullName, kept = Path.Combine(folder, "fuzz.ttvm");
        File.Copy(path, kept, overwrite: true);
        return $"kept as {kept}";
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : otherwise;
}
