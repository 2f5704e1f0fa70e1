using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using Symbols.Dwarf.Functions;
using Symbols.Dwarf.Indexing;
using Symbols.Types;
using Symbols.Dwarf.Variables;

namespace Symbols.Dwarf;

/// <summary>
/// Looks up some hundred names and addresses, spread over a file, each in every way, for nothing but that it was done: the runtime compiles code when it is first used, which
/// takes many times as long as a look-up. What was read for opening the file is then out of the garbage collector's way, too.
/// </summary>
public sealed class LookupRehearsal
{
    private const int NameCount = 1000, MaximumAnswers = 2, MaximumMembers = 32;

    // What is asked for its places in the source, and names that are looked through for a type without a definition: both take longer than the others.
    private const int PlaceCount = 20, SoughtNameCount = 1 << 14;

    private readonly DwarfInfo _target, _info;
    private int _places;

    internal LookupRehearsal(DwarfInfo target, DwarfInfo info)
    {
        _target = target;
        _info = info;
    }

    /// <summary>Does it, once the index is there: without one it does nothing. False: it was cancelled, or there is none.</summary>
    /// <exception cref="IOException">The file cannot be read any more.</exception>
    public bool Run(CancellationToken cancellation)
    {
        if (!_info.UseIndexOf(_target)) return false;
        try
        {
            _info.MapUnitsFor(_target);
            DebugIndex index = _info.Index;
            int count = Math.Min(NameCount, index.NameCount);
            for (int i = 0; i < count; i++)
            {
                if (cancellation.IsCancellationRequested) return false;
                LookUp(index.Name((int)((long)index.NameCount * i / count)));
            }
            LookUpDeclared(index, cancellation);
        }
        finally
        {
            _info.Files?.Dispose();
        }
        GC.Collect(1, GCCollectionMode.Forced, blocking: true);
        return true;
    }

    private void LookUpDeclared(DebugIndex index, CancellationToken cancellation)
    {
        int count = Math.Min(SoughtNameCount, index.NameCount);
        for (int i = 0; i < count && !cancellation.IsCancellationRequested; i++)
        {
            string name = index.Name((int)((long)index.NameCount * i / count));
            if (!index.Find(name, NamedKinds.AnyType).Exists(static entry => entry.IsDeclaration)) continue;
            LookUp(name);
            return;
        }
    }

    private void LookUp(string name)
    {
        IReadOnlyList<DebugVariable> variables = _info.FindGlobals(name);
        for (int i = 0; i < Math.Min(MaximumAnswers, variables.Count); i++) LookAt(variables[i]);
        if (_info.FindType(name, TypeTag.Any) is { } type) LookAt(type);
        foreach (TypeTag tag in (TypeTag[])[TypeTag.Struct, TypeTag.Union, TypeTag.Enum])
            if (_info.FindType(name, tag) is { } tagged) LookAt(tagged);
        _ = _info.FindConstant(name);
        IReadOnlyList<DebugFunction> functions = _info.FunctionsByName(name);
        for (int i = 0; i < Math.Min(MaximumAnswers, functions.Count); i++) LookAt(functions[i]);
    }

    private void LookAt(DebugFunction function)
    {
        _ = (function.Name, function.LinkageName, function.QualifiedName, function.DeclarationFile, function.DeclarationLine, function.ResultType.ToString());
        foreach (AddressRange range in function.Ranges)
        {
            ulong middle = range.Start + (range.SizeBytes / 2);
            foreach (SourceFrame frame in _info.FramesAt(middle))
            {
                foreach (DebugVariable variable in _info.VariablesOf(frame, middle)) LookAt(variable);
                if (frame.Path is not null && !frame.IsInlined && _places++ < PlaceCount) _ = _info.BreakpointAddresses(frame.Path, frame.Line);
            }
        }
        _ = _info.AfterPrologue(function);
    }

    private static void LookAt(DebugVariable variable)
    {
        _ = (variable.QualifiedName, variable.IsParameter, variable.DeclarationFile, variable.DeclarationLine, variable.Locations.Count);
        LookAt(variable.Type);
    }

    private static void LookAt(DebugType type)
    {
        _ = (type.ToString(), type.SizeBytes);
        switch (type.Stripped)
        {
            case RecordType record:
                for (int i = 0; i < Math.Min(MaximumMembers, record.Members.Count); i++) _ = record.Members[i].Type.ToString();
                break;
            case EnumerationType enumeration:
                _ = enumeration.Enumerators.Count;
                break;
        }
    }
}
