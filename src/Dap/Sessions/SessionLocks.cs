using System;
using System.Collections.Generic;
using Dap.Protocol;
using Introspection.History;
using Introspection.Layouts;
using Introspection.Locks;
using Introspection.Locks.History;
using Introspection.Locks.Queues;
using Introspection.Locks.Tasks;
using Introspection.Programs;
using Introspection.State;
using Replay.Timelines;
using Vmm.Time;

namespace Dap.Sessions;

/// <summary>What is wrong with classes of locks.</summary>
/// <param name="Findings">Classes that were taken in both orders.</param>
/// <param name="NestedInOwnClassCount">Pairs of locks of one class, whose order is not looked at.</param>
internal sealed record ClassInversions(IReadOnlyList<LockFinding> Findings, int NestedInOwnClassCount);

/// <summary>The locks of what is debugged, and their past.</summary>
internal sealed class SessionLocks : IDisposable
{
    private readonly Session _session;
    private readonly GuestPast<GuestLocks, LockHistory> _past;
    // One lock of which the history has more uses than it keeps.
    private (ulong Address, Position End, LockHistory History)? _exact;
    private (Position End, ClassInversions Inversions)? _classes;

    /// <param name="session">What is debugged.</param>
    /// <param name="changed">More of the past is known. Called on another thread.</param>
    public SessionLocks(Session session, Action changed)
    {
        _session = session;
        _past = new GuestPast<GuestLocks, LockHistory>(session, (symbols, view) => GuestLocks.Find(Declared.Layouts, symbols, view), static locks => locks.Functions.IsLoaded,
            locks => LockHistory.Learner(session.Recording, locks, changed, session.Turns))
        {
            Forgotten = () => (_exact, _classes) = (null, null), Prepared = () => session.Rehearsed() is { } found ? (found.Locks, found.Kernel, found.At) : null,
        };
    }

    /// <summary>The layouts that are declared.</summary>
    public DeclaredLayouts Declared { get; set; } = DeclaredLayouts.None;

    /// <summary>Why the past will not be known, in a sentence; null: it will be.</summary>
    public string? Failure => _past.Failure;

    /// <summary>What vCPUs run.</summary>
    public ICurrentTask Tasks => Find().Tasks;

    /// <summary>They are being looked for; the event that more is known will come.</summary>
    public bool IsBeingFound => !_past.IsFound && _session.IsRehearsing;

    /// <summary>The locks as they are found here, or were found where the guest is loaded.</summary>
    public GuestLocks Find() => _past.Find();

    /// <summary>The locks in use, and those that are declared, where the session stands.</summary>
    public IReadOnlyList<LockView> Read(out PastState past)
    {
        GuestLocks locks = Find();
        GuestView view = _session.View;
        SymbolSet symbols = _session.Symbols;
        Position at = view.Machine.Position;
        PastWorker<LockHistory>? worker = _past.Here(out past);
        return worker is null || past != PastState.Known ? locks.Read(view, symbols, at, null) : worker.Read(history => locks.Read(view, symbols, at, history));
    }

    /// <summary>The past of all locks, as far as it is known. It is learnt from now on.</summary>
    public PastWorker<LockHistory> Worker() => _past.Worker()!;

    /// <summary>The past of one lock, with all its uses, once it is known: waits for it, with progress that the client can cancel.</summary>
    /// <exception cref="RequestException">It cannot be known.</exception>
    /// <exception cref="OperationCanceledException">The client has had enough.</exception>
    public T ReadWhole<T>(ulong address, Func<LockHistory, T> read)
    {
        PastWorker<LockHistory> worker = WholeWorker();
        Position end = _session.Recording.End;
        bool isCut = worker.Read(history => history.Find(address)?.IsCut == true);
        if (!isCut) return worker.Read(read);
        if (_exact is not { } known || known.Address != address || known.End != end)
        {
            _session.Activity.Title("Reading all uses of the lock");
            var options = new LockHistoryOptions { Locks = new HashSet<ulong> { address }, MaximumUses = int.MaxValue };
            Timeline timeline = _session.Timeline;
            _exact = known = (address, end, Find().History(timeline, timeline.Start, end, options, _session.Activity, _session.Activity.Token));
        }
        return read(known.History);
    }

    /// <summary>Classes of locks that were taken in both orders: waits for the past, and may take a replay more, with progress that the client can cancel. Found once.</summary>
    /// <exception cref="RequestException">It cannot be known.</exception>
    /// <exception cref="OperationCanceledException">The client has had enough.</exception>
    public ClassInversions ReadClasses()
    {
        PastWorker<LockHistory> worker = WholeWorker();
        Position end = _session.Recording.End;
        if (_classes is { } known && known.End == end) return known.Inversions;
        _session.Activity.Title("Looking for classes of locks");
        GuestLocks locks = Find();
        ClassInversions found = worker.Read(history =>
        {
            LockClasses classes = LockClasses.Find(_session.Timeline, history, locks, _session.Symbols, _session.Activity, _session.Activity.Token);
            return new ClassInversions(classes.Inversions(), classes.NestedInOwnClassCount);
        });
        _classes = (end, found);
        return found;
    }

    private PastWorker<LockHistory> WholeWorker()
    {
        PastWorker<LockHistory> worker = Worker();
        GuestPast<GuestLocks, LockHistory>.WaitForAll(_session, worker, "Working out the past of locks");
        return worker.Failure is { } failure ? throw new RequestException($"the past of locks is not known: {failure}") : worker;
    }

    /// <summary>A lock by its name, symbol or address.</summary>
    /// <exception cref="RequestException">There is none.</exception>
    public ulong AddressOf(string name) =>
        Find().AddressOf(name.Trim(), _session.Symbols) ?? throw new RequestException($"there is no lock, symbol or address '{name}'; ttvm/lockHistory without a lock lists them");

    /// <summary>The engine's thread needs the processor, or not any more.</summary>
    public void KeepQuiet(bool isBusy) => _past.KeepQuiet(isBusy);

    public void Dispose() => _past.Dispose();
}
