using System;
using System.IO;
using Dap.Protocol;
using Dap.Sources;

namespace Dap.Sessions;

/// <summary>The beginning and the end of a session.</summary>
internal sealed class LifecycleRequests
{
    private const string NoAttach = "'attach' is not supported: launch a recording instead";

    private readonly Session _session;
    private readonly Travel _travel;
    private readonly Runner _runner;
    private bool _isInitialized, _isConfigured;
    private bool _stopsOnEntry = true;

    public LifecycleRequests(Session session, RequestTable requests)
    {
        _session = session;
        _travel = new Travel(session);
        _runner = new Runner(session);
        requests.Add<InitializeRequestArguments>(Commands.Initialize, Initialize);
        requests.Add<TtvmLaunchArguments>(Commands.Launch, Launch);
        requests.Add(Commands.Attach, () => throw new RequestException(NoAttach) { ShowUser = true });
        requests.Add(Commands.ConfigurationDone, ConfigurationDone);
        requests.Add(Commands.Restart, Restart);
        requests.Add(Commands.Terminate, () => Answer.After(() => session.Send(Events.Terminated, new TerminatedEventBody())));
        requests.Add(Commands.Disconnect, () => Answer.Empty);
    }

    private Answer Initialize(InitializeRequestArguments arguments)
    {
        if (_isInitialized) throw new RequestException("'initialize' comes once, at the beginning");
        _isInitialized = true;
        _session.Activity.ReportsProgress = arguments.SupportsProgressReporting == true;
        return Answer.Of(new Capabilities
        {
            SupportsConfigurationDoneRequest = true,
            SupportsStepBack = true,
            SupportsSteppingGranularity = true,
            SupportsRestartRequest = true,
            SupportsTerminateRequest = true,
            SupportsCancelRequest = true,
            SupportsFunctionBreakpoints = true,
            SupportsConditionalBreakpoints = true,
            SupportsLogPoints = true,
            SupportsBreakpointLocationsRequest = true,
            SupportsLoadedSourcesRequest = true,
            SupportsInstructionBreakpoints = true,
            SupportsDataBreakpoints = true,
            SupportsDataBreakpointBytes = true,
            SupportsExceptionFilterOptions = true,
            ExceptionBreakpointFilters = ExceptionFilters.All,
            SupportsDisassembleRequest = true,
            SupportsReadMemoryRequest = true,
            SupportsWriteMemoryRequest = true,
            SupportsSetVariable = true,
            SupportsSetExpression = true,
            SupportsEvaluateForHovers = true,
            SupportsCompletionsRequest = true,
            CompletionTriggerCharacters = [" "],
            SupportsDelayedStackTraceLoading = true,
        });
    }

    private Answer Launch(TtvmLaunchArguments arguments)
    {
        if (!_isInitialized) throw new RequestException("'initialize' has to come before 'launch'");
        string path = CheckProgram(arguments.Program);
        _session.Open(path);
        try
        {
            _travel.Seek(arguments.At ?? "start");
        }
        catch (RequestException)
        {
            _session.Dispose();
            throw;
        }
        _session.UseSymbols(SymbolLoader.Load(_session.Recording.Configuration, path, arguments.Symbols, arguments.SourceMap, text => _session.Print(text, "important")));
        _session.Locks = DeclaredLocks.Load(_session.Recording.Configuration, path, arguments.Layouts, text => _session.Print(text, "important"));
        _stopsOnEntry = arguments.StopOnEntry ?? true;
        return Answer.After(() => _session.Send<TtvmNoArguments>(Events.Initialized, null));
    }

    private static string CheckProgram(string? program)
    {
        if (string.IsNullOrWhiteSpace(program)) throw Visible("launch.json lacks 'program': the path of a recording, NAME.ttvm");
        if (Directory.Exists(program))
        {
            throw Visible(program.TrimEnd('/').EndsWith(".partial", StringComparison.Ordinal)
                ? $"{program} is a recording that was not finished: make it whole with `ttvm recover {program}`" : $"{program} is a directory, not a recording");
        }
        if (!File.Exists(program)) throw Visible($"{program} does not exist: make a recording with `ttvm record -o NAME.ttvm --kernel KERNEL`, or `ttvm demo`");
        if (Path.GetExtension(program) != ".ttvm" && !HasZipHeader(program))
            throw Visible($"{program} is not a recording: record it with `ttvm record -o NAME.ttvm --kernel {program}`, and launch NAME.ttvm");
        return program;
    }

    // Recordings are zip files, whatever they are called.
    private static bool HasZipHeader(string path)
    {
        using FileStream file = File.OpenRead(path);
        Span<byte> first = stackalloc byte[4];
        return file.ReadAtLeast(first, 4, throwOnEndOfStream: false) == 4 && first.SequenceEqual("PK\x03\x04"u8);
    }

    private static RequestException Visible(string message) => new(message) { ShowUser = true };

    private Answer ConfigurationDone()
    {
        if (!_session.IsLaunched) throw new RequestException("'launch' has to come before 'configurationDone'");
        if (_isConfigured) throw new RequestException("'configurationDone' comes once");
        _isConfigured = true;
        int cpu = _session.Machine.CurrentCpuIndex;
        return Answer.After(() => _session.Stopped(_stopsOnEntry ? new StopReport("entry", $"At {_session.Timeline.Position}", cpu) : _runner.Run(true, cpu)));
    }

    // A recording restarts by going to its start: the process stays, and with it everything that is known already.
    private Answer Restart()
    {
        _session.LeaveDiversion();
        _ = _session.Timeline;
        return Answer.After(() =>
        {
            _session.Timeline.Seek(_session.Recording.Start);
            _session.Stopped(new StopReport("restart", "Start of the recording", _session.Machine.CurrentCpuIndex));
        });
    }
}
