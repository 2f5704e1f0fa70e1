using System;
using System.Collections.Generic;
using System.IO;
using System.IO.Compression;
using System.Linq;
using System.Security.Cryptography;
using System.Text;
using Replay.Packages;
using Replay.Verification;
using TestKit;
using Xunit;

namespace Proof.Tests;

/// <summary>
/// The golden recordings in traces/ go on to verify, and the commands that made them go on to make the same. A change of the machine's saved state or of what it does makes them differ: when
/// that is meant, <see cref="Remake"/> makes them anew and the change says why.
/// </summary>
public sealed class GoldenRecordingTests
{
    private const long MostBytesTogether = 2 << 20;
    private const string RemakeCommand = "dotnet artifacts/bin/Proof.Tests/release/Proof.Tests.dll -explicit only -method '*Remake'";

    public static TheoryData<string> Files => [.. GoldenManifest.Read().Select(static golden => golden.File)];

    public static TheoryData<string> RepeatableFiles => [.. GoldenManifest.Read().Where(static golden => golden.Repeatable).Select(static golden => golden.File)];

    [Theory]
    [MemberData(nameof(Files))]
    public void A_golden_recording_verifies(string file)
    {
        Golden golden = Find(file);
        string path = GoldenManifest.PathOf(golden);
        Assert.Equal(golden.Sha256, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))));
        using RecordingFile recording = RecordingFile.Open(path);
        VerificationReport report = RecordingVerifier.Verify(recording);
        Assert.True(report.IsGood, $"{file}: {report.Problem}\nif the machine is meant to have changed: {RemakeCommand}");
        Assert.Equal(golden, Describe(golden, path));
        Assert.Equal(golden.Command, recording.Manifest.RecordedFrom);
    }

    [Theory]
    [MemberData(nameof(RepeatableFiles))]
    public void Its_command_makes_it_again(string file)
    {
        Golden golden = Find(file);
        using var folder = new RecordingFolder($"golden-{file}");
        string path = folder.PathOf(file);
        Record(golden, path, ImagesOf(golden, folder));
        Assert.Equal(golden.EndDigest, Ttvm.EndDigest(path));
        using (RecordingFile old = RecordingFile.Open(GoldenManifest.PathOf(golden)), now = RecordingFile.Open(path)) AssertSame(old, now);
        folder.Succeed();
    }

    [Fact]
    public void The_manifest_lists_the_folder()
    {
        List<Golden> goldens = GoldenManifest.Read();
        string[] files = [.. Directory.EnumerateFiles(GoldenManifest.Folder, "*.ttvm").Select(static path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
        Assert.Equal(files, goldens.Select(static golden => golden.File).Order(StringComparer.Ordinal));
        Assert.All(goldens, static golden => Assert.NotEmpty(golden.Why));
        Assert.InRange(Directory.EnumerateFiles(GoldenManifest.Folder).Sum(static path => new FileInfo(path).Length), 1, MostBytesTogether);
    }

    /// <summary>Not a test: makes all golden recordings anew, from the guests as they are built now, and writes what they are into the manifest.</summary>
    [Fact(Explicit = true)]
    public void Remake()
    {
        var made = new List<Golden>();
        foreach (Golden golden in GoldenManifest.Read())
        {
            GuestImages.Own("echo.elf");
            string path = GoldenManifest.PathOf(golden);
            File.Delete(path);
            Record(golden, null, null);
            made.Add(Describe(golden, path));
        }
        GoldenManifest.Write(made);
    }

    // Of the same format version, byte for byte; a later one keeps what was recorded in other bytes, except for the log.
    private static void AssertSame(RecordingFile old, RecordingFile now)
    {
        if (old.Manifest.FormatVersion == now.Manifest.FormatVersion)
        {
            Assert.Equal(old.Identity, now.Identity);
            return;
        }
        (string, string)[] before = [.. Digests(old)], after = [.. Digests(now)];
        if (old.Manifest.Start is null)
        {
            Assert.Equal(before, after);
            Assert.Equal(Hash(old, "log"), Hash(now, "log"));
        }
        else
        {
            // How much a ring keeps depends on how large the bytes are: what both kept is the same.
            int count = Math.Min(before.Length, after.Length);
            Assert.True(count >= 3, $"{count} checkpoints");
            Assert.Equal(before[^count..], after[^count..]);
        }
        Assert.Equal((old.End, old.Outcome.Kind, old.Outcome.Code), (now.End, now.Outcome.Kind, now.Outcome.Code));

        static IEnumerable<(string, string)> Digests(RecordingFile recording) => recording.Checkpoints.Select(static one => (one.Position.ToString(), one.Digest.ToString()));
        static string Hash(RecordingFile recording, string part) => recording.Manifest.Parts.Single(one => one.Name == part).Sha256;
    }

    private static Golden Find(string file) => GoldenManifest.Read().Single(golden => golden.File == file);

    private static Golden Describe(Golden golden, string path)
    {
        using RecordingFile recording = RecordingFile.Open(path);
        string printed = Encoding.Latin1.GetString(recording.Console.ReadBytes(recording.End));
        return golden with
        {
            LastLine = printed.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1].TrimEnd('\r'), Outcome = recording.Outcome.Kind.ToString(),
            Code = recording.Outcome.Code, End = recording.End.ToString(), EndDigest = recording.Checkpoints[^1].Digest.ToString(),
            Sha256 = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))),
        };
    }

    // The images that a recording was made of are in it: another compiler's demo32 is not the one that was recorded.
    private static Dictionary<string, string> ImagesOf(Golden golden, RecordingFolder folder)
    {
        var images = new Dictionary<string, string>(StringComparer.Ordinal);
        using RecordingFile recording = RecordingFile.Open(GoldenManifest.PathOf(golden));
        using ZipArchive zip = ZipFile.OpenRead(GoldenManifest.PathOf(golden));
        foreach (ManifestImage image in recording.Manifest.Images)
        {
            images[image.Name] = folder.PathOf(image.Name);
            zip.GetEntry(image.Part)!.ExtractToFile(images[image.Name]);
        }
        return images;
    }

    private static void Record(Golden golden, string? path, Dictionary<string, string>? images)
    {
        string[] words = Ttvm.Split(golden.Command);
        Assert.Equal("ttvm", words[0]);
        for (int i = 1; i < words.Length; i++)
        {
            if (path is not null && words[i - 1] == "-o") words[i] = path;
            if (images is not null && words[i - 1] == "--kernel") words[i] = images[Path.GetFileName(words[i])];
        }
        // Exit code 1: the guest failed, as a triple fault does, and the recording is there.
        Ttvm.Expect(golden.Outcome == "TripleFault" ? 1 : 0, words[1..]);
        if (golden.Pack is null) return;
        string target = path ?? GoldenManifest.PathOf(golden), recorded = target + ".recorded";
        File.Move(target, recorded);
        Ttvm.Expect(0, ["pack", recorded, "-o", target, .. Ttvm.Split(golden.Pack)]);
        File.Delete(recorded);
    }
}
