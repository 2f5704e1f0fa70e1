using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Replay.Checkpoints;
using Replay.Packages;
using Vmm.Memory;
using Vmm.Snapshots;

namespace Replay.Redaction;

/// <summary>
/// Checkpoints' memory and state without what is to be taken out. Texts are found in each different page once; those that two neighbouring pages hold together, and what is selected,
/// by where they are at each checkpoint. Used for one checkpoint after the other.
/// </summary>
internal sealed class RedactedMemory
{
    /// <summary>Parts of a text that fit into a register.</summary>
    private const int WordSize = 8;

    private readonly RecordingFile _source;
    private readonly Needles _needles, _heads = new(), _tails = new(), _words = new();
    private readonly SelectedContents _selected;
    private readonly Dictionary<int, List<ByteSpan>> _found = [];
    private readonly int[][] _maps;
    // By memory and page: what a text that begins there goes on with in the next page.
    private readonly Dictionary<(int Memory, int Page), List<ByteSpan>> _crossing = [];
    private readonly List<ByteSpan> _spans = [];
    private HashSet<(int Memory, int Page)> _placed = [];
    private int _current = -1;

    /// <summary>Looks through all pages of the store.</summary>
    /// <param name="source">The recording.</param>
    /// <param name="needles">Texts.</param>
    /// <param name="pages">Hashes of pages of which copies are taken out.</param>
    /// <param name="selected">What is selected at each checkpoint.</param>
    /// <param name="progress">0..1.</param>
    /// <param name="cancellation">Ends it.</param>
    public RedactedMemory(RecordingFile source, Needles needles, HashSet<UInt128> pages, SelectedContents selected, IProgress<double>? progress, CancellationToken cancellation)
    {
        (_source, _needles, _selected) = (source, needles, selected);
        _maps = source.CheckpointStore.Layout.UntouchedMaps();
        foreach (byte[] needle in needles.All) AddParts(needle);
        var page = new byte[PagedMemory.PageSizeBytes];
        for (int id = PageId.FirstStored; id < PageId.FirstStored + source.Pages.PageCount; id++)
        {
            if ((id & 0xFFF) == 0)
            {
                cancellation.ThrowIfCancellationRequested();
                progress?.Report((double)id / source.Pages.PageCount);
            }
            if (pages.Contains(source.Pages.HashOf(id))) _found.Add(id, [new ByteSpan(0, page.Length)]);
            else if (needles.Count > 0)
            {
                source.Pages.Read(id, page);
                if (FindIn(page) is { Count: > 0 } spans) _found.Add(id, spans);
            }
        }
    }

    /// <summary>By checkpoint: filler that replay has put there besides; null: none is known.</summary>
    public SpreadFiller?[]? Spread { get; set; }

    /// <summary>Begins with the first checkpoint again.</summary>
    public void Restart()
    {
        for (int m = 0; m < _maps.Length; m++) Array.Fill(_maps[m], _source.CheckpointStore.Layout[m].UntouchedId);
        _crossing.Clear();
        _placed = [];
        _current = -1;
        RamPlaces.Clear();
        MemoryBytes = StateBytes = 0;
    }

    /// <summary>By checkpoint: what is taken out of RAM there, as offsets, in ascending order.</summary>
    public List<List<(long Offset, int Length)>> RamPlaces { get; } = [];

    public long MemoryBytes { get; private set; }
    public long StateBytes { get; private set; }

    /// <summary>The state at the first checkpoint is another one.</summary>
    public bool HasChangedFirstState { get; private set; }

    /// <summary>Goes to the next checkpoint.</summary>
    /// <param name="changes">Pages written since the one before, by memory.</param>
    /// <returns>The pages that are to be written: those, and others whose content is another one because of what is taken out.</returns>
    public List<PageChange>[] Advance(List<PageChange>[] changes)
    {
        _current++;
        var affected = new HashSet<(int Memory, int Page)>();
        for (int m = 0; m < changes.Length; m++)
        {
            foreach (PageChange change in changes[m]) _maps[m][change.PageIndex] = change.Id;
            foreach (PageChange change in changes[m])
            {
                affected.Add((m, change.PageIndex));
                if (_needles.MaximumLength < 2) continue;
                // A text may begin in the page before, or end in the one behind.
                if (Cross(m, change.PageIndex - 1)) affected.Add((m, change.PageIndex - 1));
                if (Cross(m, change.PageIndex)) affected.Add((m, change.PageIndex + 1));
            }
        }
        HashSet<(int Memory, int Page)> before = _placed;
        _placed = [.. _selected.Places[_current].Keys.Select(static page => (0, page))];
        if (Spread?[_current] is { } spread) _placed.UnionWith(spread.Pages.Keys);
        affected.UnionWith(before);
        affected.UnionWith(_placed);
        var written = new List<PageChange>[changes.Length];
        for (int m = 0; m < written.Length; m++)
            written[m] = [.. affected.Where(one => one.Memory == m).Select(static one => one.Page).Order().Select(page => new PageChange(page, _maps[m][page]))];
        RamPlaces.Add(PlacesInRam());
        return written;
    }

    /// <summary>Takes out of a page's content what is to be taken out at this checkpoint.</summary>
    public void Apply(int memory, int page, Span<byte> content)
    {
        foreach (ByteSpan span in SpansOf(memory, page)) content.Slice(span.Start, span.Length).Fill(RecordingRedactor.Filler);
    }

    /// <summary>A saved state without it.</summary>
    public byte[] Rewrite(ReadOnlyMemory<byte> state)
    {
        if (Spread?[_current] is { } spread)
        {
            for (int i = 0; i < spread.State.Length; i++)
                if (spread.State[i] != state.Span[i]) StateBytes++;
            return spread.State;
        }
        byte[] written = state.ToArray();
        foreach (StateField field in StateFields.Parse(written))
        {
            _spans.Clear();
            _needles.Find(field.Value.Span, _spans);
            _words.Find(field.Value.Span, _spans);
            if (_spans.Count == 0) continue;
            int start = OffsetOf(written, field.Value);
            foreach (ByteSpan span in ByteSpan.Merge([.. _spans]))
            {
                written.AsSpan(start + span.Start, span.Length).Fill(RecordingRedactor.Filler);
                StateBytes += span.Length;
            }
        }
        if (_current == 0) HasChangedFirstState = StateBytes > 0;
        return written;
    }

    private static int OffsetOf(byte[] state, ReadOnlyMemory<byte> value)
    {
        bool isThere = System.Runtime.InteropServices.MemoryMarshal.TryGetArray(value, out ArraySegment<byte> segment);
        Vmm.Invariant.Check(isThere && segment.Array == state);
        return segment.Offset;
    }

    // Where a text lies in two pages that are neighbours only as the guest sees them, one of them has half of it, and each more than a word unless it is short.
    private void AddParts(byte[] needle)
    {
        int part = Math.Min((needle.Length + 1) / 2, WordSize);
        if (part >= Needles.ShortestLength)
        {
            _heads.Add(needle[..part]);
            _tails.Add(needle[^part..]);
        }
        if (needle.AsSpan().ContainsAnyExceptInRange((byte)0x20, (byte)0x7E)) return;
        for (int i = 0; i <= needle.Length - WordSize; i++)
            if (needle.AsSpan(i, WordSize).IndexOfAnyExcept(needle[i]) >= 0) _words.Add(needle[i..(i + WordSize)]);
    }

    private List<ByteSpan> FindIn(ReadOnlySpan<byte> page)
    {
        var spans = new List<ByteSpan>();
        _needles.Find(page, spans);
        int edge = Math.Min(_needles.MaximumLength, page.Length);
        _spans.Clear();
        _heads.Find(page[^edge..], _spans);
        foreach (ByteSpan head in _spans)
        {
            int start = page.Length - edge + head.Start;
            foreach (byte[] needle in _needles.All)
                if (needle.Length > page.Length - start && page[start..].SequenceEqual(needle.AsSpan(0, page.Length - start))) spans.Add(new ByteSpan(start, page.Length - start));
        }
        _spans.Clear();
        _tails.Find(page[..edge], _spans);
        foreach (ByteSpan tail in _spans)
            foreach (byte[] needle in _needles.All)
                if (needle.Length > tail.End && page[..tail.End].SequenceEqual(needle.AsSpan(needle.Length - tail.End))) spans.Add(new ByteSpan(0, tail.End));
        return ByteSpan.Merge(spans);
    }

    // True: what goes from this page over into the next is another than it was.
    private bool Cross(int memory, int page)
    {
        if (page < 0 || page + 1 >= _maps[memory].Length) return false;
        int reach = Math.Min(_needles.MaximumLength - 1, PagedMemory.PageSizeBytes);
        Span<byte> content = stackalloc byte[PagedMemory.PageSizeBytes], window = stackalloc byte[2 * reach];
        ReadPage(memory, page, content);
        content[^reach..].CopyTo(window);
        ReadPage(memory, page + 1, content);
        content[..reach].CopyTo(window[reach..]);
        _spans.Clear();
        _needles.Find(window, _spans);
        List<ByteSpan> crossing = [.. _spans.Where(span => span.Start < reach && span.End > reach).Select(span => new ByteSpan(span.Start + PagedMemory.PageSizeBytes - reach, span.Length))];
        if (crossing.Count == 0) return _crossing.Remove((memory, page));
        _crossing[(memory, page)] = ByteSpan.Merge(crossing);
        return true;
    }

    private void ReadPage(int memory, int page, Span<byte> content) =>
        _source.CheckpointStore.Layout[memory].ReadPage(_source.Pages, _maps[memory][page], page, content);

    private List<ByteSpan> SpansOf(int memory, int page)
    {
        var spans = new List<ByteSpan>();
        if (_found.TryGetValue(_maps[memory][page], out List<ByteSpan>? found)) spans.AddRange(found);
        if (_crossing.TryGetValue((memory, page), out List<ByteSpan>? begins))
            foreach (ByteSpan span in begins) spans.Add(span with { Length = PagedMemory.PageSizeBytes - span.Start });
        if (_crossing.TryGetValue((memory, page - 1), out List<ByteSpan>? ends))
            foreach (ByteSpan span in ends) spans.Add(new ByteSpan(0, span.End - PagedMemory.PageSizeBytes));
        if (memory == 0 && _selected.Places[_current].TryGetValue(page, out List<ByteSpan>? placed)) spans.AddRange(placed);
        if (Spread?[_current] is { } spread && spread.Pages.TryGetValue((memory, page), out List<ByteSpan>? more)) spans.AddRange(more);
        return ByteSpan.Merge(spans);
    }

    private List<(long Offset, int Length)> PlacesInRam()
    {
        var places = new List<(long Offset, int Length)>();
        var touched = new SortedSet<int>(_selected.Places[_current].Keys);
        for (int page = 0; page < _maps[0].Length; page++)
            if (_maps[0][page] >= PageId.FirstStored && _found.ContainsKey(_maps[0][page])) touched.Add(page);
        if (Spread?[_current] is { } spread)
            foreach ((int memory, int page) in spread.Pages.Keys)
                if (memory == 0) touched.Add(page);
        foreach ((int memory, int page) in _crossing.Keys)
            if (memory == 0) touched.UnionWith([page, page + 1]);
        foreach (int page in touched)
        {
            foreach (ByteSpan span in SpansOf(0, page))
            {
                long offset = ((long)page << PagedMemory.PageShift) + span.Start;
                MemoryBytes += span.Length;
                if (places.Count > 0 && places[^1].Offset + places[^1].Length == offset) places[^1] = places[^1] with { Length = places[^1].Length + span.Length };
                else places.Add((offset, span.Length));
            }
        }
        return places;
    }
}
