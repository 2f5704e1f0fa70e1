using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Iced.Intel;
using Introspection.State;
using Vmm.Paging;

namespace Introspection.Programs;

/// <summary>Where functions seem to begin in one piece of mapped code.</summary>
internal sealed class GuessedRegion
{
    /// <summary>Code is looked through in blocks of so many bytes, and a little of what lies before, where the block's first function may begin.</summary>
    internal const ulong BlockBytes = 1 << 19;
    private const ulong BytesBefore = 1 << 16;
    private const ulong PageBytes = 4096;

    private readonly ulong _start;
    private readonly ulong[] _pageMarks;
    private readonly List<ulong> _starts;

    private GuessedRegion(ulong start, byte[] code, List<ulong> starts)
    {
        _start = start;
        _starts = starts;
        _pageMarks = new ulong[code.Length / (int)PageBytes];
        for (int i = 0; i < _pageMarks.Length; i++) _pageMarks[i] = MarkOf(code.AsSpan(i * (int)PageBytes, (int)PageBytes));
    }

    /// <summary>In order.</summary>
    internal IReadOnlyList<ulong> Starts => _starts;

    private ulong End => _start + ((ulong)_pageMarks.Length * PageBytes);

    /// <summary>Null: no code is mapped there.</summary>
    internal static GuessedRegion? Read(GuestView view, ulong linear)
    {
        if (view.CodeSize == 16) return null;
        ulong page = linear & ~(PageBytes - 1), block = linear / BlockBytes * BlockBytes;
        if (!IsCode(view, page)) return null;
        ulong start = page, end = page + PageBytes, first = block > BytesBefore ? block - BytesBefore : 0;
        while (start > first && IsCode(view, start - PageBytes)) start -= PageBytes;
        while (end < block + BlockBytes && end != 0 && IsCode(view, end)) end += PageBytes;
        byte[] code = new byte[end - start];
        return view.Read(start, code) == code.Length ? new GuessedRegion(start, code, Guess(code, start, view.CodeSize)) : null;
    }

    /// <summary>The page that is asked about is as it was.</summary>
    internal bool IsStillAt(GuestView view, ulong linear)
    {
        if (linear < _start || linear >= End) return false;
        Span<byte> page = stackalloc byte[(int)PageBytes];
        ulong index = (linear - _start) / PageBytes;
        return view.Read(_start + (index * PageBytes), page) == page.Length && MarkOf(page) == _pageMarks[index];
    }

    /// <summary>The last beginning up to an address; null: there is none.</summary>
    internal ulong? StartBefore(ulong linear)
    {
        int index = _starts.BinarySearch(linear);
        if (index < 0) index = ~index - 1;
        return index < 0 || linear >= End ? null : _starts[index];
    }

    /// <summary>Bytes up to the next beginning; null: nothing begins there, or it is the last.</summary>
    internal ulong? SizeAt(ulong start)
    {
        int index = _starts.BinarySearch(start);
        return index < 0 || index + 1 >= _starts.Count ? null : _starts[index + 1] - start;
    }

    private static bool IsCode(GuestView view, ulong page)
    {
        PageWalk walk = view.Walk(page);
        return walk.IsMapped && !walk.NoExecute && view.Machine.Memory.RamOffset(walk.Physical) >= 0;
    }

    // FNV-1a over words (Fowler, Noll, Vo): only ever compared with itself.
    private static ulong MarkOf(ReadOnlySpan<byte> page)
    {
        ulong mark = 0xcbf29ce484222325;
        foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(page)) mark = (mark ^ word) * 0x100000001b3;
        return mark;
    }

    // One sweep over the code: what is called begins a function, and so does what looks like a prologue, or follows the end of one and its padding. Optimized code has
    // prologues in the middle, behind a test that needs none; then the code flows, or branches, into them.
    private static List<ulong> Guess(byte[] code, ulong start, int codeSize)
    {
        var starts = new SortedSet<ulong>();
        var boundaries = new HashSet<ulong>();
        HashSet<ulong> called = [], branched = [];
        var decoder = Decoder.Create(codeSize, new ByteArrayCodeReader(code), start);
        ulong end = start + (ulong)code.Length;
        var previous = default(Instruction);
        bool isBehindEnd = true;
        while (decoder.IP < end)
        {
            decoder.Decode(out Instruction instruction);
            ulong at = instruction.IP;
            boundaries.Add(at);
            bool isPadding = instruction.Mnemonic is Mnemonic.Nop or Mnemonic.Int3 || (instruction.IsInvalid && code[at - start] == 0);
            bool isBehindPadding = previous.Mnemonic is Mnemonic.Nop or Mnemonic.Int3;
            bool flows = !isBehindPadding && previous.FlowControl is FlowControl.Next or FlowControl.ConditionalBranch && at != start;
            if (IsPrologue(code.AsSpan((int)(at - start)), codeSize))
            {
                if (!flows) starts.Add(at);
            }
            // Behind a return comes the next function, at an aligned address; behind a jump it may be the same one's cold part.
            else if (isBehindEnd && !isPadding && !instruction.IsInvalid && at % 16 == 0 && isBehindPadding)
            {
                starts.Add(at);
            }
            if (instruction.IsCallNear && instruction.NearBranchTarget is var target && target >= start && target < end) called.Add(target);
            if (instruction.IsJccShortOrNear) branched.Add(instruction.NearBranchTarget);
            if (!isPadding) isBehindEnd = instruction.FlowControl is FlowControl.Return;
            previous = instruction;
        }
        starts.ExceptWith(branched);
        // A call of the next instruction only asks where it is.
        foreach (ulong target in called)
            if (boundaries.Contains(target)) starts.Add(target);
        return [.. starts];
    }

    private static bool IsPrologue(ReadOnlySpan<byte> code, int codeSize) => codeSize == 64
        ? code.StartsWith((ReadOnlySpan<byte>)[0xf3, 0x0f, 0x1e, 0xfa]) || code.StartsWith((ReadOnlySpan<byte>)[0x55, 0x48, 0x89, 0xe5])
        : code.StartsWith((ReadOnlySpan<byte>)[0xf3, 0x0f, 0x1e, 0xfb]) || code.StartsWith((ReadOnlySpan<byte>)[0x55, 0x89, 0xe5]);
}
