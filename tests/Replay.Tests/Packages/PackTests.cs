using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Text;
using Replay.Packages;
using Replay.Recording;
using Replay.Tests.Recordings;
using Replay.Timelines;
using Replay.Verification;
using TestKit;
using Vmm.Time;
using Xunit;

namespace Replay.Tests.Packages;

/// <summary>Packing, unpacking and signing keep what was recorded.</summary>
public sealed class PackTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-pack").FullName;

    private string PathOf(string name) => Path.Combine(_folder, name);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public static TheoryData<string> Goldens() => [.. Directory.GetFiles(Repository.PathOf("traces"), "*.ttvm").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private static void CheckGood(RecordingFile recording)
    {
        VerificationReport report = RecordingVerifier.Verify(recording, cancellation: TestContext.Current.CancellationToken);
        Assert.True(report.IsGood, report.Problem);
    }

    [Theory]
    [MemberData(nameof(Goldens))]
    public void A_packed_recording_is_the_same_and_smaller(string name)
    {
        using var whole = RecordingFile.Open(Repository.PathOf($"traces/{name}"));
        foreach (bool strips in (bool[])[false, true])
        {
            string path = PathOf($"{strips}.ttvm");
            RecordingCompactor.Compact(whole, path, overwrite: false, strips, cancellation: TestContext.Current.CancellationToken);
            using var packed = RecordingFile.Open(path);
            // One that was packed already gets no smaller, but no larger either, except for what the manifest says of the start of a stripped one.
            bool isPacked = whole.Pages.Frames[0].Kind == FrameKind.PackedPages;
            Assert.InRange(new FileInfo(path).Length, 1, new FileInfo(whole.Path).Length - (isPacked ? strips ? -100 : 0 : 1));
            Assert.Equal(3, packed.Manifest.FormatVersion);
            Assert.Equal(whole.Manifest.Images, packed.Manifest.Images);
            Assert.Equal(whole.Manifest.End, packed.Manifest.End);
            Assert.Equal(whole.Checkpoints.Select(static one => one with { SizeBytes = 0 }), packed.Checkpoints.Select(static one => one with { SizeBytes = 0 }));
            Assert.Equal(whole.Log.ReadAll().Count(), packed.Log.ReadAll().Count());
            CheckGood(packed);
            using Timeline reference = new(whole), timeline = new(packed);
            Position middle = new(whole.End.InstructionCount - whole.InstructionCount / 2);
            reference.Seek(middle, cancellation: TestContext.Current.CancellationToken);
            timeline.Seek(middle, cancellation: TestContext.Current.CancellationToken);
            Assert.Equal(reference.Digest(), timeline.Digest());
        }
    }

    [Fact]
    public void Packing_again_and_trimming_what_was_packed_work()
    {
        using var test = new TestRecording();
        using RecordingFile whole = test.Record(TestRecording.Demo64(2, 5), interval: 50_000);
        RecordingCompactor.Compact(whole, PathOf("1.ttvm"), overwrite: false, stripImages: false, cancellation: TestContext.Current.CancellationToken);
        using var once = RecordingFile.Open(PathOf("1.ttvm"));
        RecordingCompactor.Compact(once, PathOf("2.ttvm"), overwrite: false, stripImages: false, cancellation: TestContext.Current.CancellationToken);
        using var twice = RecordingFile.Open(PathOf("2.ttvm"));
        Assert.Equal(once.Identity, twice.Identity);
        RecordingTrimmer.Trim(once, new Position(400_000), new Position(600_000), PathOf("3.ttvm"), overwrite: false, cancellation: TestContext.Current.CancellationToken);
        using var cut = RecordingFile.Open(PathOf("3.ttvm"));
        CheckGood(cut);
        Assert.True(once.Sizes.PageStoreSizeBytes < whole.Sizes.PageStoreSizeBytes);
    }

    [Theory]
    [InlineData(120_000UL)]
    [InlineData(ulong.MaxValue)]
    public void Checkpoints_may_be_left_out(ulong distance)
    {
        using var test = new TestRecording();
        using RecordingFile whole = test.Record(TestRecording.Demo64(2, 5), interval: 50_000);
        RecordingCompactor.Compact(whole, PathOf("few.ttvm"), overwrite: false, stripImages: false, distance, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(["few.ttvm"], Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName));
        using var few = RecordingFile.Open(PathOf("few.ttvm"));
        Assert.InRange(few.Checkpoints.Count, 1, distance == ulong.MaxValue ? 1 : whole.Checkpoints.Count / 2);
        Assert.Equal(whole.Manifest.End, few.Manifest.End);
        CheckGood(few);
        using Timeline reference = new(whole), timeline = new(few);
        foreach (ulong at in (ulong[])[whole.End.InstructionCount, 300_000, 555_555])
        {
            reference.Seek(new Position(at), cancellation: TestContext.Current.CancellationToken);
            timeline.Seek(new Position(at), cancellation: TestContext.Current.CancellationToken);
            Assert.Equal(reference.Digest(), timeline.Digest());
        }
        // The end's digest is compared although no checkpoint is there.
        string digest = whole.Manifest.End.Digest, other = (digest[0] == '0' ? '1' : '0') + digest[1..];
        RecordingManifest lie = few.Manifest with { End = few.Manifest.End with { Digest = other } };
        lie = lie with { Identity = RecordingPacker.IdentityOf(lie).ToString() };
        ContainerRewriter.Replace(PathOf("lie.ttvm"), container =>
        {
            ContainerRewriter.CopyParts(few, container, static _ => true);
            container.Add(PartName.Manifest, ManifestJson.Write(lie));
        });
        using var lying = RecordingFile.Open(PathOf("lie.ttvm"));
        VerificationReport report = RecordingVerifier.Verify(lying, cancellation: TestContext.Current.CancellationToken);
        Assert.False(report.IsGood);
        Assert.NotNull(report.FirstBad);
    }

    [Theory]
    [MemberData(nameof(Goldens))]
    public void Unpacked_and_put_together_again_it_is_the_same_file(string name)
    {
        string original = Repository.PathOf($"traces/{name}");
        using (var recording = RecordingFile.Open(original)) RecordingFolder.Unpack(recording, PathOf("parts"));
        string listing = File.ReadAllText(PathOf($"parts/{RecordingFolder.ListingName}"));
        using (var recording = RecordingFile.Open(original))
        {
            Assert.Contains(recording.Identity.ToString(), listing, StringComparison.Ordinal);
            Assert.Contains(recording.Checkpoints[^1].Digest.ToString(), listing, StringComparison.Ordinal);
        }
        RecordingFolder.Pack(PathOf("parts"), PathOf("again.ttvm"), overwrite: false);
        Assert.Equal(File.ReadAllBytes(original), File.ReadAllBytes(PathOf("again.ttvm")));
        Assert.Throws<IOException>(() => RecordingFolder.Pack(PathOf("parts"), PathOf("again.ttvm"), overwrite: false));

        foreach (string file in Directory.GetFiles(PathOf("parts"), "*", SearchOption.AllDirectories))
        {
            if (Path.GetFileName(file) is "manifest.json" or RecordingFolder.ListingName) continue;
            byte[] content = File.ReadAllBytes(file);
            content[content.Length / 2] ^= 1;
            File.WriteAllBytes(file, content);
            string message = Assert.Throws<RecordingFormatException>(() => RecordingFolder.Pack(PathOf("parts"), PathOf("bad.ttvm"), overwrite: false)).Message;
            Assert.Contains("it was changed", message, StringComparison.Ordinal);
            Assert.False(File.Exists(PathOf("bad.ttvm")));
            content[content.Length / 2] ^= 1;
            File.WriteAllBytes(file, content);
        }
        RecordingFolder.Pack(PathOf("parts"), PathOf("again.ttvm"), overwrite: true);
    }

    [Theory]
    [InlineData("../evil")]
    [InlineData("images/../../evil")]
    [InlineData("symbols/../0")]
    [InlineData("listing.txt")]
    public void Names_of_parts_never_lead_elsewhere(string name)
    {
        using (var recording = RecordingFile.Open(Repository.PathOf("traces/echo.ttvm"))) RecordingFolder.Unpack(recording, PathOf("parts"));
        string manifest = File.ReadAllText(PathOf("parts/manifest.json")).Replace("\"log.index\"", $"\"{name}\"", StringComparison.Ordinal);
        File.WriteAllText(PathOf("parts/manifest.json"), manifest);
        string message = Assert.Throws<RecordingFormatException>(() => RecordingFolder.Pack(PathOf("parts"), PathOf("x.ttvm"), overwrite: false)).Message;
        Assert.Contains("an unknown part", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_changed_byte_in_any_part_is_found(bool isRsa)
    {
        using AsymmetricAlgorithm key = isRsa ? RSA.Create(2048) : ECDsa.Create(ECCurve.NamedCurves.nistP256), other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string pem = key.ExportPkcs8PrivateKeyPem(), open = key.ExportSubjectPublicKeyInfoPem(), path = PathOf("signed.ttvm");
        File.WriteAllText(PathOf("a.c"), "int main;");
        using (var recording = RecordingFile.Open(Repository.PathOf("traces/echo.ttvm")))
            RecordingEmbedder.Embed(recording, path, [new FileToEmbed("s", PathOf("a.c"))], [new FileToEmbed("/a.c", PathOf("a.c"))], null, Encoding.UTF8.GetBytes("{\"bookmarks\":[]}"));
        using (var recording = RecordingFile.Open(path))
        {
            Assert.Equal("it is not signed", RecordingSigner.Check(recording, open));
            Assert.Throws<SigningKeyException>(() => RecordingSigner.Sign(recording, path, open));
            Assert.Throws<SigningKeyException>(() => RecordingSigner.Sign(recording, path, "no key"));
            RecordingSigner.Sign(recording, path, pem);
        }
        var places = new List<(string Name, long Offset)>();
        byte[] good = File.ReadAllBytes(path);
        using (var recording = RecordingFile.Open(path))
        {
            Assert.Null(RecordingSigner.Check(recording, open));
            Assert.Equal("it was signed with another key", RecordingSigner.Check(recording, other.ExportSubjectPublicKeyInfoPem()));
            CheckGood(recording);
            foreach (string name in recording.Manifest.Parts.Select(static part => part.Name).Append("manifest.json"))
            {
                using Stream content = recording.OpenPart(name);
                var bytes = new byte[content.Length];
                content.ReadExactly(bytes);
                int at = good.AsSpan().IndexOf(bytes);
                Assert.True(at > 0);
                foreach (int offset in (int[])[0, bytes.Length / 3, bytes.Length / 2, bytes.Length - 1]) places.Add((name, at + offset));
            }
        }
        Assert.True(places.Count >= 4 * 12);
        foreach ((string name, long offset) in places)
        {
            byte[] bad = (byte[])good.Clone();
            bad[offset] ^= 4;
            File.WriteAllBytes(PathOf("bad.ttvm"), bad);
            string? problem;
            try
            {
                using var recording = RecordingFile.Open(PathOf("bad.ttvm"));
                problem = RecordingSigner.Check(recording, open);
            }
            catch (RecordingFormatException e)
            {
                problem = e.Message;
            }
            Assert.True(problem is not null, $"a changed byte at {offset} in {name} was not seen");
        }
    }

    [Theory]
    [InlineData(5, false, "a newer ttvm made it")]
    [InlineData(0, false, "record it again")]
    [InlineData(1, true, "format version 1 begins at power-on")]
    [InlineData(2, true, "does not continue the one before")]
    [InlineData(3, true, "does not continue the one before")]
    public void A_version_that_does_not_fit_is_refused_in_one_sentence(int version, bool hasStart, string words)
    {
        using (var recording = RecordingFile.Open(Repository.PathOf("traces/echo.ttvm")))
            ContainerRewriter.Replace(PathOf("other.ttvm"), container =>
            {
                ContainerRewriter.CopyParts(recording, container, static _ => true);
                container.Add(PartName.Manifest, ManifestJson.Write(recording.Manifest with { FormatVersion = version, Start = hasStart ? new ManifestStart(5, 0, "") : null }));
            });
        string message = Assert.Throws<RecordingFormatException>(() => RecordingFile.Open(PathOf("other.ttvm"))).Message;
        Assert.DoesNotContain('\n', message);
        Assert.Contains(words, message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_forged_manifest_does_not_pass()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string path = PathOf("signed.ttvm");
        using (var recording = RecordingFile.Open(Repository.PathOf("traces/echo.ttvm"))) RecordingSigner.Sign(recording, path, key.ExportPkcs8PrivateKeyPem());
        ManifestSignature signature;
        using (var recording = RecordingFile.Open(path)) signature = recording.Manifest.Signature!;
        // Another recording, whole and with the right identity, that claims the signature.
        using var stranger = RecordingFile.Open(Repository.PathOf("traces/triplefault.ttvm"));
        ContainerRewriter.Replace(path, container =>
        {
            ContainerRewriter.CopyParts(stranger, container, static _ => true);
            container.Add(PartName.Manifest, ManifestJson.Write(stranger.Manifest with { Signature = signature }));
        });
        using var forged = RecordingFile.Open(path);
        Assert.Equal("its checkpoints are not those that were signed", RecordingSigner.Check(forged, key.ExportSubjectPublicKeyInfoPem()));
    }
}
