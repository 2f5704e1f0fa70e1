using System;
using Introspection.History;
using Introspection.Linux;
using Introspection.Programs;
using Introspection.State;
using Vmm.Platform;
using Vmm.Time;

namespace Dap.Sessions;

/// <summary>How much of a past is known.</summary>
internal enum PastState
{
    /// <summary>All of it.</summary>
    Known,
    /// <summary>It is being worked out; what lies before the session's position may be known already.</summary>
    BeingLearnt,
    /// <summary>Nothing: there is none here, or it has failed.</summary>
    Unknown,
}

/// <summary>
/// Something of the guest's that its symbols lead to: found at the first question, and again when the guest has another kernel; and its past, which is learnt in the background from then on.
/// </summary>
/// <param name="session">What is debugged.</param>
/// <param name="find">Finds it at a moment.</param>
/// <param name="isLoaded">All of it was in memory then.</param>
/// <param name="createWorker">Learns its past; null: it has none to be learnt.</param>
internal sealed class GuestPast<TGuest, THistory>(Session session, Func<SymbolSet, GuestView, TGuest> find, Func<TGuest, bool> isLoaded,
    Func<TGuest, PastWorker<THistory>?> createWorker) : IDisposable
{
    private TGuest? _found;
    private bool _isFound, _isBusy;
    private KernelImage? _kernel;
    private Position _foundAt;
    private PastWorker<THistory>? _worker;

    /// <summary>Something else was found: what was known of the other's past is gone.</summary>
    public Action? Forgotten { get; init; }

    /// <summary>What somebody else has found by now, or finds soon; null: nobody.</summary>
    public Func<(TGuest Found, KernelImage? Kernel, Position At)?>? Prepared { get; init; }

    /// <summary>Why the past will not be known, in a sentence; null: it will be.</summary>
    public string? Failure => session.IsDiverted ? "In a diversion only what memory says is known."
        : _isFound && !IsLoaded(_found!) ? "The guest is not loaded yet: the past is worked out once it is." : _worker?.Failure;

    /// <summary>It was looked for.</summary>
    public bool IsFound => _isFound;

    /// <summary>It as it is found here, or was found where the guest is loaded.</summary>
    public TGuest Find() => Find(session.View);

    /// <summary>Its past where the session stands, learnt from now on; null: only memory tells.</summary>
    public PastWorker<THistory>? Here(out PastState state)
    {
        TGuest guest = Find();
        PastWorker<THistory>? worker = session.IsDiverted || !IsLoaded(guest) ? null : Begin(guest);
        state = worker is null || worker.Failure is not null ? PastState.Unknown
            : worker.IsComplete || worker.Known > session.Machine.Position ? PastState.Known : PastState.BeingLearnt;
        return worker;
    }

    /// <summary>Its past, as far as it is known, wherever the guest is loaded. It is learnt from now on; null: there is none to be learnt.</summary>
    public PastWorker<THistory>? Worker() => Begin(FindLoaded());

    /// <summary>It where the guest is sure to be loaded.</summary>
    public TGuest FindLoaded()
    {
        TGuest guest = Find();
        if (IsLoaded(guest)) return guest;
        Machine machine = session.MachineAt(session.Recording.End, 1);
        return Find(new GuestView(machine, machine.Vcpus[0]));
    }

    /// <summary>Waits until all of the past is known, with progress that the client can cancel.</summary>
    /// <exception cref="OperationCanceledException">The client has had enough.</exception>
    public static void WaitForAll(Session session, PastWorker<THistory> worker, string title)
    {
        Position end = session.Recording.End;
        worker.Resume();
        try
        {
            session.Activity.Wait(title, (time, cancellation) =>
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
    }

    /// <summary>The engine's thread needs the processor, or not any more.</summary>
    public void KeepQuiet(bool isBusy)
    {
        _isBusy = isBusy;
        if (isBusy) _worker?.Pause();
        else _worker?.Resume();
    }

    public void Dispose() => Forget();

    // At the start of a recording the guest may not be in its place yet: one that was found elsewhere, with its code, is better.
    private TGuest Find(GuestView view)
    {
        if (!_isFound && Prepared?.Invoke() is { } prepared && isLoaded(prepared.Found))
            (_found, _isFound, _kernel, _foundAt) = (prepared.Found, true, prepared.Kernel, prepared.At);
        SymbolSet symbols = session.SymbolsAt(view);
        KernelImage? kernel = symbols.KernelAt(view)?.Image;
        Position at = view.Machine.Position;
        bool isOther = kernel is not null && !kernel.IsSame(_kernel), mayBeLoadedNow = _isFound && !isLoaded(_found!) && at != _foundAt;
        if (_isFound && !isOther && !mayBeLoadedNow) return _found!;
        TGuest found = find(symbols, view);
        _foundAt = at;
        if (_isFound && !isOther && !isLoaded(found)) return _found!;
        if (kernel is not null) _kernel = kernel;
        Forget();
        (_found, _isFound) = (found, true);
        return found;
    }

    // A Linux kernel's functions are not known before it is there.
    private bool IsLoaded(TGuest guest) => isLoaded(guest) && (!session.Programs.MayLoadPrograms || _kernel is not null);

    private PastWorker<THistory>? Begin(TGuest guest)
    {
        _worker ??= createWorker(guest);
        if (_isBusy) _worker?.Pause();
        _worker?.Learn();
        return _worker;
    }

    private void Forget()
    {
        _worker?.Dispose();
        _worker = null;
        (_found, _isFound) = (default, false);
        Forgotten?.Invoke();
    }
}
