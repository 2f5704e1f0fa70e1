using System;
using System.Collections.Generic;
using Symbols.Dwarf;
using Symbols.Dwarf.Frames;
using Symbols.Dwarf.Functions;
using Symbols.Dwarf.Variables;
using Symbols.Expressions;
using Symbols.Types;

namespace Symbols.Tests.Variables;

/// <summary>A frame that gdb dumped, for expressions: its variables, the program's globals, functions and macros.</summary>
internal sealed class StopEnvironment(DwarfInfo info, SourceFrame frame, StopContext context) : IExpressionEnvironment
{
    /// <summary>The frame of a function; that of the innermost frame with such a name.</summary>
    internal static StopEnvironment Of(GdbStop stop, string function, DwarfInfo info, FrameUnwinder unwinder)
    {
        int index = stop.Frames.FindIndex(frame => frame.Name == function);
        StopContext context = StopContext.Of(stop, index, info, unwinder)!;
        // An inlined frame comes before the one that it is in.
        IReadOnlyList<SourceFrame> frames = info.FramesAt(context.Pc);
        int first = index;
        while (first > 0 && stop.Frames[first - 1].IsInlined && stop.Frames[first - 1].Pc == stop.Frames[index].Pc) first--;
        return new StopEnvironment(info, frames[index - first], context);
    }

    public ITypeCatalog? Types => info;

    public int AddressSizeBytes => info.AddressSizeBytes;

    public TypedValue? Variable(string name)
    {
        foreach (DebugVariable variable in info.VariablesOf(frame, context.Pc))
            if (variable.Name == name && !variable.IsShadowed) return ValueOf(variable);
        foreach (string meaning in frame.Meanings(name))
        {
            if (info.FindGlobals(meaning) is [{ } global, ..]) return ValueOf(global);
            if (info.FunctionsByName(meaning) is [{ } function, ..]) return TypedValue.InMemory(function.Type, function.EntryPc + context.Bias);
        }
        return null;
    }

    public TypedValue? Variable(string scope, string name)
    {
        foreach (DebugFunction function in info.FunctionsByName(scope))
            foreach (SourceFrame each in info.FramesAt(info.AfterPrologue(function)))
                foreach (DebugVariable variable in info.VariablesOf(each, info.AfterPrologue(function)))
                    if (variable.Name == name) return ValueOf(variable);
        return null;
    }

    public IEnumerable<string> Meanings(string name) => frame.Meanings(name);

    public MacroDefinition? Macro(string name, bool isAnywhere) => info.FindMacro(name, frame) ?? (isAnywhere ? info.FindMacro(name) : null);

    public RegisterValue? Register(string name) => null;

    public ulong? AddressOf(string symbol) => null;

    public int Read(ulong address, bool isPhysical, Span<byte> destination)
    {
        for (int i = 0; i < destination.Length; i++)
        {
            if (!context.TryReadMemory(address + (ulong)i, 1, out ulong value)) return i;
            destination[i] = (byte)value;
        }
        return destination.Length;
    }

    internal TypedValue ValueOf(DebugVariable variable) => TypedValue.At(variable.TypeIn(context), variable.Locate(context), context, static _ => null);
}
