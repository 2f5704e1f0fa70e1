using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Replay.Checkpoints;
using Replay.Packages;
using Replay.Replaying;
using Vmm.Memory;
using Vmm.Platform;

namespace Replay.Redaction;

/// <summary>What a plan selects at each checkpoint, and what was there: the contents whose copies are looked for.</summary>
internal sealed class SelectedContents
{
    /// <summary>What is shorter is found where it means something else.</summary>
    private const int ShortestCopy = 8;
    private const int MaximumContents = 4096;

    private readonly Needles _needles;
    private readonly HashSet<UInt128> _pages;
    private readonly bool _keepsCopies;
    private int _contentCount;

    private SelectedContents(Needles needles, HashSet<UInt128> pages, bool keepsCopies) => (_needles, _pages, _keepsCopies) = (needles, pages, keepsCopies);

    /// <summary>By checkpoint: where in RAM, merged.</summary>
    public List<Dictionary<int, List<ByteSpan>>> Places { get; } = [];

    /// <summary>Contents too short to look for copies of.</summary>
    public bool HasShort { get; private set; }

    /// <summary>There were more different contents than are looked for.</summary>
    public bool HasMore { get; private set; }

    /// <summary>Goes to each checkpoint.</summary>
    /// <param name="recording">Whose.</param>
    /// <param name="plan">What is selected.</param>
    /// <param name="needles">Gets the contents.</param>
    /// <param name="pages">Gets hashes of whole pages.</param>
    /// <param name="progress">0..1.</param>
    /// <param name="cancellation">Ends it.</param>
    public static SelectedContents Read(RecordingFile recording, RedactionPlan plan, Needles needles, HashSet<UInt128> pages, IProgress<double>? progress,
        CancellationToken cancellation)
    {
        var contents = new SelectedContents(needles, pages, plan.KeepsCopies);
        if (plan.Select is not { } select)
        {
            for (int i = 0; i < recording.CheckpointStore.Count; i++) contents.Places.Add([]);
            return contents;
        }
        using var session = new ReplaySession(recording, new PagePool(), new NullOutputSink());
        int count = recording.CheckpointStore.Count;
        for (int i = 0; i < count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            session.Restore(recording.CheckpointStore.Load(i));
            contents.Add(session.Machine, select(session.Machine));
            progress?.Report((double)(i + 1) / count);
        }
        return contents;
    }

    /// <summary>Forgets the other checkpoints.</summary>
    public void Keep(int[] kept)
    {
        List<Dictionary<int, List<ByteSpan>>> all = [.. Places];
        Places.Clear();
        foreach (int index in kept) Places.Add(all[index]);
    }

    private void Add(Machine machine, IEnumerable<SelectedMemory> selected)
    {
        var places = new Dictionary<int, List<ByteSpan>>();
        var content = new List<byte>();
        var pieces = new List<(int Page, ByteSpan Span)>();
        PagedMemory ram = machine.PagedMemories[0];
        foreach (SelectedMemory memory in selected)
        {
            pieces.Clear();
            foreach ((ulong physical, int sizeBytes) in memory.Pieces)
            {
                for (ulong at = physical, end = physical + (ulong)sizeBytes; at < end;)
                {
                    int inPage = (int)(at & (PagedMemory.PageSizeBytes - 1)), length = (int)Math.Min(end - at, (ulong)(PagedMemory.PageSizeBytes - inPage));
                    if (machine.Memory.RamOffset(at) is >= 0 and long offset) pieces.Add(((int)(offset >> PagedMemory.PageShift), new ByteSpan(inPage, length)));
                    at += (ulong)length;
                }
            }
            // Zeros tell that nothing is there yet, or not any more: what depends on that goes on.
            if (pieces.TrueForAll(piece => PageHash.IsZero(ram.Page(piece.Page).Slice(piece.Span.Start, piece.Span.Length)))) continue;
            content.Clear();
            foreach ((int page, ByteSpan span) in pieces) AddPiece(ram, page, span, places, content);
            if (!_keepsCopies && content.Count > 0) AddContent([.. content]);
        }
        foreach (int page in places.Keys.ToArray()) places[page] = ByteSpan.Merge(places[page]);
        Places.Add(places);
    }

    private void AddPiece(PagedMemory ram, int page, ByteSpan span, Dictionary<int, List<ByteSpan>> places, List<byte> content)
    {
        if (!places.TryGetValue(page, out List<ByteSpan>? spans)) places.Add(page, spans = []);
        spans.Add(span);
        ReadOnlySpan<byte> bytes = ram.Page(page).Slice(span.Start, span.Length);
        if (span.Length < PagedMemory.PageSizeBytes) content.AddRange(bytes);
        else if (!_keepsCopies && !IsTrivial(bytes)) _pages.Add(PageHash.OfContent(bytes));
    }

    // All of it but zeros around it, and the texts in it: of a buffer, all that is behind its text may be anything.
    private void AddContent(byte[] content)
    {
        ReadOnlySpan<byte> whole = content.AsSpan().Trim((byte)0);
        if (whole.Length is > 0 and < ShortestCopy) HasShort = true;
        if (whole.Length is >= ShortestCopy and <= Needles.LongestLength) AddNeedle(whole);
        for (int i = 0; i < whole.Length;)
        {
            int length = 0;
            while (i + length < whole.Length && IsPrintable(whole[i + length])) length++;
            for (int at = i; at < i + length; at += Needles.LongestLength)
                if (Math.Min(i + length - at, Needles.LongestLength) is >= ShortestCopy and int part) AddNeedle(whole.Slice(at, part));
            i += Math.Max(1, length);
        }
    }

    private void AddNeedle(ReadOnlySpan<byte> needle)
    {
        if (IsTrivial(needle)) return;
        if (_contentCount == MaximumContents) HasMore = true;
        else if (_needles.Add(needle.ToArray())) _contentCount++;
    }

    internal static bool IsPrintable(byte value) => value is >= 0x20 and < 0x7F;

    private static bool IsTrivial(ReadOnlySpan<byte> bytes) => bytes.IndexOfAnyExcept(bytes[0]) < 0;
}
