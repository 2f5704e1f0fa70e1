using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using Dap.Protocol;
using Dap.Requests;
using Dap.Views;
using Introspection.Calls;
using Introspection.Channels;
using Introspection.History;
using Introspection.Layouts;
using Introspection.Linux;
using Introspection.Linux.Initrd;
using Introspection.Locks;
using Introspection.Locks.History;
using Introspection.Programs;
using Introspection.Rcu;
using Introspection.State;
using Replay.Packages;
using Replay.Redaction;
using Replay.Replaying;
using Vmm.Platform;
using Vmm.Time;
using Thread = System.Threading.Thread;

namespace Dap.Sessions;

/// <summary>What a rehearsal has found.</summary>
/// <param name="Kernel">A Linux kernel; null: there is none.</param>
/// <param name="Locks">The guest's.</param>
/// <param name="Rcu">Its read-copy-update; null: nothing is known of it.</param>
/// <param name="Channels">Its channels.</param>
/// <param name="Initrd">What the initrd of a Linux guest has; null: it has none.</param>
/// <param name="At">Where.</param>
internal sealed record Rehearsed(KernelImage? Kernel, GuestLocks Locks, GuestRcu? Rcu, GuestChannels Channels, InitrdFiles? Initrd, Position At);

/// <summary>
/// Answers the first questions about locks, read-copy-update and channels before they are asked: what that takes is to be found only once, and the code for it compiled. Threads: one of
/// its own, with a machine and symbols of its own, from the beginning of a session on; what it has found is handed over when it has ended.
/// </summary>
internal sealed class Rehearsal : IDisposable
{
    private static readonly TimeSpan s_soon = TimeSpan.FromMilliseconds(10);
    private const int MaximumKernelBytes = 64 << 20;

    private readonly RecordingFile _recording;
    private readonly IReadOnlyList<GuestLayout> _layouts;
    private readonly Action _ended;
    private readonly CancellationTokenSource _end = new();
    private readonly Thread _thread;
    private volatile Rehearsed? _found;
    private volatile bool _isAwaited;

    /// <summary>Begins one; null: it would take too much, as the recording's own symbols are large.</summary>
    /// <param name="recording">Stays the caller's, and is in use until this is disposed of.</param>
    /// <param name="layouts">That are declared.</param>
    /// <param name="ended">It has ended, and somebody asked too early. Called on its thread.</param>
    public static Rehearsal? Begin(RecordingFile recording, IReadOnlyList<GuestLayout> layouts, Action ended) =>
        recording.Embedded.SymbolNames.Any() || recording.Configuration.FindImage("kernel")?.Content.Length > MaximumKernelBytes ? null : new Rehearsal(recording, layouts, ended);

    private Rehearsal(RecordingFile recording, IReadOnlyList<GuestLayout> layouts, Action ended)
    {
        (_recording, _layouts, _ended) = (recording, layouts, ended);
        _thread = new Thread(Run) { Name = "rehearsal", IsBackground = true, Priority = ThreadPriority.BelowNormal };
        _thread.Start();
    }

    /// <summary>What was found by now; null: nothing yet, or nothing at all.</summary>
    public Rehearsed? Found => _found;

    /// <summary>It ends within a time that nobody notices, or has ended. If not, it will tell when it has.</summary>
    public bool EndsSoon()
    {
        if (_thread.Join(s_soon)) return true;
        _isAwaited = true;
        return !_thread.IsAlive;
    }

    /// <summary>Waits for what it finds: to begin with the same now would take longer. Null: nothing.</summary>
    public Rehearsed? Wait()
    {
        _thread.Join();
        return _found;
    }

    public void Dispose()
    {
        _end.Cancel();
        _thread.Join();
        _end.Dispose();
    }

    private void Run()
    {
        try
        {
            RehearseAnswer();
            using var moment = new OtherMoment(_recording);
            // From the last checkpoint on, little is to be replayed: nothing.
            Position at = _recording.Checkpoints.Count > 0 ? _recording.Checkpoints[^1].Position : _recording.Start;
            Machine machine = moment.At(at, null, _end.Token);
            using GuestPrograms programs = SymbolLoader.Load(_recording, null, null, static _ => { });
            var view = new GuestView(machine, machine.Vcpus[machine.CurrentCpuIndex]);
            SymbolSet symbols = programs.At(view);
            KernelImage? kernel = symbols.KernelAt(view)?.Image;
            _end.Token.ThrowIfCancellationRequested();
            GuestLocks locks = GuestLocks.Find(_layouts, symbols, view);
            _end.Token.ThrowIfCancellationRequested();
            locks.Read(view, symbols, at, null);
            using (PastWorker<LockHistory> past = LockHistory.Learner(_recording, locks, static () => { }))
                past.Read(history => locks.Read(view, symbols, history.From, history));
            locks.Rehearse(view, symbols, at);
            CallerText.Of(view.CodeAddress, symbols);
            GuestRcu? rcu = GuestRcu.Find(_layouts, locks.Tasks, symbols, view);
            if (rcu is not null) RcuReadout.Read(rcu, view, symbols.KernelAt(view));
            GuestChannels channels = GuestChannels.Find(_layouts, locks.Tasks, symbols);
            ChannelReader.Read(channels, view);
            InitrdFiles? initrd = kernel is null ? null : InitrdFiles.Of(_recording.Configuration);
            _found = new Rehearsed(kernel, locks, rcu, channels, initrd, at);
        }
        catch (Exception e) when (e is OperationCanceledException or RecordingFormatException or ReplayDivergenceException or RedactedPositionException or IOException)
        {
            // The session ends; or what is wrong with the recording is told to whoever asks for what is in it.
        }
        if (_isAwaited && !_end.IsCancellationRequested) _ended();
    }

    // The first answer, which may have to say that locks are being looked for, is not to wait for its code. What is said does not matter, only that it was said once.
    private static void RehearseAnswer()
    {
        var waiter = new TtvmLockWaiter { Order = 0, Role = "owner", Description = "", From = new TtvmCodePlace { Text = "", Source = new Source() } };
        var one = new TtvmLock { Name = "", Kind = "", Address = Hexadecimal.Of(0), State = "free", Queue = [waiter] };
        Answer.Of(new TtvmLocks { Locks = [one], Past = "known", LayoutProblems = [""] }).Write(new MessageWriter(Stream.Null), new Request(0, "ttvm/locks", default));
        Answer.Of(RcuViews.BeingFound()).Write(new MessageWriter(Stream.Null), new Request(0, "ttvm/rcu", default));
        Answer.Of(ChannelViews.BeingFound()).Write(new MessageWriter(Stream.Null), new Request(0, "ttvm/channels", default));
    }
}
