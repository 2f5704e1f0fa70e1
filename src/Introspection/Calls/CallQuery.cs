using System.Collections.Generic;

namespace Introspection.Calls;

/// <summary>Which calls are wanted of an interval.</summary>
internal enum WantedCalls
{
    /// <summary>The first ones.</summary>
    First,
    /// <summary>The last one.</summary>
    Last,
    /// <summary>No new ones: what becomes of those that are known.</summary>
    None,
}

/// <summary>What is looked for. Shared by the visitors of one search.</summary>
internal sealed class CallQuery
{
    public CallQuery(IReadOnlyList<CallTarget> targets, CallValueReader reader, ICallCondition? condition)
    {
        foreach (CallTarget target in targets) Targets.TryAdd(target.Entry, target);
        Reader = reader;
        Condition = condition;
    }

    public Dictionary<ulong, CallTarget> Targets { get; } = [];

    public CallValueReader Reader { get; }

    public ICallCondition? Condition { get; }

    public bool NeedsResult => Condition is { NeedsResult: true };

    public ReturnSites Sites { get; } = new();

    /// <summary>Whether a call is wanted, as far as its entry tells.</summary>
    public bool MayHold(CallRegisters registers, IReadOnlyList<CallValue> arguments, ICallMemory memory) =>
        Condition is not { NeedsResult: false } condition || Reader.Holds(condition, new CallFacts(registers, arguments, null, memory));

    /// <summary>Notes a return: the result, and whether the call is wanted after all.</summary>
    public void Return(FunctionCall call, in ReturnEvent happened, ICallMemory memory)
    {
        call.End = CallEnd.Returned;
        call.Return = happened.At;
        call.ReturnCpuIndex = happened.CpuIndex;
        call.ReturnRegisters = happened.Registers;
        call.Result = Reader.Result(call.Target, happened.Registers, memory);
        call.IsRejected = NeedsResult && !Reader.Holds(Condition!, new CallFacts(call.Registers, call.Arguments, call.Result, memory));
    }
}
