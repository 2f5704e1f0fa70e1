using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Symbols.Dwarf;
using Symbols.Dwarf.Indexing;
using Symbols.Elf;
using Symbols.Images;
using Symbols.Tests.Files;
using Xunit;

namespace Symbols.Tests.Indexing;

/// <summary>Indices as files: written by several at a time, where nothing can be written, and where the disk becomes full.</summary>
public sealed class IndexCacheTests
{
    [Fact]
    public async Task Several_may_make_one_index_at_a_time()
    {
        string folder = Built.Folder("together"), kept = Path.Combine(folder, "kept");
        string program = Built.Program(folder, false, "-O2", "-g", "-Wl,--build-id");
        List<string>? expected = null;
        for (int round = 0; round < 10; round++)
        {
            if (Directory.Exists(kept)) Directory.Delete(kept, recursive: true);
            using var start = new Barrier(4);
            // As other processes, each with files of its own.
            Task<List<string>>[] makers = [.. Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(() =>
            {
                using ElfImage image = ElfImage.Open(program);
                using DwarfInfo info = DwarfInfo.Open(image);
                var cache = new DebugIndexCache(kept);
                start.SignalAndWait();
                if (!info.LoadIndex(cache)) Assert.True(info.PrepareIndex(cache).Run(null, CancellationToken.None));
                return Answers.Of(info);
            }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
            foreach (List<string> answers in await Task.WhenAll(makers)) Assert.Equal(expected ??= answers, answers);
            // One index, and nothing unfinished.
            Assert.EndsWith(".index", Assert.Single(Directory.GetFiles(kept)), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void An_index_that_is_replaced_goes_on_for_those_who_have_it()
    {
        string folder = Built.Folder("replaced"), kept = Path.Combine(folder, "kept");
        using ElfImage image = ElfImage.Open(Built.Program(folder, false, "-O2", "-g", "-Wl,--build-id"));
        var cache = new DebugIndexCache(kept);
        using DwarfInfo first = DwarfInfo.Open(image), second = DwarfInfo.Open(image);
        Assert.True(first.PrepareIndex(cache).Run(null, CancellationToken.None));
        Assert.True(second.PrepareIndex(cache).Run(null, CancellationToken.None));
        List<string> answers = Answers.Of(second);
        Assert.Equal(answers, Answers.Of(first));
        Directory.Delete(kept, recursive: true);
        Assert.Equal(answers, Answers.Of(first));
    }

    [Fact]
    public void Where_nothing_can_be_written_an_index_is_made_all_the_same()
    {
        using ElfImage image = ElfImage.Open(Built.Program(Built.Folder("readonly"), false, "-O2", "-g", "-Wl,--build-id"));
        // Not even root writes there.
        const string readOnly = "/proc";
        Assert.ThrowsAny<Exception>(static () => File.WriteAllText(Path.Combine(readOnly, "ttvm"), ""));
        using DwarfInfo info = DwarfInfo.Open(image), plain = DwarfInfo.Open(image);
        var cache = new DebugIndexCache(readOnly);
        Assert.False(info.LoadIndex(cache));
        Assert.True(info.PrepareIndex(cache).Run(null, CancellationToken.None));
        Assert.True(info.IsIndexed);
        Assert.Equal(Answers.Of(plain), Answers.Of(info));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    [InlineData(70_000)]
    [InlineData(200_000)]
    public void An_index_for_which_the_disk_is_too_small_goes_on_in_memory(int room)
    {
        string path = Path.Combine(Built.Folder("full"), $"{room}");
        byte[] bytes = new byte[300_000];
        new Random(1).NextBytes(bytes);
        byte[] good = Written(new UnfinishedIndex(), bytes), other;
        using (var file = new FileStream(path, FileMode.Create, FileAccess.ReadWrite)) other = Written(new UnfinishedIndex(new SmallDisk(file, room), path), bytes);
        Assert.Equal(good, other);
        Assert.False(File.Exists(path));
    }

    private static byte[] Written(UnfinishedIndex unfinished, byte[] bytes)
    {
        using (unfinished)
        {
            var output = new IndexOutput(unfinished);
            foreach (IndexFile.Part part in Enum.GetValues<IndexFile.Part>())
            {
                output.Begin(part);
                output.Bytes(part == IndexFile.Part.Identity ? [1, 2, 3] : bytes);
            }
            output.End();
            using ImageSource source = unfinished.Finish("unused");
            using IndexFile file = Assert.IsType<IndexFile>(IndexFile.Open(source, [1, 2, 3]));
            Assert.Equal(bytes, file.Slice(IndexFile.Part.Rows, 0, ulong.MaxValue));
            return source.Window(0, int.MaxValue).ToArray();
        }
    }

    // Fails as a full disk does: some of what is to be written is there then.
    private sealed class SmallDisk(Stream file, int room) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => true;

        public override long Length => file.Length;

        public override long Position { get => file.Position; set => file.Position = value; }

        public override void Flush() => file.Flush();

        public override int Read(byte[] buffer, int offset, int count) => file.Read(buffer, offset, count);

        public override long Seek(long offset, SeekOrigin origin) => file.Seek(offset, origin);

        public override void SetLength(long value) => file.SetLength(value);

        public override void Write(byte[] buffer, int offset, int count)
        {
            int fits = (int)Math.Clamp(room - file.Position, 0, count);
            file.Write(buffer, offset, fits);
            if (fits < count) throw new IOException("No space left on device");
        }
    }
}
