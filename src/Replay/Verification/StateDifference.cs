using System;
using System.Buffers.Binary;
using System.Text;
using Replay.Checkpoints;
using Replay.Packages;
using Replay.Replaying;
using Vmm.Memory;

namespace Replay.Verification;

/// <summary>Says in words where a replayed machine differs from a checkpoint: the first field of the saved state, or the first
/// page.</summary>
internal static class StateDifference
{
    /// <summary>The difference between a session's machine and a checkpoint at the same position.</summary>
    public static string Describe(RecordingFile recording, ReplaySession session, int checkpointIndex)
    {
        MachineSnapshot expected = recording.CheckpointStore.Load(checkpointIndex);
        return DescribeState(expected.State.Span, session.SaveState())
            ?? DescribePages(recording, session, expected)
            ?? "nothing that a checkpoint holds";
    }

    private static string? DescribeState(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> got)
    {
        string chip = "";
        while (!expected.IsEmpty || !got.IsEmpty)
        {
            string? name = TakeField(ref expected, out ReadOnlySpan<byte> a), otherName = TakeField(ref got, out ReadOnlySpan<byte> b);
            if (name is null || name != otherName) return $"field '{chip}{name ?? otherName}', which only one of them has";
            if (name == "chip") chip = Encoding.ASCII.GetString(a) + ".";
            if (a.SequenceEqual(b)) continue;
            int at = a.CommonPrefixLength(b);
            return $"field '{(name.StartsWith("vcpu", StringComparison.Ordinal) ? "" : chip)}{name}' of the state, from byte {at} on: recorded {Hex(a, at)}, replayed {Hex(b, at)}";
        }
        return null;
    }

    private static string? DescribePages(RecordingFile recording, ReplaySession session, MachineSnapshot expected)
    {
        Span<byte> content = stackalloc byte[PagedMemory.PageSizeBytes];
        MemoryLayout layout = recording.CheckpointStore.Layout;
        for (int m = 0; m < layout.Count; m++)
        {
            PagedMemory memory = session.Machine.PagedMemories[m];
            for (int page = 0; page < memory.PageCount; page++)
            {
                layout[m].ReadPage(recording.Pages, expected.Maps[m][page], page, content);
                ReadOnlySpan<byte> got = memory.Page(page);
                if (got.SequenceEqual(content)) continue;
                int at = got.CommonPrefixLength(content);
                return $"memory '{memory.Name}', offset 0x{((long)page << PagedMemory.PageShift) + at:x}: recorded {Hex(content, at)}, replayed {Hex(got, at)}";
            }
        }
        return null;
    }

    // Fields as Vmm.Snapshots.StateWriter writes them: [name length][name][length, 4 bytes][value].
    private static string? TakeField(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (rest.Length < 1 || rest.Length < 1 + rest[0] + 4) return null;
        string name = Encoding.ASCII.GetString(rest.Slice(1, rest[0]));
        int length = BinaryPrimitives.ReadInt32LittleEndian(rest[(1 + name.Length)..]);
        rest = rest[(1 + name.Length + 4)..];
        if (length < 0 || length > rest.Length) return null;
        value = rest[..length];
        rest = rest[length..];
        return name;
    }

    private static string Hex(ReadOnlySpan<byte> bytes, int from) =>
        Convert.ToHexStringLower(bytes.Slice(from, Math.Min(8, bytes.Length - from)));
}
