using System;
using System.Collections.Generic;
using Dap.Protocol;
using Dap.Sessions;
using Introspection.Atomics;
using Introspection.Locks.Tasks;
using Introspection.Programs;

namespace Dap.Views;

/// <summary>Attempts to change a word, as the protocol says them.</summary>
internal sealed class SwapViews(Session session, SymbolSet symbols, ICurrentTask tasks)
{
    private readonly Dictionary<ulong, string?> _tasks = [];

    public List<TtvmSwap> Describe(IReadOnlyList<AtomicAttempt> attempts)
    {
        var all = new List<TtvmSwap>(attempts.Count);
        foreach (AtomicAttempt one in attempts) all.Add(Describe(one));
        return all;
    }

    private TtvmSwap Describe(AtomicAttempt one)
    {
        string kind = one.Kind.ToString();
        return new TtvmSwap
        {
            Position = one.At.ToString(), ThreadId = one.CpuIndex < 0 ? null : Session.ThreadOfCpu(one.CpuIndex), Task = TaskOf(one.Task),
            Code = one.Code == 0 ? null : LockViews.PlaceOf(session, one.Code, CodeText.Of(one.Code, symbols)), Kind = char.ToLowerInvariant(kind[0]) + kind[1..],
            Instruction = one.Instruction, Expected = one.Expected is { } expected ? Number(expected) : null, Old = Number(one.Old), New = Number(one.New), HasWon = one.HasWon,
            Retry = one.Retry, ReadAt = one.ReadAt?.ToString(), IsDeceived = one.IsDeceived, Remark = one.Remark,
        };
    }

    private string? TaskOf(ulong task)
    {
        if (task == 0) return null;
        if (!_tasks.TryGetValue(task, out string? name)) _tasks[task] = name = tasks.NameOf(session.View, task);
        return name;
    }

    // May have sixteen bytes.
    private static string Number(UInt128 value) => $"0x{value:x}";
}
