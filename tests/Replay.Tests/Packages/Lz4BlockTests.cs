using System;
using System.Linq;
using System.Text;
using K4os.Compression.LZ4;
using Replay.Packages;
using Xunit;

namespace Replay.Tests.Packages;

/// <summary>Our reader of LZ4 blocks, against the library that writes them, by hand, and on bytes that are no block.</summary>
public sealed class Lz4BlockTests
{
    public static TheoryData<string> Contents => ["zeros", "random", "text", "pages", "runs", "far"];

    [Theory]
    [MemberData(nameof(Contents))]
    public void What_the_library_writes_is_read(string name)
    {
        foreach (int length in (int[])[1, 4, 5, 12, 13, 14, 15, 19, 64, 270, 271, 4096, 65535, 65536, 65537, 66048, 300_000])
        {
            byte[] content = Content(name, length);
            var block = new byte[Lz4Block.MaximumLength(length)];
            int size = Lz4Block.Compress(content, block);
            var read = new byte[length];
            Assert.True(Lz4Block.TryDecompress(block.AsSpan(0, size), read), $"{length} bytes");
            Assert.Equal(content, read);
            // The best that the library can do is another way through the format.
            size = LZ4Codec.Encode(content, block, LZ4Level.L12_MAX);
            read.AsSpan().Clear();
            Assert.True(Lz4Block.TryDecompress(block.AsSpan(0, size), read), $"{length} bytes, tightly");
            Assert.Equal(content, read);
            // Neither less nor more.
            Assert.False(Lz4Block.TryDecompress(block.AsSpan(0, size), new byte[length - 1]));
            Assert.False(Lz4Block.TryDecompress(block.AsSpan(0, size), new byte[length + 1]));
        }
    }

    [Theory]
    [InlineData("50 68656C6C6F", "hello")]
    [InlineData("30 616263 0300 50 2D2D2D2D2D", "abcabca-----")]
    [InlineData("1F 78 0100 05 50 2D2D2D2D2D", "xxxxxxxxxxxxxxxxxxxxxxxxx-----")]
    [InlineData("F0 00 3031323334353637383930313233 34", "012345678901234")]
    public void Blocks_by_hand_are_read(string block, string expected)
    {
        var read = new byte[expected.Length];
        Assert.True(Lz4Block.TryDecompress(Convert.FromHexString(block.Replace(" ", "", StringComparison.Ordinal)), read));
        Assert.Equal(expected, Encoding.ASCII.GetString(read));
    }

    [Theory]
    [InlineData("")]
    [InlineData("50 6865")]
    [InlineData("10 61 0000 50 2D2D2D2D2D")]
    [InlineData("10 61 0200 50 2D2D2D2D2D")]
    [InlineData("10 61 01")]
    [InlineData("10 61 0100")]
    [InlineData("F0 FFFFFFFF")]
    [InlineData("1F 61 0100 FFFFFFFFFFFFFFFF")]
    public void What_is_no_block_is_refused(string block)
    {
        byte[] bytes = Convert.FromHexString(block.Replace(" ", "", StringComparison.Ordinal));
        for (int length = 0; length < 40; length++) Assert.False(Lz4Block.TryDecompress(bytes, new byte[length]), $"{length} bytes");
    }

    [Fact]
    public void Changed_blocks_never_lead_outside()
    {
        var random = new Random(5);
        int refused = 0;
        for (int round = 0; round < 20_000; round++)
        {
            byte[] content = Content(Contents.ElementAt(round % 6).Data, 1 + random.Next(600));
            var block = new byte[Lz4Block.MaximumLength(content.Length)];
            Span<byte> part = block.AsSpan(0, Lz4Block.Compress(content, block));
            for (int change = random.Next(4); change >= 0; change--) part[random.Next(part.Length)] = (byte)random.Next(256);
            part = part[..random.Next(1, part.Length + 1)];
            // An exception would be a failure; so would be a byte behind the span.
            var read = new byte[content.Length + 16];
            if (!Lz4Block.TryDecompress(part, read.AsSpan(0, content.Length))) refused++;
            Assert.Equal(-1, read.AsSpan(content.Length).IndexOfAnyExcept((byte)0));
        }
        Assert.True(refused > 5_000, $"{refused} refused");
    }

    private static byte[] Content(string name, int length)
    {
        var random = new Random(length);
        var bytes = new byte[length];
        switch (name)
        {
            case "random": random.NextBytes(bytes); break;
            case "text": for (int i = 0; i < length; i++) bytes[i] = (byte)"the quick brown fox jumps over the lazy dog "[(i * 7 + i / 90) % 44]; break;
            case "pages": for (int i = 0; i + 8 <= length; i += 8) BitConverter.TryWriteBytes(bytes.AsSpan(i), 0x8000_0000_0000_0163UL + (ulong)(i / 8 % 512) * 0x1000); break;
            case "runs": for (int i = 0; i < length; i++) bytes[i] = (byte)(i / (1 + i % 37)); break;
            case "far":
                // The same noise again, almost as far away as an offset reaches.
                random.NextBytes(bytes.AsSpan(0, Math.Min(length, 65_000)));
                for (int i = 65_000; i < length; i++) bytes[i] = bytes[i - 65_000];
                break;
        }
        return bytes;
    }
}
