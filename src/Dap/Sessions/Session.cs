using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Threading;
using Dap.Handles;
using Dap.Live;
using Dap.Protocol;
using Dap.Stepping;
using Dap.Views;
using Introspection.Calls;
using Introspection.Channels;
using Introspection.Consoles;
using Introspection.History;
using Introspection.Messages;
using Introspection.Programs;
using Introspection.Rcu;
using Introspection.State;
using Introspection.Unwinding;
using Introspection.Values;
using Microsoft.Extensions.Logging;
using Replay.Packages;
using Replay.Queries;
using Replay.Recording;
using Replay.Redaction;
using Replay.Timelines;
using Symbols.Expressions;
using Vmm.Cpu;
using Vmm.Inputs;
using Vmm.Platform;
using Vmm.Time;

namespace Dap.Sessions;

/// <summary>A frame that a client was told of.</summary>
internal sealed record FrameHandle(int CpuIndex, StackLevel Level);

/// <summary>
/// What a client debugs: a recording with its timeline, the guest itself if it lives, and perhaps a diversion. Belongs to the engine's thread.
/// </summary>
/// <param name="writer">Messages go there.</param>
/// <param name="activity">What it is doing.</param>
/// <param name="loggers">For messages that are no part of the protocol.</param>
internal sealed class Session(MessageWriter writer, Activity activity, ILoggerFactory loggers) : IDisposable
{
    private const string NothingLaunched = "nothing is being debugged: launch a recording first";

    // The server is to take 300 MiB beside the guest's memory: of that, what the runtime and its code take, what is learnt of locks and time, and the decoded code of machines are most.
    private static readonly TimelineOptions s_limits = new() { MemoryBudgetBytes = 128L << 20 };

    private readonly ILogger _log = loggers.CreateLogger(typeof(Session).FullName!);
    private RecordingFile? _recording;
    private Timeline? _timeline;
    private Diversion? _diversion;
    private LiveGuest? _guest;
    private bool _ownsGuest;
    private readonly OtherMoment?[] _otherMoments = new OtherMoment?[2];
    private HistoryWorker? _history;
    private SessionLocks? _locks;
    private Rehearsal? _rehearsal;
    private bool _hasOtherSymbols;
    private GuestPast<GuestRcu?, RcuHistory>? _rcu;
    private GuestPast<GuestChannels, ChannelHistory>? _channels;
    private ProgramBreakpoints? _programBreakpoints;
    private readonly HashSet<RecordingHole> _toldHoles = [];
    private readonly ConsoleLines?[] _consoles = new ConsoleLines?[4];

    public Activity Activity { get; } = activity;
    /// <summary>Of what is learnt in the background.</summary>
    public BackgroundTurns Turns { get; } = new();
    /// <summary>What is known about the guest's programs.</summary>
    public GuestPrograms Programs { get; private set; } = new();
    /// <summary>Their source files, for the client.</summary>
    public SourceAnswers Sources { get; private set; } = new(new GuestPrograms().Sources);
    /// <summary>The locks of the guest. Their past is worked out in the background from the first question on.</summary>
    public SessionLocks Locks => _locks ??= new SessionLocks(this, TellLocksChanged);
    /// <summary>The guest's read-copy-update; null: nothing is known of it.</summary>
    public GuestPast<GuestRcu?, RcuHistory> Rcu => _rcu ??= new GuestPast<GuestRcu?, RcuHistory>(this,
        (symbols, view) => GuestRcu.Find(Locks.Declared.Layouts, Locks.Tasks, symbols, view), static rcu => rcu?.IsLoaded != false,
        rcu => rcu is { HasPast: true } ? RcuHistory.Learner(Recording, rcu, TellLocksChanged, Turns) : null)
    {
        Prepared = () => Rehearsed() is { } found ? (found.Rcu, found.Kernel, found.At) : null,
    };
    /// <summary>Its channels, as declared.</summary>
    public GuestPast<GuestChannels, ChannelHistory> Channels => _channels ??= new GuestPast<GuestChannels, ChannelHistory>(this,
        (symbols, _) => GuestChannels.Find(Locks.Declared.Layouts, Locks.Tasks, symbols), static _ => true,
        channels => channels.Channels.Count > 0 ? ChannelHistory.Learner(Recording, channels, TellLocksChanged, Turns) : null)
    {
        Prepared = () => Rehearsed() is { } found ? (found.Channels, found.Kernel, found.At) : null,
    };
    /// <summary>How values of some types are shown.</summary>
    public PrinterSet Printers { get; set; } = PrinterSet.BuiltIn;
    public HandleTable<FrameHandle> Frames { get; } = new();
    public HandleTable<VariableSource> Variables { get; } = new();
    public Breakpoints Breakpoints { get; } = new();
    /// <summary>Those in programs that come and go.</summary>
    public ProgramBreakpoints ProgramBreakpoints => _programBreakpoints ??= new ProgramBreakpoints(this);

    /// <summary>The vCPU that the user looks at.</summary>
    public int FocusCpu { get; private set; }

    /// <summary>The guest is running, and nothing of it can be looked at.</summary>
    public bool IsRunning { get; set; }

    /// <summary>Serves requests that have come while the guest runs.</summary>
    public required Action ServeWhileRunning { get; init; }

    /// <summary>What is typed for a living guest goes there; null: there is none. Callable from any thread.</summary>
    public LiveInput? Input => Volatile.Read(ref _guest) is { Recording.IsAlive: true } guest ? guest.Input : null;

    /// <summary>Steps stay on their vCPU whatever it does; else in their task, which other vCPUs may go on with.</summary>
    public bool StepsFollowVcpu { get; set; }

    /// <summary>What steps by source go by where the client says nothing else.</summary>
    public StepUnit StepUnit { get; set; }

    /// <summary>Numbers that may be either are shown in decimal; else in hexadecimal.</summary>
    public bool ShowsDecimal { get; set; }

    /// <summary>A number of so many bits as the user wants to see it.</summary>
    public string Number(ulong value, int bits) => ShowsDecimal ? value.ToString(CultureInfo.InvariantCulture) : Hexadecimal.Padded(value, bits);

    /// <summary>The client is VS Code, which treats some reasons in a way of its own.</summary>
    public bool IsClientVisualStudioCode { get; set; }

    /// <summary>The client asks anew for what it is told is outdated: it need not wait for what takes a while.</summary>
    public bool CanInvalidate { get; set; }

    public bool IsLaunched => _timeline is not null;
    public bool IsDiverted => _diversion is not null;
    public Timeline Timeline => _timeline ?? throw new RequestException(NothingLaunched);
    public RecordingFile Recording => _recording ?? throw new RequestException(NothingLaunched);
    public Diversion? Diversion => _diversion;

    /// <summary>The machine that is looked at: the diversion's, if there is one.</summary>
    public Machine Machine => _diversion?.Machine ?? Timeline.Machine;

    public GuestView View => ViewOf(FocusCpu);

    /// <summary>The symbols of the address space of the vCPU that the user looks at, now.</summary>
    public SymbolSet Symbols => SymbolsOf(FocusCpu);

    public SymbolSet SymbolsOf(int cpuIndex) => IsLaunched ? SymbolsAt(ViewOf(cpuIndex)) : Programs.AsLinked;

    /// <summary>The symbols where any machine of the recording's stands.</summary>
    public SymbolSet SymbolsAt(in GuestView view)
    {
        // To look for a kernel takes long, and that has been done.
        if (_rehearsal?.Found is { Kernel: { } kernel } found) Programs.Adopt(kernel, found.Initrd);
        return Programs.At(view);
    }

    /// <summary>Calls of functions in expressions are run, in a diversion.</summary>
    public bool AllowsCalls { get; set; }

    /// <summary>What expressions mean on a vCPU.</summary>
    /// <param name="view">The vCPU.</param>
    /// <param name="level">A frame of its; null: its own.</param>
    public GuestEnvironment EnvironmentOf(in GuestView view, StackLevel? level = null) => EnvironmentOf(view, level, AllowsCalls);

    /// <param name="view">The vCPU.</param>
    /// <param name="level">A frame of its; null: its own.</param>
    /// <param name="mayCall">Functions are run; the first one begins a diversion.</param>
    public GuestEnvironment EnvironmentOf(in GuestView view, StackLevel? level, bool mayCall)
    {
        GuestEnvironment plain = Environment(view, level);
        int cpu = view.Vcpu.Index;
        return !mayCall ? plain : Environment(view, level, caller: (function, arguments) =>
        {
            Divert();
            return ExpressionCalls.Run(new FunctionCaller(_diversion!, cpu), function, arguments, plain, Activity.Token);
        });
    }

    // A frame that has called another has other registers than the vCPU, as far as they are known.
    private static Func<string, ulong?>? RegistersOf(StackLevel? level) => level is { Call: { Origin: not FrameOrigin.Innermost, Registers: { } registers } }
        ? name => name is "rip" or "eip" ? registers.Rip : RegisterFile.NumberOf(name) is { } number ? registers[number] : null : null;

    /// <summary>The same, with assignments: the first one begins a diversion.</summary>
    public GuestEnvironment WritingEnvironmentOf(in GuestView view, StackLevel? level = null)
    {
        int cpu = view.Vcpu.Index;
        return Environment(view, level, divert: () =>
        {
            Divert();
            return ViewOf(cpu);
        });
    }

    private GuestEnvironment Environment(in GuestView view, StackLevel? level, Func<TypedValue, IReadOnlyList<TypedValue>, TypedValue>? caller = null, Func<GuestView>? divert = null)
    {
        SymbolSet symbols = SymbolsOf(view.Vcpu.Index);
        return new GuestEnvironment(view, symbols, new FrameVariables(view, symbols, level))
        {
            FrameRegister = RegistersOf(level), Caller = caller, Divert = divert,
            WhyNoCalls = divert is not null ? "a value that is assigned cannot come from a call"
                : "the console's command 'call EXPRESSION' does that in a diversion, and so do all expressions with \"allowCalls\": true in launch.json",
        };
    }

    /// <summary>Shows values on a vCPU as the user wants to see them.</summary>
    public ValueRenderer Renderer(GuestEnvironment environment, in GuestView view) => new(environment, SymbolsOf(view.Vcpu.Index), Printers) { ShowsDecimal = ShowsDecimal };

    public GuestView ViewOf(int cpuIndex) => new(Machine, Machine.Vcpus[cpuIndex]);

    /// <exception cref="RequestException">There is no such thread.</exception>
    public int CpuOfThread(long threadId)
    {
        if (threadId >= 1 && threadId <= Machine.Vcpus.Count) return (int)threadId - 1;
        throw new RequestException($"there is no thread {threadId}: threads are vCPUs, numbered from 1 to {Machine.Vcpus.Count}");
    }

    /// <summary>The vCPU of a thread; none named: the one that the user looks at.</summary>
    /// <exception cref="RequestException">There is no such thread.</exception>
    public int CpuOf(long? threadId) => threadId is { } thread ? CpuOfThread(thread) : FocusCpu;

    public static long ThreadOfCpu(int cpuIndex) => cpuIndex + 1;

    public FrameHandle FrameOf(long frameId) =>
        Frames.Find(frameId) ?? throw new RequestException($"there is no frame {frameId}: frames hold until the machine moves");

    public void Focus(int cpuIndex) => FocusCpu = cpuIndex;

    /// <param name="path">A recording.</param>
    /// <param name="passphrase">What opens it if it is encrypted; null: there is none.</param>
    /// <param name="engine">What executes it.</param>
    /// <exception cref="RequestException">Something is being debugged already.</exception>
    public void Open(string path, RecordingPassphrase? passphrase, EngineKind engine)
    {
        RequireNothingLaunched();
        RecordingFile recording = RecordingFile.Open(path, passphrase, loggers, engine);
        try
        {
            _timeline = new Timeline(recording, s_limits);
        }
        catch
        {
            recording.Dispose();
            throw;
        }
        _recording = recording;
    }

    public void RequireNothingLaunched()
    {
        if (_timeline is not null) throw new RequestException($"{Recording.Path} is being debugged already: disconnect first");
    }

    /// <summary>Debugs a living guest.</summary>
    /// <param name="guest">Stands between two instructions.</param>
    /// <param name="isOurs">Its recording is finished at the end of the session; else it lives on.</param>
    /// <exception cref="RequestException">Something is being debugged already.</exception>
    public void Open(LiveGuest guest, bool isOurs)
    {
        RequireNothingLaunched();
        _timeline = new Timeline(guest.Recording, s_limits);
        _recording = guest.Recording.Recording;
        _ownsGuest = isOurs;
        guest.Input.Printed = text => Send(Events.Output, new OutputEventBody { Category = "stdout", Output = text });
        Volatile.Write(ref _guest, guest);
        _timeline.Seek(_timeline.End);
    }

    /// <summary>Lets a living guest live on until it stops for one of the conditions, ends, or is held up: <see cref="TimelineStopReason.Done"/>.</summary>
    /// <param name="conditions">Any of them.</param>
    /// <param name="longest">It is held up then at the latest; null: when a request arrives.</param>
    public TimelineStop LiveOn(IReadOnlyCollection<StopCondition> conditions, TimeSpan? longest) => Timeline.ContinueLive(conditions, Activity.BeginSlice(longest));

    // ---- The recording, beside where the session stands.

    /// <summary>Named positions.</summary>
    public BookmarkFile Bookmarks => new(Recording.Path, Recording.Embedded);

    /// <exception cref="RequestException">It is not a position of the recording.</exception>
    public Position ParsePosition(string text)
    {
        try
        {
            return PositionSyntax.Parse(text, Recording.Start, Recording.End);
        }
        catch (PositionSyntaxException e)
        {
            throw new RequestException(e.Message);
        }
    }

    /// <summary>The same, where a wrong one is no mistake of the client's.</summary>
    public bool TryParsePosition(string text, out Position position)
    {
        try
        {
            position = PositionSyntax.Parse(text, Recording.Start, Recording.End);
            return true;
        }
        catch (PositionSyntaxException)
        {
            position = default;
            return false;
        }
    }

    /// <summary>What happens over time. It works in the background from its first question on.</summary>
    public HistoryWorker History => _history ??= new HistoryWorker(Recording, () => writer.WriteEvent<TtvmNoArguments>("ttvm/timelineChanged", null), Turns);

    /// <summary>The engine's thread needs the processor, or not any more.</summary>
    public void KeepBackgroundQuiet(bool isBusy)
    {
        if (isBusy) _history?.Pause();
        else _history?.Resume();
        _locks?.KeepQuiet(isBusy);
        _rcu?.KeepQuiet(isBusy);
        _channels?.KeepQuiet(isBusy);
    }

    /// <summary>Prepares what the first questions about the guest need, in the background. For recordings that are whole.</summary>
    /// <param name="hasOtherSymbols">The session has symbols that the recording has not: what is found without them is not all.</param>
    public void Rehearse(bool hasOtherSymbols)
    {
        _hasOtherSymbols = hasOtherSymbols;
        _rehearsal = Rehearsal.Begin(Recording, Locks.Declared.Layouts, TellLocksFound);
    }

    /// <summary>It takes a while yet; <c>ttvm/locksChanged</c> will come.</summary>
    public bool IsRehearsing => _rehearsal?.EndsSoon() == false;

    /// <summary>What that has found, once it has ended; null: nothing, or nothing that would do.</summary>
    public Rehearsed? Rehearsed() => _hasOtherSymbols ? null : _rehearsal?.Wait();

    // Whoever asked was told that they are being looked for.
    private void TellLocksFound()
    {
        TellLocksChanged();
        if (CanInvalidate) Send(Events.Invalidated, new InvalidatedEventBody { Areas = ["variables"] });
    }

    private void TellLocksChanged() => writer.WriteEvent<TtvmNoArguments>("ttvm/locksChanged", null);

    /// <summary>A machine at another position of the recording, to look at.</summary>
    /// <param name="position">Not past the end.</param>
    /// <param name="which">0 or 1: two can be looked at side by side.</param>
    public Machine MachineAt(Position position, int which) =>
        (_otherMoments[which] ??= new OtherMoment(Recording)).At(position, Activity, Activity.Token);

    /// <summary>What the guest printed to a channel.</summary>
    public ConsoleLines ConsoleOf(OutputChannel channel) => _consoles[(int)channel] ??= new ConsoleLines(Recording.Console, channel);

    /// <summary>Waits for the names of a large symbol file, with progress that the client can cancel.</summary>
    public void WaitForIndex(IndexingJob job)
    {
        long began = Stopwatch.GetTimestamp();
        _log.WaitsForIndex(job.Name);
        Activity.Wait($"Reading the names in {job.Name}", job.Wait, () => job.Fraction);
        _log.HasIndex(job.Name, Stopwatch.GetElapsedTime(began).TotalMilliseconds);
    }

    /// <summary>From now on these symbols, which belong to the session.</summary>
    public void UseSymbols(GuestPrograms programs)
    {
        Programs.Dispose();
        Programs = programs;
        foreach (SymbolFile file in programs.Files) _log.HasSymbols(file.Image.Name);
        Sources = new SourceAnswers(programs.Sources);
        _programBreakpoints = null;
    }

    // ---- Diversions.

    /// <summary>Opens a diversion unless one is open: from here on, a copy of the machine is looked at, which may be changed.</summary>
    public void Divert()
    {
        if (_diversion is not null) return;
        _diversion = Timeline.Divert();
        Print($"You are in a diversion from {Timeline.Position}: a throw-away copy of the machine. The recording does not change; "
            + "leave with 'return' in the console or the request ttvm/returnToRecording.", "important");
    }

    /// <summary>Drops the diversion; false when there is none.</summary>
    public bool LeaveDiversion()
    {
        if (_diversion is null) return false;
        _diversion.Dispose();
        _diversion = null;
        Forget();
        return true;
    }

    /// <exception cref="RequestException">A diversion is open, which knows no past.</exception>
    public void RequireRecording(string what)
    {
        _ = Timeline;
        if (_diversion is not null) throw new RequestException($"{what} is not possible in a diversion: go back to the recording first, with 'return' in the console");
    }

    // ---- Telling the client.

    /// <summary>What was told of frames and variables holds no more.</summary>
    public void Forget()
    {
        Frames.Clear();
        Variables.Clear();
        Programs.Refresh();
    }

    public void Stopped(in StopReport report)
    {
        Forget();
        ProgramBreakpoints.Look();
        _guest?.Input.Flush();
        FocusCpu = report.CpuIndex;
        writer.WriteEvent(Events.Stopped, new StoppedEventBody
        {
            Reason = ReasonOf(report), Description = report.Description, Text = report.Text ?? report.Description, ThreadId = ThreadOfCpu(report.CpuIndex), AllThreadsStopped = true,
            HitBreakpointIds = report.BreakpointIds is { Count: > 0 } ids ? [.. ids] : null,
        });
        Send("ttvm/moved", Where());
    }

    // VS Code selects no frame that has no source file, and then shows no registers either; unless it is told this, which makes it open its disassembly, too.
    private string ReasonOf(in StopReport report) =>
        IsClientVisualStudioCode && report.Reason != "exception" && SymbolsOf(report.CpuIndex).LineOf(ViewOf(report.CpuIndex).CodeAddress) is null ? "instruction breakpoint" : report.Reason;

    /// <summary>Stands elsewhere without having been asked to run, as after a seek: for a client, the machine ran in between.</summary>
    public void Moved(in StopReport report)
    {
        Continued(report.CpuIndex);
        Stopped(report);
    }

    public void Continued(int cpuIndex) =>
        writer.WriteEvent(Events.Continued, new ContinuedEventBody { ThreadId = ThreadOfCpu(cpuIndex), AllThreadsContinued = true });

    public void Send<T>(string name, T? body) where T : class => writer.WriteEvent(name, body);

    /// <summary>Tells, once for each, of what cannot be replayed and was passed over.</summary>
    public void TellPassedHoles()
    {
        List<RecordingHole> passed = [.. _recording?.Holes.TakePassed().Where(_toldHoles.Add) ?? []];
        if (passed.Count > 0) Print($"Passed over: {string.Join("; ", passed)}.", "important");
    }

    public void Print(string text, string category = "console") =>
        writer.WriteEvent(Events.Output, new OutputEventBody { Category = category, Output = text + "\n" });

    public TtvmPosition Where()
    {
        ulong start = Recording.Start.InstructionCount, length = Recording.InstructionCount;
        Position position = Machine.Position;
        return new TtvmPosition
        {
            Position = position.ToString(), End = Recording.End.ToString(), InDiversion = IsDiverted, IsLive = Timeline.IsLive, Recording = Recording.Path,
            ThreadId = ThreadOfCpu(Machine.CurrentCpuIndex),
            Percent = length == 0 ? 100 : Math.Round(Math.Min(100, 100.0 * (position.InstructionCount - start) / length), 4), GuestNanoseconds = Machine.GuestNanoseconds,
        };
    }

    /// <summary>
    /// Ends what is debugged. The recording of a guest that we started is made whole; one that we were attached to lives on.
    /// </summary>
    /// <exception cref="RecordingException">The recording cannot be written; what there is of it stays, to be recovered.</exception>
    public void End()
    {
        Forget();
        _diversion?.Dispose();
        _history?.Dispose();
        _history = null;
        _rehearsal?.Dispose();
        _rehearsal = null;
        _rcu?.Dispose();
        _channels?.Dispose();
        _locks?.Dispose();
        (_rcu, _channels, _locks) = (null, null, null);
        foreach (OtherMoment? moment in _otherMoments) moment?.Dispose();
        Array.Clear(_otherMoments);
        Array.Clear(_consoles);
        _timeline?.Dispose();
        LiveGuest? guest = _guest;
        if (guest is null) _recording?.Dispose();
        string path = _recording?.Path ?? "";
        UseSymbols(new GuestPrograms());
        _diversion = null;
        _timeline = null;
        _recording = null;
        Volatile.Write(ref _guest, null);
        if (guest is null) return;
        guest.Input.Printed = null;
        if (!_ownsGuest) return;
        using (guest.Recording)
        {
            Activity.Title("Finishing the recording");
            guest.Recording.Finish(new FinishProgress(Activity));
        }
        Print($"Recorded: {path}");
    }

    public void Dispose() => End();

    private sealed class FinishProgress(Activity activity) : IProgress<double>
    {
        public void Report(double value) => activity.Report(new TimelineProgress((ulong)(value * 1000), 1000));
    }
}

/// <summary>Why the machine stands.</summary>
/// <param name="Reason">A word of the protocol.</param>
/// <param name="Description">For people.</param>
/// <param name="CpuIndex">The vCPU that it is about.</param>
/// <param name="BreakpointIds">Breakpoints that were hit.</param>
internal readonly record struct StopReport(string Reason, string Description, int CpuIndex, IReadOnlyList<long>? BreakpointIds = null)
{
    /// <summary>All of it; null: the description is all.</summary>
    public string? Text { get; init; }

    /// <summary>No reason for a client: the end of a stretch was reached, and nothing happened in it.</summary>
    public const string AtLimit = "limit";
}
