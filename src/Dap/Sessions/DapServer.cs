using System;
using System.Collections.Concurrent;
using System.IO;
using System.Text.Json;
using System.Threading;
using Dap.Inspection;
using Dap.Protocol;
using Dap.Transports;

namespace Dap.Sessions;

/// <summary>How a server behaves.</summary>
public sealed record DapServerOptions
{
    /// <summary>What takes longer is told to the client, with the possibility to cancel it.</summary>
    public TimeSpan ProgressDelay { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>What is known about the guest's addresses; null: nothing.</summary>
    public ISymbolSource? Symbols { get; init; }
}

/// <summary>
/// Serves one client until it leaves. Threads: the caller's reads messages, and may end what the engine does (pause, cancel, disconnect); the engine's does one request
/// after the other, owns the machine and everything else of the session, and writes the answers. Both write through <see cref="MessageWriter"/>.
/// </summary>
public sealed class DapServer : IDisposable
{
    /// <summary>Requests that wait. A client that sends more is kept waiting itself.</summary>
    private const int MaximumWaiting = 1024;

    private readonly Connection _connection;
    private readonly MessageWriter _writer;
    private readonly Activity _activity;
    private readonly Session _session;
    private readonly RequestTable _requests = new();
    private readonly BlockingCollection<Request> _waiting = new(MaximumWaiting);
    private Exception? _failure;

    private DapServer(Connection connection, DapServerOptions options)
    {
        _connection = connection;
        _writer = new MessageWriter(connection.Output);
        _activity = new Activity(_writer, options.ProgressDelay);
        _session = new Session(_writer, _activity, options.Symbols ?? new NoSymbols());
        _ = new LifecycleRequests(_session, _requests);
        _ = new ExecutionRequests(_session, _requests);
        _ = new TravelRequests(_session, _requests);
        _ = new BreakpointRequests(_session, _requests);
        _ = new StateRequests(_session, _requests);
        _ = new MemoryRequests(_session, _requests);
        _ = new EvaluationRequests(_session, _requests);
    }

    /// <summary>Returns when the client has disconnected or closed the connection.</summary>
    public static void Serve(Connection connection, DapServerOptions options, CancellationToken cancellation)
    {
        using var server = new DapServer(connection, options);
        var engine = new System.Threading.Thread(server.RunEngine) { Name = "engine" };
        engine.Start();
        // Closing the stream is the only thing that ends a read that waits.
        using CancellationTokenRegistration registration = cancellation.Register(connection.Dispose);
        server.ReadMessages();
        engine.Join();
        if (server._failure is { } failure) throw new InvalidOperationException(failure.Message, failure);
    }

    public void Dispose()
    {
        _session.Dispose();
        _waiting.Dispose();
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
                Request? request = content is null ? null : Request.Parse(content, out known, out problem);
                if (request is null) _writer.WriteFailure(known, problem);
                else if (!TryTake(request)) return;
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The client has gone without a word, which is as good as disconnecting.
        }
        finally
        {
            _activity.Leave();
            _waiting.CompleteAdding();
        }
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
            case Commands.Disconnect or Commands.Terminate:
                _activity.Leave();
                break;
        }
        try
        {
            _waiting.Add(request);
        }
        catch (InvalidOperationException)
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

    private void RunEngine()
    {
        try
        {
            foreach (Request request in _waiting.GetConsumingEnumerable())
            {
                Handle(request);
                if (request.Command == Commands.Disconnect) break;
            }
        }
#pragma warning disable CA1031 // The top of a thread: what is not caught here ends the process without a word to the client. It is thrown again by Serve.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _failure = e;
            _writer.WriteEvent(Events.Output, new OutputEventBody { Category = "stderr", Output = $"This is a bug in ttvm: {e.Message}\n" });
            _writer.WriteEvent(Events.Terminated, new TerminatedEventBody());
        }
        finally
        {
            _waiting.CompleteAdding();
            _session.Dispose();
            if (_failure is not null) _connection.Dispose();
        }
    }

    private void Handle(Request request)
    {
        bool wanted = _activity.TryBegin(request);
        bool answered = false;
        try
        {
            if (!wanted) throw new OperationCanceledException();
            Answer answer = _requests.Handle(request);
            answer.Write(_writer, request);
            answered = true;
            answer.Then?.Invoke();
        }
        catch (RequestException e)
        {
            if (!answered) _writer.WriteFailure(request, e.Message, e.ShowUser);
            else _session.Print(e.Message, "important");
        }
        catch (OperationCanceledException)
        {
            if (!answered) _writer.WriteFailure(request, "cancelled");
        }
        catch (Exception e) when (e is Replay.Packages.RecordingFormatException or Replay.Replaying.ReplayDivergenceException or IOException or UnauthorizedAccessException
            or JsonException)
        {
            if (!answered) _writer.WriteFailure(request, e.Message, showUser: true);
            else _session.Print(e.Message, "important");
        }
        finally
        {
            if (request.Command == Commands.Pause) _activity.PauseAnswered();
            _activity.End();
        }
    }
}
