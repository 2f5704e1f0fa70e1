using System.Collections.Generic;

namespace Introspection.Calls;

/// <summary>What a condition on calls may ask about.</summary>
/// <param name="Registers">At the function's first instruction.</param>
/// <param name="Arguments">By the prototype, else registers.</param>
/// <param name="Result">Null: it has not returned, or returns nothing.</param>
/// <param name="Memory">At the moment that is asked about.</param>
public readonly record struct CallFacts(CallRegisters Registers, IReadOnlyList<CallValue> Arguments, CallValue? Result, ICallMemory Memory)
{
    /// <summary>
    /// An argument by its name or as <c>arg0</c> to <c>arg5</c>, <c>ret</c>, or a register as it was at the entry; null: there is none of that name, or it is no number.
    /// </summary>
    public ulong? ValueOf(string name)
    {
        if (name is "ret" or "$ret") return Result?.Number;
        foreach (CallValue argument in Arguments)
            if (argument.Name == name) return argument.Number;
        if (name.Length == 4 && name.StartsWith("arg", System.StringComparison.Ordinal) && name[3] - '0' is >= 0 and < 6 and int index)
            return index < Arguments.Count ? Arguments[index].Number : null;
        return Registers.ByName(name);
    }
}

/// <summary>A condition on calls. Used on several threads at once.</summary>
public interface ICallCondition
{
    /// <summary>It can only be answered when the call has returned.</summary>
    bool NeedsResult { get; }

    /// <summary>False also where something in it cannot be known.</summary>
    bool Holds(in CallFacts facts);
}
