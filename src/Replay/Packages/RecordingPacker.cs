using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Security.Cryptography;
using System.Text;
using Replay.Checkpoints;
using Replay.Log;
using Replay.Recording;
using Vmm;
using Vmm.Platform;
using Vmm.Time;

namespace Replay.Packages;

/// <summary>Makes a finished recording of a partial directory: after a recorder's Finish, and in the same way after a crash.</summary>
internal static class RecordingPacker
{
    public const string PartialSuffix = ".partial";

    /// <param name="partialDirectory">NAME.ttvm.partial.</param>
    /// <param name="destination">NAME.ttvm.</param>
    /// <param name="overwrite">Replace it.</param>
    /// <param name="progress">0..1.</param>
    /// <param name="pageHashes">The part of that name if it is known; else it is made from the pages.</param>
    /// <param name="embedded">Its symbols, sources and named positions are taken over; null: there are none.</param>
    /// <returns>The packed file's path.</returns>
    public static string Pack(string partialDirectory, string destination, bool overwrite, IProgress<double>? progress,
        byte[]? pageHashes = null, RecordingFile? embedded = null)
    {
        if (!Directory.Exists(partialDirectory))
            throw new RecordingFormatException($"{partialDirectory} does not exist, or is not a directory");
        if (File.Exists(destination) && !overwrite) throw new IOException($"{destination} exists already");
        string manifestPath = System.IO.Path.Combine(partialDirectory, PartName.Manifest);
        if (!File.Exists(manifestPath))
            throw new RecordingFormatException($"{partialDirectory} is not an unfinished recording: it has no {PartName.Manifest}");
        RecordingManifest begun = ManifestJson.Read(File.ReadAllBytes(manifestPath), partialDirectory);

        if (FirstCheckpoint.IsMissing(partialDirectory, begun)) FirstCheckpoint.Remake(partialDirectory, begun);
        Position start = ManifestJson.StartOf(begun);
        using var sources = new PartialParts(partialDirectory, begun.Generation);
        FrameTable logFrames = FrameTable.Scan(sources.Open(PartName.Log));
        var log = new EventLogReader(logFrames, start);
        var pages = new PageStore(FrameTable.Scan(sources.Open(PartName.Pages)));
        FrameTable checkpointFrames = UsableCheckpoints(FrameTable.Scan(sources.Open(PartName.Checkpoints)), pages, start, log.Through);
        ManifestEnd end = FindEnd(log, new CheckpointStore(checkpointFrames, pages.PageCount, start, static _ => default));

        Invariant.Check(pageHashes is null || pageHashes.Length == pages.PageCount * PageHash.SizeBytes);
        ContainerRewriter.Replace(destination, container =>
        {
            long total = logFrames.SizeBytes + checkpointFrames.SizeBytes + pages.Frames.SizeBytes, done = 0;
            foreach (ManifestImage image in begun.Images) total += image.SizeBytes;
            void Copied(long count) => progress?.Report(Math.Min(1, (double)(done += count) / Math.Max(1, total)));
            var parts = new List<ManifestPart>();
            void AddFile(string name, long sizeBytes)
            {
                using FileStream stream = sources.OpenStream(name);
                parts.Add(new ManifestPart(name, sizeBytes, Convert.ToHexStringLower(container.Add(name, stream, sizeBytes, Copied))));
            }
            void AddBytes(string name, byte[] content) =>
                parts.Add(new ManifestPart(name, content.Length, Convert.ToHexStringLower(container.Add(name, content))));

            AddFile(PartName.Log, logFrames.SizeBytes);
            AddBytes(PartName.LogIndex, logFrames.BuildIndex());
            AddFile(PartName.Checkpoints, checkpointFrames.SizeBytes);
            AddBytes(PartName.CheckpointIndex, checkpointFrames.BuildIndex());
            AddFile(PartName.Pages, pages.Frames.SizeBytes);
            AddBytes(PartName.PageIndex, pages.Frames.BuildIndex());
            AddBytes(PartName.PageHashes, pageHashes ?? pages.EncodeHashes());
            foreach (ManifestImage image in begun.Images)
            {
                if (!PartName.IsImageRole(image.Role))
                    throw new RecordingFormatException($"{partialDirectory} is damaged: an image has an unknown role");
                AddFile(PartName.Image(image.Role), image.SizeBytes);
                if (parts[^1].Sha256 != image.Sha256) throw new RecordingFormatException($"{partialDirectory} is damaged: image '{image.Role}' has another hash than its manifest says");
            }
            foreach (ManifestPart part in embedded?.Manifest.Parts ?? [])
            {
                if (!EmbeddedFiles.IsPart(part.Name)) continue;
                using Stream content = embedded!.OpenPart(part.Name);
                parts.Add(part with { Sha256 = Convert.ToHexStringLower(container.Add(part.Name, content, part.SizeBytes)) });
            }
            RecordingManifest manifest = begun with { End = end, Parts = parts, Generation = null, Symbols = embedded?.Manifest.Symbols };
            manifest = manifest with { Identity = IdentityOf(manifest).ToString() };
            container.Add(PartName.Manifest, ManifestJson.Write(manifest));
        }, overwrite);
        sources.Dispose();
        Directory.Delete(partialDirectory, recursive: true);
        return destination;
    }

    /// <summary>The directory in which a recording is put together, which must not be there: it may be all that is left of another one.</summary>
    /// <exception cref="IOException">It is there.</exception>
    public static string PartialOf(string destination)
    {
        string partial = destination + PartialSuffix;
        if (!Directory.Exists(partial)) return partial;
        throw new IOException($"{partial} exists already: another process is writing {destination}, or was killed while it did; recover that recording, or remove the directory");
    }

    /// <summary>A GUID of the parts' hashes: of all that makes the recording what it is, and of nothing else: symbols and sources are aids.</summary>
    public static Guid IdentityOf(RecordingManifest manifest)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha.AppendData(ManifestJson.Write(manifest with { Identity = "", RecordedFrom = "", Parts = [], Symbols = null, Signature = null }));
        foreach (ManifestPart part in manifest.Parts)
            if (!EmbeddedFiles.IsPart(part.Name)) sha.AppendData(Encoding.UTF8.GetBytes($"{part.Name}\n{part.SizeBytes}\n{part.Sha256}\n"));
        return new Guid(sha.GetHashAndReset().AsSpan(0, 16), bigEndian: true);
    }

    // Checkpoints are written by another thread than the log: after a crash either may be ahead.
    private static FrameTable UsableCheckpoints(FrameTable frames, PageStore pages, Position start, Position through)
    {
        int count = frames.Count;
        while (count > 2 && CheckpointMeta.Read(frames.Meta(count - 1)).Position > through) count--;
        while (true)
        {
            var store = new CheckpointStore(frames.Take(count), pages.PageCount, start, static _ => default);
            try
            {
                store.Load(store.Count - 1);
                return frames.Take(count);
            }
            catch (RecordingFormatException) when (count > 2)
            {
                // It names a page that did not reach the disk.
                count--;
            }
        }
    }

    private static ManifestEnd FindEnd(EventLogReader log, CheckpointStore checkpoints)
    {
        int last = log.SegmentCount - 1;
        var digests = new Dictionary<Position, StateDigest>();
        if (last >= 0)
            foreach (LogRecord record in log.ReadSegment(last).Records)
            {
                if (record.Kind == LogRecordKind.Digest) digests[record.At] = new StateDigest(record.Data.Span);
                if (record.Kind != LogRecordKind.End) continue;
                CheckpointMeta final = checkpoints.Meta(checkpoints.Count - 1);
                // Where checkpoints were left out, the log still has the end's digest.
                string digest = final.Position == record.At ? final.Digest.ToString() : digests.TryGetValue(record.At, out StateDigest logged) ? logged.ToString() : "";
                return new ManifestEnd(record.At.InstructionCount, record.At.EventOrdinal, ((OutcomeKind)record.Unit).ToString(),
                    (uint)record.Value,
                    Encoding.UTF8.GetString(record.Data.Span), Recovered: false, digest);
            }
        Position through = log.Through;
        return new ManifestEnd(through.InstructionCount, through.EventOrdinal, nameof(OutcomeKind.None), 0, "", Recovered: true, "");
    }

    private sealed class PartialParts(string directory, int? generation) : IDisposable
    {
        private readonly List<FileStream> _streams = [];

        public PartReader Open(string name)
        {
            FileStream stream = OpenStream(name);
            _streams.Add(stream);
            return new PartReader(stream.SafeFileHandle, directory, name, stream.Length);
        }

        public FileStream OpenStream(string name)
        {
            string path = System.IO.Path.Combine(directory, name is PartName.Log or PartName.Checkpoints or PartName.Pages ? PartName.OfGeneration(name, generation) : name);
            if (!File.Exists(path))
                throw new RecordingFormatException($"{directory} is not a whole unfinished recording: '{name}' is missing");
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1);
        }

        public void Dispose()
        {
            foreach (FileStream stream in _streams) stream.Dispose();
            _streams.Clear();
        }
    }
}
