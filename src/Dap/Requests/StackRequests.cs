using System;
using System.Collections.Generic;
using Dap.Protocol;
using Dap.Sessions;
using Introspection.Unwinding;
using Symbols.Dwarf.Functions;

namespace Dap.Requests;

/// <summary>The calls of a vCPU, with source lines; inlined calls are frames of their own.</summary>
internal sealed class StackRequests
{
    private readonly Session _session;

    public StackRequests(Session session, RequestTable requests)
    {
        _session = session;
        requests.Add<StackTraceArguments>(Commands.StackTrace, StackTrace);
    }

    // A line of the answer: a physical frame, and the inlined call in it that the line is about.
    private readonly record struct Level(CallFrame Call, SourceFrame? Source, bool IsInnermost);

    private Answer StackTrace(StackTraceArguments arguments)
    {
        int cpu = _session.CpuOfThread(arguments.ThreadId);
        List<Level> levels = Levels(cpu);
        long start = Math.Max(0, arguments.StartFrame ?? 0), count = arguments.Levels is > 0 and long wanted ? wanted : levels.Count;
        var frames = new List<StackFrame>();
        for (long i = start; i < levels.Count && i - start < count; i++) frames.Add(FrameOf(cpu, levels[(int)i]));
        return Answer.Of(new StackTraceResponseBody { StackFrames = [.. frames], TotalFrames = levels.Count });
    }

    private List<Level> Levels(int cpu)
    {
        var levels = new List<Level>();
        foreach (CallFrame call in new StackUnwinder(_session.ViewOf(cpu), _session.Symbols).Walk())
        {
            IReadOnlyList<SourceFrame> sources = _session.Symbols.FramesAt(call.Lookup);
            if (sources.Count == 0) levels.Add(new Level(call, null, levels.Count == 0));
            foreach (SourceFrame source in sources) levels.Add(new Level(call, source, levels.Count == 0));
            if (levels.Count >= StackUnwinder.MaximumDepth) break;
        }
        return levels.Count > StackUnwinder.MaximumDepth ? levels[..StackUnwinder.MaximumDepth] : levels;
    }

    private StackFrame FrameOf(int cpu, in Level level)
    {
        CallFrame call = level.Call;
        bool hasLine = level.Source is { Line: > 0, Path: not null };
        return new StackFrame
        {
            Id = _session.Frames.Add(new FrameHandle(cpu, call, level.IsInnermost)),
            Name = NameOf(call, level.Source, hasLine) + SuffixOf(call.Origin),
            InstructionPointerReference = Hexadecimal.Of(call.Code),
            Line = hasLine ? level.Source!.Line : 0,
            Column = hasLine ? Math.Max(1, level.Source!.Column) : 0,
            Source = hasLine ? _session.Sources.Of(level.Source!.Path!) : null,
            PresentationHint = call.Origin == FrameOrigin.Guess ? "subtle" : null,
        };
    }

    private string NameOf(in CallFrame call, SourceFrame? source, bool hasLine)
    {
        if (hasLine && source!.FunctionName is { } function) return function;
        string? symbol = _session.Symbols.NameOf(call.Lookup, out ulong offset);
        if (symbol is null) return Hexadecimal.Of(call.Code);
        offset += call.Code - call.Lookup;
        return hasLine || offset == 0 ? symbol : $"{symbol}+0x{offset:x}";
    }

    private static string SuffixOf(FrameOrigin origin) => origin switch
    {
        FrameOrigin.FramePointer => " (by frame pointer)",
        FrameOrigin.Guess => " (guess)",
        _ => "",
    };
}
