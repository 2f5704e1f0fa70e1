using System.Collections.Generic;
using Symbols.Elf;

namespace Symbols.Dwarf.Entries;

/// <summary>Finds the other halves of skeletons: in the program's package (.dwp), else in .dwo files (DWARF 5, 3.1.2 and 7.3.2).</summary>
internal sealed class SplitFiles(DebugFiles files, DecodedBudget budget, DiagnosticLog diagnostics) : ISplitUnits
{
    private readonly Dictionary<ulong, DebugUnit?> _types = [];
    private SplitPackage? _package;
    private bool _isPackageRead;

    /// <summary>The program's package; null: it has none.</summary>
    internal SplitPackage? Package
    {
        get
        {
            if (_isPackageRead) return _package;
            _isPackageRead = true;
            return _package = files.Package is { } image ? new SplitPackage(image, diagnostics) : null;
        }
    }

    public DebugUnit? SplitOf(DebugUnit skeleton)
    {
        ulong id = skeleton.Attributes.SplitId;
        if (Package?.UnitSections(id) is { } packed)
            return Find(new UnitSet(packed, budget) { Skeleton = skeleton, Splits = this }, id, skeleton, packed.Image.Name);
        string name = skeleton.Attributes.SplitName!;
        if (files.OpenSplit(name, skeleton.CompileDirectory) is { } image)
            return Find(new UnitSet(new DwarfSections(image, diagnostics, isSplit: true), budget) { Skeleton = skeleton }, id, skeleton, image.Name);
        diagnostics.Add(skeleton.SectionName, skeleton.Header.Offset, $"The unit's functions are in {name}, a .dwo file that is not found.");
        return null;
    }

    public DebugUnit? TypeUnit(ulong signature)
    {
        if (_types.TryGetValue(signature, out DebugUnit? unit)) return unit;
        if (Package?.TypeSections(signature) is not { } sections) return null;
        foreach (DebugUnit candidate in new UnitSet(sections, budget) { Splits = this }.Units)
            if (candidate.Header.IsType && candidate.Header.Signature == signature) return _types[signature] = candidate;
        return _types[signature] = null;
    }

    private DebugUnit? Find(UnitSet set, ulong id, DebugUnit skeleton, string name)
    {
        foreach (DebugUnit unit in set.Units)
            if (!unit.Header.IsType && unit.Attributes.SplitId == id) return unit;
        // Compiled anew since the program was linked, as a rule.
        diagnostics.Add(skeleton.SectionName, skeleton.Header.Offset, $"{name} is not the one that the program was made with.");
        return null;
    }
}
