using System;
using System.Collections.Generic;
using System.Threading;
using Microsoft.Extensions.Logging;
using Replay.Checkpoints;
using Replay.Messages;
using Replay.Packages;
using Replay.Redaction;
using Vmm;
using Vmm.Inputs;
using Vmm.Memory;
using Vmm.Platform;
using Vmm.Snapshots;
using Vmm.Time;

namespace Replay.Replaying;

/// <summary>
/// A machine that replays a recording, and can be put at any snapshot of it. Putting it somewhere costs a comparison of page maps; pages
/// are fetched when the guest touches them. One thread at a time; several sessions share a recording and a pool.
/// </summary>
internal sealed class ReplaySession : IDisposable
{
    private readonly RecordingFile _recording;
    private readonly PagePool _pool;
    private readonly ILogger _log;
    private readonly SnapshotPageSource[] _pages;
    private readonly StateWriter _state = new();
    private readonly List<int> _dirty = [];
    private MachineSnapshot? _base;
    private int _growth;

    /// <summary>Builds the machine; it stands nowhere before <see cref="Restore"/>.</summary>
    /// <param name="recording">Of what.</param>
    /// <param name="pool">Pages of snapshots.</param>
    /// <param name="outputs">Takes what the guest prints.</param>
    /// <param name="boots">Its images are put into its memory, for whoever compares that with the first checkpoint: where it is put, all lies in checkpoints.</param>
    /// <exception cref="RecordingFormatException">The recorded configuration does not make a machine.</exception>
    public ReplaySession(RecordingFile recording, PagePool pool, IOutputSink outputs, bool boots = false)
    {
        _recording = recording;
        _pool = pool;
        _log = recording.Loggers.CreateLogger(typeof(ReplaySession).FullName!);
        Inputs = new ReplayInputSource(recording.Log, recording.HaltedAt);
        _growth = recording.Growth;
        try
        {
            Machine = new Machine(boots ? recording.Configuration : recording.Configuration with { Boots = false }, Inputs, outputs);
        }
        catch (BootImageException e)
        {
            throw recording.Damaged($"its images do not make a machine: {e.Message}");
        }
        MemoryLayout layout = recording.CheckpointStore.Layout;
        _pages = new SnapshotPageSource[layout.Count];
        bool same = Machine.PagedMemories.Count == layout.Count;
        for (int i = 0; same && i < _pages.Length; i++)
        {
            PagedMemory memory = Machine.PagedMemories[i];
            same = memory.Name == layout[i].Name && memory.PageCount == layout[i].PageCount;
            _pages[i] = new SnapshotPageSource(layout[i], recording.Pages, pool);
        }
        if (same) return;
        Machine.Dispose();
        throw recording.Damaged("its checkpoints are those of a machine with other memories");
    }

    public Machine Machine { get; }
    public ReplayInputSource Inputs { get; }
    public Position Position => Machine.Position;

    /// <summary>The snapshot that the machine was last put at, or that was last taken of it.</summary>
    public MachineSnapshot? Base => _base;

    /// <summary>Behind so many bytes of fetched pages, the next restore gives back what no code is on; what is needed of it is fetched again.</summary>
    public long FetchBudgetBytes { get; init; } = long.MaxValue;

    /// <summary>More was fetched than that.</summary>
    public bool IsOverBudget
    {
        get
        {
            long fetched = 0;
            foreach (PagedMemory memory in Machine.PagedMemories) fetched += memory.FetchedSizeBytes;
            return fetched > FetchBudgetBytes;
        }
    }

    /// <summary>Puts the machine at a snapshot.</summary>
    public void Restore(MachineSnapshot target)
    {
        bool discards = IsOverBudget;
        for (int m = 0; m < _pages.Length; m++)
        {
            PagedMemory memory = Machine.PagedMemories[m];
            if (_base is null)
            {
                memory.MakeAllAbsent();
                memory.SetSource(_pages[m]);
            }
            else
            {
                _dirty.Clear();
                memory.CollectDirty(_dirty);
                foreach (int page in _dirty) memory.MakeAbsent(page);
                var forgetting = new PageForgetter(memory);
                _base.Maps[m].ForEachDifference(target.Maps[m], ref forgetting);
                if (discards) memory.Discard();
            }
            _pages[m].Map = target.Maps[m];
        }
        try
        {
            Machine.RestoreState(new StateReader(target.State));
        }
        catch (StateFormatException e)
        {
            throw _recording.Damaged($"the checkpoint at {target.Position}: {e.Message}");
        }
        Machine.BeginEpoch();
        StandOn(target);
        Inputs.Seek(target.Sequence);
        if (Machine.Position != target.Position)
            throw _recording.Damaged($"the checkpoint at {target.Position} holds the state at {Machine.Position}");
        _log.Restored(target.Position, target.CheckpointIndex);
    }

    /// <summary>Takes a snapshot of the machine as it is; the caller holds it, and lets go of its pages when done.</summary>
    public MachineSnapshot Capture()
    {
        MachineSnapshot previous = _base!;
        var maps = new PageMap[_pages.Length];
        var fresh = new List<int>();
        var replaced = new HashSet<int>();
        for (int m = 0; m < maps.Length; m++)
        {
            PagedMemory memory = Machine.PagedMemories[m];
            _dirty.Clear();
            memory.CollectDirty(_dirty);
            PageMap before = previous.Maps[m];
            maps[m] = before.With(_dirty, page =>
            {
                if (before[page] < 0) replaced.Add(before[page]);
                int id = _pool.Add(memory.Page(page));
                fresh.Add(id);
                return id;
            });
        }
        Machine.BeginEpoch();
        _state.Clear();
        Machine.SaveState(_state);
        var snapshot = new MachineSnapshot
        {
            Position = Machine.Position, Sequence = Inputs.Sequence, State = _state.Written.ToArray(), Maps = maps,
            CheckpointIndex = previous.CheckpointIndex, Pages = HoldPages(previous, replaced, fresh),
        };
        for (int m = 0; m < maps.Length; m++) _pages[m].Map = maps[m];
        StandOn(snapshot);
        return snapshot;
    }

    /// <summary>Replays up to a position; one between two events that does not exist leads to the next that does. Stops early only when the
    /// machine ends. Holes on the way are passed over.</summary>
    /// <param name="target">Not before where the machine is, and in no hole.</param>
    /// <param name="afterSlice">Called now and then with the instructions done since the last call; null: none. False: go no
    /// further.</param>
    public bool RunTo(Position target, Func<ulong, bool>? afterSlice = null)
    {
        Invariant.Check(target >= Machine.Position);
        while (_recording.Holes.FirstBetween(Machine.Position, target) is { } hole)
        {
            if (target < hole.To) throw new RedactedPositionException(target, hole);
            if (!RunWithin(hole.From, afterSlice)) return false;
            PassOver(hole);
        }
        return RunWithin(target, afterSlice);
    }

    /// <summary>One transition, or over a hole that begins here.</summary>
    public void Step()
    {
        LookForMore();
        if (_recording.Holes.BeginningAt(Machine.Position) is { } hole) PassOver(hole);
        else Machine.Step();
    }

    // To a position that no hole lies before.
    private bool RunWithin(Position target, Func<ulong, bool>? afterSlice)
    {
        const ulong slice = 2_000_000;
        LookForMore();
        ulong reported = Machine.InstructionCount;
        while (Machine.InstructionCount < target.InstructionCount)
        {
            RunStop stop = Machine.Run(Math.Min(target.InstructionCount, Machine.InstructionCount + slice));
            if (afterSlice is not null && !afterSlice(Machine.InstructionCount - reported)) return false;
            reported = Machine.InstructionCount;
            if (stop == RunStop.Ended) break;
        }
        while (Machine.Position < target && Machine.Outcome.Kind == OutcomeKind.None) Machine.Step();
        if (Machine.Position < target)
            throw new ReplayDivergenceException(Machine.Position,
                $"the machine to live until {target}", $"its end ({Machine.Outcome.Detail})");
        return true;
    }

    // What observes the machine stays as it is.
    private void PassOver(in RecordingHole hole)
    {
        Restore(_recording.CheckpointStore.Load(_recording.CheckpointStore.FindAtOrBefore(hole.To)));
        _recording.Holes.Pass(hole);
    }

    // A recording that is still being made may have grown since.
    private void LookForMore()
    {
        if (_growth == _recording.Growth) return;
        _growth = _recording.Growth;
        Inputs.Refresh(_recording.HaltedAt);
    }

    /// <summary>
    /// At the recording's end, lets the machine find out that it has ended, if the recorded one had: an end moves no position.
    /// </summary>
    public void SettleOutcome()
    {
        if (Machine.Position != _recording.End || _recording.Outcome.Kind == OutcomeKind.None
            || Machine.Outcome.Kind != OutcomeKind.None) return;
        Machine.Step();
        if (Machine.Outcome.Kind != _recording.Outcome.Kind || Machine.Position != _recording.End)
            throw new ReplayDivergenceException(_recording.End,
                $"the end ({_recording.Outcome.Kind})", $"{Machine.Outcome.Kind} at {Machine.Position}");
    }

    /// <summary>Digest of the whole state where the machine is.</summary>
    public StateDigest Digest() => PageHash.Digest(SaveState(), PageSum());

    /// <summary>The saved state where the machine is; valid until the next call.</summary>
    public ReadOnlySpan<byte> SaveState()
    {
        _state.Clear();
        Machine.SaveState(_state);
        return _state.Written;
    }

    /// <summary>The page sum where the machine is: the nearest checkpoint's, with what changed since.</summary>
    public UInt128 PageSum()
    {
        MachineSnapshot snapshot = _base!;
        CheckpointStore checkpoints = _recording.CheckpointStore;
        MachineSnapshot reference = checkpoints.Load(snapshot.CheckpointIndex);
        UInt128 sum = checkpoints.Meta(snapshot.CheckpointIndex).PageSum;
        Span<byte> image = stackalloc byte[PagedMemory.PageSizeBytes];
        for (int m = 0; m < _pages.Length; m++)
        {
            PagedMemory memory = Machine.PagedMemories[m];
            MemoryDescription description = checkpoints.Layout[m];
            _dirty.Clear();
            memory.CollectDirty(_dirty);
            AddDiffering(_dirty, reference.Maps[m], snapshot.Maps[m]);
            int last = -1;
            foreach (int page in _dirty)
            {
                if (page == last) continue;
                last = page;
                int old = reference.Maps[m][page];
                sum -= PageHash.Contribution(description, page, old, old >= PageId.FirstStored
                    ? _recording.Pages.HashOf(old) : UInt128.Zero);
                sum += ContributionOf(description, page, memory.Page(page), image);
            }
        }
        return sum;
    }

    public void Dispose()
    {
        _base?.Pages?.Release();
        _base = null;
        Machine.Dispose();
    }

    private static UInt128 ContributionOf(MemoryDescription memory, int page, ReadOnlySpan<byte> content, Span<byte> imagePage)
    {
        if (!memory.Image.IsEmpty)
        {
            memory.ReadImagePage(page, imagePage);
            if (content.SequenceEqual(imagePage)) return UInt128.Zero;
        }
        return PageHash.IsZero(content) ? PageHash.Contribution(memory, page, PageId.Zero, UInt128.Zero)
            : PageHash.Contribution(memory, page, PageId.FirstStored, PageHash.OfContent(content));
    }

    // The pages that differ between two maps, merged into a sorted list (duplicates stay, next to each other).
    private static void AddDiffering(List<int> pages, PageMap a, PageMap b)
    {
        int before = pages.Count;
        var collecting = new PageCollector(pages);
        a.ForEachDifference(b, ref collecting);
        if (before > 0) pages.Sort();
    }

    private readonly struct PageForgetter(PagedMemory memory) : IPageVisitor
    {
        public void Visit(int page) => memory.MakeAbsent(page);
    }

    private readonly struct PageCollector(List<int> pages) : IPageVisitor
    {
        public void Visit(int page) => pages.Add(page);
    }

    // Those of the snapshot before that were not replaced, and the new ones.
    private PoolPages? HoldPages(MachineSnapshot previous, HashSet<int> replaced, List<int> fresh)
    {
        var inherited = new List<int>();
        if (previous.Pages is { } pages)
            foreach (int id in pages.Ids)
                if (!replaced.Contains(id)) inherited.Add(id);
        if (inherited.Count + fresh.Count == 0) return null;
        _pool.AddReferences(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(inherited));
        return new PoolPages(_pool, [.. inherited, .. fresh]);
    }

    private void StandOn(MachineSnapshot snapshot)
    {
        snapshot.Pages?.Hold();
        _base?.Pages?.Release();
        _base = snapshot;
    }
}
