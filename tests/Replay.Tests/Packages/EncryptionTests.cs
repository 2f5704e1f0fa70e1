using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Threading.Tasks;
using Replay.Packages;
using Replay.Timelines;
using Replay.Verification;
using TestKit;
using Vmm.Time;
using Xunit;

namespace Replay.Tests.Packages;

/// <summary>An encrypted recording is the recording for who has the passphrase, and nothing for others; what was changed in it is found.</summary>
public sealed class EncryptionTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-encryption").FullName;
    private readonly RecordingPassphrase _passphrase = new("correct horse"u8);
    private readonly byte[] _salt = SHA256.HashData("a salt"u8);

    private string PathOf(string name) => Path.Combine(_folder, name);

    public void Dispose()
    {
        _passphrase.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("demo64-mcs.ttvm")]
    [InlineData("triplefault.ttvm")]
    public void It_replays_and_comes_back_byte_for_byte(string name)
    {
        string plain = Repository.PathOf($"traces/{name}"), path = PathOf("x.ttvm"), back = PathOf("back.ttvm");
        RecordingEncryption.Encrypt(plain, path, _passphrase, _salt);
        Assert.True(RecordingEncryption.IsEncrypted(path));
        using (var recording = RecordingFile.Open(path, _passphrase))
        using (var reference = RecordingFile.Open(plain))
        {
            Assert.Equal(reference.Identity, recording.Identity);
            VerificationReport report = RecordingVerifier.Verify(recording, cancellation: TestContext.Current.CancellationToken);
            Assert.True(report.IsGood, report.Problem);
            Position middle = new(recording.End.InstructionCount / 2);
            using Timeline expected = new(reference), timeline = new(recording);
            expected.Seek(middle, cancellation: TestContext.Current.CancellationToken);
            timeline.Seek(middle, cancellation: TestContext.Current.CancellationToken);
            Assert.Equal(expected.Digest(), timeline.Digest());
        }
        // Only the file itself is there: nothing was decrypted beside it.
        Assert.Equal(["x.ttvm"], Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName));
        RecordingEncryption.Decrypt(path, back, _passphrase);
        Assert.Equal(File.ReadAllBytes(plain), File.ReadAllBytes(back));
    }

    [Fact]
    public void Nothing_of_it_can_be_read()
    {
        string plain = Repository.PathOf("traces/demo64-mcs.ttvm"), path = PathOf("x.ttvm");
        RecordingEncryption.Encrypt(plain, path, _passphrase, _salt);
        byte[] before = File.ReadAllBytes(plain), after = File.ReadAllBytes(path);
        foreach (byte[] word in (byte[][])["manifest.json"u8.ToArray(), "PK"u8.ToArray().Concat(new byte[] { 3, 4 }).ToArray(), "TTVF"u8.ToArray()])
        {
            Assert.True(before.AsSpan().IndexOf(word) >= 0);
            Assert.True(after.AsSpan().IndexOf(word) < 0);
        }
        // Another salt, and all of it is different: equal chunks do not show.
        RecordingEncryption.Encrypt(plain, PathOf("y.ttvm"), _passphrase, SHA256.HashData("another"u8));
        byte[] other = File.ReadAllBytes(PathOf("y.ttvm"));
        int equal = Enumerable.Range(EncryptedHeader.SizeBytes, after.Length - EncryptedHeader.SizeBytes).Count(i => after[i] == other[i]);
        Assert.InRange(equal, 0, after.Length / 128);
    }

    [Fact]
    public void The_passphrase_is_needed()
    {
        string path = PathOf("x.ttvm");
        RecordingEncryption.Encrypt(Repository.PathOf("traces/triplefault.ttvm"), path, _passphrase, _salt);
        Assert.Contains("no passphrase", Refusal(path, null), StringComparison.Ordinal);
        using var wrong = new RecordingPassphrase("correct horse "u8);
        Assert.Contains("the passphrase is another one", Refusal(path, wrong), StringComparison.Ordinal);
        Assert.Equal($"{path} is encrypted already", Assert.Throws<RecordingFormatException>(() => RecordingEncryption.Encrypt(path, PathOf("y.ttvm"), _passphrase, _salt)).Message);
        string plain = Repository.PathOf("traces/triplefault.ttvm");
        Assert.Equal($"{plain} is not encrypted", Assert.Throws<RecordingFormatException>(() => RecordingEncryption.Decrypt(plain, PathOf("y.ttvm"), _passphrase)).Message);
        Assert.False(File.Exists(PathOf("y.ttvm")));
        // One that is not encrypted needs none, and takes one.
        RecordingFile.Open(plain, _passphrase).Dispose();
    }

    /// <summary>Each byte of the header, and of the rest those of both ends of each chunk and many between.</summary>
    [Fact]
    public void A_changed_byte_anywhere_is_found()
    {
        byte[] whole = Encrypted("demo64-mcs.ttvm");
        EncryptedHeader header = EncryptedHeader.Read(whole)!;
        Assert.Equal(3, header.ChunkCount);
        IEnumerable<int> places = Enumerable.Range(0, EncryptedHeader.SizeBytes);
        for (long chunk = 0; chunk < header.ChunkCount; chunk++)
        {
            int start = (int)header.OffsetOf(chunk), end = start + header.SizeOf(chunk) + EncryptedHeader.TagSizeBytes;
            places = places.Concat([start, start + 1, end - 17, end - 16, end - 1]).Concat(Enumerable.Range(0, 20).Select(i => start + i * 3001 % (end - start)));
        }
        foreach (int at in places)
        {
            // A changed iteration count changes the key, and may take long: its upper bytes are left as they are.
            if (at is >= 10 and < 12) continue;
            byte[] changed = [.. whole];
            changed[at] ^= 0x10;
            string problem = Refusal(Write(changed), _passphrase);
            // In the first four, it is no encrypted recording any more.
            string expected = at < 4 ? "not a recording" : at < EncryptedHeader.SizeBytes ? "damaged|were changed" : "are not as they were encrypted";
            Assert.Matches(expected, problem);
        }
    }

    [Fact]
    public void What_is_cut_off_added_or_moved_is_found()
    {
        byte[] whole = Encrypted("demo64-mcs.ttvm");
        EncryptedHeader header = EncryptedHeader.Read(whole)!;
        foreach (int length in (int[])[4, 50, EncryptedHeader.SizeBytes, (int)header.OffsetOf(1), (int)header.OffsetOf(2), whole.Length - 1])
            Assert.Matches("cut off|damaged", Refusal(Write(whole[..length]), _passphrase));
        Assert.Contains("behind its end", Refusal(Write([.. whole, 0]), _passphrase), StringComparison.Ordinal);
        // The first two chunks, each the other's.
        int size = (int)(header.OffsetOf(1) - header.OffsetOf(0)), first = (int)header.OffsetOf(0);
        byte[] swapped = [.. whole[..first], .. whole[(first + size)..(first + 2 * size)], .. whole[first..(first + size)], .. whole[(first + 2 * size)..]];
        Assert.Contains("damaged", Refusal(Write(swapped), _passphrase), StringComparison.Ordinal);
        // The same chunk of another file with the same passphrase.
        RecordingEncryption.Encrypt(Repository.PathOf("traces/demo64-mcs.ttvm"), PathOf("other.ttvm"), _passphrase, SHA256.HashData("another"u8));
        byte[] mixed = [.. whole[..first], .. File.ReadAllBytes(PathOf("other.ttvm"))[first..(first + size)], .. whole[(first + size)..]];
        Assert.Contains("damaged", Refusal(Write(mixed), _passphrase), StringComparison.Ordinal);
        // A file that ends with its second chunk, and says so: the seal of the header does not fit.
        byte[] shorter = whole[..(first + 2 * size)];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(shorter.AsSpan(16), 2 * header.ChunkSizeBytes);
        Assert.Contains("were changed", Refusal(Write(shorter), _passphrase), StringComparison.Ordinal);
    }

    /// <summary>Several readers, each piece where chunks meet: the same bytes as in the plain file.</summary>
    [Fact]
    public void Any_piece_can_be_read_by_several_at_once()
    {
        string plain = Repository.PathOf("traces/demo64-ring.ttvm"), path = PathOf("x.ttvm");
        RecordingEncryption.Encrypt(plain, path, _passphrase, _salt);
        byte[] expected = File.ReadAllBytes(plain);
        using ByteSource source = RecordingEncryption.OpenBytes(path, _passphrase);
        Assert.Equal(expected.Length, source.SizeBytes);
        Parallel.For(0, 400, i =>
        {
            int offset = (int)((uint)(i * 7919 * 13) % (uint)expected.Length), count = Math.Min(1 + i * 331 % 100_000, expected.Length - offset);
            var piece = new byte[count];
            for (int filled = 0; filled < count;) filled += source.Read(offset + filled, piece.AsSpan(filled));
            Assert.Equal(expected[offset..(offset + count)], piece);
        });
        Assert.Equal(0, source.Read(expected.Length, new byte[1]));
    }

    private byte[] Encrypted(string name)
    {
        string path = PathOf("whole.ttvm");
        RecordingEncryption.Encrypt(Repository.PathOf($"traces/{name}"), path, _passphrase, _salt);
        return File.ReadAllBytes(path);
    }

    private string Write(byte[] bytes)
    {
        string path = PathOf("changed.ttvm");
        File.WriteAllBytes(path, bytes);
        return path;
    }

    // All of it is read.
    private static string Refusal(string path, RecordingPassphrase? passphrase) => Assert.Throws<RecordingFormatException>(() =>
    {
        using var recording = RecordingFile.Open(path, passphrase);
        recording.VerifyHashes(TestContext.Current.CancellationToken);
    }).Message;
}
