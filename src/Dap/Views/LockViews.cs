using System.Collections.Generic;
using Dap.Protocol;
using Dap.Sessions;
using Introspection.Locks.Layouts;
using Introspection.Locks.Queues;

namespace Dap.Views;

/// <summary>Declared locks, as the protocol says them.</summary>
internal sealed class LockViews(Session session)
{
    public TtvmLocks Read()
    {
        DeclaredLayouts declared = session.Locks;
        var locks = new List<TtvmLock>();
        var symbols = new LockSymbols(session.Symbols.AddressOf, address => session.Symbols.NameOf(address, out _));
        foreach (LockLayout layout in declared.Layouts)
            foreach (LockView one in new LockReader(session.View, layout, symbols).Read()) locks.Add(LockOf(one));
        return new TtvmLocks { Locks = locks, Problem = locks.Count == 0 ? declared.Problem : null };
    }

    private static TtvmLock LockOf(LockView one)
    {
        var queue = new List<TtvmLockWaiter>();
        foreach (LockWaiter waiter in one.Queue)
        {
            queue.Add(new TtvmLockWaiter
            {
                Order = queue.Count, Role = waiter.IsOwner ? "owner" : "waiter", ThreadId = waiter.CpuIndex is { } cpu ? Session.ThreadOfCpu(cpu) : null,
                Node = waiter.Node is { } node ? Hexadecimal.Of(node) : null, Description = waiter.Description,
            });
        }
        string state = one.State switch { LockState.Held => "held", LockState.Contended => "contended", LockState.Corrupt => "corrupt", _ => "free" };
        return new TtvmLock { Name = one.Name, Kind = one.Kind, Address = Hexadecimal.Of(one.Address), State = state, Queue = queue, Problem = one.Problem };
    }
}
