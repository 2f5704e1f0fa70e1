using System.Collections.Generic;
using Introspection.Text;
using Vmm.Paging;

namespace Introspection.Paging;

/// <summary>What the bits of an entry mean, which depends on its level and on whether it maps a page (SDM 3A 4.3 to 4.5, tables "Format of ...").</summary>
public static class PageBits
{
    private static readonly NamedBit s_present = new(0, "P", "present"), s_writable = new(1, "W", "writing is allowed"), s_user = new(2, "U", "user mode is allowed"),
        s_writeThrough = new(3, "PWT", "write-through"), s_cacheDisable = new(4, "PCD", "cache disabled"), s_accessed = new(5, "A", "accessed: it was used for a translation"),
        s_dirty = new(6, "D", "dirty: the page was written"), s_pageSize = new(7, "PS", "maps a large page"), s_global = new(8, "G", "global: stays in TLBs when CR3 is loaded"),
        s_patSmall = new(7, "PAT", "selects the memory type, with PCD and PWT"), s_patLarge = new(12, "PAT", "selects the memory type, with PCD and PWT"),
        s_noExecute = new(63, "XD", "execution is forbidden");

    /// <summary>The bits that mean something, lowest first.</summary>
    public static IReadOnlyList<NamedBit> Of(in PagingControls controls, in GuestEntry entry)
    {
        if (controls.Mode == PagingMode.Pae && entry.Level == 3) return [s_present, s_writeThrough, s_cacheDisable];
        var bits = new List<NamedBit> { s_present, s_writable, s_user, s_writeThrough, s_cacheDisable, s_accessed };
        if (entry.IsLeaf)
        {
            bits.Add(s_dirty);
            bits.Add(entry.Level == 1 ? s_patSmall : s_pageSize);
            bits.Add(s_global);
            if (entry.Level > 1) bits.Add(s_patLarge);
        }
        else if (entry.Level < 4) bits.Add(s_pageSize);
        if (controls.Mode != PagingMode.TwoLevel) bits.Add(s_noExecute);
        return bits;
    }

    /// <summary>The names of those that are set, lowest first.</summary>
    public static List<string> SetNames(in PagingControls controls, in GuestEntry entry)
    {
        var names = new List<string>();
        foreach (NamedBit bit in Of(controls, entry))
            if ((entry.Value >> bit.Bit & 1) != 0) names.Add(bit.Name);
        return names;
    }
}
