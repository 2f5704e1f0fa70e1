using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Replay.Checkpoints;
using Replay.Log;
using Replay.Packages;
using Replay.Redaction;
using Vmm.Inputs;
using Vmm.Memory;
using Vmm.Platform;
using Vmm.Time;

namespace Replay.Recording;

/// <summary>
/// Writes a stretch of a recording as one that begins at one of its checkpoints: positions and sequence numbers stay, checkpoints and pages are numbered anew. Every state digest is worked
/// out again on the way.
/// </summary>
/// <param name="source">The recording.</param>
/// <param name="kept">Its checkpoints that are written, in ascending order; the first is where the stretch begins.</param>
/// <param name="cancellation">Ends it.</param>
/// <param name="redaction">What is taken out on the way; null: nothing.</param>
internal sealed class StretchWriter(RecordingFile source, int[] kept, CancellationToken cancellation, (RedactedMemory Memory, RedactedLog Log)? redaction = null)
{
    private readonly Dictionary<Position, StateDigest> _digests = [];
    private readonly byte[] _page = new byte[PagedMemory.PageSizeBytes];

    private CheckpointStore Checkpoints => source.CheckpointStore;

    /// <summary>Hands the checkpoints to a writer that has none yet.</summary>
    /// <exception cref="RecordingFormatException">A digest is another one than recorded.</exception>
    public void WriteCheckpoints(CheckpointWriter writer, IProgress<double>? progress)
    {
        var batcher = new CheckpointBatcher(writer);
        for (int i = 0; i < kept.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            CheckpointMeta meta = Checkpoints.Meta(kept[i]);
            (ReadOnlyMemory<byte> state, List<PageChange>[] changes) = i == 0 ? (Checkpoints.Load(kept[0]).State, Touched(Checkpoints.Load(kept[0]).Maps)) : Changes(kept[i - 1], kept[i]);
            if (redaction is not null) changes = redaction.Value.Memory.Advance(changes);
            for (int m = 0; m < changes.Length; m++)
                foreach (PageChange change in changes[m])
                {
                    Checkpoints.Layout[m].ReadPage(source.Pages, change.Id, change.PageIndex, _page);
                    redaction?.Memory.Apply(m, change.PageIndex, _page);
                    batcher.Add(m, change.PageIndex, _page);
                }
            batcher.Finish(i, meta.Position, meta.GuestNanoseconds, meta.Sequence, redaction?.Memory.Rewrite(state) ?? state.ToArray());
            StateDigest digest = writer.TakeDigest().Digest;
            _digests.Add(meta.Position, digest);
            if (redaction is null && digest != meta.Digest) throw source.Damaged($"the checkpoint at {meta.Position} has another digest than recorded");
            progress?.Report((double)(i + 1) / kept.Length);
        }
    }

    /// <summary>Copies the log from the first checkpoint on, without its end.</summary>
    /// <param name="frames">Where to.</param>
    /// <param name="to">What happens from there on does not count.</param>
    /// <returns>The log, to go on with; and inputs that are taken right at <paramref name="to"/>, of which an idle machine knows before.</returns>
    public (EventLogWriter Log, List<LogRecord> AtEnd) WriteLog(FrameWriter frames, Position to)
    {
        CheckpointMeta begin = Checkpoints.Meta(kept[0]);
        EventLogWriter? log = null;
        var rest = new List<LogRecord>();
        bool isBehind = false;
        for (int i = 0; i < source.Log.SegmentCount; i++)
        {
            LogSegmentMeta segment = source.Log.Meta(i);
            if (segment.Through < begin.Position) continue;
            cancellation.ThrowIfCancellationRequested();
            ulong nanoseconds = segment.BaseNanoseconds;
            foreach (LogRecord logged in source.Log.ReadSegment(i).Records)
            {
                LogRecord record = redaction?.Log.Rewrite(logged) ?? logged;
                if (record.Kind is LogRecordKind.TimeInput or LogRecordKind.TimeRead) nanoseconds = record.Value;
                if (log is not null) isBehind |= Copy(log, record, to, isBehind, rest);
                else if (record.Kind == LogRecordKind.Checkpoint && record.Unit == kept[0])
                {
                    log = new EventLogWriter(frames, begin.Position, nanoseconds, begin.Sequence);
                    log.WriteCheckpoint(record.At, 0);
                }
            }
        }
        return (log ?? throw source.Damaged($"its log does not name the checkpoint at {begin.Position}"), rest);
    }

    /// <summary>Writes inputs, for what <see cref="WriteLog"/> has left over.</summary>
    public static void WriteInputs(EventLogWriter log, List<LogRecord> inputs)
    {
        foreach (LogRecord input in inputs) WriteInput(log, input);
    }

    // True from the first record on that does not count.
    private bool Copy(EventLogWriter log, in LogRecord record, Position to, bool isBehind, List<LogRecord> rest)
    {
        switch (record.Kind)
        {
            case LogRecordKind.Digest:
                // They come late: also behind the end there are some of before.
                if (redaction is not null)
                {
                    // What was there cannot be guessed and compared.
                    if (_digests.TryGetValue(record.At, out StateDigest digest)) log.WriteDigest(record.At, digest);
                }
                else if (record.At >= Checkpoints.PositionOf(kept[0]) && record.At <= to) log.WriteDigest(record.At, new StateDigest(record.Data.Span));
                return false;
            case LogRecordKind.Checkpoint:
                if (Array.BinarySearch(kept, record.Unit) is >= 0 and int number) log.WriteCheckpoint(record.At, number);
                return false;
            case LogRecordKind.End:
                return true;
        }
        if (isBehind) return true;
        if (record.At < to)
        {
            if (record.Kind == LogRecordKind.Output) log.WriteOutput(record.At, (OutputChannel)record.Unit, record.Data.Span);
            else WriteInput(log, record);
            return false;
        }
        if (record.At > to || !record.IsArrival) return true;
        rest.Add(record);
        return false;
    }

    private static void WriteInput(EventLogWriter log, in LogRecord record)
    {
        switch (record.Kind)
        {
            case LogRecordKind.TimeRead: log.WriteTimeRead(record.At, record.Value); break;
            case LogRecordKind.EntropyRead: log.WriteEntropy(record.At, record.Data.Span); break;
            case LogRecordKind.TimeInput: log.WriteInput(record.At, new InputEvent(InputKind.Time, 0, BitConverter.GetBytes(record.Value))); break;
            default: log.WriteInput(record.At, new InputEvent((InputKind)record.Kind, record.Unit, record.Data)); break;
        }
    }

    // All that was written behind one checkpoint up to another, as it is at the other.
    private (ReadOnlyMemory<byte> State, List<PageChange>[] Changes) Changes(int after, int index)
    {
        (ReadOnlyMemory<byte> state, List<PageChange>[] last) = Checkpoints.ReadChanges(index);
        if (index == after + 1) return (state, last);
        var merged = new SortedDictionary<int, int>[last.Length];
        for (int m = 0; m < merged.Length; m++) merged[m] = [];
        for (int i = after + 1; i <= index; i++)
        {
            List<PageChange>[] changes = i == index ? last : Checkpoints.ReadChanges(i).Changes;
            for (int m = 0; m < merged.Length; m++)
                foreach (PageChange change in changes[m]) merged[m][change.PageIndex] = change.Id;
        }
        return (state, Array.ConvertAll(merged, static pages => pages.Select(static page => new PageChange(page.Key, page.Value)).ToList()));
    }

    private List<PageChange>[] Touched(PageMap[] maps)
    {
        var touched = new List<PageChange>[maps.Length];
        for (int m = 0; m < maps.Length; m++)
        {
            touched[m] = [];
            int untouched = Checkpoints.Layout[m].UntouchedId;
            for (int page = 0; page < maps[m].Length; page++)
                if (maps[m][page] != untouched) touched[m].Add(new PageChange(page, maps[m][page]));
        }
        return touched;
    }
}
