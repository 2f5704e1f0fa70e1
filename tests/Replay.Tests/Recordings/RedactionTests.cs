using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Replay.Checkpoints;
using Replay.Packages;
using Replay.Queries;
using Replay.Recording;
using Replay.Redaction;
using Replay.Timelines;
using Replay.Verification;
using TestKit;
using Vmm.Memory;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Replay.Tests.Recordings;

/// <summary>What is taken out of a recording is gone from all of the file, and the rest is as it was, or known not to be there.</summary>
public sealed class RedactionTests
{
    private const string Idle = "the-idle-secret-9071", Moved = "the-moved-secret-5523", Summed = "the-summed-secret-8812";
    private const string Wiped = "the-wiped-secret-3346", Compared = "the-compared-secret-6654", Password = "open-sesame-4711";

    [Fact]
    public void What_nobody_reads_is_gone_and_everything_replays()
    {
        using var test = new TestRecording();
        using RecordingFile whole = Record(test);
        RedactionReport report = Redact(test, whole, Text(Idle), out RecordingFile redacted);
        using (redacted)
        {
            Assert.Empty(report.Holes);
            Assert.Equal(20 * whole.Checkpoints.Count, report.MemoryBytes);
            Assert.Equal(20, report.FileBytes);
            RedactedFile.AssertGone(redacted, Idle);
            AssertVerifies(redacted);
            AssertAlike(whole, redacted);
            Assert.Equal(4, redacted.Manifest.FormatVersion);
            Assert.Equal(["a text"], redacted.Manifest.Redaction!.What);
        }
    }

    [Theory]
    [InlineData(Moved)]
    [InlineData(Wiped)]
    public void What_is_only_copied_or_overwritten_leaves_no_hole(string text)
    {
        using var test = new TestRecording();
        using RecordingFile whole = Record(test);
        RedactionReport report = Redact(test, whole, Text(text), out RecordingFile redacted);
        using (redacted)
        {
            Assert.Empty(report.Holes);
            RedactedFile.AssertGone(redacted, text);
            AssertVerifies(redacted);
            AssertAlike(whole, redacted);
        }
    }

    [Theory]
    [InlineData(Summed)]
    [InlineData(Compared)]
    public void What_is_worked_with_leaves_a_hole_from_its_first_reading_to_the_next_checkpoint(string text)
    {
        using var test = new TestRecording();
        using RecordingFile whole = Record(test);
        ulong address = AddressOf(whole, text);
        using var reference = new Timeline(whole);
        TimelineStop read = reference.Continue([StopCondition.Watch(address, text.Length, WatchAccess.Read, isPhysical: true)], cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(TimelineStopReason.Hit, read.Reason);

        RedactionReport report = Redact(test, whole, Range(address, text.Length), out RecordingFile redacted);
        using (redacted)
        {
            RecordingHole hole = Assert.Single(report.Holes);
            Assert.Equal(read.Position, hole.From);
            Assert.Equal(whole.Checkpoints.First(one => one.Position > read.Position).Position, hole.To);
            Assert.Equal([hole], redacted.Holes.All);
            RedactedFile.AssertGone(redacted, text);
            AssertVerifies(redacted);
            AssertAlike(whole, redacted);
            AssertEdges(redacted, hole);
            // What was made of it is not it.
            Assert.Contains("sum AAAAAHKM", Encoding.ASCII.GetString(redacted.Console.ReadBytes(redacted.End)), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_was_typed_is_gone_with_all_that_the_guest_keeps_of_it()
    {
        using var test = new TestRecording();
        using RecordingFile whole = Record(test);
        RedactionReport report = Redact(test, whole, new RedactionPlan { TypedTexts = [Bytes(Password)], Descriptions = ["what was typed"] }, out RecordingFile redacted);
        using (redacted)
        {
            Assert.Empty(report.Holes);
            Assert.Equal(Password.Length, report.LogBytes);
            RedactedFile.AssertGone(redacted, Password, Password[..8], Password[^8..]);
            AssertVerifies(redacted);
            AssertAlike(whole, redacted);
        }
        // Without being told what: all that was typed.
        Redact(test, whole, new RedactionPlan { Typed = (whole.Start, whole.End), Descriptions = ["all that was typed"] }, out redacted);
        using (redacted)
        {
            RedactedFile.AssertGone(redacted, Password, Password[..8], Password[^8..]);
            Assert.Contains(redacted.ReadInputs(), static one => one.Data.Span.Contains((byte)'\r'));
            AssertVerifies(redacted);
        }
    }

    [Fact]
    public void No_checkpoint_is_left_that_has_the_beginning_of_what_was_typed()
    {
        using var test = new TestRecording();
        using RecordingFile whole = Record(test, "send open-sesame\nwait 90000\nsend -4711\\r");
        Assert.NotEqual("", RedactedFile.PlacesOf(whole, Bytes("open-sesame")));
        RedactionReport report = Redact(test, whole, new RedactionPlan { TypedTexts = [Bytes(Password)], Descriptions = ["what was typed"] }, out RecordingFile redacted);
        using (redacted)
        {
            Assert.InRange(report.DroppedCheckpoints, 2, whole.Checkpoints.Count - 2);
            Assert.Equal(whole.Checkpoints.Count - report.DroppedCheckpoints, redacted.Checkpoints.Count);
            Assert.Empty(report.Holes);
            RedactedFile.AssertGone(redacted, Password, "open-", "sesame", "-4711");
            AssertVerifies(redacted);
            AssertAlike(whole, redacted);
        }
    }

    [Theory]
    [InlineData(1, null, 1)]
    [InlineData(2, 5UL, 2)]
    [InlineData(4, 9UL, 3)]
    public void Whatever_is_taken_out_the_rest_verifies(int cpuCount, ulong? chaosSeed, int seed)
    {
        using var test = new TestRecording();
        using RecordingFile whole = test.Record(TestRecording.Demo64(cpuCount, chaosSeed), interval: 100_000);
        var random = new Random(seed);
        for (int round = 0; round < 4; round++)
        {
            // The kernel with its data and stacks, of which much is in use.
            (ulong Physical, int SizeBytes)[] ranges = [.. Enumerable.Range(0, random.Next(1, 5))
                .Select(_ => (0x100000 + (ulong)random.Next(0x40000), random.Next(1, round == 0 ? 5000 : 300)))];
            var plan = new RedactionPlan { Select = _ => ranges.Select(static range => new SelectedMemory([range])), KeepsCopies = round == 3, Descriptions = ["memory"] };
            RecordingFile redacted;
            try
            {
                Redact(test, whole, plan, out redacted);
            }
            catch (RedactionException)
            {
                // All of it was zero, always.
                continue;
            }
            using (redacted)
            {
                AssertVerifies(redacted);
                AssertTaken(whole, redacted, ranges);
                AssertAlike(whole, redacted, 6);
            }
        }
    }

    [Fact]
    public void What_an_older_program_would_misunderstand_it_refuses_and_holes_that_cannot_be_are_damage()
    {
        using var test = new TestRecording();
        using RecordingFile whole = Record(test);
        Redact(test, whole, Range(AddressOf(whole, Summed), Summed.Length), out RecordingFile redacted);
        using (redacted)
        {
            RecordingManifest manifest = redacted.Manifest;
            ManifestHole hole = Assert.Single(manifest.Redaction!.Holes);
            AssertRefused("format version 5", manifest with { FormatVersion = 5 });
            AssertRefused("is damaged", manifest with { FormatVersion = 3 });
            AssertRefused("is damaged", With(hole with { To = hole.To + 1 }));
            AssertRefused("is damaged", With(hole with { From = hole.To }));
            AssertRefused("is damaged", With(hole, hole));
            AssertRefused("is damaged", With(hole with { Why = null! }));
            AssertRefused("is damaged", manifest with { Redaction = manifest.Redaction with { Holes = null! } });

            RecordingManifest With(params ManifestHole[] holes) => manifest with { Redaction = manifest.Redaction with { Holes = holes } };

            void AssertRefused(string words, RecordingManifest other)
            {
                string path = test.FilePath + ".other.ttvm";
                ContainerRewriter.Replace(path, container =>
                {
                    ContainerRewriter.CopyParts(redacted, container, static _ => true);
                    container.Add(PartName.Manifest, ManifestJson.Write(other));
                });
                string message = Assert.Throws<RecordingFormatException>(() => RecordingFile.Open(path).Dispose()).Message;
                Assert.Contains(words, message, StringComparison.Ordinal);
                File.Delete(path);
            }
        }
    }

    [Fact]
    public void A_redacted_recording_is_redacted_again_trimmed_and_packed()
    {
        using var test = new TestRecording();
        using RecordingFile whole = Record(test);
        Redact(test, whole, Range(AddressOf(whole, Summed), Summed.Length), out RecordingFile once);
        RecordingHole hole = Assert.Single(once.Holes.All);
        string folder = Path.GetDirectoryName(test.FilePath)!, kept = Path.Combine(folder, "once.ttvm");
        once.Dispose();
        File.Move(test.FilePath + ".redacted.ttvm", kept);
        using (once = RecordingFile.Open(kept))
        {
            using RecordingFile twice = Made("twice", path => RecordingRedactor.Redact(once, path, Text(Idle), overwrite: false, cancellation: TestContext.Current.CancellationToken));
            Assert.Equal([hole], twice.Holes.All);
            Assert.Equal(["memory", "a text"], twice.Manifest.Redaction!.What);
            RedactedFile.AssertGone(twice, Idle, Summed);

            using RecordingFile packed = Made("packed", path =>
                RecordingCompactor.Compact(once, path, overwrite: false, stripImages: true, cancellation: TestContext.Current.CancellationToken));
            Assert.Equal([hole], packed.Holes.All);
            // Checkpoints are left out, but not the one behind the hole.
            using RecordingFile thinned = Made("thinned", path => RecordingCompactor.Compact(once, path, overwrite: false, stripImages: false, distance: 1_000_000,
                cancellation: TestContext.Current.CancellationToken));
            Assert.Equal([hole], thinned.Holes.All);
            Assert.True(thinned.Checkpoints.Count < 5);
            using RecordingFile before = Made("before", path => RecordingTrimmer.Trim(once, once.Start, hole.From, path, overwrite: false));
            Assert.Empty(before.Holes.All);
            using RecordingFile behind = Made("behind", path => RecordingTrimmer.Trim(once, hole.To, once.End, path, overwrite: false));
            Assert.Empty(behind.Holes.All);
            Assert.Equal(["memory"], behind.Manifest.Redaction!.What);
            Position from = new(hole.From.InstructionCount - 20_000), to = new(hole.To.InstructionCount + 10_000);
            using RecordingFile around = Made("around", path => RecordingTrimmer.Trim(once, from, to, path, overwrite: false));
            Assert.Equal([hole], around.Holes.All);
        }

        RecordingFile Made(string name, Action<string> make)
        {
            string path = Path.Combine(folder, name + ".ttvm");
            make(path);
            RecordingFile file = RecordingFile.Open(path);
            AssertVerifies(file);
            RedactedFile.AssertGone(file, Summed);
            return file;
        }
    }

    [Fact]
    public void What_it_carries_is_looked_through_too()
    {
        using var test = new TestRecording();
        string folder = Path.GetDirectoryName(test.FilePath)!, carried = Path.Combine(folder, "carried.ttvm");
        string source = Path.Combine(folder, "key.c"), symbols = Path.Combine(folder, "key.elf");
        using (RecordingFile whole = Record(test))
        {
            File.WriteAllText(source, $"const char *key = \"{Idle}\";\n");
            File.Copy(GuestImages.Own("secrets.elf"), symbols);
            RecordingEmbedder.Embed(whole, carried, [new FileToEmbed("key.elf", symbols)], [new FileToEmbed($"/home/{Idle}/key.c", source)],
                bookmarks: Bytes($$"""{"bookmarks": [{"name": "here", "position": "5", "note": "it is the\u002didle-secret-9071"}], "breakpoints": []}"""));
        }
        File.Delete(source);
        File.Delete(symbols);
        File.Delete(test.FilePath);
        File.Move(carried, test.FilePath);
        using RecordingFile all = RecordingFile.Open(test.FilePath);
        Redact(test, all, Text(Idle), out RecordingFile redacted);
        using (redacted)
        {
            RedactedFile.AssertGone(redacted, Idle, "the\\u002didle-secret-9071");
            Assert.Equal(["/home/XXXXXXXXXXXXXXXXXXXX/key.c"], redacted.Embedded.SourcePaths);
            Assert.Contains("XXXXXXXXXXXXXXXXXXXX", Encoding.UTF8.GetString(redacted.Embedded.ReadBookmarks()!), StringComparison.Ordinal);
            Assert.Equal(["key.elf"], redacted.Embedded.SymbolNames);
            AssertVerifies(redacted);
        }
    }

    [Fact]
    public void Nothing_is_left_when_there_is_nothing_to_take_out_or_it_is_cancelled()
    {
        using var test = new TestRecording();
        using RecordingFile whole = Record(test);
        byte[] bytes = File.ReadAllBytes(whole.Path);
        string path = test.FilePath + ".redacted.ttvm";
        Assert.Contains("nothing of what was named", Assert.Throws<RedactionException>(() =>
            RecordingRedactor.Redact(whole, path, Text("nowhere at all"), overwrite: true, cancellation: TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
        using var cancelled = new System.Threading.CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => RecordingRedactor.Redact(whole, path, Text(Idle), overwrite: true, cancellation: cancelled.Token));
        File.WriteAllText(path, "mine");
        Assert.Throws<IOException>(() => RecordingRedactor.Redact(whole, path, Text(Idle), overwrite: false, cancellation: TestContext.Current.CancellationToken));
        Assert.Equal("mine", File.ReadAllText(path));
        File.Delete(path);
        Assert.Equal([Path.GetFileName(test.FilePath)], Directory.GetFileSystemEntries(Path.GetDirectoryName(path)!).Select(Path.GetFileName));
        Assert.Equal(bytes, File.ReadAllBytes(whole.Path));
    }

    [Fact]
    public void Texts_are_found_across_pages_and_in_any_number()
    {
        var needles = new Needles();
        var random = new Random(7);
        var all = new List<byte[]>();
        for (int i = 0; i < 200; i++)
        {
            var needle = new byte[random.Next(Needles.ShortestLength, 9)];
            for (int k = 0; k < needle.Length; k++) needle[k] = (byte)random.Next(3);
            if (needles.Add(needle)) all.Add(needle);
        }
        Assert.Equal(all.Count, needles.Count);
        for (int round = 0; round < 50; round++)
        {
            var content = new byte[random.Next(40)];
            for (int k = 0; k < content.Length; k++) content[k] = (byte)random.Next(3);
            var found = new List<ByteSpan>();
            needles.Find(content, found);
            var expected = new List<ByteSpan>();
            for (int at = 0; at < content.Length; at++)
                foreach (byte[] needle in all)
                    if (content.AsSpan(at).StartsWith(needle)) expected.Add(new ByteSpan(at, needle.Length));
            Assert.Equal(expected.OrderBy(static one => (one.Start, one.Length)), found.OrderBy(static one => (one.Start, one.Length)));
        }
    }

    private static void AssertTaken(RecordingFile whole, RecordingFile redacted, (ulong Physical, int SizeBytes)[] ranges)
    {
        using Timeline before = new(whole), after = new(redacted);
        foreach (CheckpointInfo checkpoint in redacted.Checkpoints)
        {
            before.Seek(checkpoint.Position, cancellation: TestContext.Current.CancellationToken);
            after.Seek(checkpoint.Position, cancellation: TestContext.Current.CancellationToken);
            foreach ((ulong physical, int size) in ranges)
            {
                byte[] was = new byte[size], now = new byte[size];
                before.Machine.Memory.Read(new GuestPhysicalAddress(physical), was);
                after.Machine.Memory.Read(new GuestPhysicalAddress(physical), now);
                if (was.AsSpan().ContainsAnyExcept((byte)0)) Assert.False(now.AsSpan().ContainsAnyExcept(RecordingRedactor.Filler), $"{physical:x} at {checkpoint.Position}");
            }
        }
    }

    private static RedactionPlan Text(string text) => new() { Texts = [Bytes(text)], Descriptions = ["a text"] };

    private static RedactionPlan Range(ulong physical, int sizeBytes) => new()
    {
        Select = _ => [new SelectedMemory([(physical, sizeBytes)])], Descriptions = ["memory"],
    };

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static RecordingFile Record(TestRecording test, string typing = $"send {Password}\\r")
    {
        var configuration = new MachineConfiguration
        {
            MemorySizeBytes = 2 << 20, Images = [new MachineImage("kernel", "secrets.elf", File.ReadAllBytes(GuestImages.Own("secrets.elf")))],
        };
        RecordingFile file = test.Record(configuration, interval: 7_000, input: ScriptedInput.Parse($"expect password: \nwait 3000\n{typing}"));
        Assert.Contains("thanks", Encoding.ASCII.GetString(file.Console.ReadBytes(file.End)), StringComparison.Ordinal);
        return file;
    }

    private static RedactionReport Redact(TestRecording test, RecordingFile whole, RedactionPlan plan, out RecordingFile redacted)
    {
        string path = test.FilePath + ".redacted.ttvm";
        RedactionReport report = RecordingRedactor.Redact(whole, path, plan, overwrite: true, cancellation: TestContext.Current.CancellationToken);
        // Nothing is left beside it.
        Assert.Equal([Path.GetFileName(test.FilePath), Path.GetFileName(path)], Directory.GetFileSystemEntries(Path.GetDirectoryName(path)!).Select(Path.GetFileName).Order());
        redacted = RecordingFile.Open(path);
        return report;
    }

    private static ulong AddressOf(RecordingFile recording, string text)
    {
        using var timeline = new Timeline(recording);
        var memory = new byte[timeline.Machine.Memory.Ram.PageCount << PagedMemory.PageShift];
        timeline.Machine.Memory.Read(new GuestPhysicalAddress(0), memory);
        return (ulong)memory.AsSpan().IndexOf(Bytes(text));
    }

    private static void AssertVerifies(RecordingFile recording)
    {
        VerificationReport report = RecordingVerifier.Verify(recording, cancellation: TestContext.Current.CancellationToken);
        Assert.True(report.IsGood, report.Problem);
        ulong missing = 0;
        foreach (RecordingHole hole in recording.Holes.All) missing += hole.To.InstructionCount - hole.From.InstructionCount;
        Assert.Equal(recording.InstructionCount - missing, report.ReplayedInstructions);
    }

    // Everywhere that can be visited: the same code at the same positions, and the same memory but for fillers.
    private static void AssertAlike(RecordingFile whole, RecordingFile redacted, int count = 40)
    {
        using Timeline expected = new(whole), got = new(redacted);
        var random = new Random(1);
        IEnumerable<Position> positions = Enumerable.Range(0, count).Select(_ => new Position((ulong)random.NextInt64((long)whole.End.InstructionCount)))
            .Concat(redacted.Holes.All.SelectMany(static hole => (Position[])[hole.From, hole.To])).Append(whole.End);
        foreach (Position at in positions)
        {
            if (redacted.Holes.At(at) is not null)
            {
                Assert.Throws<RedactedPositionException>(() => got.Seek(at));
                continue;
            }
            expected.Seek(at, cancellation: TestContext.Current.CancellationToken);
            got.Seek(at, cancellation: TestContext.Current.CancellationToken);
            Assert.Equal(expected.Position, got.Position);
            Assert.Equal(expected.Machine.Vcpus.Select(static vcpu => vcpu.State.Rip), got.Machine.Vcpus.Select(static vcpu => vcpu.State.Rip));
            for (int page = 0; page < expected.Machine.Memory.Ram.PageCount; page++)
            {
                ReadOnlySpan<byte> a = expected.Machine.Memory.Ram.Page(page), b = got.Machine.Memory.Ram.Page(page);
                for (int i = a.CommonPrefixLength(b); i < a.Length; i++) Assert.True(a[i] == b[i] || b[i] == RecordingRedactor.Filler, $"page {page}, byte {i} at {at}");
            }
        }
    }

    private static void AssertEdges(RecordingFile redacted, RecordingHole hole)
    {
        using var timeline = new Timeline(redacted);
        var inside = new Position(hole.From.InstructionCount + 1);
        Assert.Equal($"position {inside} cannot be replayed: memory was redacted; it replays up to {hole.From} and again from {hole.To}",
            Assert.Throws<RedactedPositionException>(() => timeline.Seek(inside)).Message);
        Assert.Equal(redacted.Start, timeline.Position);

        // Steps stop at the edge, and then go over it, in both directions.
        timeline.Seek(new Position(hole.From.InstructionCount - 3));
        AssertStop(timeline.StepForward(10), hole.From);
        AssertStop(timeline.StepForward(10), hole.To);
        Assert.Equal(TimelineStopReason.Done, timeline.StepForward(5).Reason);
        AssertStop(timeline.StepBack(10), hole.To);
        AssertStop(timeline.StepBack(10), hole.From);
        Assert.Equal(TimelineStopReason.Done, timeline.StepBack(2).Reason);

        // So does continuing, if nothing is met before.
        AssertStop(Go(true), hole.From);
        Assert.Equal(TimelineStopReason.End, Go(true).Reason);
        AssertStop(Go(false), hole.To);
        Assert.Equal(TimelineStopReason.Start, Go(false).Reason);
        // Only the steps went over it without saying so before.
        Assert.Equal([hole], redacted.Holes.TakePassed());
        Assert.Empty(redacted.Holes.TakePassed());

        using var passing = new Timeline(redacted);
        passing.Seek(hole.From);
        TimelineStop text = passing.Continue([StopCondition.ConsoleText("password: ")]);
        Assert.True(text.Reason == TimelineStopReason.Hit && text.Position > hole.To);
        passing.Seek(redacted.Start);
        TimelineStop port = passing.Continue([StopCondition.Port(0xF4)]);
        Assert.Equal(TimelineStopReason.Hit, port.Reason);
        Assert.Equal([hole], redacted.Holes.TakePassed());
        passing.Seek(redacted.End);
        TimelineStop first = passing.ReverseContinue([StopCondition.ConsoleText("secrets: begins")]);
        Assert.True(first.Reason == TimelineStopReason.Hit && first.Position < hole.From);
        passing.Seek(redacted.End);
        Assert.Equal(TimelineStopReason.Start, passing.ReverseContinue([StopCondition.Port(0x1234)]).Reason);
        Assert.Equal([hole], redacted.Holes.TakePassed());

        TimelineStop Go(bool isForward) => isForward ? timeline.Continue([], null, null, TestContext.Current.CancellationToken, stopsAtHoles: true)
            : timeline.ReverseContinue([], null, null, TestContext.Current.CancellationToken, stopsAtHoles: true);

        void AssertStop(TimelineStop stop, Position position)
        {
            Assert.Equal((TimelineStopReason.Hole, position), (stop.Reason, stop.Position));
            Assert.Equal(hole, stop.Hole);
        }
    }
}
