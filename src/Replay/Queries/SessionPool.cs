using System;
using System.Collections.Concurrent;
using Replay.Checkpoints;
using Replay.Packages;
using Replay.Replaying;

namespace Replay.Queries;

/// <summary>Machines for scans, built when first needed and used again. Thread-safe.</summary>
internal sealed class SessionPool(RecordingFile recording, PagePool pages) : IDisposable
{
    private readonly ConcurrentBag<ReplaySession> _idle = [];

    public ReplaySession Rent() =>
        _idle.TryTake(out ReplaySession? session) ? session : new ReplaySession(recording, pages, new NullOutputSink());

    /// <summary>Takes a session back. One that failed must be disposed of instead.</summary>
    public void Return(ReplaySession session) => _idle.Add(session);

    public void Dispose()
    {
        while (_idle.TryTake(out ReplaySession? session)) session.Dispose();
    }
}
