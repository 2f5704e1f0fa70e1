using System;
using System.Collections.Generic;
using Dap.Protocol;
using Dap.Sessions;
using Introspection.Unwinding;

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

    private Answer StackTrace(StackTraceArguments arguments)
    {
        int cpu = _session.CpuOfThread(arguments.ThreadId);
        List<StackLevel> levels = CallStack.Of(_session.ViewOf(cpu), _session.SymbolsOf(cpu));
        long start = Math.Max(0, arguments.StartFrame ?? 0), count = arguments.Levels is > 0 and long wanted ? wanted : levels.Count;
        var frames = new List<StackFrame>();
        for (long i = start; i < levels.Count && i - start < count; i++) frames.Add(FrameOf(cpu, levels[(int)i]));
        return Answer.Of(new StackTraceResponseBody { StackFrames = [.. frames], TotalFrames = levels.Count });
    }

    private StackFrame FrameOf(int cpu, StackLevel level) => new()
    {
        Id = _session.Frames.Add(new FrameHandle(cpu, level)),
        Name = level.Title,
        InstructionPointerReference = Hexadecimal.Of(level.Call.Code),
        Line = level.HasLine ? level.Source!.Line : 0,
        Column = level.HasLine ? Math.Max(1, level.Source!.Column) : 0,
        Source = level.HasLine ? _session.Sources.Of(level.Source!.Path!) : null,
        PresentationHint = level.Call.Origin == FrameOrigin.Guess ? "subtle" : null,
    };
}
