using System.Collections.Generic;

namespace Introspection.Text;

/// <summary>A bit of a register.</summary>
public readonly record struct NamedBit(int Bit, string Name, string Meaning);

/// <summary>Names of the bits of control registers and page-table entries (SDM 1 3.4.3; 3A 2.3, 2.5, 4.5).</summary>
public static class BitNames
{
    public static IReadOnlyList<NamedBit> Flags { get; } =
    [
        new(0, "CF", "carry"), new(2, "PF", "parity"), new(4, "AF", "auxiliary carry"), new(6, "ZF", "zero"), new(7, "SF", "sign"), new(8, "TF", "trap"),
        new(9, "IF", "interrupts enabled"), new(10, "DF", "direction"), new(11, "OF", "overflow"), new(14, "NT", "nested task"), new(16, "RF", "resume"),
        new(17, "VM", "virtual-8086 mode"), new(18, "AC", "alignment check"), new(19, "VIF", "virtual interrupt flag"),
        new(20, "VIP", "virtual interrupt pending"), new(21, "ID", "identification"),
    ];

    public static IReadOnlyList<NamedBit> Cr0 { get; } =
    [
        new(0, "PE", "protection enable"), new(1, "MP", "monitor coprocessor"), new(2, "EM", "emulation"), new(3, "TS", "task switched"), new(4, "ET", "extension type"),
        new(5, "NE", "numeric error"), new(16, "WP", "write protect"), new(18, "AM", "alignment mask"), new(29, "NW", "not write-through"), new(30, "CD", "cache disable"),
        new(31, "PG", "paging"),
    ];

    public static IReadOnlyList<NamedBit> Cr4 { get; } =
    [
        new(0, "VME", "virtual-8086 extensions"), new(1, "PVI", "protected-mode virtual interrupts"), new(2, "TSD", "time stamp disable"), new(3, "DE", "debugging extensions"),
        new(4, "PSE", "page size extensions"), new(5, "PAE", "physical address extension"), new(6, "MCE", "machine check enable"), new(7, "PGE", "page global enable"),
        new(8, "PCE", "performance counter enable"), new(9, "OSFXSR", "FXSAVE supported"), new(10, "OSXMMEXCPT", "SIMD exceptions supported"),
        new(11, "UMIP", "user-mode instruction prevention"), new(16, "FSGSBASE", "RDFSBASE and the like"), new(17, "PCIDE", "process-context identifiers"),
        new(18, "OSXSAVE", "XSAVE supported"), new(20, "SMEP", "supervisor-mode execution prevention"), new(21, "SMAP", "supervisor-mode access prevention"),
    ];

    public static IReadOnlyList<NamedBit> Efer { get; } =
        [new(0, "SCE", "SYSCALL enable"), new(8, "LME", "long mode enable"), new(10, "LMA", "long mode active"), new(11, "NXE", "no-execute enable")];

    /// <summary>Bits of MXCSR (SDM 1 10.2.3).</summary>
    public static IReadOnlyList<NamedBit> Mxcsr { get; } =
    [
        new(0, "IE", "invalid operation"), new(1, "DE", "denormal operand"), new(2, "ZE", "division by zero"), new(3, "OE", "overflow"), new(4, "UE", "underflow"),
        new(5, "PE", "inexact result"), new(6, "DAZ", "denormals are zeros"), new(7, "IM", "invalid operation masked"), new(8, "DM", "denormal operand masked"),
        new(9, "ZM", "division by zero masked"), new(10, "OM", "overflow masked"), new(11, "UM", "underflow masked"), new(12, "PM", "inexact result masked"),
        new(15, "FZ", "flush to zero"),
    ];

    /// <summary>Bits of the x87 status word (SDM 1 8.1.3).</summary>
    public static IReadOnlyList<NamedBit> X87Status { get; } =
    [
        new(0, "IE", "invalid operation"), new(1, "DE", "denormal operand"), new(2, "ZE", "division by zero"), new(3, "OE", "overflow"), new(4, "UE", "underflow"),
        new(5, "PE", "inexact result"), new(6, "SF", "stack fault"), new(7, "ES", "an unmasked exception is pending"), new(8, "C0", "condition"), new(9, "C1", "condition"),
        new(10, "C2", "condition"), new(14, "C3", "condition"), new(15, "B", "busy"),
    ];

    /// <summary>RFLAGS: the names of the flags that are set, highest first, then the I/O privilege level if it is not zero.</summary>
    public static string FlagsText(ulong flags)
    {
        string names = Set(flags, Flags);
        return (flags >> 12 & 3) == 0 ? names : $"{names}{(names.Length > 0 ? " " : "")}IOPL={flags >> 12 & 3}";
    }

    /// <summary>The names of the bits that are set, lowest first.</summary>
    public static string SetAscending(ulong value, IReadOnlyList<NamedBit> bits)
    {
        var names = new List<string>();
        foreach (NamedBit bit in bits)
            if ((value >> bit.Bit & 1) != 0) names.Add(bit.Name);
        return string.Join(' ', names);
    }

    /// <summary>The names of the bits that are set, highest first.</summary>
    public static string Set(ulong value, IReadOnlyList<NamedBit> bits)
    {
        var names = new List<string>();
        for (int i = bits.Count - 1; i >= 0; i--)
            if ((value >> bits[i].Bit & 1) != 0) names.Add(bits[i].Name);
        return string.Join(' ', names);
    }

    /// <summary>A page-table entry's bits; those of one that maps a page differ from those of one that refers to a table.</summary>
    public static string PageTableEntry(ulong entry, int level, bool isLeaf)
    {
        if ((entry & 1) == 0) return "not present";
        var names = new List<string> { "P", (entry & 2) != 0 ? "W" : "read-only", (entry & 4) != 0 ? "U" : "S" };
        if ((entry & 8) != 0) names.Add("PWT");
        if ((entry & 16) != 0) names.Add("PCD");
        if ((entry & 32) != 0) names.Add("A");
        if (isLeaf && (entry & 64) != 0) names.Add("D");
        if (isLeaf && level > 1) names.Add("PS");
        if (isLeaf && (entry >> (level == 1 ? 7 : 12) & 1) != 0) names.Add("PAT");
        if (isLeaf && (entry & 256) != 0) names.Add("G");
        if (entry >> 63 != 0) names.Add("XD");
        return string.Join(' ', names);
    }
}
