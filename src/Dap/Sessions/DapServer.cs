using System;
using System.Collections.Frozen;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Threading;
using System.Threading.Channels;
using Dap.Live;
using Dap.Messages;
using Dap.Protocol;
using Dap.Requests;
using Dap.Transports;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Replay.Packages;
using Replay.Recording;
using Vmm.Platform;

namespace Dap.Sessions;

/// <summary>How a server behaves.</summary>
public sealed record DapServerOptions
{
    /// <summary>What takes longer is told to the client, with the possibility to cancel it.</summary>
    public TimeSpan ProgressDelay { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>Clock and random numbers for guests that are started; null: only recordings are debugged.</summary>
    public IHostServices? Host { get; init; }

    /// <summary>What opens encrypted recordings; null: they are refused.</summary>
    public RecordingPassphrase? Passphrase { get; init; }

    /// <summary>The living guest that clients attach to, and that lives on when they go; null: there is none.</summary>
    public LiveGuest? Guest { get; init; }

    /// <summary>For messages; by default none are wanted.</summary>
    public ILoggerFactory Loggers { get; init; } = NullLoggerFactory.Instance;

    /// <summary>What executes recordings that are opened and guests that are started.</summary>
    public EngineKind Engine { get; init; }
}

/// <summary>
/// Serves one client until it leaves. Threads: the caller's is the engine's, which does one request after the other, owns the machine and everything else of the session,
/// and writes the answers; one of the session's replays the recording in the background for its timeline; one of its own reads messages, answers those that are rubbish,
/// and may end what the engine does (pause, cancel, disconnect). All write through <see cref="MessageWriter"/>. The reader lives until the connection is closed, as nothing
/// ends a read from a standard stream.
/// </summary>
public sealed class DapServer : IDisposable
{
    /// <summary>Requests that wait. A client that sends more is kept waiting itself.</summary>
    private const int MaximumWaiting = 1024;

    private readonly Connection _connection;
    private readonly ILogger _log;
    private readonly MessageWriter _writer;
    private readonly Activity _activity;
    private readonly Session _session;
    /// <summary>Requests that are served while a guest runs.</summary>
    private static FrozenSet<string> RunningRequests { get; } = FrozenSet.Create(StringComparer.Ordinal, Commands.Threads, Commands.SetBreakpoints,
        Commands.SetFunctionBreakpoints, Commands.SetInstructionBreakpoints, Commands.SetDataBreakpoints, Commands.SetExceptionBreakpoints, Commands.DataBreakpointInfo,
        Commands.BreakpointLocations, Commands.Source, Commands.LoadedSources, "ttvm/position", "ttvm/console", "ttvm/bookmarks", "ttvm/savedBreakpoints", "ttvm/saveBreakpoints");

    private readonly RequestTable _requests = new();
    private readonly Channel<Request> _waiting = Channel.CreateBounded<Request>(MaximumWaiting);

    private DapServer(Connection connection, DapServerOptions options)
    {
        _connection = connection;
        _log = options.Loggers.CreateLogger(typeof(DapServer).FullName!);
        _writer = new MessageWriter(connection.Output, _log);
        _activity = new Activity(_writer, options.ProgressDelay);
        _session = new Session(_writer, _activity, options.Loggers) { ServeWhileRunning = ServeWhileRunning };
        _ = new LifecycleRequests(_session, _requests, options);
        _ = new ExecutionRequests(_session, _requests);
        _ = new TravelRequests(_session, _requests);
        _ = new CallRequests(_session, _requests);
        _ = new BreakpointRequests(_session, _requests);
        _ = new StackRequests(_session, _requests);
        _ = new SourceRequests(_session, _requests);
        _ = new GotoRequests(_session, _requests);
        _ = new StateRequests(_session, _requests);
        _ = new MemoryRequests(_session, _requests);
        _ = new EvaluationRequests(_session, _requests);
        _ = new PagingRequests(_session, _requests);
        _ = new ViewRequests(_session, _requests);
        _ = new BookmarkRequests(_session, _requests);
        _ = new HistoryRequests(_session, _requests);
        new LockRequests(_session).AddTo(_requests);
        new SharedMemoryRequests(_session).AddTo(_requests);
        new SwapRequests(_session).AddTo(_requests);
        _ = new OriginRequests(_session, _requests);
        _ = new TranslatedCodeRequests(_session, _requests);
        _ = new EventRequests(_session, _requests);
    }

    /// <summary>Returns when the client has disconnected or closed the connection.</summary>
    public static void Serve(Connection connection, DapServerOptions options, CancellationToken cancellation)
    {
        using var server = new DapServer(connection, options);
        using CancellationTokenRegistration registration = cancellation.Register(server.Leave);
        new System.Threading.Thread(server.ReadMessages) { Name = "dap reader", IsBackground = true }.Start();
        server._log.Serves();
        server.HandleRequests();
        server._log.HasServed();
    }

    /// <summary>Every request that is served.</summary>
    internal static IReadOnlyCollection<string> Requests
    {
        get
        {
            using var server = new DapServer(new Connection(Stream.Null, Stream.Null), new DapServerOptions());
            return [.. server._requests.Commands, Commands.Cancel, "ttvm/type"];
        }
    }

    public void Dispose()
    {
        _session.Dispose();
        _activity.Dispose();
    }

    private void ReadMessages()
    {
        var reader = new MessageReader(_connection.Input);
        try
        {
            while (reader.TryRead(out byte[]? content, out string problem))
            {
                var known = new Request(0, "", default);
                if (content is not null && _log.IsEnabled(LogLevel.Trace)) _log.Received(DapMessages.Text(content));
                Request? request = content is null ? null : Request.Parse(content, out known, out problem);
                if (request is null)
                {
                    _log.Rubbish(problem);
                    _writer.WriteFailure(known, problem);
                }
                else if (!TryTake(request)) return;
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The client has gone without a word, which is as good as disconnecting.
        }
        finally
        {
            Leave();
        }
    }

    // No more requests; those that have come are done, but none that takes long.
    private void Leave()
    {
        _activity.Leave();
        _waiting.Writer.TryComplete();
    }

    // What ends a run must not wait for its turn behind that run. False after a disconnect.
    private bool TryTake(Request request)
    {
        switch (request.Command)
        {
            case Commands.Pause:
                _activity.Pause();
                break;
            case Commands.Cancel:
                Cancel(request);
                return true;
            case "ttvm/type":
                Type(request);
                return true;
            case Commands.Disconnect or Commands.Terminate:
                _activity.Leave();
                break;
        }
        try
        {
            // A full queue keeps the client waiting.
            _waiting.Writer.WriteAsync(request).AsTask().GetAwaiter().GetResult();
            _activity.Arrived();
        }
        catch (ChannelClosedException)
        {
            // The engine has ended.
            return false;
        }
        return request.Command != Commands.Disconnect;
    }

    private void Cancel(Request request)
    {
        try
        {
            CancelArguments arguments = request.Read<CancelArguments>();
            if (arguments.RequestId is { } id) _activity.CancelRequest(id);
            if (arguments.ProgressId is { } progress) _activity.CancelProgress(progress);
            Answer.Empty.Write(_writer, request);
        }
        catch (RequestException e)
        {
            _writer.WriteFailure(request, e.Message);
        }
    }

    // The guest that it is for may be running.
    private void Type(Request request)
    {
        try
        {
            TtvmTypeArguments arguments = request.Read<TtvmTypeArguments>();
            if (_session.Input?.TryType(arguments.Text) == true) Answer.Empty.Write(_writer, request);
            else _writer.WriteFailure(request, "nothing takes what is typed: only a guest that lives does, and not while a script types");
        }
        catch (RequestException e)
        {
            _writer.WriteFailure(request, e.Message);
        }
    }

    /// <summary>Serves what can be served while the guest runs, up to a request that ends the run.</summary>
    private void ServeWhileRunning()
    {
        _activity.ServeArrivals();
        while (_waiting.Reader.TryPeek(out Request? next) && next.Command is not (Commands.Pause or Commands.Disconnect or Commands.Terminate))
        {
            _waiting.Reader.TryRead(out Request? request);
            if (RunningRequests.Contains(request!.Command)) Handle(request, () => _requests.Handle(request));
            else Handle(request, () => throw new RequestException("the guest is running: pause it first"));
        }
    }

    private void HandleRequests()
    {
        while (_waiting.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (_waiting.Reader.TryRead(out Request? request))
            {
                Handle(request);
                if (request.Command == Commands.Disconnect) return;
            }
        }
    }

    private void Handle(Request request)
    {
        bool wanted = _activity.TryBegin(request);
        _session.KeepBackgroundQuiet(isBusy: true);
        try
        {
            Handle(request, () => wanted ? _requests.Handle(request) : throw new OperationCanceledException());
        }
        finally
        {
            if (request.Command == Commands.Pause) _activity.PauseAnswered();
            _activity.End();
            _session.TellPassedHoles();
            _session.KeepBackgroundQuiet(isBusy: false);
        }
    }

    private void Handle(Request request, Func<Answer> handle)
    {
        bool answered = false;
        long began = Stopwatch.GetTimestamp();
        _log.Begins(request.Command, request.Sequence);
        try
        {
            Answer answer = handle();
            answer.Write(_writer, request);
            answered = true;
            _log.Answered(request.Command, request.Sequence, Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            if (answer.Then is null) return;
            answer.Then();
            _log.Done(request.Command, request.Sequence, Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }
        catch (RequestException e)
        {
            Fail(request, answered, e.Message, e.ShowUser);
        }
        catch (OperationCanceledException)
        {
            Fail(request, answered, "cancelled", showUser: false);
        }
        catch (Exception e) when (e is Replay.Packages.RecordingFormatException or Replay.Replaying.ReplayDivergenceException or Replay.Redaction.RedactedPositionException
            or RecordingException or IOException or UnauthorizedAccessException)
        {
            Fail(request, answered, e.Message, showUser: true);
        }
#pragma warning disable CA1031 // A bug of ours in one request must not take the whole session from the user.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _log.Bug(e, request.Command, request.Sequence);
            Fail(request, answered, $"'{request.Command}' failed, which is a bug in ttvm: {e.GetType().Name}: {e.Message}", showUser: true);
        }
    }

    private void Fail(Request request, bool answered, string message, bool showUser)
    {
        _log.Failed(request.Command, request.Sequence, message);
        if (!answered) _writer.WriteFailure(request, message, showUser);
        else _session.Print(message, "important");
    }
}
