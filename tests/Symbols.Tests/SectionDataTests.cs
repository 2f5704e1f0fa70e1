using System;
using System.Text;
using Symbols.Images;
using Xunit;

namespace Symbols.Tests;

/// <summary>Bytes that are read here and there through a small cache are the image's, wherever pieces begin and end.</summary>
public sealed class SectionDataTests
{
    private const int Start = 1000, Length = 300_000;

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(1000)]
    public void Pieces_are_the_images(int chunks)
    {
        byte[] bytes = Contents();
        SectionData section = Section(bytes, chunks);
        var random = new Random(1);
        ReadOnlyMemory<byte> kept = section.Piece(77, 5000);
        for (int i = 0; i < 20_000; i++)
        {
            int count = 1 + random.Next(i % 10 == 0 ? 20_000 : 40), offset = random.Next(Length - count + 1);
            ReadOnlySpan<byte> expected = bytes.AsSpan(Start + offset, count);
            Assert.True(section.Peek((ulong)offset, count).SequenceEqual(expected));
            Assert.True(section.Bytes((ulong)offset, count).SequenceEqual(expected));
        }
        // It was not changed by what was read later.
        Assert.True(kept.Span.SequenceEqual(bytes.AsSpan(Start + 77, 5000)));
        Assert.True(section.Peek(Length - 2, 3).IsEmpty);
        Assert.True(section.Bytes(ulong.MaxValue, 1).IsEmpty);
        Assert.Equal(2, section.Part(Length - 2, 3).Length);
        Assert.True(section.Peek(0, 0).IsEmpty);
    }

    [Fact]
    public void Strings_end_at_their_nul_wherever_that_is()
    {
        byte[] bytes = Contents();
        Array.Fill(bytes, (byte)'x', Start + 50_000, 100_000);
        bytes[Start + Length - 1] = (byte)'y';
        SectionData section = Section(bytes, 2);
        var random = new Random(2);
        for (int i = 0; i < 5000; i++)
        {
            int offset = i == 0 ? Length - 1 : i == 1 ? 50_000 : random.Next(Length);
            ReadOnlySpan<byte> rest = bytes.AsSpan(Start + offset, Length - offset);
            int end = rest.IndexOf((byte)0);
            Assert.Equal(Encoding.UTF8.GetString(end < 0 ? rest : rest[..end]), section.StringAt((ulong)offset));
        }
        Assert.Null(section.StringAt(Length));
    }

    [Fact]
    public void An_image_that_has_become_shorter_ends()
    {
        byte[] bytes = Contents();
        var image = new ShrinkingImage(bytes);
        var section = new SectionData("", 0, image, Start, Length);
        Assert.True(section.Bytes(0, 10).SequenceEqual(bytes.AsSpan(Start, 10)));
        image.Available = Start + 100_000;
        Assert.True(section.Peek(99_990, 20).IsEmpty);
        Assert.True(section.Bytes(99_990, 20).IsEmpty);
        Assert.True(section.Bytes(200_000, 1).IsEmpty);
        Assert.Equal("", section.StringAt(200_000));
    }

    private static byte[] Contents()
    {
        byte[] bytes = new byte[Start + Length + 500];
        new Random(3).NextBytes(bytes);
        // Strings are ASCII here.
        for (int i = 0; i < bytes.Length; i++) bytes[i] &= 0x7f;
        return bytes;
    }

    private static SectionData Section(byte[] bytes, int chunks) =>
        new("", 0, new ShrinkingImage(bytes), Start, Length) { CachedBytes = chunks * ChunkCache.ChunkBytes };

    private sealed class ShrinkingImage(byte[] bytes) : ImageSource
    {
        internal int Available { get; set; } = bytes.Length;

        public override string Name => "";

        public override long Length => bytes.Length;

        public override ReadOnlyMemory<byte> Window(long offset, int count) =>
            offset >= Available ? default : bytes.AsMemory((int)offset, (int)Math.Min(count, Available - offset)).ToArray();
    }
}
