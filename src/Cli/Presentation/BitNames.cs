using System.Collections.Generic;

namespace Cli.Presentation;

/// <summary>Names of the bits of control registers and page-table entries (SDM 3A 2.3, 2.5, 4.5).</summary>
internal static class BitNames
{
    private static readonly string[] s_flags =
        ["CF", "", "PF", "", "AF", "", "ZF", "SF", "TF", "IF", "DF", "OF", "", "", "NT", "", "RF", "VM", "AC", "VIF", "VIP", "ID"];
    private static readonly (int Bit, string Name)[] s_cr0 =
        [(0, "PE"), (1, "MP"), (2, "EM"), (3, "TS"), (4, "ET"), (5, "NE"), (16, "WP"), (18, "AM"), (29, "NW"), (30, "CD"), (31, "PG")];
    private static readonly (int Bit, string Name)[] s_cr4 =
    [
        (0, "VME"), (1, "PVI"), (2, "TSD"), (3, "DE"), (4, "PSE"), (5, "PAE"), (6, "MCE"), (7, "PGE"), (8, "PCE"), (9, "OSFXSR"), (10, "OSXMMEXCPT"),
        (11, "UMIP"), (16, "FSGSBASE"), (17, "PCIDE"), (18, "OSXSAVE"), (20, "SMEP"), (21, "SMAP"),
    ];
    private static readonly (int Bit, string Name)[] s_efer = [(0, "SCE"), (8, "LME"), (10, "LMA"), (11, "NXE")];

    public static string Flags(ulong flags)
    {
        var names = new List<string>();
        for (int bit = s_flags.Length - 1; bit >= 0; bit--)
            if ((flags >> bit & 1) != 0 && s_flags[bit].Length > 0) names.Add(s_flags[bit]);
        if ((flags >> 12 & 3) != 0) names.Add($"IOPL={flags >> 12 & 3}");
        return string.Join(' ', names);
    }

    public static string Cr0(ulong value) => Names(value, s_cr0);
    public static string Cr4(ulong value) => Names(value, s_cr4);
    public static string Efer(ulong value) => Names(value, s_efer);

    /// <summary>A page-table entry's bits; a leaf's differ from a table's.</summary>
    public static string PageTableEntry(ulong entry, int level, bool isLeaf)
    {
        if ((entry & 1) == 0) return "not present";
        var names = new List<string> { "P", (entry & 2) != 0 ? "W" : "read-only", (entry & 4) != 0 ? "U" : "S" };
        if ((entry & 8) != 0) names.Add("PWT");
        if ((entry & 16) != 0) names.Add("PCD");
        if ((entry & 32) != 0) names.Add("A");
        if (isLeaf && (entry & 64) != 0) names.Add("D");
        if (isLeaf && level > 1) names.Add("PS");
        if (isLeaf && level == 1 && (entry & 128) != 0) names.Add("PAT");
        if (isLeaf && (entry & 256) != 0) names.Add("G");
        if (entry >> 63 != 0) names.Add("XD");
        return string.Join(' ', names);
    }

    private static string Names(ulong value, (int Bit, string Name)[] bits)
    {
        var names = new List<string>();
        foreach ((int bit, string name) in bits)
            if ((value >> bit & 1) != 0) names.Add(name);
        return string.Join(' ', names);
    }
}
