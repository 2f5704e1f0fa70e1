using System;
using System.IO;
using System.Threading;
using System.Threading.Channels;
using Dap.Protocol;
using Dap.Transports;

namespace Dap.Sessions;

/// <summary>How a server behaves.</summary>
public sealed record DapServerOptions
{
    /// <summary>What takes longer is told to the client, with the possibility to cancel it.</summary>
    public TimeSpan ProgressDelay { get; init; } = TimeSpan.FromMilliseconds(300);
}

/// <summary>
/// Serves one client until it leaves. Threads: the caller's is the engine's, which does one request after the other, owns the machine and everything else of the session,
/// and writes the answers; one of the session's replays the recording in the background for its timeline; one of its own reads messages, answers those that are rubbish, and may end what the engine does (pause, cancel, disconnect). Both write through
/// <see cref="MessageWriter"/>. The reader lives until the connection is closed, as nothing ends a read from a standard stream.
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
    private readonly Channel<Request> _waiting = Channel.CreateBounded<Request>(MaximumWaiting);

    private DapServer(Connection connection, DapServerOptions options)
    {
        _connection = connection;
        _writer = new MessageWriter(connection.Output);
        _activity = new Activity(_writer, options.ProgressDelay);
        _session = new Session(_writer, _activity);
        _ = new LifecycleRequests(_session, _requests);
        _ = new ExecutionRequests(_session, _requests);
        _ = new TravelRequests(_session, _requests);
        _ = new BreakpointRequests(_session, _requests);
        _ = new StackRequests(_session, _requests);
        _ = new SourceRequests(_session, _requests);
        _ = new StateRequests(_session, _requests);
        _ = new MemoryRequests(_session, _requests);
        _ = new EvaluationRequests(_session, _requests);
        _ = new PagingRequests(_session, _requests);
        _ = new ViewRequests(_session, _requests);
        _ = new BookmarkRequests(_session, _requests);
        _ = new HistoryRequests(_session, _requests);
        _ = new EventRequests(_session, _requests);
    }

    /// <summary>Returns when the client has disconnected or closed the connection.</summary>
    public static void Serve(Connection connection, DapServerOptions options, CancellationToken cancellation)
    {
        using var server = new DapServer(connection, options);
        using CancellationTokenRegistration registration = cancellation.Register(server.Leave);
        new System.Threading.Thread(server.ReadMessages) { Name = "dap reader", IsBackground = true }.Start();
        server.HandleRequests();
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
            case Commands.Disconnect or Commands.Terminate:
                _activity.Leave();
                break;
        }
        try
        {
            // A full queue keeps the client waiting.
            _waiting.Writer.WriteAsync(request).AsTask().GetAwaiter().GetResult();
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
        bool answered = false;
        _session.KeepBackgroundQuiet(isBusy: true);
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
            Fail(request, answered, e.Message, e.ShowUser);
        }
        catch (OperationCanceledException)
        {
            Fail(request, answered, "cancelled", showUser: false);
        }
        catch (Exception e) when (e is Replay.Packages.RecordingFormatException or Replay.Replaying.ReplayDivergenceException or IOException or UnauthorizedAccessException)
        {
            Fail(request, answered, e.Message, showUser: true);
        }
#pragma warning disable CA1031 // A bug of ours in one request must not take the whole session from the user.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Fail(request, answered, $"'{request.Command}' failed, which is a bug in ttvm: {e.GetType().Name}: {e.Message}", showUser: true);
        }
        finally
        {
            if (request.Command == Commands.Pause) _activity.PauseAnswered();
            _activity.End();
            _session.KeepBackgroundQuiet(isBusy: false);
        }
    }

    private void Fail(Request request, bool answered, string message, bool showUser)
    {
        if (!answered) _writer.WriteFailure(request, message, showUser);
        else _session.Print(message, "important");
    }
}
