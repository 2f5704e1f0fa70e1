using System;
using System.Collections.Generic;
using Replay.Checkpoints;
using Replay.Packages;
using Replay.Replaying;
using Vmm.Memory;

namespace Replay.Redaction;

/// <summary>
/// Filler that a replay has put where a redacted checkpoint still has something: parts of what was taken out, under way in queues, buffers and registers, that no search knows as such. Where
/// replay leads to a checkpoint's state but for that, what it leads to is the better checkpoint.
/// </summary>
/// <param name="Pages">By memory and page.</param>
/// <param name="State">The machine's saved state.</param>
internal sealed record SpreadFiller(IReadOnlyDictionary<(int Memory, int Page), List<ByteSpan>> Pages, byte[] State)
{
    /// <summary>Compares a session that stands at a checkpoint's position with the checkpoint; null: they differ in something else.</summary>
    public static SpreadFiller? Of(RecordingFile recording, ReplaySession session, int checkpoint)
    {
        MachineSnapshot target = recording.CheckpointStore.Load(checkpoint);
        byte[] state = session.SaveState().ToArray();
        if (state.Length != target.State.Length || Differences(state, target.State.Span) is null) return null;
        var pages = new Dictionary<(int Memory, int Page), List<ByteSpan>>();
        var candidates = new List<int>();
        Span<byte> expected = stackalloc byte[PagedMemory.PageSizeBytes];
        for (int m = 0; m < target.Maps.Length; m++)
        {
            PagedMemory memory = session.Machine.PagedMemories[m];
            candidates.Clear();
            memory.CollectDirty(candidates);
            PageMap from = session.Base!.Maps[m], to = target.Maps[m];
            for (int page = 0; page < to.Length; page++)
                if (from[page] != to[page]) candidates.Add(page);
            foreach (int page in candidates)
            {
                if (pages.ContainsKey((m, page))) continue;
                recording.CheckpointStore.Layout[m].ReadPage(recording.Pages, to[page], page, expected);
                if (Differences(memory.Page(page), expected) is not { } spans) return null;
                if (spans.Count > 0) pages.Add((m, page), spans);
            }
        }
        return new SpreadFiller(pages, state);
    }

    // Where something is filler that is not; null: it is something else somewhere.
    private static List<ByteSpan>? Differences(ReadOnlySpan<byte> got, ReadOnlySpan<byte> expected)
    {
        var spans = new List<ByteSpan>();
        for (int i = got.CommonPrefixLength(expected); i < got.Length; i++)
        {
            if (got[i] == expected[i]) continue;
            if (got[i] != RecordingRedactor.Filler) return null;
            spans.Add(new ByteSpan(i, 1));
        }
        return ByteSpan.Merge(spans);
    }
}
