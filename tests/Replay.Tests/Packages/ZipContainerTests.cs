using System;
using System.IO;
using System.IO.Compression;
using System.Security.Cryptography;
using Replay.Packages;
using Xunit;

namespace Replay.Tests.Packages;

/// <summary>Our zip files against the BCL's zip, and our reader against damage.</summary>
public sealed class ZipContainerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-zip").FullName;

    private string FilePath => Path.Combine(_folder, "test.ttvm");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Any_unzip_reads_it()
    {
        byte[] a = Content(100_000, 1), b = Content(0, 2);
        Write(a, b);
        using (ZipArchive archive = ZipFile.OpenRead(FilePath))
        {
            Assert.Equal(2, archive.Entries.Count);
            Assert.Equal(a, Extract(archive.GetEntry("a")!));
            Assert.Equal(b, Extract(archive.GetEntry("folder/b")!));
            Assert.Equal(archive.GetEntry("a")!.Length, archive.GetEntry("a")!.CompressedLength);
        }
        using var reader = new ZipContainerReader(FilePath);
        PartReader part = reader.Get("a");
        var middle = new byte[1000];
        part.Read(5000, middle);
        Assert.Equal(a[5000..6000], middle);
        Assert.Throws<RecordingFormatException>(() => part.Read(99_500, middle));
        Assert.Throws<RecordingFormatException>(() => reader.Get("c"));
    }

    [Fact]
    public void Damage_is_told_in_one_sentence()
    {
        Write(Content(3000, 1), Content(500, 2));
        byte[] whole = File.ReadAllBytes(FilePath);
        var random = new Random(7);
        for (int round = 0; round < 2000; round++)
        {
            byte[] bytes = (byte[])whole.Clone();
            if (round % 3 == 0) bytes = bytes[..random.Next(bytes.Length)];
            else
            {
                // Mostly the directory: the rest is not looked at here.
                int from = round % 3 == 1 ? bytes.Length - 150 : 0;
                bytes[random.Next(from, bytes.Length)] ^= (byte)(1 + random.Next(255));
            }
            File.WriteAllBytes(FilePath, bytes);
            try
            {
                using var reader = new ZipContainerReader(FilePath);
                foreach (string name in reader.Names) reader.Get(name).ReadAll(1 << 20);
            }
            catch (RecordingFormatException e)
            {
                Assert.StartsWith(FilePath, e.Message, StringComparison.Ordinal);
                Assert.DoesNotContain('\n', e.Message);
            }
        }
    }

    private void Write(byte[] a, byte[] b)
    {
        using var writer = new ZipContainerWriter(FilePath);
        Assert.Equal(SHA256.HashData(a), writer.Add("a", a));
        writer.Add("folder/b", b);
        writer.Finish();
    }

    private static byte[] Content(int size, int seed)
    {
        var bytes = new byte[size];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    // The BCL checks the CRC as it reads.
    private static byte[] Extract(ZipArchiveEntry entry)
    {
        using Stream stream = entry.Open();
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}
