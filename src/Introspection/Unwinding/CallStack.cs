using System.Collections.Generic;
using Introspection.Programs;
using Introspection.State;
using Symbols.Dwarf.Functions;

namespace Introspection.Unwinding;

/// <summary>A line of a stack trace: a frame, and the inlined call in it that the line is about.</summary>
/// <param name="Call">The frame.</param>
/// <param name="Caller">The next frame outwards; null: unknown.</param>
/// <param name="Source">The function, inlined or not; null: there is no debug information.</param>
/// <param name="File">Who says so.</param>
/// <param name="Name">The function's name, its address where it has none.</param>
/// <param name="IsInnermost">It is the vCPU's own.</param>
public sealed record StackLevel(CallFrame Call, CallFrame? Caller, SourceFrame? Source, LoadedFile? File, string Name, bool IsInnermost)
{
    /// <summary>It is a program's, and the vCPU is in the kernel: the program called the kernel, or was interrupted.</summary>
    public bool IsBelowKernel { get; init; }

    public bool HasLine => Source is { Line: > 0, Path: not null };

    /// <summary>The name, whether it is a program's below the kernel, and how the frame was found where that says how far it can be trusted.</summary>
    public string Title => Name + (IsBelowKernel ? " (user)" : "") + Call.Origin switch
    {
        FrameOrigin.FramePointer => " (by frame pointer)",
        FrameOrigin.Guess => " (guess)",
        _ => "",
    };
}

/// <summary>Stack traces with functions: inlined calls are levels of their own.</summary>
public static class CallStack
{
    /// <summary>The calls of a vCPU, the innermost first, at most <see cref="StackUnwinder.MaximumDepth"/>.</summary>
    public static List<StackLevel> Of(GuestView view, SymbolSet symbols)
    {
        List<CallFrame> calls = new StackUnwinder(view, symbols).Walk();
        var levels = new List<StackLevel>();
        for (int i = 0; i < calls.Count && levels.Count < StackUnwinder.MaximumDepth; i++)
        {
            CallFrame call = calls[i];
            CallFrame? caller = i + 1 < calls.Count ? calls[i + 1] : null;
            IReadOnlyList<SourceFrame> sources = symbols.FramesAt(call.Lookup, out LoadedFile? file);
            bool isBelowKernel = call.IsUser && !calls[0].IsUser;
            if (sources.Count == 0) levels.Add(new StackLevel(call, caller, null, null, NameOf(call, null, symbols), levels.Count == 0) { IsBelowKernel = isBelowKernel });
            foreach (SourceFrame source in sources)
            {
                if (levels.Count == StackUnwinder.MaximumDepth) break;
                levels.Add(new StackLevel(call, caller, source, file, NameOf(call, source, symbols), levels.Count == 0) { IsBelowKernel = isBelowKernel });
            }
        }
        return levels;
    }

    /// <summary>The same frame on another machine, such as a diversion; null: it is not there.</summary>
    public static StackLevel? Find(StackLevel level, GuestView view, SymbolSet symbols)
    {
        foreach (StackLevel other in Of(view, symbols))
            if (other.Call.Code == level.Call.Code && other.Call.Stack == level.Call.Stack && other.Name == level.Name) return other;
        return null;
    }

    /// <summary>A frame that would be at an instruction, without registers: what names mean there. Null: nothing is known about it.</summary>
    /// <param name="linear">The instruction.</param>
    /// <param name="symbols">Of its address space.</param>
    /// <param name="function">The frame of the function of that name, itself or an inlined copy; null, or where it has none there: the innermost one.</param>
    public static StackLevel? At(ulong linear, SymbolSet symbols, string? function = null)
    {
        var call = new CallFrame(linear, 0, FrameOrigin.Innermost, IsExact: true);
        IReadOnlyList<SourceFrame> sources = symbols.FramesAt(linear, out LoadedFile? file);
        if (sources.Count == 0) return null;
        SourceFrame source = sources[0];
        // What was inlined at a function's very beginning is not the function.
        foreach (SourceFrame one in sources)
            if (function is not null && (one.FunctionName == function || one.LinkageName == function || one.QualifiedName == function)) source = one;
        return new StackLevel(call, null, source, file, NameOf(call, source, symbols), IsInnermost: false);
    }

    /// <summary>The vCPU's own frame; null: nothing is known about its code.</summary>
    public static StackLevel? Innermost(GuestView view, SymbolSet symbols)
    {
        CallFrame call = new StackUnwinder(view, symbols).Innermost();
        IReadOnlyList<SourceFrame> sources = symbols.FramesAt(call.Lookup, out LoadedFile? file);
        return sources.Count == 0 ? null : new StackLevel(call, null, sources[0], file, NameOf(call, sources[0], symbols), IsInnermost: true);
    }

    private static string NameOf(in CallFrame call, SourceFrame? source, SymbolSet symbols)
    {
        bool hasLine = source is { Line: > 0, Path: not null };
        if (hasLine && source!.QualifiedName is { } function) return function;
        string? symbol = symbols.NameOf(call.Lookup, out ulong offset);
        if (symbol is null) return $"0x{call.Code:x}";
        offset += call.Code - call.Lookup;
        return hasLine || offset == 0 ? symbol : $"{symbol}+0x{offset:x}";
    }
}
