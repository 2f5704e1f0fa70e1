using System;
using System.Collections.Generic;
using System.IO;
using Dap.Live;
using Dap.Protocol;
using Dap.Sessions;
using Dap.Stepping;
using Introspection.Layouts;
using Introspection.Programs;
using Introspection.Values;
using Replay.Packages;
using Replay.Recording;

namespace Dap.Requests;

/// <summary>The beginning and the end of a session.</summary>
internal sealed class LifecycleRequests
{
    private const string NothingToAttachTo = "there is no guest here to attach to: start one with `ttvm record --dap PORT ...`, and connect to that port";
    private const string CannotRecord = "this server only replays recordings";

    private readonly Session _session;
    private readonly Travel _travel;
    private readonly Runner _runner;
    private readonly DapServerOptions _options;
    private bool _isInitialized, _isConfigured;
    private bool _stopsOnEntry = true;

    public LifecycleRequests(Session session, RequestTable requests, DapServerOptions options)
    {
        _options = options;
        _session = session;
        _travel = new Travel(session);
        _runner = new Runner(session);
        requests.Add<InitializeRequestArguments>(Commands.Initialize, Initialize);
        requests.Add<TtvmLaunchArguments>(Commands.Launch, Launch);
        requests.Add<TtvmAttachArguments>(Commands.Attach, Attach);
        requests.Add(Commands.ConfigurationDone, ConfigurationDone);
        requests.Add(Commands.Restart, Restart);
        requests.Add(Commands.Terminate, () => Answer.After(Terminate));
        requests.Add(Commands.Disconnect, () => Answer.After(_session.End));
    }

    private Answer Initialize(InitializeRequestArguments arguments)
    {
        if (_isInitialized) throw new RequestException("'initialize' comes once, at the beginning");
        _isInitialized = true;
        _session.Activity.ReportsProgress = arguments.SupportsProgressReporting == true;
        _session.IsClientVisualStudioCode = arguments.ClientID == "vscode";
        _session.CanInvalidate = arguments.SupportsInvalidatedEvent == true;
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
            SupportsHitConditionalBreakpoints = true,
            SupportsLogPoints = true,
            SupportsGotoTargetsRequest = true,
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
        _session.RequireNothingLaunched();
        string path = CheckProgram(arguments.Program);
        if (!IsRecording(path)) return Start(path, arguments);
        _session.Open(path, _options.Passphrase, _options.Engine);
        Prepare(path, arguments);
        _session.Rehearse(hasOtherSymbols: arguments.Symbols is { Count: > 0 });
        try
        {
            _travel.Seek(arguments.At ?? "start");
        }
        catch (RequestException)
        {
            _session.End();
            throw;
        }
        _stopsOnEntry = arguments.StopOnEntry ?? true;
        return Launched();
    }

    // A guest is started, and recorded while it is debugged.
    private Answer Start(string program, TtvmLaunchArguments arguments)
    {
        if (_options.Host is not { } host) throw new RequestException(CannotRecord) { ShowUser = true };
        _session.Open(GuestLauncher.Launch(program, arguments, host, _options.Engine, _options.Loggers), isOurs: true);
        Prepare(program, arguments);
        _session.Print($"Recording to {_session.Recording.Path}");
        _stopsOnEntry = arguments.StopOnEntry ?? false;
        return Launched();
    }

    private Answer Attach(TtvmAttachArguments arguments)
    {
        if (!_isInitialized) throw new RequestException("'initialize' has to come before 'attach'");
        _session.RequireNothingLaunched();
        if (_options.Guest is not { } guest) throw new RequestException(NothingToAttachTo) { ShowUser = true };
        _session.Open(guest, isOurs: false);
        Prepare(_session.Recording.Path, arguments);
        _stopsOnEntry = arguments.StopOnEntry ?? false;
        return Launched();
    }

    // What is known about the guest beyond its bytes.
    private void Prepare(string path, IDebugArguments arguments)
    {
        _session.UseSymbols(SymbolLoader.Load(_session.Recording, arguments.Symbols, arguments.SourceMap, Tell, _session.WaitForIndex));
        _session.Programs.BeginIndexing();
        _session.Locks.Declared = DeclaredLayouts.Load(_session.Recording.Configuration, path, arguments.Layouts, Tell);
        _session.StepUnit = arguments.SteppingGranularity switch
        {
            null or "line" => StepUnit.Line,
            "statement" => StepUnit.Statement,
            _ => throw new RequestException($"steppingGranularity is \"line\" or \"statement\", not \"{arguments.SteppingGranularity}\""),
        };
        _session.StepsFollowVcpu = arguments.StepFollowsVcpu ?? false;
        _session.AllowsCalls = arguments.AllowCalls ?? false;
        LoadPrinters(path, arguments.Printers ?? []);
    }

    private void LoadPrinters(string path, IReadOnlyList<string> named)
    {
        try
        {
            _session.Printers = PrinterSet.Read([.. named, .. PrinterSet.Find(path, [Environment.CurrentDirectory])]);
        }
        catch (PrinterException e)
        {
            Tell(e.Message);
        }
    }

    private void Tell(string text) => _session.Print(text, "important");

    private Answer Launched() => Answer.After(() => _session.Send<TtvmNoArguments>(Events.Initialized, null));

    private void Terminate()
    {
        try
        {
            _session.End();
        }
        finally
        {
            _session.Send(Events.Terminated, new TerminatedEventBody());
        }
    }

    private static string CheckProgram(string? program)
    {
        if (string.IsNullOrWhiteSpace(program)) throw Visible("launch.json lacks 'program': the path of a recording, NAME.ttvm, or of a kernel or disk to start");
        if (Directory.Exists(program))
        {
            throw Visible(program.TrimEnd('/').EndsWith(".partial", StringComparison.Ordinal)
                ? $"{program} is a recording that was not finished: make it whole with `ttvm recover {program}`" : $"{program} is a directory, not a recording");
        }
        if (!File.Exists(program)) throw Visible($"{program} does not exist: make a recording with `ttvm record -o NAME.ttvm --kernel KERNEL`, or `ttvm demo`");
        return program;
    }

    private static bool IsRecording(string path) => Path.GetExtension(path) == ".ttvm" || HasZipHeader(path) || RecordingEncryption.IsEncrypted(path);

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
