using System;
using Dap.Handles;
using Dap.Inspection;
using Dap.Protocol;
using Dap.Sources;
using Dap.Unwinding;
using Introspection.Consoles;
using Introspection.History;
using Replay.Packages;
using Replay.Timelines;
using Vmm.Cpu;
using Vmm.Inputs;
using Vmm.Platform;
using Vmm.Time;

namespace Dap.Sessions;

/// <summary>A frame that a client was told of.</summary>
internal sealed record FrameHandle(int CpuIndex, CallFrame Frame, bool IsInnermost);

/// <summary>
/// What a client debugs: a recording with its timeline, and perhaps a diversion. Belongs to the engine's thread.
/// </summary>
internal sealed class Session(MessageWriter writer, Activity activity) : IDisposable
{
    private const string NothingLaunched = "nothing is being debugged: launch a recording first";

    private RecordingFile? _recording;
    private Timeline? _timeline;
    private Diversion? _diversion;
    private readonly OtherMoment?[] _otherMoments = new OtherMoment?[2];
    private HistoryWorker? _history;
    private readonly ConsoleLines?[] _consoles = new ConsoleLines?[4];

    public Activity Activity { get; } = activity;
    /// <summary>What is known about the guest's code.</summary>
    public SymbolSet Symbols { get; private set; } = new();
    /// <summary>The locks that are declared.</summary>
    public DeclaredLocks Locks { get; set; } = DeclaredLocks.None;
    public HandleTable<FrameHandle> Frames { get; } = new();
    public HandleTable<VariableSource> Variables { get; } = new();
    public Breakpoints Breakpoints { get; } = new();

    /// <summary>The vCPU that the user looks at.</summary>
    public int FocusCpu { get; private set; }

    public bool IsLaunched => _timeline is not null;
    public bool IsDiverted => _diversion is not null;
    public Timeline Timeline => _timeline ?? throw new RequestException(NothingLaunched);
    public RecordingFile Recording => _recording ?? throw new RequestException(NothingLaunched);
    public Diversion? Diversion => _diversion;

    /// <summary>The machine that is looked at: the diversion's, if there is one.</summary>
    public Machine Machine => _diversion?.Machine ?? Timeline.Machine;

    public GuestView View => ViewOf(FocusCpu);

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

    /// <exception cref="RequestException">Something is being debugged already.</exception>
    public void Open(string path)
    {
        if (_timeline is not null) throw new RequestException($"{Recording.Path} is being debugged already: disconnect first");
        RecordingFile recording = RecordingFile.Open(path);
        try
        {
            _timeline = new Timeline(recording);
        }
        catch
        {
            recording.Dispose();
            throw;
        }
        _recording = recording;
    }

    // ---- The recording, beside where the session stands.

    /// <summary>Named positions.</summary>
    public BookmarkFile Bookmarks => new(Recording.Path);

    /// <exception cref="RequestException">It is not a position of the recording.</exception>
    public Position ParsePosition(string text)
    {
        try
        {
            return PositionSyntax.Parse(text, Recording.End);
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
            position = PositionSyntax.Parse(text, Recording.End);
            return true;
        }
        catch (PositionSyntaxException)
        {
            position = default;
            return false;
        }
    }

    /// <summary>What happens over time. It works in the background from its first question on.</summary>
    public HistoryWorker History => _history ??= new HistoryWorker(Recording, () => writer.WriteEvent<TtvmNoArguments>("ttvm/timelineChanged", null));

    /// <summary>The engine's thread needs the processor, or not any more.</summary>
    public void KeepBackgroundQuiet(bool isBusy)
    {
        if (isBusy) _history?.Pause();
        else _history?.Resume();
    }

    /// <summary>A machine at another position of the recording, to look at.</summary>
    /// <param name="position">Not past the end.</param>
    /// <param name="which">0 or 1: two can be looked at side by side.</param>
    public Machine MachineAt(Position position, int which) =>
        (_otherMoments[which] ??= new OtherMoment(Recording)).At(position, Activity, Activity.Token);

    /// <summary>What the guest printed to a channel.</summary>
    public ConsoleLines ConsoleOf(OutputChannel channel) => _consoles[(int)channel] ??= new ConsoleLines(Recording.Console, channel);

    /// <summary>From now on these symbols, which belong to the session.</summary>
    public void UseSymbols(SymbolSet symbols)
    {
        Symbols.Dispose();
        Symbols = symbols;
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
    }

    public void Stopped(in StopReport report)
    {
        Forget();
        FocusCpu = report.CpuIndex;
        writer.WriteEvent(Events.Stopped, new StoppedEventBody
        {
            Reason = report.Reason, Description = report.Description, Text = report.Description, ThreadId = ThreadOfCpu(report.CpuIndex), AllThreadsStopped = true,
            HitBreakpointIds = report.BreakpointIds is { Count: > 0 } ids ? [.. ids] : null,
        });
        Send("ttvm/moved", Where());
    }

    /// <summary>Stands elsewhere without having been asked to run, as after a seek: for a client, the machine ran in between.</summary>
    public void Moved(in StopReport report)
    {
        Continued(report.CpuIndex);
        Stopped(report);
    }

    public void Continued(int cpuIndex) =>
        writer.WriteEvent(Events.Continued, new ContinuedEventBody { ThreadId = ThreadOfCpu(cpuIndex), AllThreadsContinued = true });

    public void Send<T>(string name, T? body) where T : class => writer.WriteEvent(name, body);

    public void Print(string text, string category = "console") =>
        writer.WriteEvent(Events.Output, new OutputEventBody { Category = category, Output = text + "\n" });

    public TtvmPosition Where()
    {
        ulong end = Recording.End.InstructionCount;
        Position position = Machine.Position;
        return new TtvmPosition
        {
            Position = position.ToString(), End = Recording.End.ToString(), InDiversion = IsDiverted, IsLive = false, Recording = Recording.Path, ThreadId = ThreadOfCpu(Machine.CurrentCpuIndex),
            Percent = end == 0 ? 100 : Math.Round(Math.Min(100, 100.0 * position.InstructionCount / end), 4), GuestNanoseconds = Machine.GuestNanoseconds,
        };
    }

    public void Dispose()
    {
        _diversion?.Dispose();
        _history?.Dispose();
        _history = null;
        foreach (OtherMoment? moment in _otherMoments) moment?.Dispose();
        Array.Clear(_otherMoments);
        Array.Clear(_consoles);
        _timeline?.Dispose();
        _recording?.Dispose();
        Symbols.Dispose();
        _diversion = null;
        _timeline = null;
        _recording = null;
    }
}

/// <summary>Why the machine stands.</summary>
/// <param name="Reason">A word of the protocol.</param>
/// <param name="Description">For people.</param>
/// <param name="CpuIndex">The vCPU that it is about.</param>
/// <param name="BreakpointIds">Breakpoints that were hit.</param>
internal readonly record struct StopReport(string Reason, string Description, int CpuIndex, System.Collections.Generic.IReadOnlyList<long>? BreakpointIds = null);
