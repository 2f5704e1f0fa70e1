using System.Globalization;
using System.Text;

namespace Gdb.Registers;

/// <summary>Writes target.xml ("Target Description Format", gdb manual appendix G.2).</summary>
internal static class TargetDescription
{
    // SDM 1 3.4.3, SDM 1 10.2.3, SDM 3A 2.5, SDM 3A 2.2.1.
    private static readonly (string Name, int Bit)[] s_eflags =
    [
        ("CF", 0), ("", 1), ("PF", 2), ("AF", 4), ("ZF", 6), ("SF", 7), ("TF", 8), ("IF", 9), ("DF", 10), ("OF", 11), ("NT", 14), ("RF", 16), ("VM", 17), ("AC", 18),
        ("VIF", 19), ("VIP", 20), ("ID", 21),
    ];

    private static readonly (string Name, int Bit)[] s_mxcsr =
    [
        ("IE", 0), ("DE", 1), ("ZE", 2), ("OE", 3), ("UE", 4), ("PE", 5), ("DAZ", 6), ("IM", 7), ("DM", 8), ("ZM", 9), ("OM", 10), ("UM", 11), ("PM", 12), ("FZ", 15),
    ];

    private static readonly (string Name, int Bit)[] s_cr0 =
        [("PE", 0), ("MP", 1), ("EM", 2), ("TS", 3), ("ET", 4), ("NE", 5), ("WP", 16), ("AM", 18), ("NW", 29), ("CD", 30), ("PG", 31)];

    private static readonly (string Name, int Bit)[] s_cr4 =
    [
        ("VME", 0), ("PVI", 1), ("TSD", 2), ("DE", 3), ("PSE", 4), ("PAE", 5), ("MCE", 6), ("PGE", 7), ("PCE", 8), ("OSFXSR", 9), ("OSXMMEXCPT", 10), ("UMIP", 11),
        ("FSGSBASE", 16), ("PCIDE", 17), ("OSXSAVE", 18), ("SMEP", 20), ("SMAP", 21),
    ];

    private static readonly (string Name, int Bit)[] s_efer = [("SCE", 0), ("LME", 8), ("LMA", 10), ("NXE", 11)];

    private static readonly (string Id, string Type, int Count)[] s_vectors =
        [("v4f", "ieee_single", 4), ("v2d", "ieee_double", 2), ("v16i8", "int8", 16), ("v8i16", "int16", 8), ("v4i32", "int32", 4), ("v2i64", "int64", 2)];

    private static readonly (string Name, string Type)[] s_vectorViews =
    [
        ("v4_float", "v4f"), ("v2_double", "v2d"), ("v16_int8", "v16i8"), ("v8_int16", "v8i16"), ("v4_int32", "v4i32"), ("v2_int64", "v2i64"), ("uint128", "uint128"),
    ];

    public static string Write(RegisterLayout layout)
    {
        var xml = new StringBuilder("<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target version=\"1.0\">\n");
        xml.Append(layout.Is64Bit ? "<architecture>i386:x86-64</architecture>\n" : "<architecture>i386</architecture>\n");
        string feature = "";
        for (int i = 0; i < layout.All.Count; i++)
        {
            RegisterDescription register = layout.All[i];
            if (register.Feature != feature)
            {
                if (feature.Length > 0) xml.Append("</feature>\n");
                feature = register.Feature;
                xml.Append(CultureInfo.InvariantCulture, $"<feature name=\"{feature}\">\n");
                WriteTypes(xml, feature, layout.Is64Bit ? 8 : 4);
            }
            xml.Append(CultureInfo.InvariantCulture,
                $"<reg name=\"{register.Name}\" bitsize=\"{register.SizeBytes * 8}\" type=\"{register.Type}\" regnum=\"{i}\"/>\n");
        }
        return xml.Append("</feature>\n</target>\n").ToString();
    }

    private static void WriteTypes(StringBuilder xml, string feature, int wordSizeBytes)
    {
        switch (feature)
        {
            case RegisterLayout.Core:
                WriteFlags(xml, "i386_eflags", 4, s_eflags);
                break;
            case RegisterLayout.Sse:
                foreach ((string id, string type, int count) in s_vectors)
                    xml.Append(CultureInfo.InvariantCulture, $"<vector id=\"{id}\" type=\"{type}\" count=\"{count}\"/>\n");
                xml.Append("<union id=\"vec128\">\n");
                foreach ((string name, string type) in s_vectorViews) xml.Append(CultureInfo.InvariantCulture, $"<field name=\"{name}\" type=\"{type}\"/>\n");
                xml.Append("</union>\n");
                WriteFlags(xml, "i386_mxcsr", 4, s_mxcsr);
                break;
            case RegisterLayout.SystemRegisters:
                WriteFlags(xml, "x86_cr0", wordSizeBytes, s_cr0);
                WriteFlags(xml, "x86_cr4", wordSizeBytes, s_cr4);
                WriteFlags(xml, "x86_efer", wordSizeBytes, s_efer);
                break;
        }
    }

    private static void WriteFlags(StringBuilder xml, string id, int sizeBytes, (string Name, int Bit)[] bits)
    {
        xml.Append(CultureInfo.InvariantCulture, $"<flags id=\"{id}\" size=\"{sizeBytes}\">\n");
        foreach ((string name, int bit) in bits) xml.Append(CultureInfo.InvariantCulture, $"<field name=\"{name}\" start=\"{bit}\" end=\"{bit}\"/>\n");
        xml.Append("</flags>\n");
    }
}
