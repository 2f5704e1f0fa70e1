using System;
using System.Buffers;
using System.Collections.Generic;
using System.IO;
using System.Runtime.InteropServices;
using Replay.Checkpoints;
using Replay.Log;
using Replay.Packages;
using Replay.Recording;
using Vmm.Memory;
using Vmm.Time;
using Xunit;

namespace Replay.Tests.Checkpoints;

/// <summary>Page maps, the page store and checkpoints against a plain copy of memory.</summary>
public sealed class CheckpointFormatTests : IDisposable
{
    private const int RamPages = 300, DiskPages = 40;
    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-checkpoints").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Map_changes_come_back()
    {
        var random = new Random(1);
        for (int round = 0; round < 300; round++)
        {
            var map = new int[200];
            var expected = (int[])map.Clone();
            var changes = new List<PageChange>();
            int id = 2;
            for (int page = 0; page < map.Length; page++)
            {
                if (random.Next(3) == 0) continue;
                id = random.Next(4) switch { 0 => random.Next(1000), 1 => id, _ => id + 1 };
                changes.Add(new PageChange(page, id));
                expected[page] = id;
            }
            var encoded = new ArrayBufferWriter<byte>();
            PageMapCoding.EncodeChanges(encoded, CollectionsMarshal.AsSpan(changes));
            PageMapCoding.Apply(encoded.WrittenSpan, map, 2000);
            Assert.Equal(expected, map);
            foreach (PageChange change in changes) Assert.True(PageMapCoding.Contains(encoded.WrittenSpan, change.PageIndex, 200, 2000));
            Assert.Equal(changes.Exists(c => c.PageIndex == 7), PageMapCoding.Contains(encoded.WrittenSpan, 7, 200, 2000));
        }
    }

    [Fact]
    public void Impossible_maps_are_refused()
    {
        var random = new Random(2);
        var bytes = new byte[12];
        for (int round = 0; round < 20_000; round++)
        {
            random.NextBytes(bytes);
            var map = new int[50];
            try
            {
                PageMapCoding.Apply(bytes, map, 10);
            }
            catch (MessagePackSerializationException)
            {
                // The one exception that is allowed.
            }
            foreach (int id in map) Assert.InRange(id, 0, 11);
        }
    }

    [Fact]
    public void Every_checkpoint_has_its_own_pages()
    {
        var random = new Random(4);
        var image = new byte[DiskPages * 4096 - 1000];
        random.NextBytes(image);
        var layout = new MemoryLayout([new MemoryDescription("ram", RamPages, default), new MemoryDescription("disk0", DiskPages, image)]);
        var memory = new byte[2][] { new byte[RamPages * 4096], new byte[DiskPages * 4096] };
        image.CopyTo(memory[1], 0);
        var history = new List<byte[][]>();
        using (var checkpointFrames = new FrameWriter(Path.Combine(_folder, "checkpoints")))
        using (var pageFrames = new FrameWriter(Path.Combine(_folder, "pages")))
        using (var writer = new CheckpointWriter(layout, checkpointFrames, pageFrames))
        {
            for (int index = 0; index < 90; index++)
            {
                var batch = new CheckpointBatch { IsLast = true, Index = index, Position = new Position((ulong)index * 1000),
                    State = [(byte)index] };
                foreach ((int m, int page) in RandomWrites(random, memory, image)) AddPage(writer, batch, memory, m, page);
                writer.Enqueue(batch);
                history.Add([(byte[])memory[0].Clone(), (byte[])memory[1].Clone()]);
            }
            writer.Complete();
            Assert.InRange(writer.PageCount, 1, 90 * 20);
            for (int index = 0; index < 90; index++) Assert.Equal(new Position((ulong)index * 1000), writer.TakeDigest().Position);
        }
        using FileStream checkpoints = File.OpenRead(Path.Combine(_folder, "checkpoints")), pages = File.OpenRead(Path.Combine(_folder,
            "pages"));
        var store = new PageStore(FrameTable.Scan(new PartReader(pages.SafeFileHandle, "test", "pages",
            pages.Length))) { CacheBudgetBytes = 500_000 };
        var reader = new CheckpointStore(FrameTable.Scan(new PartReader(checkpoints.SafeFileHandle, "test", "checkpoints",
            checkpoints.Length)),
            store.PageCount, Position.Start, name => name == "disk0" ? image : default);
        for (int i = 0; i < store.Frames.Count; i++) store.VerifyChunk(i);
        var order = new int[90];
        for (int i = 0; i < order.Length; i++) order[i] = i;
        random.Shuffle(order);
        foreach (int index in order) Check(reader, store, index, history[index]);
        Assert.Equal(17, reader.FindAtOrBefore(new Position(17_999)));
        Assert.Equal(18, reader.FindAtOrBefore(new Position(18_000)));
    }

    private static void Check(CheckpointStore reader, PageStore store, int index, byte[][] expected)
    {
        MachineSnapshot snapshot = reader.Load(index);
        Assert.Equal([(byte)index], snapshot.State.ToArray());
        var page = new byte[4096];
        UInt128 sum = 0;
        for (int m = 0; m < 2; m++)
        {
            for (int i = 0; i < snapshot.Maps[m].Length; i++)
            {
                int id = snapshot.Maps[m][i];
                if (id >= PageId.FirstStored) store.Read(id, page);
                else if (id == PageId.Base) reader.Layout[m].ReadImagePage(i, page);
                else Array.Clear(page);
                Assert.True(page.AsSpan().SequenceEqual(expected[m].AsSpan(i * 4096, 4096)), $"checkpoint {index}, memory {m}, page {i}");
                sum += PageHash.Contribution(reader.Layout[m], i, id, id >= PageId.FirstStored ? PageHash.OfContent(page) : UInt128.Zero);
            }
        }
        Assert.Equal(sum, reader.Meta(index).PageSum);
        Assert.Equal(PageHash.Digest([(byte)index], sum), reader.Meta(index).Digest);
    }

    private static List<(int MemoryIndex, int PageIndex)> RandomWrites(Random random, byte[][] memory, byte[] image)
    {
        var written = new SortedSet<(int, int)>();
        for (int n = random.Next(20); n > 0; n--)
        {
            int m = random.Next(4) == 0 ? 1 : 0, page = random.Next(m == 0 ? RamPages : DiskPages);
            Span<byte> content = memory[m].AsSpan(page * PagedMemory.PageSizeBytes, PagedMemory.PageSizeBytes);
            switch (random.Next(5))
            {
                case 0: content.Clear(); break;
                // Some contents are there twice, some go back to what the image has.
                case 1: content.Fill((byte)random.Next(3)); break;
                case 2 when m == 1: new MemoryDescription("disk0", DiskPages, image).ReadImagePage(page, content); break;
                default: random.NextBytes(content[..100]); break;
            }
            written.Add((m, page));
        }
        return [.. written];
    }

    private static void AddPage(CheckpointWriter writer, CheckpointBatch batch, byte[][] memory, int m, int page)
    {
        ReadOnlySpan<byte> content = memory[m].AsSpan(page * 4096, 4096);
        bool isZero = PageHash.IsZero(content);
        batch.Pages.Add((m, page, isZero));
        if (isZero) return;
        int inSlab = batch.CopiedCount++ % CheckpointWriter.PagesPerSlab;
        if (inSlab == 0) batch.Slabs.Add(writer.RentSlab());
        content.CopyTo(batch.Slabs[^1].AsSpan(inSlab * 4096));
    }
}
