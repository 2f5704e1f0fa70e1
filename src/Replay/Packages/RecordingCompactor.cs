using System;
using System.Buffers;
using System.Collections.Generic;
using System.IO;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Replay.Checkpoints;
using Replay.Log;
using Replay.Messages;
using Replay.Recording;
using Vmm.Memory;

namespace Replay.Packages;

/// <summary>
/// Writes a recording as small as it gets: pages that no checkpoint needs are dropped, those that an image has are named instead of stored, of those that are much like what is unpacked
/// from one the difference is stored, versions of one page stand side by side so that compression sees what changed, and everything is compressed by Brotli.
/// </summary>
public static class RecordingCompactor
{
    /// <summary>11, the best, takes some thirty times as long for a few percent.</summary>
    private const int Quality = 9;

    /// <summary>
    /// Instructions between checkpoints that are kept, for going anywhere within two seconds: replay runs 300 million a second where a kernel boots, twice as many and more later.
    /// </summary>
    public const ulong UsualDistance = 250_000_000;

    /// <param name="recording">It is not changed.</param>
    /// <param name="destination">Where to write it.</param>
    /// <param name="overwrite">Replace an existing file.</param>
    /// <param name="stripImages">Leave out the images that only building the machine needs: it then begins with its first checkpoint.</param>
    /// <param name="distance">Leave checkpoints out until they are so many instructions apart; 0: keep all.</param>
    /// <param name="progress">0..1.</param>
    /// <param name="cancellation">Nothing is left then.</param>
    /// <exception cref="RecordingFormatException">The recording is damaged.</exception>
    /// <exception cref="IOException">The destination exists or cannot be written.</exception>
    public static void Compact(RecordingFile recording, string destination, bool overwrite, bool stripImages, ulong distance = 0, IProgress<double>? progress = null,
        CancellationToken cancellation = default)
    {
        if (distance > 0)
        {
            string thinned = destination + ".thinned", left = thinned + RecordingPacker.PartialSuffix;
            using FileStream claim = Claim(thinned, destination);
            // Of one that was killed.
            if (Directory.Exists(left)) Directory.Delete(left, recursive: true);
            try
            {
                RecordingTrimmer.Trim(recording, recording.Start, recording.End, thinned, overwrite: true, distance, null, cancellation);
                using RecordingFile few = recording.OpenAnother(thinned);
                Compact(few, destination, overwrite, stripImages, 0, progress, cancellation);
            }
            finally
            {
                File.Delete(thinned);
            }
            return;
        }

        ILogger log = recording.Loggers.CreateLogger(typeof(RecordingCompactor).FullName!);
        log.PackBegins(recording.Path, recording.Pages.PageCount, destination);
        string partial = RecordingPacker.PartialOf(destination);
        try
        {
            RecordingManifest manifest = RecordingTrimmer.CopyImages(recording, partial, onlyLater: stripImages);
            var known = new ImagePages(recording.Configuration, manifest.Images);
            manifest = manifest with { FormatVersion = known.HasUnpacked ? ManifestJson.NewestFormatVersion : ManifestJson.VersionOf(manifest) };
            if (stripImages) manifest = manifest with { Start = manifest.Start ?? new ManifestStart(0, 0, "") };
            File.WriteAllBytes(Path.Combine(partial, PartName.Manifest), ManifestJson.Write(manifest));
            new Writer(recording, partial, known, cancellation).Write(progress);
            RecordingPacker.Pack(partial, destination, overwrite, null, embedded: recording);
            log.Wrote(destination, new FileInfo(destination).Length);
        }
        catch
        {
            if (Directory.Exists(partial)) Directory.Delete(partial, recursive: true);
            throw;
        }
    }

    /// <summary>As long as it is open, no other process that asks as well uses these names; one that is killed holds nothing back.</summary>
    private static FileStream Claim(string thinned, string destination)
    {
        string path = thinned + ".lock";
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
        }
        catch (IOException e) when (File.Exists(path))
        {
            throw new IOException($"{path} exists already: another process is writing {destination}", e);
        }
    }

    private sealed class Writer(RecordingFile recording, string partial, ImagePages known, CancellationToken cancellation)
    {
        private readonly record struct Use(int Memory, int Page, int Id);

        private CheckpointStore Checkpoints => recording.CheckpointStore;

        public void Write(IProgress<double>? progress)
        {
            List<Use> order = FindPages();
            var newIds = new int[recording.Pages.PageCount + PageId.FirstStored];
            newIds[PageId.Base] = PageId.Base;
            for (int i = 0; i < order.Count; i++) newIds[order[i].Id] = PageId.FirstStored + i;
            using (var log = new FrameWriter(Path.Combine(partial, PartName.Log))) CopyFrames(recording.Log.Frames, log);
            using (var checkpoints = new FrameWriter(Path.Combine(partial, PartName.Checkpoints))) WriteCheckpoints(checkpoints, newIds);
            using var pages = new FrameWriter(Path.Combine(partial, PartName.Pages));
            WritePages(pages, order, progress);
        }

        // Every page that a checkpoint names, once: by where it was first, so that versions of one page follow each other.
        private List<Use> FindPages()
        {
            var order = new List<Use>();
            var isKnown = new bool[recording.Pages.PageCount + PageId.FirstStored];
            void Add(int memory, int page, int id)
            {
                if (id < PageId.FirstStored || isKnown[id]) return;
                isKnown[id] = true;
                order.Add(new Use(memory, page, id));
            }
            PageMap[] first = Checkpoints.Load(0).Maps;
            for (int m = 0; m < first.Length; m++)
                for (int page = 0; page < first[m].Length; page++) Add(m, page, first[m][page]);
            for (int i = 0; i < Checkpoints.Count; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                List<PageChange>[] changes = Checkpoints.ReadChanges(i).Changes;
                for (int m = 0; m < changes.Length; m++)
                    foreach (PageChange change in changes[m]) Add(m, change.PageIndex, change.Id);
            }
            // Ids ascend with time.
            order.Sort(static (a, b) => (a.Memory, a.Page, a.Id).CompareTo((b.Memory, b.Page, b.Id)));
            return order;
        }

        private void CopyFrames(FrameTable source, FrameWriter destination)
        {
            using var built = new MemoryStream();
            for (int i = 0; i < source.Count; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                Frame.Build(built, source[i].Kind, source.Meta(i), source.ReadPayload(i), FrameCompression.Brotli, Quality);
                destination.Append(built, source.Meta(i));
            }
        }

        private void WriteCheckpoints(FrameWriter destination, int[] newIds)
        {
            using var built = new MemoryStream();
            Frame.Build(built, FrameKind.MemoryTable, default, Checkpoints.Layout.Encode());
            destination.Append(built, default);
            var meta = new byte[CheckpointMeta.SizeBytes];
            for (int i = 0; i < Checkpoints.Count; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                (ReadOnlyMemory<byte> state, List<PageChange>[] changes) = Checkpoints.ReadChanges(i);
                PageMap[]? maps = Checkpoints.Meta(i).IsKey ? Checkpoints.Load(i).Maps : null;
                Checkpoints.Meta(i).Write(meta);
                Frame.Build(built, FrameKind.Checkpoint, meta, Encode(state, changes, maps, newIds), FrameCompression.Brotli, Quality);
                destination.Append(built, meta);
            }
        }

        private byte[] Encode(ReadOnlyMemory<byte> state, List<PageChange>[] changes, PageMap[]? maps, int[] newIds)
        {
            var payload = new ArrayBufferWriter<byte>();
            var encoded = new ArrayBufferWriter<byte>();
            var w = new MessagePackWriter(payload);
            w.WriteArrayHeader(3);
            w.Write(state.Span);
            w.WriteArrayHeader(changes.Length);
            foreach (List<PageChange> memory in changes)
            {
                for (int k = 0; k < memory.Count; k++) memory[k] = memory[k] with { Id = newIds[memory[k].Id] };
                encoded.ResetWrittenCount();
                PageMapCoding.EncodeChanges(encoded, CollectionsMarshal.AsSpan(memory));
                w.Write(encoded.WrittenSpan);
            }
            if (maps is null) w.WriteNil();
            else
            {
                w.WriteArrayHeader(maps.Length);
                for (int m = 0; m < maps.Length; m++)
                {
                    encoded.ResetWrittenCount();
                    PageMapCoding.EncodeMap(encoded, Array.ConvertAll(maps[m].ToArray(), id => newIds[id]), Checkpoints.Layout[m].UntouchedId);
                    w.Write(encoded.WrittenSpan);
                }
            }
            w.Flush();
            return payload.WrittenSpan.ToArray();
        }

        // Chunks are compressed on all cores, and written in order.
        private void WritePages(FrameWriter destination, List<Use> order, IProgress<double>? progress)
        {
            int chunkCount = (order.Count + PackedPages.PagesPerChunk - 1) / PackedPages.PagesPerChunk, side = Environment.ProcessorCount;
            for (int next = 0; next < chunkCount; next += side)
            {
                var built = new (MemoryStream Frame, byte[] Meta)[Math.Min(side, chunkCount - next)];
                Parallel.For(0, built.Length, new ParallelOptions { CancellationToken = cancellation }, k => built[k] = BuildChunk(order, next + k));
                foreach ((MemoryStream frame, byte[] meta) in built)
                    using (frame) destination.Append(frame, meta);
                progress?.Report((double)(next + built.Length) / chunkCount);
            }
        }

        private (MemoryStream Frame, byte[] Meta) BuildChunk(List<Use> order, int chunk)
        {
            int first = chunk * PackedPages.PagesPerChunk, count = Math.Min(PackedPages.PagesPerChunk, order.Count - first);
            var pages = new PackedPages.Page[count];
            for (int i = 0; i < count; i++)
            {
                int id = order[first + i].Id;
                var content = new byte[PagedMemory.PageSizeBytes];
                recording.Pages.Read(id, content);
                pages[i] = known.Pack(content, recording.Pages.HashOf(id));
            }
            var meta = new byte[PageStoreWriter.MetaSizeBytes];
            System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(meta, first);
            System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(meta.AsSpan(4), count);
            var frame = new MemoryStream();
            FrameKind kind = known.HasUnpacked ? FrameKind.DifferentPages : FrameKind.PackedPages;
            Frame.Build(frame, kind, meta, PackedPages.Encode(pages, kind), FrameCompression.Brotli, Quality);
            return (frame, meta);
        }
    }
}
