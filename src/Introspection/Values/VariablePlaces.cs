using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using Introspection.Programs;
using Introspection.State;
using Introspection.Unwinding;
using Symbols;
using Symbols.Dwarf.Expressions;
using Symbols.Dwarf.Variables;
using Symbols.Variables;

namespace Introspection.Values;

/// <summary>Where a variable is while the instruction is in a range.</summary>
/// <param name="Range">The guest's linear addresses; null: everywhere that the other ranges do not say.</param>
/// <param name="Where">In words.</param>
public sealed record VariablePlace(AddressRange? Range, string Where);

/// <summary>Where a function's parameter or variable is as the function goes on: compilers move them between registers and the stack, and give them up.</summary>
/// <param name="Name">As the source has it.</param>
/// <param name="IsParameter">Else it is a variable.</param>
/// <param name="Places">By address; empty: nowhere, it was optimized out.</param>
/// <param name="Now">At the instruction that was asked about.</param>
public sealed record VariablePlaces(string Name, bool IsParameter, IReadOnlyList<VariablePlace> Places, string Now)
{
    /// <summary>Of all parameters and variables that an instruction's block and those around it have.</summary>
    /// <param name="level">A frame, or what <see cref="CallStack.At"/> says of an instruction.</param>
    /// <param name="view">Memory and the kind of code.</param>
    public static IReadOnlyList<VariablePlaces> Of(StackLevel level, GuestView view)
    {
        var list = new List<VariablePlaces>();
        if (level is not { Source: { } source, File: { } file }) return list;
        ulong pc = level.Call.Lookup - file.Bias;
        foreach (DebugVariable variable in file.Dwarf.VariablesOf(source, pc))
            if (variable.Name is { } name) list.Add(Of(variable, name, file, pc, view));
        return list;
    }

    /// <summary>One line for each range.</summary>
    public string Text
    {
        get
        {
            var text = new StringBuilder(Name).Append(IsParameter ? " (parameter): " : ": ");
            if (Places is [{ Range: null } only]) return text.Append(only.Where).ToString();
            if (Places.Count == 0) return text.Append(LocationText.OptimizedOut).ToString();
            text.Append("now ").Append(Now);
            foreach (VariablePlace place in Places)
                text.Append(CultureInfo.InvariantCulture, $"\n  {(place.Range is { } range ? $"0x{range.Start:x}-0x{range.End:x}" : "elsewhere")}  {place.Where}");
            return text.ToString();
        }
    }

    private static VariablePlaces Of(DebugVariable variable, string name, LoadedFile file, ulong pc, GuestView view)
    {
        var places = new List<VariablePlace>();
        string now = LocationText.OptimizedOut;
        bool isExact = false;
        foreach (VariableLocation location in variable.Locations)
        {
            string where = LocationText.Of(location.Expression.Span, file.Is64 ? 8 : 4, file.Bias, number => DwarfRegisters.NameOf(number, file.Is64));
            AddressRange? range = location.Range is { } known ? new AddressRange(known.Start + file.Bias, known.End + file.Bias) : null;
            places.Add(new VariablePlace(range, where));
            if (location.Range is { } at ? at.Contains(pc) : !isExact) now = where;
            isExact |= location.Range is { } exact && exact.Contains(pc);
        }
        if (places.Count == 0 && variable.Locate(new StaticContext(view, file.Bias, pc)) is { Pieces: [{ Kind: PieceKind.Implicit } constant] })
            places.Add(new VariablePlace(null, now = $"the constant {Convert.ToHexStringLower(constant.Bytes.Span)}"));
        return new VariablePlaces(name, variable.IsParameter, places, now);
    }
}
