using System;
using System.Collections.Generic;
using Dap.Protocol;
using Dap.Sessions;
using Introspection.Calls;
using Introspection.Programs;
using Symbols.Expressions;
using Vmm.Time;

namespace Dap.Requests;

/// <summary>Requests of our own for the calls of a function: all of a range, and going to the last or next one.</summary>
internal sealed class CallRequests
{
    private const int DefaultCount = 100, MaximumCount = 10_000, MaximumStart = 1_000_000, SimilarCount = 3;
    private static readonly string[] s_conventions = ["auto", "sysv", "cdecl", "regparm"];

    private readonly Session _session;

    public CallRequests(Session session, RequestTable requests)
    {
        _session = session;
        requests.Add<TtvmCallsArguments>("ttvm/calls", List);
        requests.Add<TtvmFindCallArguments>("ttvm/findCall", Find);
    }

    private Answer List(TtvmCallsArguments arguments)
    {
        _session.RequireRecording("searching the recording");
        Position from = arguments.From is { } first ? _session.ParsePosition(first) : _session.Timeline.Start;
        Position to = arguments.To is { } last ? _session.ParsePosition(last) : _session.Timeline.End;
        if (to < from) throw new RequestException("the range ends before it begins");
        int start = (int)Math.Clamp(arguments.Start ?? 0, 0, MaximumStart), count = (int)Math.Clamp(arguments.Count ?? DefaultCount, 1, MaximumCount);
        CallSearch search = SearchFor(arguments.Function, arguments.Condition, arguments.Abi);
        _session.Activity.Title($"Searching for calls of {arguments.Function}");
        CallList found = Guarded(() => search.List(from, to, start + count, _session.Activity, _session.Activity.Token));
        var calls = new List<TtvmCall>();
        for (int i = start; i < found.Calls.Count; i++) calls.Add(Describe(found.Calls[i]));
        return Answer.Of(new TtvmCalls { Calls = calls, IsCut = found.IsCut });
    }

    private Answer Find(TtvmFindCallArguments arguments)
    {
        _session.RequireRecording("searching the recording");
        CallSearch search = SearchFor(arguments.Function, arguments.Condition, arguments.Abi);
        bool isForward = arguments.Forward == true;
        Position origin = _session.Timeline.Position;
        _session.Activity.Title($"Searching for the {(isForward ? "next" : "last")} call of {arguments.Function}");
        FunctionCall? call = Guarded(() => isForward ? search.Next(origin, _session.Activity, _session.Activity.Token) : search.Last(origin, _session.Activity, _session.Activity.Token));
        if (call is null)
        {
            string which = string.IsNullOrWhiteSpace(arguments.Condition) ? "" : $" with {arguments.Condition.Trim()}";
            string nothing = $"{arguments.Function} is not called {(isForward ? "after" : "before")} {origin}{which}";
            return Answer.Of(new TtvmFound { Found = false, Position = origin.ToString(), Description = nothing });
        }
        string description = $"at {call.Entry}: {TextOf(call)}";
        _session.Timeline.Seek(call.Entry, _session.Activity, _session.Activity.Token);
        var report = new StopReport("function breakpoint", $"{(isForward ? "Next" : "Last")} call, {description}", call.CpuIndex);
        return Answer.Of(new TtvmFound { Found = true, Position = call.Entry.ToString(), Description = description }, () => _session.Moved(report));
    }

    private CallSearch SearchFor(string function, string? condition, string? abi)
    {
        int convention = Array.IndexOf(s_conventions, abi ?? s_conventions[0]);
        if (convention < 0) throw new RequestException($"there is no ABI '{abi}': {string.Join(", ", s_conventions)}");
        SymbolSet symbols = _session.Symbols;
        var finder = new FunctionFinder(symbols, [new ProgramPrototypes(symbols)]);
        ICallCondition? filter = string.IsNullOrWhiteSpace(condition) ? null
            : Guarded(() => new CallCondition(condition, symbols, symbols.Types));
        var reader = new CallValueReader((CallingConvention)convention, new CallValueText(symbols));
        return new CallSearch(_session.Timeline, TargetsOf(finder, function.Trim()), reader, filter);
    }

    private static IReadOnlyList<CallTarget> TargetsOf(FunctionFinder finder, string function)
    {
        if (finder.Find(function) is { Count: > 0 } targets) return targets;
        if (MemoryPlace.TryParse(function) is { IsPhysical: false } place) return [finder.At(place.Address)];
        IReadOnlyList<string> similar = finder.Similar(function, SimilarCount);
        throw new RequestException($"no function is named '{function}'{(similar.Count > 0 ? $"; there is {string.Join(", ", similar)}" : "")}");
    }

    private static T Guarded<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (ExpressionException e)
        {
            throw new RequestException($"the condition: {e.Message}");
        }
    }

    private static string TextOf(FunctionCall call)
    {
        var arguments = new List<string>();
        foreach (CallValue argument in call.Arguments) arguments.Add($"{argument.Name}={argument.Text}");
        string end = call.End switch { CallEnd.Returned => call.Result is { } result ? $" returns {result.Text} at {call.Return}" : $" returns at {call.Return}", _ => " does not return" };
        return $"{NameOf(call)}({string.Join(", ", arguments)}){end}";
    }

    private static string NameOf(FunctionCall call) => call.Target.Name ?? Hexadecimal.Of(call.Target.Entry);

    private TtvmCall Describe(FunctionCall call)
    {
        var arguments = new List<TtvmCallValue>();
        foreach (CallValue argument in call.Arguments) arguments.Add(Describe(argument));
        return new TtvmCall
        {
            Position = call.Entry.ToString(), ThreadId = Session.ThreadOfCpu(call.CpuIndex), AddressSpace = Hexadecimal.Of(call.AddressSpace), Function = NameOf(call),
            EnteredBy = call.EnteredBy switch { CallEntry.Call => "call", CallEntry.TailCall => "jump", _ => "unknown" }, Caller = CallerText.Of(call, _session.Symbols),
            Arguments = arguments, End = call.End switch { CallEnd.Returned => "returned", CallEnd.Abandoned => "abandoned", _ => "open" },
            ReturnPosition = call.Return?.ToString(), ReturnThreadId = call.ReturnCpuIndex is { } cpu ? Session.ThreadOfCpu(cpu) : null,
            Result = call.Result is { } result ? Describe(result) : null, Instructions = call.InstructionCount,
        };
    }

    private static TtvmCallValue Describe(CallValue value) => new() { Name = value.Name, Type = value.Type?.ToString(), Text = value.Text };
}
