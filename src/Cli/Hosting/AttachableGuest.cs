using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Dap.Live;
using Dap.Sessions;
using Dap.Transports;
using Replay.Queries;
using Replay.Recording;

namespace Cli.Hosting;

/// <summary>
/// A guest that is recorded and to which debuggers attach, one after the other; between them it runs on. Threads: the caller's is the engine's; one waits for the
/// next client, and holds the run up when it has come.
/// </summary>
internal sealed class AttachableGuest(LiveGuest guest, int port, CommandContext context)
{
    private int _port = port;

    /// <summary>Runs until the guest ends, prints a text, or cancellation.</summary>
    public RecorderStop Run(string? text, CancellationToken cancellation)
    {
        IReadOnlyCollection<StopCondition> conditions = text is null ? [] : [StopCondition.ConsoleText(text)];
        LiveRecording live = guest.Recording;
        while (true)
        {
            using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            using var holdUp = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            Task<Connection> client = Task.Run(() => WaitForClient(holdUp, waiting.Token), CancellationToken.None);
            IReadOnlyList<QueryHit> hits = live.Run(conditions, live.Recording.End, holdUp.Token);
            bool isDone = hits.Count > 0 || !live.IsAlive || cancellation.IsCancellationRequested;
            if (isDone) waiting.Cancel();
            Connection? connection = Result(client);
            if (connection is not null)
            {
                // A client that has come in time sees the end as well.
                using (connection) DapServer.Serve(connection, new DapServerOptions { Guest = guest, Loggers = context.Loggers }, cancellation);
            }
            if (hits.Count > 0) return RecorderStop.TextPrinted;
            if (!live.IsAlive) return RecorderStop.Ended;
            if (cancellation.IsCancellationRequested) return RecorderStop.Cancelled;
        }
    }

    private Connection WaitForClient(CancellationTokenSource holdUp, CancellationToken cancellation)
    {
        try
        {
            return Connection.OverLoopback(_port, Listening, cancellation);
        }
        finally
        {
            holdUp.Cancel();
        }
    }

    private void Listening(int port)
    {
        context.Error.WriteLine($"ttvm: a debugger can attach at port {port} of 127.0.0.1");
        // The same one for the next client.
        _port = port;
    }

    // Null: no client came.
    private static Connection? Result(Task<Connection> client)
    {
        try
        {
            return client.GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }
}
