using System.Collections.Generic;
using System.Linq;
using Dap.Protocol;
using Dap.Sessions;
using Introspection.Calls;
using Introspection.History;
using Introspection.Locks;
using Introspection.Programs;
using Introspection.Rcu;
using Introspection.State;
using Vmm.Time;

namespace Dap.Views;

/// <summary>Read-copy-update, as the protocol says it.</summary>
internal sealed class RcuViews
{
    private const int MaximumPublished = 200;

    private readonly Session _session;
    private readonly SymbolSet _symbols;
    private GuestLocks? _names;

    public RcuViews(Session session)
    {
        _session = session;
        _symbols = session.Symbols;
    }

    // Asked for only where something is named: they may have to be waited for.
    private GuestLocks Names => _names ??= _session.Locks.Find();

    /// <summary>What is answered while it is being looked for.</summary>
    public static TtvmRcu BeingFound() => new()
    {
        Readers = [], Callbacks = [], Published = [], Others = [], Problems = [], Past = LockViews.NameOf(PastState.BeingLearnt),
        Problem = "The guest's read-copy-update is being looked for.", IsBeingFound = true,
    };

    /// <summary>Where the session stands.</summary>
    /// <param name="waits">For as long as it takes to find it; else an answer comes at once, and may say that it is being looked for.</param>
    public TtvmRcu Read(bool waits = true)
    {
        if (!waits && !_session.Rcu.IsFound && _session.IsRehearsing) return BeingFound();
        if (_session.Rcu.Find() is not { } rcu)
        {
            const string nothing = "Nothing is known of this guest's read-copy-update: a layout file declares it, under 'rcu' (docs/LAYOUTS.md).";
            return new TtvmRcu { Readers = [], Callbacks = [], Published = [], Others = [], Problems = [], Past = LockViews.NameOf(PastState.Unknown), Problem = nothing };
        }
        GuestView view = _session.View;
        RcuView now = RcuReadout.Read(rcu, view, _symbols.KernelAt(view));
        PastWorker<RcuHistory>? worker = _session.Rcu.Here(out PastState past);
        Position at = view.Machine.Position;
        return worker is not null && past == PastState.Known ? worker.Read(history => Describe(rcu, now, past, history.Readers(now, at), history.LastWrites(at)))
            : Describe(rcu, now, past, now.Readers, new Dictionary<ulong, RcuPublication>());
    }

    /// <summary>Since when those read who do where the session stands: looked for backwards from there, with progress that the client can cancel.</summary>
    public TtvmRcuReaders Readers()
    {
        _session.RequireRecording("searching the recording");
        GuestRcu rcu = _session.Rcu.Find() ?? throw new RequestException("nothing is known of this guest's read-copy-update");
        GuestView view = _session.View;
        _session.Activity.Title("Searching for where readers began");
        RcuView now = RcuReadout.ReadWithBegins(_session.Timeline, rcu, view, _symbols.KernelAt(view), _session.Activity, _session.Activity.Token);
        const string far = "Where some began is not found: before the recording, long ago, or in functions that are inlined.";
        bool isFound = now.Readers.All(static one => one.Since is not null);
        string? problem = isFound ? null : rcu.HasReaders ? far : "The functions that begin a critical section are not in this guest, or are inlined.";
        return new TtvmRcuReaders { Position = view.Machine.Position.ToString(), Readers = [.. now.Readers.Select(Describe)], Problem = problem };
    }

    public TtvmRcuFindings Findings()
    {
        if (_session.Rcu.FindLoaded() is not { Layout.Free.Count: > 0 } || _session.Rcu.Worker() is not { } worker)
            return new TtvmRcuFindings { Findings = [], IsComplete = true, Problem = "No function that frees is declared: what is freed too early cannot be found." };
        bool isComplete = worker.IsComplete;
        return worker.Read(history => new TtvmRcuFindings { Findings = [.. history.Findings.Select(Describe)], IsComplete = isComplete, Problem = worker.Failure });
    }

    /// <summary>What happens at a moment, in a sentence.</summary>
    public string Sentence(RcuMoment moment, RcuOccurrence one)
    {
        string who = Who(one.CpuIndex, one.Task), from = CallerText.Of(one.Code, _symbols), code = CodeText.Of(one.Code, _symbols);
        return $"at {one.At}: " + moment switch
        {
            RcuMoment.Publication => $"{who} changes {_session.Rcu.Find()?.NameOf(one.Pointer) ?? DataOf(one.Pointer)} from {DataOf(one.Old)} to {DataOf(one.New)} in {code}",
            RcuMoment.ReaderEnters => $"{who} has begun to read, in {from}",
            RcuMoment.ReaderLeaves => $"{who} ends reading, in {from}",
            RcuMoment.Deferral => $"{who} gives {DataOf(one.Pointer)} to be freed later, in {from}",
            RcuMoment.Release => $"{who} frees {DataOf(one.Pointer)}, in {from}",
            RcuMoment.GracePeriodBegins => $"{who} begins grace period {(long)one.New} in {code}",
            _ => $"{who} ends grace period {(long)one.New} in {code}",
        };
    }

    private TtvmRcu Describe(GuestRcu rcu, RcuView now, PastState past, IReadOnlyList<RcuReader> readers, IReadOnlyDictionary<ulong, RcuPublication> writes) => new()
    {
        Kind = now.Kind, GracePeriod = new TtvmRcuGracePeriod
        {
            Current = now.GracePeriod.Current, Completed = now.GracePeriod.Completed, IsInProgress = now.GracePeriod.IsInProgress, State = now.GracePeriod.State,
            WaitsFor = [.. now.GracePeriod.WaitsFor.Select(static one => one.Description)],
        },
        Readers = [.. readers.Select(Describe)], Callbacks = [.. now.Callbacks.Select(Describe)], Published = [.. now.Published.Take(MaximumPublished).Select(one => Describe(one, writes))],
        Others = now.Others, Problems = rcu.IsLoaded ? now.Problems : [], Past = LockViews.NameOf(past),
    };

    private TtvmRcuReader Describe(RcuReader one) => new()
    {
        ThreadId = ThreadOf(one.CpuIndex), Task = one.Task == 0 ? null : Hexadecimal.Of(one.Task), Period = one.Period, IsWaitedFor = one.IsWaitedFor, Since = one.Since?.ToString(),
        From = LockViews.PlaceOf(_session, one.Caller), Description = $"{(one.CpuIndex is { } cpu ? $"vCPU {cpu}" : "no vCPU")}{(one.TaskName is { } name ? $", {name}," : "")} reads"
            + $"{(one.Period is { } period ? $", began in grace period {period}" : "")}{(one.Nesting is > 1 and { } nesting ? $", nested {nesting} deep" : "")}"
            + (one.IsWaitedFor ? ": waited for" : ""),
    };

    private TtvmRcuCallbacks Describe(RcuCallbacks one) => new()
    {
        ThreadId = ThreadOf(one.CpuIndex), Count = one.Count,
        Segments = [.. one.Segments.Select(static segment => new TtvmRcuSegment { Name = segment.Name, Count = segment.Count, Period = segment.Period })],
        First = [.. one.First.Select(callback => new TtvmRcuCallback
        {
            Address = Hexadecimal.Of(callback.Address), Function = callback.Text(_symbols) is { Length: > 0 } text ? text : null, Segment = callback.Segment,
        })],
    };

    private TtvmRcuPointer Describe(PublishedPointer one, IReadOnlyDictionary<ulong, RcuPublication> writes)
    {
        RcuPublication? last = writes.GetValueOrDefault(one.Address);
        return new TtvmRcuPointer
        {
            Name = one.Name, Address = Hexadecimal.Of(one.Address), Value = one.Value is { } value ? Hexadecimal.Of(value) : null, Text = one.Value is { } to ? DataOf(to) : null,
            Written = last?.At.ToString(), Old = last is null ? null : DataOf(last.Old),
        };
    }

    private TtvmRcuFinding Describe(RcuFinding one)
    {
        var readers = new List<string>();
        foreach (RcuSection reader in one.Readers) readers.Add($"{Who(reader.CpuIndex, reader.Task)} since {reader.Begin} in {CallerText.Of(reader.Caller, _symbols)}");
        string what = $"{Who(one.CpuIndex, one.Task)} frees {DataOf(one.Pointer)}, called from {CallerText.Of(one.Caller, _symbols)}";
        return new TtvmRcuFinding
        {
            Position = one.At.ToString(), ThreadId = Session.ThreadOfCpu(one.CpuIndex), Unlinked = one.Unlinked.ToString(),
            Text = $"Freed before its grace period had ended: {what}. It was unlinked at {one.Unlinked}, and may still be read by {string.Join("; ", readers)}.",
            Readers = [.. one.Readers.Select(reader => new TtvmRcuSection
            {
                ThreadId = Session.ThreadOfCpu(reader.CpuIndex), Begin = reader.Begin.ToString(), End = reader.End?.ToString(), From = LockViews.PlaceOf(_session, reader.Caller),
            })],
        };
    }

    // Where readers are vCPUs, tasks do not matter.
    private string Who(int cpu, ulong task)
    {
        bool isTask = task != 0 && _session.Rcu.Find() is { IsHeldByTask: true };
        return isTask && Names.Tasks.NameOf(_session.View, task) is { } name ? $"{name} on vCPU {cpu}" : $"vCPU {cpu}";
    }

    private string DataOf(ulong address) => address == 0 ? "NULL" : Names.NameOf(address, _symbols);

    private static long? ThreadOf(int? cpu) => cpu is { } index ? Session.ThreadOfCpu(index) : null;
}
