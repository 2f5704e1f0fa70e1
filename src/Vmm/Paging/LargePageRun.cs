using System;
using Vmm.Memory;

namespace Vmm.Paging;

/// <summary>Linear addresses that large pages map one behind the other to RAM which can be read without anybody's notice.</summary>
/// <param name="Linear">The first, at the start of a page.</param>
/// <param name="RamOffset">Its offset in RAM.</param>
/// <param name="SizeBytes">A multiple of 4 KiB.</param>
internal readonly record struct LargePageRun(ulong Linear, long RamOffset, ulong SizeBytes)
{
    /// <summary>No more is looked at in either direction: that bounds what finding a run costs.</summary>
    private const int MostLargePages = 64, MostPages = 16384;

    /// <summary>
    /// The run around an address that was accessed before; null: no large page maps it, it may not be read, or it is not in RAM. Neighbouring large pages belong to it if they were
    /// accessed, too: then their accessed bits are set, and the shadow hears when their entries change.
    /// </summary>
    public static LargePageRun? Around(PhysicalMemory memory, ShadowPageTable space, ulong linear, Predicate<ShadowEntry> mayRead)
    {
        linear &= ~0xFFFUL;
        ulong start, end, physical;
        if (space.Controls.Mode == PagingMode.None) (start, end, physical) = (0, 1UL << 32, 0);
        else
        {
            if (!space.Find(linear).IsPresent || LargePage(memory, space, linear, mayRead) is not { } page) return null;
            start = linear & ~(page.SizeBytes - 1);
            end = start + page.SizeBytes;
            physical = page.Physical & ~(page.SizeBytes - 1);
            for (int i = 0; i < MostLargePages && Continues(end, physical + (end - start)); i++) end += page.SizeBytes;
            for (int i = 0; i < MostLargePages && Continues(start - page.SizeBytes, physical - page.SizeBytes); i++)
            {
                start -= page.SizeBytes;
                physical -= page.SizeBytes;
            }

            bool Continues(ulong at, ulong expected) => space.AnyFilled(at & 0xFFFF_FFFF_FFFF, System.Numerics.BitOperations.Log2(page.SizeBytes))
                && LargePage(memory, space, at, mayRead) is { } next && next.SizeBytes == page.SizeBytes && next.Physical == expected;
        }
        ulong here = physical + (linear - start);
        (ulong ramStart, ulong ramEnd) = memory.StretchOf(here);
        if (ramStart == ramEnd) return null;
        // Where the run meets the ends of the stretch of RAM.
        ulong first = Math.Max(physical, ramStart), last = Math.Min(physical + (end - start), ramEnd);
        int index = Page(here), lowest = Math.Max(Page(first), index - MostPages), behind = Math.Min(Page(last - 1) + 1, index + MostPages);
        (int from, int to) = memory.Ram.ReadableAround(index, lowest, behind);
        if (to <= index) return null;
        return new LargePageRun(linear - ((ulong)(index - from) << PagedMemory.PageShift), (long)from << PagedMemory.PageShift, (ulong)(to - from) << PagedMemory.PageShift);

        int Page(ulong address) => (int)(memory.RamOffset(address) >> PagedMemory.PageShift);
    }

    private static (ulong Physical, ulong SizeBytes)? LargePage(PhysicalMemory memory, ShadowPageTable space, ulong linear, Predicate<ShadowEntry> mayRead)
    {
        PageWalk walk = GuestPageWalker.Walk(memory, space.Controls, linear);
        return walk.IsMapped && walk.PageSizeBytes > PagedMemory.PageSizeBytes && mayRead(ShadowEntry.From(walk)) ? (walk.Physical, walk.PageSizeBytes) : null;
    }
}
