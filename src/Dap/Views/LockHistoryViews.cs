using System.Collections.Generic;
using System.Linq;
using Dap.Protocol;
using Dap.Sessions;
using Introspection.Calls;
using Introspection.Locks;
using Introspection.Locks.History;
using Introspection.Programs;
using Introspection.State;
using Vmm.Time;

namespace Dap.Views;

/// <summary>The past of locks, as the protocol says it.</summary>
internal sealed class LockHistoryViews
{
    private readonly Session _session;
    private readonly GuestLocks _locks;
    private readonly SymbolSet _symbols;
    private readonly Dictionary<ulong, string?> _tasks = [];

    public LockHistoryViews(Session session)
    {
        _session = session;
        _locks = session.Locks.Find();
        _symbols = session.Symbols;
    }

    /// <summary>Those that were waited for most, and then taken most, first.</summary>
    public List<TtvmLockTotals> Totals(IEnumerable<LockRecord> records, int count) =>
        [.. records.OrderByDescending(static one => one.ContendedCount).ThenByDescending(static one => one.TakenCount).ThenBy(static one => one.Address).Take(count).Select(Describe)];

    public TtvmLockTotals Describe(LockRecord one) => new()
    {
        Name = NameOf(one.Address), Address = Hexadecimal.Of(one.Address), Type = one.TypeName, Taken = one.TakenCount, Contended = one.ContendedCount, Failed = one.FailedCount,
        HandOffs = one.HandOffCount, Waited = one.TotalWait, Held = one.TotalHeld, LongestWait = one.LongestWait?.WaitInstructions ?? 0,
        LongestWaitAt = one.LongestWait?.Wanted.ToString(), LongestHeld = one.LongestHeld?.HeldInstructions ?? 0, LongestHeldAt = one.LongestHeld?.Taken?.ToString(),
        MaximumWaiters = one.MaximumWaiters, MaximumWaitersAt = one.MaximumWaiters > 0 ? one.MaximumWaitersAt.ToString() : null, IsCut = one.IsCut,
    };

    public TtvmLockUse Describe(LockUse use) => new()
    {
        Lock = NameOf(use.Lock.Address), Wanted = use.Wanted.ToString(), Taken = use.Taken?.ToString(), Released = use.Released?.ToString(),
        WaitInstructions = use.WaitInstructions, HeldInstructions = use.HeldInstructions, ThreadId = Session.ThreadOfCpu(use.User.CpuIndex), Task = TaskOf(use.User.Task),
        Function = use.Function, From = LockViews.PlaceOf(_session, use.Caller), IsContended = use.IsContended, IsFailed = use.IsFailed, IsShared = use.IsShared, Nesting = use.Nesting,
    };

    public List<TtvmLockFinding> Describe(IReadOnlyList<LockFinding> findings)
    {
        var text = new LockFindingText(NameOf, TaskOf, code => CallerText.Of(code, _symbols));
        var list = new List<TtvmLockFinding>();
        foreach (LockFinding one in findings)
        {
            string kind = one.Kind.ToString();
            list.Add(new TtvmLockFinding
            {
                Kind = char.ToLowerInvariant(kind[0]) + kind[1..], Position = one.At.ToString(), ThreadId = Session.ThreadOfCpu(one.User.CpuIndex), Text = text.Of(one),
                // One that has no function is only there to name the lock.
                Uses = [.. one.Uses.Where(static use => use.Function.Length > 0).Select(Describe)],
            });
        }
        return list;
    }

    /// <summary>What happens to a lock at a position, in a sentence.</summary>
    public string Sentence(LockUse use, Position at)
    {
        string who = $"vCPU {use.User.CpuIndex}{(TaskOf(use.User.Task) is { } task ? $", {task}," : "")}";
        string what = at == use.Released ? "gives back" : at == use.Taken ? "has taken" : "begins to wait for";
        string call = use.Function == LockUse.InlinedFunction ? "inlined in" : $"{use.Function} called from";
        return $"at {at}: {who} {what} {NameOf(use.Lock.Address)}, {call} {CallerText.Of(use.Caller, _symbols)}";
    }

    public string NameOf(ulong address) => _locks.NameOf(address, _symbols);

    private string? TaskOf(ulong task)
    {
        if (task == 0) return null;
        if (!_tasks.TryGetValue(task, out string? name)) _tasks[task] = name = _locks.Tasks.NameOf(_session.View, task);
        return name;
    }
}
