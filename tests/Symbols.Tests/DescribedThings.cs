using System;
using System.Collections.Generic;
using Symbols.Dwarf;
using Symbols.Dwarf.Functions;
using Symbols.Dwarf.Variables;
using Symbols.Tests.Variables;
using Symbols.Types;
using Symbols.Variables;

namespace Symbols.Tests;

/// <summary>Everything that types and variables can be asked, of a file that may be damaged.</summary>
internal static class DescribedThings
{
    internal static void Read(DwarfInfo info)
    {
        foreach (string name in info.TypeNames("", 200))
        {
            foreach (TypeTag tag in Enum.GetValues<TypeTag>())
                if (info.FindType(name, tag) is { } type) Look(type);
            info.FindConstant(name);
        }
        for (int unit = 0; unit < info.UnitCount; unit++)
        {
            Locate(info.GlobalsOf(unit));
            foreach (DebugFunction function in info.FunctionsOf(unit))
            {
                _ = (function.QualifiedName, function.Type.ToString(), function.ResultType.SizeBytes);
                Locate(function.Parameters);
                foreach (SourceFrame frame in info.FramesAt(function.EntryPc + 8)) Locate(info.VariablesOf(frame, function.EntryPc + 8));
                info.TryCallSiteValue(function.EntryPc + 8, 5, new ConstantLocationContext(function.EntryPc + 8), out _);
            }
        }
    }

    private static void Locate(IReadOnlyList<DebugVariable> variables)
    {
        foreach (DebugVariable variable in variables)
        {
            Look(variable.Type);
            _ = (variable.QualifiedName, variable.LinkageName, variable.DeclarationFile, variable.IsArtificial, variable.IsExternal);
            ulong pc = 0;
            foreach (VariableLocation location in variable.Locations) pc = location.Range?.Start ?? pc;
            var context = new ConstantLocationContext(pc);
            ValueReader.Read(variable.Locate(context), Math.Min(variable.Type.SizeBytes ?? 8, 4096), context);
        }
    }

    private static void Look(DebugType type)
    {
        _ = (type.ToString(), type.SizeBytes);
        if (type.Stripped is not RecordType record) return;
        foreach (RecordMember member in record.Members) _ = (member.Type.ToString(), member.Type.SizeBytes);
        _ = record.Variants;
    }
}
