using System;
using System.Collections.Generic;
using Dap.Protocol;
using Introspection.Linux;
using Introspection.Locks;
using Introspection.Locks.History;
using Introspection.Layouts;
using Introspection.Locks.Queues;
using Introspection.Programs;
using Introspection.State;
using Replay.Timelines;
using Vmm.Platform;
using Vmm.Time;

namespace Dap.Sessions;

/// <summary>How much of the past of locks is known.</summary>
internal enum LockPast
{
    /// <summary>All of it.</summary>
    Known,
    /// <summary>It is being worked out; what lies before the session's position may be known already.</summary>
    BeingLearnt,
    /// <summary>Nothing: there is none here, or it has failed.</summary>
    Unknown,
}

/// <summary>
/// The locks of what is debugged: found at the first question, and again when the guest has another kernel; and their past, which is learnt in the background from then on.
/// </summary>
/// <param name="session">What is debugged.</param>
/// <param name="changed">More of the past is known. Called on another thread.</param>
internal sealed class SessionLocks(Session session, Action changed) : IDisposable
{
    private GuestLocks? _locks;
    private KernelImage? _kernel;
    private Position _foundAt;
    private bool _isBusy;
    private LockHistoryWorker? _worker;
    // One lock of which the history has more uses than it keeps.
    private (ulong Address, Position End, LockHistory History)? _exact;

    /// <summary>The layouts that are declared.</summary>
    public DeclaredLayouts Declared { get; set; } = DeclaredLayouts.None;

    /// <summary>Why the past will not be known, in a sentence; null: it will be.</summary>
    public string? Failure => session.IsDiverted ? "In a diversion only what memory says is known."
        : _locks is { } locks && !IsLoaded(locks) ? "The guest is not loaded yet: the past of its locks is worked out once it is." : _worker?.Failure;

    /// <summary>The locks as they are found here, or were found where the guest is loaded.</summary>
    public GuestLocks Find() => Find(session.View);

    // At the start of a recording the guest may not be in its place yet: one that was found elsewhere, with its code, is better.
    private GuestLocks Find(GuestView view)
    {
        SymbolSet symbols = session.Programs.At(view);
        KernelImage? kernel = symbols.KernelAt(view)?.Image;
        Position at = view.Machine.Position;
        bool isOther = kernel is not null && !ReferenceEquals(kernel, _kernel), mayBeLoadedNow = _locks is { Functions.IsLoaded: false } && at != _foundAt;
        if (_locks is not null && !isOther && !mayBeLoadedNow) return _locks;
        GuestLocks found = GuestLocks.Find(Declared.Layouts, symbols, view);
        _foundAt = at;
        if (_locks is not null && !isOther && !found.Functions.IsLoaded) return _locks;
        if (kernel is not null) _kernel = kernel;
        Forget();
        return _locks = found;
    }

    /// <summary>The locks in use, and those that are declared, where the session stands.</summary>
    public IReadOnlyList<LockView> Read(out LockPast past)
    {
        GuestLocks locks = Find();
        GuestView view = session.View;
        SymbolSet symbols = session.Symbols;
        Position at = view.Machine.Position;
        LockHistoryWorker? worker = session.IsDiverted || !IsLoaded(locks) ? null : Begin(locks);
        past = worker is null || worker.Failure is not null ? LockPast.Unknown : worker.IsComplete || worker.Known > at ? LockPast.Known : LockPast.BeingLearnt;
        return worker is null || past != LockPast.Known ? locks.Read(view, symbols, at, null) : worker.Read(history => locks.Read(view, symbols, at, history));
    }

    /// <summary>The past of all locks, as far as it is known. It is learnt from now on.</summary>
    public LockHistoryWorker Worker()
    {
        GuestLocks locks = Find();
        if (!IsLoaded(locks))
        {
            // Another moment at which the guest is sure to be loaded.
            Machine machine = session.MachineAt(session.Recording.End, 1);
            locks = Find(new GuestView(machine, machine.Vcpus[0]));
        }
        return Begin(locks);
    }

    private LockHistoryWorker Begin(GuestLocks locks)
    {
        _worker ??= new LockHistoryWorker(session.Recording, locks, changed);
        if (_isBusy) _worker.Pause();
        _worker.Learn();
        return _worker;
    }

    // A Linux kernel's functions are not known before it is there.
    private bool IsLoaded(GuestLocks locks) => locks.Functions.IsLoaded && (!session.Programs.MayLoadPrograms || _kernel is not null);

    /// <summary>The past of one lock, with all its uses, once it is known: waits for it, with progress that the client can cancel.</summary>
    /// <exception cref="RequestException">It cannot be known.</exception>
    /// <exception cref="OperationCanceledException">The client has had enough.</exception>
    public T ReadWhole<T>(ulong address, Func<LockHistory, T> read)
    {
        LockHistoryWorker worker = Worker();
        Position end = session.Recording.End;
        worker.Resume();
        try
        {
            session.Activity.Wait("Working out the past of locks", (time, cancellation) =>
            {
                if (worker.IsComplete || worker.Failure is not null) return true;
                cancellation.WaitHandle.WaitOne(time);
                cancellation.ThrowIfCancellationRequested();
                return worker.IsComplete || worker.Failure is not null;
            }, () => end.InstructionCount == 0 ? 1 : (double)worker.Known.InstructionCount / end.InstructionCount);
        }
        finally
        {
            worker.Pause();
        }
        if (worker.Failure is { } failure) throw new RequestException($"the past of locks is not known: {failure}");
        bool isCut = worker.Read(history => history.Find(address)?.IsCut == true);
        if (!isCut) return worker.Read(read);
        if (_exact is not { } known || known.Address != address || known.End != end)
        {
            session.Activity.Title("Reading all uses of the lock");
            var options = new LockHistoryOptions { Locks = new HashSet<ulong> { address }, MaximumUses = int.MaxValue };
            Timeline timeline = session.Timeline;
            _exact = known = (address, end, worker.Locks.History(timeline, timeline.Start, end, options, session.Activity, session.Activity.Token));
        }
        return read(known.History);
    }

    /// <summary>A lock by its name, symbol or address.</summary>
    /// <exception cref="RequestException">There is none.</exception>
    public ulong AddressOf(string name) =>
        Find().AddressOf(name.Trim(), session.Symbols) ?? throw new RequestException($"there is no lock, symbol or address '{name}'; ttvm/lockHistory without a lock lists them");

    /// <summary>The engine's thread needs the processor, or not any more.</summary>
    public void KeepQuiet(bool isBusy)
    {
        _isBusy = isBusy;
        if (isBusy) _worker?.Pause();
        else _worker?.Resume();
    }

    public void Dispose() => Forget();

    private void Forget()
    {
        _worker?.Dispose();
        _worker = null;
        _exact = null;
        _locks = null;
    }
}
