using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using Microsoft.Extensions.Logging;
using Replay.Checkpoints;
using Replay.Log;
using Replay.Messages;
using Replay.Packages;
using Replay.Recording;
using Vmm;
using Vmm.Platform;
using Vmm.Time;

namespace Replay.Redaction;

/// <summary>
/// Writes a recording without some of its memory, of what was typed, and of texts wherever they are. Everything is written anew, so that nothing of them is left behind; every digest is
/// worked out anew. What can still be replayed is found out by replaying, and the manifest says where it cannot.
/// </summary>
public static class RecordingRedactor
{
    /// <summary>What stands where something was: 'X'.</summary>
    public const byte Filler = 0x58;

    /// <param name="recording">It is not changed.</param>
    /// <param name="destination">Where to write it.</param>
    /// <param name="plan">What to take out.</param>
    /// <param name="overwrite">Replace an existing file.</param>
    /// <param name="progress">0..1.</param>
    /// <param name="cancellation">Nothing is left then.</param>
    /// <exception cref="RecordingFormatException">The recording is damaged.</exception>
    /// <exception cref="IOException">The destination exists or cannot be written.</exception>
    /// <exception cref="RedactionException">Nothing of what is to be taken out is there.</exception>
    public static RedactionReport Redact(RecordingFile recording, string destination, RedactionPlan plan, bool overwrite, IProgress<double>? progress = null,
        CancellationToken cancellation = default)
    {
        if (File.Exists(destination) && !overwrite) throw new IOException($"{destination} exists already");
        CheckpointStore checkpoints = recording.CheckpointStore;
        if (checkpoints.PositionOf(checkpoints.Count - 1) == recording.End) return RedactWhole(recording, destination, plan, overwrite, progress, cancellation);
        // Where it ends there is no checkpoint: one is made, so that the end can be visited whatever is taken out.
        string ended = destination + ".ended";
        Clear(ended);
        try
        {
            RecordingTrimmer.Trim(recording, recording.Start, recording.End, ended, overwrite: true, cancellation: cancellation);
            using RecordingFile whole = recording.OpenAnother(ended);
            return RedactWhole(whole, destination, plan, overwrite, progress, cancellation);
        }
        finally
        {
            Clear(ended);
        }
    }

    private static RedactionReport RedactWhole(RecordingFile recording, string destination, RedactionPlan plan, bool overwrite, IProgress<double>? progress,
        CancellationToken cancellation)
    {
        ILogger log = recording.Loggers.CreateLogger(typeof(RecordingRedactor).FullName!);
        string tried = destination + ".tried";
        Clear(tried);
        try
        {
            var work = new Work(recording, plan, progress, cancellation);
            work.Write(tried);
            List<RecordingHole> holes = work.Try(tried, out bool hasSpread);
            // What replay has found out is written, too.
            if (hasSpread) work.Write(tried, isAgain: true);
            using RecordingFile redacted = recording.OpenAnother(tried);
            RedactionReport report = work.Finish(redacted, holes, destination, overwrite);
            log.Redacted(recording.Path, report.MemoryBytes, report.StateBytes, report.LogBytes, report.FileBytes, report.Holes.Count, destination);
            return report;
        }
        finally
        {
            Clear(tried);
        }
    }

    // Also of one that was killed: nobody else uses these names.
    private static void Clear(string path)
    {
        File.Delete(path);
        string partial = path + RecordingPacker.PartialSuffix;
        if (Directory.Exists(partial)) Directory.Delete(partial, recursive: true);
    }

    private sealed class Work
    {
        private readonly RecordingFile _recording;
        private readonly RedactionPlan _plan;
        private readonly IProgress<double>? _progress;
        private readonly CancellationToken _cancellation;
        private readonly RedactedLog _log;
        private readonly RedactedMemory _memory;
        private readonly RedactedParts _parts;
        private readonly SelectedContents _selected;
        private readonly int[] _kept;

        public Work(RecordingFile recording, RedactionPlan plan, IProgress<double>? progress, CancellationToken cancellation)
        {
            (_recording, _plan, _progress, _cancellation) = (recording, plan, progress, cancellation);
            var needles = new Needles();
            foreach (byte[] text in plan.Texts.Concat(plan.TypedTexts)) needles.Add(text);
            _log = new RedactedLog(recording.Log, plan.Typed);
            if (!plan.KeepsCopies)
                foreach (byte[] line in _log.TypedLines) needles.Add(line);
            int[] all = [.. Enumerable.Range(0, recording.CheckpointStore.Count)];
            var pages = new HashSet<UInt128>();
            _selected = SelectedContents.Read(recording, plan, needles, pages, Part(0, 0.2), cancellation);
            _log.Take(needles);
            _log.Finish();
            _kept = [.. all.Where(index => index == 0 || index == all.Length - 1 || !IsInTyping(recording.CheckpointStore.PositionOf(index)))];
            _selected.Keep(_kept);
            _memory = new RedactedMemory(recording, needles, pages, _selected, Part(0.2, 0.4), cancellation);
            _parts = new RedactedParts(recording, needles);
        }

        public void Write(string destination, bool isAgain = false)
        {
            _memory.Restart();
            _log.Restart();
            _parts.Restart();
            string partial = RecordingPacker.PartialOf(destination);
            RecordingManifest manifest = RecordingTrimmer.CopyImages(_recording, partial, onlyLater: false);
            manifest = _parts.Rewrite(manifest with
            {
                Images = _parts.RewriteImages(manifest.Images, partial), FormatVersion = ManifestJson.FormatVersion, Redaction = null,
                Start = manifest.Start is { } start ? start with { CutFrom = "" } : null,
            });
            MachineConfiguration configuration = ManifestJson.Configure(manifest, [.. manifest.Images.Select(image =>
                new MachineImage(image.Role, image.Name, File.ReadAllBytes(Path.Combine(partial, image.Part))))], _recording.Path);
            using (FrameWriter logFrames = new(Path.Combine(partial, PartName.Log)), checkpointFrames = new(Path.Combine(partial, PartName.Checkpoints)),
                pageFrames = new(Path.Combine(partial, PartName.Pages)))
            {
                MemoryLayout layout = _recording.CheckpointStore.Layout.With(configuration);
                using var writer = new CheckpointWriter(layout, checkpointFrames, pageFrames, _recording.Loggers.CreateLogger(typeof(RecordingRedactor).FullName!));
                var stretch = new StretchWriter(_recording, _kept, _cancellation, (_memory, _log));
                stretch.WriteCheckpoints(writer, isAgain ? null : Part(0.4, 0.6));
                (EventLogWriter log, List<LogRecord> rest) = stretch.WriteLog(logFrames, _recording.End);
                StretchWriter.WriteInputs(log, rest);
                writer.Complete();
                log.WriteEnd(_recording.End, _recording.Outcome with { Detail = manifest.End.Detail });
            }
            // A machine that is built does not have what was taken out of the first state.
            if (_memory.HasChangedFirstState && manifest.Start is null) manifest = manifest with { Start = new ManifestStart(0, 0, "") };
            File.WriteAllBytes(Path.Combine(partial, PartName.Manifest), ManifestJson.Write(manifest));
            RecordingPacker.Pack(partial, destination, overwrite: true, null);
        }

        public List<RecordingHole> Try(string path, out bool hasSpread)
        {
            using RecordingFile redacted = _recording.OpenAnother(path);
            using var trial = new StretchTrial(_recording, redacted, _kept, _memory, _log, _plan, _cancellation);
            List<RecordingHole> holes = trial.Find(Part(0.6, 0.95));
            hasSpread = Array.Exists(trial.Spread, static one => one is not null);
            _memory.Spread = trial.Spread;
            return holes;
        }

        public RedactionReport Finish(RecordingFile redacted, List<RecordingHole> holes, string destination, bool overwrite)
        {
            ContainerRewriter.Replace(destination, container =>
            {
                List<ManifestPart> parts = ContainerRewriter.CopyParts(redacted, container, static _ => true);
                IReadOnlyList<ManifestSymbols>? symbols = _parts.AddCarried(container, parts);
                if (_memory.MemoryBytes + _memory.StateBytes + _log.TakenCount + _parts.TakenCount == 0 && holes.Count == _recording.Holes.Count)
                    throw new RedactionException("nothing of what was named is in the recording: nothing was written");
                RecordingManifest manifest = redacted.Manifest with
                {
                    FormatVersion = ManifestJson.NewestFormatVersion, Parts = parts, Symbols = symbols,
                    Redaction = new ManifestRedaction([.. _recording.Manifest.Redaction?.What ?? [], .. _plan.Descriptions],
                        [.. holes.Select(static hole => new ManifestHole(hole.From.InstructionCount, hole.From.EventOrdinal, hole.To.InstructionCount, hole.To.EventOrdinal, hole.Why))]),
                };
                manifest = manifest with { Identity = RecordingPacker.IdentityOf(manifest).ToString() };
                container.Add(PartName.Manifest, ManifestJson.Write(manifest));
            }, overwrite);
            _progress?.Report(1);
            return new RedactionReport(_memory.MemoryBytes, _memory.StateBytes, _log.TakenCount, _parts.TakenCount, _recording.CheckpointStore.Count - _kept.Length, holes, Notes());
        }

        private List<string> Notes()
        {
            List<string> notes = [.. _parts.Notes];
            if (_selected.HasShort && !_plan.KeepsCopies)
                notes.Add("some of what was selected has fewer than 8 bytes, or is zero but for so many: copies of that were not looked for (--text and --bytes do, from 4 bytes on)");
            if (_selected.HasMore) notes.Add("what was selected has had more different contents than are looked for: there may be copies of some");
            return notes;
        }

        private bool IsInTyping(Position position)
        {
            foreach ((Position first, Position last) in _log.Typing)
                if (position > first && position <= last) return true;
            return false;
        }

        private IProgress<double>? Part(double from, double to) => _progress is null ? null : new PartialProgress(_progress, from, to);
    }

    private sealed class PartialProgress(IProgress<double> whole, double from, double to) : IProgress<double>
    {
        public void Report(double value) => whole.Report(from + (to - from) * Math.Clamp(value, 0, 1));
    }
}
