using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using Microsoft.Extensions.Logging;
using Replay.Checkpoints;
using Replay.Log;
using Replay.Messages;
using Replay.Packages;
using Replay.Replaying;
using Vmm.Memory;
using Vmm.Platform;
using Vmm.Time;

namespace Replay.Recording;

/// <summary>Cuts a stretch out of a recording, as a recording of its own.</summary>
public static class RecordingTrimmer
{
    /// <param name="recording">Whole; it is not changed.</param>
    /// <param name="from">The stretch begins at the last checkpoint at or before it.</param>
    /// <param name="to">Its end; a position that does not exist leads to the next that does.</param>
    /// <param name="destination">Where to write it.</param>
    /// <param name="overwrite">Replace an existing file.</param>
    /// <param name="distance">Leave checkpoints out until they are so many instructions apart; 0: keep all, and take one at the end.</param>
    /// <param name="progress">0..1.</param>
    /// <param name="cancellation">Nothing is left then.</param>
    /// <exception cref="RecordingFormatException">The recording is damaged.</exception>
    /// <exception cref="IOException">The destination exists or cannot be written.</exception>
    public static void Trim(RecordingFile recording, Position from, Position to, string destination, bool overwrite, ulong distance = 0,
        IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        Vmm.Invariant.Check(from >= recording.Start && from <= to && to <= recording.End);
        ILogger log = recording.Loggers.CreateLogger(typeof(RecordingTrimmer).FullName!);
        log.TrimBegins(recording.Path, from, to, destination);
        string partial = RecordingPacker.PartialOf(destination);
        if (File.Exists(destination) && !overwrite) throw new IOException($"{destination} exists already");
        try
        {
            Write(recording, recording.CheckpointStore.FindAtOrBefore(from), to, partial, distance, progress, cancellation);
            RecordingPacker.Pack(partial, destination, overwrite, null, embedded: recording);
            log.Wrote(destination, new FileInfo(destination).Length);
        }
        catch
        {
            if (Directory.Exists(partial)) Directory.Delete(partial, recursive: true);
            throw;
        }
    }

    private static void Write(RecordingFile recording, int first, Position to, string partial, ulong distance, IProgress<double>? progress,
        CancellationToken cancellation)
    {
        CheckpointStore checkpoints = recording.CheckpointStore;
        int last = checkpoints.FindAtOrBefore(to);
        using var session = new ReplaySession(recording, new PagePool(), new NullOutputSink());
        session.Restore(checkpoints.Load(last));
        session.RunTo(to, _ => !cancellation.IsCancellationRequested);
        cancellation.ThrowIfCancellationRequested();
        Position end = session.Position;

        CreateDirectory(recording, checkpoints.PositionOf(first), end, partial);
        using FrameWriter logFrames = new(Path.Combine(partial, PartName.Log)), checkpointFrames = new(Path.Combine(partial, PartName.Checkpoints)),
            pageFrames = new(Path.Combine(partial, PartName.Pages));
        using var writer = new CheckpointWriter(checkpoints.Layout, checkpointFrames, pageFrames, recording.Loggers.CreateLogger(typeof(RecordingTrimmer).FullName!));
        var stretch = new StretchWriter(recording, Kept(recording, first, last, distance), cancellation);
        stretch.WriteCheckpoints(writer, progress);
        (EventLogWriter log, List<LogRecord> rest) = stretch.WriteLog(logFrames, end);
        if (distance == 0 && end > checkpoints.PositionOf(last)) WriteLastCheckpoint(session, log, writer, last + 1 - first);
        StretchWriter.WriteInputs(log, rest);
        writer.Complete();
        log.WriteEnd(end, end == recording.End ? recording.Outcome : default);
    }

    // Where a hole ends, replay begins anew: that checkpoint stays.
    private static int[] Kept(RecordingFile recording, int first, int last, ulong distance)
    {
        CheckpointStore checkpoints = recording.CheckpointStore;
        var kept = new List<int> { first };
        for (int i = first + 1; i <= last; i++)
        {
            Position at = checkpoints.PositionOf(i);
            if (at.InstructionCount - checkpoints.PositionOf(kept[^1]).InstructionCount >= distance || recording.Holes.LastBefore(at)?.To == at) kept.Add(i);
        }
        return [.. kept];
    }

    private static void WriteLastCheckpoint(ReplaySession session, EventLogWriter log, CheckpointWriter writer, int index)
    {
        var batcher = new CheckpointBatcher(writer);
        var dirty = new List<int>();
        for (int m = 0; m < session.Machine.PagedMemories.Count; m++)
        {
            PagedMemory memory = session.Machine.PagedMemories[m];
            dirty.Clear();
            memory.CollectDirty(dirty);
            foreach (int page in dirty) batcher.Add(m, page, memory.Page(page));
        }
        StateDigest expected = session.Digest();
        batcher.Finish(index, session.Position, session.Machine.GuestNanoseconds, session.Inputs.Sequence, session.SaveState().ToArray());
        StateDigest digest = writer.TakeDigest().Digest;
        Vmm.Invariant.Check(digest == expected);
        log.WriteCheckpoint(session.Position, index);
        log.WriteDigest(session.Position, digest);
    }

    private static void CreateDirectory(RecordingFile recording, Position start, Position end, string partial)
    {
        RecordingManifest manifest = CopyImages(recording, partial, onlyLater: start > Position.Start) with
        {
            Start = start == Position.Start ? recording.Manifest.Start : new ManifestStart(start.InstructionCount, start.EventOrdinal, recording.Identity.ToString()),
            End = new ManifestEnd(start.InstructionCount, start.EventOrdinal, nameof(OutcomeKind.None), 0, "", Recovered: true, ""),
            Redaction = ManifestJson.Cut(recording.Manifest.Redaction, start, end),
        };
        manifest = manifest with { FormatVersion = ManifestJson.VersionOf(manifest) };
        File.WriteAllBytes(Path.Combine(partial, PartName.Manifest), ManifestJson.Write(manifest));
    }

    /// <summary>Begins a partial directory with a recording's images; the manifest that goes with them is returned.</summary>
    /// <param name="recording">Whose.</param>
    /// <param name="partial">The directory; it does not exist yet.</param>
    /// <param name="onlyLater">Only those that are needed behind power-on.</param>
    internal static RecordingManifest CopyImages(RecordingFile recording, string partial, bool onlyLater)
    {
        Directory.CreateDirectory(Path.Combine(partial, "images"));
        var images = new List<ManifestImage>();
        foreach (ManifestImage image in recording.Manifest.Images)
        {
            using Stream content = recording.OpenPart(image.Part);
            if (onlyLater && !IsNeededLater(image.Role, content)) continue;
            using FileStream file = File.Create(Path.Combine(partial, image.Part));
            content.CopyTo(file);
            images.Add(image);
        }
        return recording.Manifest with { Identity = "", Images = images, Parts = [], Symbols = null, Signature = null };
    }

    /// <summary>
    /// Whether a machine that has booted needs an image: disks are read where they were never written, a BIOS is part of the machine, a kernel that is an ELF file has the guest's symbols.
    /// </summary>
    /// <param name="role">The image's.</param>
    /// <param name="content">The image; it is left at its start.</param>
    internal static bool IsNeededLater(string role, Stream content)
    {
        if (role == "initrd") return false;
        if (role != "kernel") return true;
        Span<byte> magic = stackalloc byte[4];
        int length = content.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false);
        content.Position = 0;
        return length == magic.Length && magic.SequenceEqual("\u007fELF"u8);
    }
}
