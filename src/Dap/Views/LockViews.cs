using System.Collections.Generic;
using Dap.Protocol;
using Dap.Sessions;
using Introspection.Calls;
using Introspection.Locks;
using Introspection.Locks.Queues;
using Introspection.Programs;
using Symbols.Dwarf.Lines;

namespace Dap.Views;

/// <summary>The locks where the session stands, as the protocol says them.</summary>
internal sealed class LockViews(Session session)
{
    /// <param name="waits">For as long as it takes to find the locks; else an answer comes at once, and may say that they are being looked for.</param>
    public TtvmLocks Read(bool waits = true)
    {
        if (!waits && session.Locks.IsBeingFound)
        {
            const string soon = "The locks of the guest are being looked for.";
            return new TtvmLocks { Locks = [], Past = NameOf(PastState.BeingLearnt), LayoutProblems = [], Problem = soon, IsBeingFound = true };
        }
        IReadOnlyList<LockView> found = session.Locks.Read(out PastState past);
        GuestLocks known = session.Locks.Find();
        var locks = new List<TtvmLock>();
        foreach (LockView one in found) locks.Add(LockOf(one));
        return new TtvmLocks
        {
            Locks = locks, Past = NameOf(past),
            PastProblem = past == PastState.Unknown ? session.Locks.Failure : null, LayoutProblems = known.Functions.IsLoaded ? known.Problems : [],
            Problem = locks.Count > 0 ? null : known.IsEmpty ? session.Locks.Declared.Problem ?? "None of the declared locks is in this guest, as far as it is loaded here."
                : past == PastState.Known ? "No lock is held or waited for here." : "No lock is waited for here, as far as memory says.",
        };
    }

    /// <summary>How much of a past is known, in a word.</summary>
    public static string NameOf(PastState past) => past switch { PastState.Known => "known", PastState.BeingLearnt => "learning", _ => "unknown" };

    /// <summary>Where a call came from; null: unknown.</summary>
    public static TtvmCodePlace? PlaceOf(Session session, ulong returnAddress)
    {
        // The call, not what is behind it.
        return returnAddress == 0 ? null : PlaceOf(session, returnAddress - 1, CallerText.Of(returnAddress, session.Symbols));
    }

    /// <summary>An instruction.</summary>
    public static TtvmCodePlace PlaceOf(Session session, ulong code, string text)
    {
        SourcePosition? line = session.Symbols.LineOf(code);
        return new TtvmCodePlace { Text = text, Source = line is { } at ? session.Sources.Of(at.Path) : null, Line = line?.Line };
    }

    private TtvmLock LockOf(LockView one)
    {
        var queue = new List<TtvmLockWaiter>();
        foreach (LockWaiter waiter in one.Queue)
        {
            queue.Add(new TtvmLockWaiter
            {
                Order = queue.Count, Role = waiter.IsOwner ? "owner" : "waiter", ThreadId = waiter.CpuIndex is { } cpu ? Session.ThreadOfCpu(cpu) : null,
                Node = Address(waiter.Node), Next = Address(waiter.Next), MustWait = waiter.MustWait, Task = waiter.Task == 0 ? null : Hexadecimal.Of(waiter.Task),
                Since = waiter.Since?.ToString(), From = PlaceOf(session, waiter.Caller), IsShared = waiter.IsShared ? true : null, Description = waiter.Description,
            });
        }
        string state = one.State switch { LockState.Held => "held", LockState.Contended => "contended", LockState.Corrupt => "corrupt", _ => "free" };
        return new TtvmLock
        {
            Name = one.Name, Kind = one.Kind, Address = Hexadecimal.Of(one.Address), State = state, Queue = queue, Words = one.Words, Problem = one.Problem,
        };
    }

    private static string? Address(ulong? address) => address is { } number ? Hexadecimal.Of(number) : null;
}
