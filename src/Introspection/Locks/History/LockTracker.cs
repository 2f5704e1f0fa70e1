using System.Collections.Generic;
using Introspection.Layouts;
using Vmm.Time;

namespace Introspection.Locks.History;

/// <summary>Puts together what the visitors saw, in order: who wanted, took and gave back which lock, and what was wrong with it.</summary>
internal sealed class LockTracker(LockFunctionTable table, LockHistoryOptions options, bool isFromStart)
{
    private const int MaximumFindings = 1000;
    // No function takes a free lock as slowly, whatever interrupts it.
    private const ulong LongWait = 100_000;

    private readonly Dictionary<ulong, LockRecord> _locks = [];
    // Calls of functions that take a lock, by their frame: several where one calls another by a jump.
    private readonly Dictionary<ulong, LockUse> _open = [];
    private readonly Dictionary<int, List<LockUse>> _heldByCpu = [];
    private readonly Dictionary<ulong, List<LockUse>> _heldByTask = [];
    private readonly Dictionary<LockUser, LockUse> _waiting = [];
    private readonly LockOrder _order = new();
    private readonly List<LockFinding> _findings = [];
    private readonly HashSet<(LockFindingKind, ulong)> _told = [];
    private readonly LockUseIndex _index = new();
    private LockWordTracker? _words;
    private int _kept;
    private bool _hasFailed;

    public IReadOnlyDictionary<ulong, LockRecord> Locks => _locks;

    public List<LockFinding> Findings => _findings;

    /// <summary>In which order locks were taken.</summary>
    public LockOrder Order => _order;

    /// <summary>Which uses last at a position.</summary>
    public LockUseIndex Index => _index;

    public void Add(in LockEvent e)
    {
        switch (e.Step)
        {
            case LockStep.Want:
                Want(e, table.Functions[e.Function]);
                break;
            case LockStep.Return:
                Return(e);
                break;
            case LockStep.Release:
                Release(e, table.Functions[e.Function]);
                break;
            case LockStep.Panic:
                Fail(e.At);
                break;
            case LockStep.Interrupt:
                foreach (LockUse use in HeldByCpu(e.CpuIndex)) CheckInterrupts(use, e.At, isOn: true);
                break;
            default:
                (_words ??= new LockWordTracker(this, table)).Add(e);
                break;
        }
    }

    /// <summary>The guest has failed: what is held then is worth telling, once.</summary>
    public void Fail(Position at)
    {
        if (_hasFailed) return;
        _hasFailed = true;
        foreach (LockRecord one in _locks.Values)
        {
            foreach (LockUse use in one.Holders) Tell(LockFindingKind.HeldAtFailure, at, use.User, one, [use]);
            // Whoever has waited since before it was given back, or for long since then, should have got it.
            if (one.Holders.Count > 0 || one.LastReleased is not { Released: { } released } last) continue;
            LockUse? forgotten = one.Waiters.Find(use => use.Wanted < released || at.InstructionCount - use.Wanted.InstructionCount > LongWait);
            if (forgotten is not null) Tell(LockFindingKind.LostWakeUp, released, last.User, one, [last, forgotten]);
        }
    }

    private void Want(in LockEvent e, LockFunction function)
    {
        LockRecord record = RecordOf(e.Value, function.TypeName, function.Type);
        // A function that takes the same lock for another, which jumped to it: one use.
        if (_open.TryGetValue(e.Frame, out LockUse? outer))
        {
            if (ReferenceEquals(outer.Lock, record) && outer.Taken is null) return;
            Abandon(outer, e.At);
        }
        bool keepsInterruptsOff = table.KeepsInterruptsOff(e.Value, function);
        _open[e.Frame] = Want(record, new LockUser(e.CpuIndex, e.Task), e.Caller, function.Name, function.Functions, e.At, e.HasInterruptsOn, keepsInterruptsOff);
    }

    /// <summary>Somebody wants a lock.</summary>
    /// <param name="record">Which.</param>
    /// <param name="user">Who.</param>
    /// <param name="caller">As of <see cref="LockUse"/>.</param>
    /// <param name="name">Of the function.</param>
    /// <param name="functions">How it is declared; null: it is inlined.</param>
    /// <param name="at">When.</param>
    /// <param name="hasInterruptsOn">The user's interrupt flag.</param>
    /// <param name="keepsInterruptsOff">Interrupts must stay off while it is held.</param>
    /// <param name="isShared">It is inlined, and wants to read.</param>
    public LockUse Want(LockRecord record, LockUser user, ulong caller, string name, LockFunctions? functions, Position at, bool hasInterruptsOn, bool keepsInterruptsOff,
        bool isShared = false)
    {
        isShared |= functions?.Shared == true;
        LockUse? blocker = record.HolderBeside(isShared);
        var use = new LockUse
        {
            Lock = record, User = user, Caller = caller, Function = name, IsShared = isShared, IsTry = functions?.Tries == true, Wanted = at,
            Declared = functions, IsContended = blocker is not null, KeepsInterruptsOff = keepsInterruptsOff,
        };
        Keep(use);
        foreach (LockUse held in HeldByCpu(user.CpuIndex)) CheckInterrupts(held, at, hasInterruptsOn);
        if (use.IsTry) return use;
        _waiting[ActorOf(use)] = use;
        NoteOrder(use);
        if (blocker is null) return use;
        if (IsSameUser(blocker, user) && !(blocker.IsShared && use.IsShared)) Tell(LockFindingKind.TakenTwice, at, user, record, [blocker, use]);
        else if (DeadlockOf(use) is { } ring) Tell(LockFindingKind.Deadlock, at, user, record, ring);
        return use;
    }

    /// <summary>Somebody has a lock.</summary>
    public static bool Holds(LockRecord record, LockUser user)
    {
        foreach (LockUse use in record.Holders)
            if (IsSameUser(use, user)) return true;
        return false;
    }

    /// <summary>Somebody has a lock in that way.</summary>
    public static bool Holds(LockRecord record, LockUser user, bool isShared) => HolderIn(record, user, isShared) is not null;

    private void Return(in LockEvent e)
    {
        if (!_open.Remove(e.Frame, out LockUse? use)) return;
        // Of an int 32 bits count, of a bool 8.
        bool isTaken = use.Declared?.Taken switch { "zero" => (uint)e.Value == 0, "nonzero" => (uint)e.Value != 0, "true" => (byte)e.Value != 0, _ => true };
        if (isTaken)
        {
            Take(use, e.At);
            return;
        }
        if (!use.IsTry) _waiting.Remove(ActorOf(use));
        use.Lock.Fail(use);
        _index.End(use);
    }

    /// <summary>Who wanted a lock has it.</summary>
    public void Take(LockUse use, Position at)
    {
        if (!use.IsTry) _waiting.Remove(ActorOf(use));
        LockUse? other = use.Lock.HolderBeside(use.IsShared);
        use.Lock.Take(use, at);
        use.Nesting = HeldByCpu(use.User.CpuIndex).Count;
        if (use.User.Task != 0 && _heldByTask.TryGetValue(use.User.Task, out List<LockUse>? own)) use.Nesting += own.Count;
        HeldBy(use).Add(use);
        if (other is not null) Tell(IsSameUser(other, use.User) ? LockFindingKind.TakenTwice : LockFindingKind.TwoHolders, at, use.User, use.Lock, [other, use]);
    }

    private void Release(in LockEvent e, LockFunction function)
    {
        LockRecord record = RecordOf(e.Value, function.TypeName, function.Type);
        LockUse? released = Release(record, new LockUser(e.CpuIndex, e.Task), function.Functions.Shared == true, e.At, e.HasInterruptsOn);
        if (released is null || function.Functions.Downgrades != true) return;
        var reader = new LockUse
        {
            Lock = record, User = released.User, Caller = e.Caller, Function = function.Name, IsShared = true, IsTry = true, Wanted = e.At,
        };
        Keep(reader);
        record.Take(reader, e.At);
        HeldBy(reader).Add(reader);
    }

    /// <summary>Somebody gives back a lock. Null: nobody has it.</summary>
    public LockUse? Release(LockRecord record, LockUser user, bool isShared, Position at, bool hasInterruptsOn)
    {
        if (record.Holders.Count == 0)
        {
            // It may have been taken before what is known begins, or by code that was inlined.
            if (isFromStart && record.TakenCount > 0) Tell(LockFindingKind.ReleasedWhileFree, at, user, record, []);
            return null;
        }
        LockUse? own = HolderIn(record, user, isShared);
        LockUse released = own ?? record.HolderAs(isShared) ?? record.Holders[0];
        if (own is null && !isShared) Tell(LockFindingKind.ReleasedByOther, at, user, record, [released]);
        CheckInterrupts(released, at, hasInterruptsOn);
        HeldBy(released).Remove(released);
        record.Release(released, at);
        _index.End(released);
        return released;
    }

    private void Keep(LockUse use)
    {
        bool keeps = options.Wants(use.Lock.Address) && _kept < options.MaximumUses;
        if (keeps)
        {
            _kept++;
            _index.Begin(use);
        }
        use.Lock.Want(use, keeps);
    }

    /// <summary>It left the function by another way, or the stack was thrown away; or it is not in the queue any more.</summary>
    public void Abandon(LockUse use, Position at)
    {
        use.Abandoned = at;
        _index.End(use);
        use.Lock.Waiters.Remove(use);
        if (_waiting.TryGetValue(ActorOf(use), out LockUse? waiting) && ReferenceEquals(waiting, use)) _waiting.Remove(ActorOf(use));
    }

    private void NoteOrder(LockUse wanted)
    {
        // A task's locks stay its own when it goes to another vCPU; a vCPU's matter to whatever it runs, interrupt handlers too.
        foreach (LockUse held in HeldByCpu(wanted.User.CpuIndex)) NoteOrder(held, wanted);
        if (wanted.User.Task == 0 || !_heldByTask.TryGetValue(wanted.User.Task, out List<LockUse>? own)) return;
        foreach (LockUse held in own) NoteOrder(held, wanted);
    }

    private void NoteOrder(LockUse held, LockUse wanted)
    {
        if (_order.Add(held, wanted) is { } cycle) Tell(LockFindingKind.OrderInversion, wanted.Wanted, wanted.User, wanted.Lock, cycle);
    }

    // Whoever has the lock waits for one that somebody has who waits, and so on, back to here. Null: the chain ends.
    private List<LockUse>? DeadlockOf(LockUse first)
    {
        var ring = new List<LockUse>();
        LockUse at = first;
        for (int i = 0; i < 64; i++)
        {
            LockUse? holder = at.Lock.HolderBeside(at.IsShared);
            if (holder is null) return null;
            ring.Add(holder);
            ring.Add(at);
            if (ActorOf(holder) == ActorOf(first)) return ring;
            if (!_waiting.TryGetValue(ActorOf(holder), out LockUse? next) || ReferenceEquals(next, at)) return null;
            at = next;
        }
        return null;
    }

    private void CheckInterrupts(LockUse use, Position at, bool isOn)
    {
        if (!isOn || !use.KeepsInterruptsOff || use.IsReportedForInterrupts) return;
        use.IsReportedForInterrupts = true;
        Tell(LockFindingKind.InterruptsOn, at, use.User, use.Lock, [use]);
    }

    /// <summary>What becomes of a lock.</summary>
    public LockRecord RecordOf(ulong address, string typeName, LockType type)
    {
        if (!_locks.TryGetValue(address, out LockRecord? record)) _locks[address] = record = new LockRecord(_locks.Count, address, typeName, type);
        return record;
    }

    // Once a lock, as what is wrong once is wrong often.
    private void Tell(LockFindingKind kind, Position at, LockUser user, LockRecord record, IReadOnlyList<LockUse> uses)
    {
        if (_findings.Count >= MaximumFindings || !_told.Add((kind, record.Address))) return;
        _findings.Add(new LockFinding(kind, at, user, uses.Count > 0 ? uses : [new LockUse
        {
            Lock = record, User = user, Caller = 0, Function = "", IsShared = false, IsTry = true, Wanted = at,
        }]));
    }

    private static bool IsByTask(LockUse use) => use.Lock.Type.IsHeldByTask && use.User.Task != 0;

    private static bool IsSameUser(LockUse use, LockUser user) => IsByTask(use) ? use.User.Task == user.Task : use.User.CpuIndex == user.CpuIndex;

    private static LockUse? HolderIn(LockRecord record, LockUser user, bool isShared)
    {
        foreach (LockUse use in record.Holders)
            if (use.IsShared == isShared && IsSameUser(use, user)) return use;
        return null;
    }

    private static LockUser ActorOf(LockUse use) => IsByTask(use) ? new LockUser(-1, use.User.Task) : use.User with { Task = 0 };

    private List<LockUse> HeldByCpu(int cpu)
    {
        if (!_heldByCpu.TryGetValue(cpu, out List<LockUse>? held)) _heldByCpu[cpu] = held = [];
        return held;
    }

    private List<LockUse> HeldBy(LockUse use)
    {
        if (!IsByTask(use)) return HeldByCpu(use.User.CpuIndex);
        if (!_heldByTask.TryGetValue(use.User.Task, out List<LockUse>? held)) _heldByTask[use.User.Task] = held = [];
        return held;
    }
}
