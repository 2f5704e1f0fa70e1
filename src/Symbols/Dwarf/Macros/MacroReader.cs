using System;
using System.Collections.Generic;
using Symbols.Dwarf.Entries;
using Symbols.Images;

namespace Symbols.Dwarf.Macros;

/// <summary>
/// The macro information of one unit: <c>.debug_macro</c> of DWARF 5 (6.3, 7.23) and of GNU's extension to version 4, which has the same codes; or
/// <c>.debug_macinfo</c> of DWARF 2 to 4 (DWARF 4, 6.3).
/// </summary>
/// <param name="unit">Whose strings are meant.</param>
/// <param name="isSeen">Asked before what another list has is read, with its section and offset there: true leaves it out.</param>
internal sealed class MacroReader(DebugUnit unit, Func<SectionData, ulong, bool>? isSeen = null)
{
    /// <summary>A kernel's unit has some 50,000.</summary>
    internal const int MaximumDirectives = 1 << 20;

    // A section is read as a whole, as its parts do not say how long they are.
    private const ulong MaximumSectionBytes = 128 << 20;
    private const int MaximumImports = 1 << 16;
    private const int MaximumDepth = 16;
    private const int MaximumFileDepth = 256;

    private readonly List<MacroDirective> _directives = [];
    private readonly List<uint> _files = [];
    private int _imports;

    /// <summary>The line table of its files, where the header names one.</summary>
    internal ulong? LineOffset { get; private set; }

    /// <summary>All of them in the order of the source.</summary>
    internal List<MacroDirective> Read()
    {
        UnitAttributes attributes = unit.Attributes;
        if (attributes.MacroOffset is { } macros) ReadList(unit.Sections, macros, 0);
        else if (attributes.MacroInformationOffset is { } old) ReadOld(old);
        return _directives;
    }

    private ReadOnlySpan<byte> BytesOf(SectionData section, ulong offset)
    {
        if (section.Length > MaximumSectionBytes) Complain(section, 0, $"The section has {section.Length} bytes, which is too much to be read.");
        else if (offset >= section.Length) Complain(section, offset, "A unit's macros lie beyond the end of the section.");
        else return section.All().Span;
        return default;
    }

    private void Complain(SectionData section, ulong offset, string message) => unit.Sections.Diagnostics.Add(section.Name, offset, message);

    private void ReadList(DwarfSections sections, ulong offset, int depth)
    {
        SectionData section = sections.Macros;
        if (isSeen?.Invoke(section, offset) == true) return;
        var reader = new DataReader(BytesOf(section, offset), (int)Math.Min(offset, int.MaxValue));
        if (reader.Failed || !TryHeader(ref reader, section, offset, depth, out bool is64)) return;
        while (!reader.Failed && _directives.Count < MaximumDirectives)
        {
            int at = reader.Position;
            byte code = reader.U8();
            if (reader.Failed) break;
            if (TryShared(ref reader, section, code)) continue;
            switch (code)
            {
                case 0:
                    return;
                case 5 or 6: // DW_MACRO_define_strp, DW_MACRO_undef_strp
                    Add(code == 5, reader.Uleb(), sections.Strings, reader.Offset(is64), reader.Failed);
                    break;
                case 8 or 9: // DW_MACRO_define_sup, DW_MACRO_undef_sup
                    Add(code == 8, reader.Uleb(), unit.Set.Supplementary?.Sections.Strings, reader.Offset(is64), reader.Failed);
                    break;
                case 11 or 12: // DW_MACRO_define_strx, DW_MACRO_undef_strx
                    ulong line = reader.Uleb();
                    bool isThere = unit.TryStringOffset(reader.Uleb(), out ulong text);
                    Add(code == 11, line, isThere ? sections.Strings : null, text, reader.Failed);
                    break;
                case 7 or 10: // DW_MACRO_import, DW_MACRO_import_sup
                    ulong target = reader.Offset(is64);
                    DwarfSections? other = code == 7 ? sections : unit.Set.Supplementary?.Sections;
                    if (reader.Failed || other is null) break;
                    if (depth >= MaximumDepth || ++_imports > MaximumImports || (code == 7 && target == offset))
                        Complain(section, (ulong)at, "The macros import themselves, or more than is allowed: these are left out.");
                    else ReadList(other, target, depth + 1);
                    break;
                default:
                    Complain(section, (ulong)at, $"The code {code} of macro information is not known: the rest is not read.");
                    return;
            }
        }
        Complain(section, offset, reader.Failed ? "The macros of a unit are cut off." : "A unit has too many macros: the rest is not read.");
    }

    // The codes that both sections have: DW_MACRO_ and DW_MACINFO_ define, undef, start_file, end_file.
    private bool TryShared(ref DataReader reader, SectionData section, byte code)
    {
        if (code is 1 or 2) Inline(ref reader, section, code == 1);
        else if (code == 3) Start(reader.Uleb(), reader.Uleb(), reader.Failed);
        else if (code == 4) End();
        else return false;
        return true;
    }

    // DWARF 5, 6.3.1.
    private bool TryHeader(ref DataReader reader, SectionData section, ulong offset, int depth, out bool is64)
    {
        ushort version = reader.U16();
        byte flags = reader.U8();
        is64 = (flags & 1) != 0;
        if (version is not (4 or 5))
        {
            Complain(section, offset, $"The macro information has version {version}, which is neither 4 nor 5.");
            return false;
        }
        if ((flags & 2) != 0)
        {
            ulong line = reader.Offset(is64);
            if (depth == 0) LineOffset = line;
        }
        // A table of codes that its writer made up, or whose operands it describes: no compiler writes one.
        if ((flags & 4) == 0) return !reader.Failed;
        Complain(section, offset, "The macro information describes codes of its own: it is not read.");
        return false;
    }

    private void ReadOld(ulong offset)
    {
        SectionData section = unit.Sections.MacroInformation;
        var reader = new DataReader(BytesOf(section, offset), (int)Math.Min(offset, int.MaxValue));
        if (reader.Failed) return;
        while (!reader.Failed && _directives.Count < MaximumDirectives)
        {
            int at = reader.Position;
            byte code = reader.U8();
            if (reader.Failed) break;
            if (TryShared(ref reader, section, code)) continue;
            switch (code)
            {
                case 0:
                    return;
                case 0xff: // DW_MACINFO_vendor_ext
                    reader.Uleb();
                    reader.StringBytes();
                    break;
                default:
                    Complain(section, (ulong)at, $"The code {code} of macro information is not known: the rest is not read.");
                    return;
            }
        }
        Complain(section, offset, reader.Failed ? "The macros of a unit are cut off." : "A unit has too many macros: the rest is not read.");
    }

    private void Inline(ref DataReader reader, SectionData section, bool isDefinition)
    {
        ulong line = reader.Uleb();
        int text = reader.Position;
        reader.StringBytes();
        Add(isDefinition, line, section, (ulong)text, reader.Failed);
    }

    private void Add(bool isDefinition, ulong line, SectionData? strings, ulong text, bool isCutOff)
    {
        if (isCutOff || strings is null) return;
        uint file = _files.Count > 0 ? _files[^1] : MacroDirective.NoFile;
        _directives.Add(new MacroDirective(isDefinition ? MacroDirectiveKind.Define : MacroDirectiveKind.Undefine, Narrow(line), file, strings, text));
    }

    private void Start(ulong line, ulong file, bool isCutOff)
    {
        if (isCutOff || _files.Count >= MaximumFileDepth) return;
        _files.Add(Narrow(file));
        _directives.Add(new MacroDirective(MacroDirectiveKind.StartFile, Narrow(line), Narrow(file), null, 0));
    }

    private void End()
    {
        if (_files.Count == 0) return;
        _directives.Add(new MacroDirective(MacroDirectiveKind.EndFile, 0, _files[^1], null, 0));
        _files.RemoveAt(_files.Count - 1);
    }

    private static uint Narrow(ulong number) => (uint)Math.Min(number, uint.MaxValue);
}
