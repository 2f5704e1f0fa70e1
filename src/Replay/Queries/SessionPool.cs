using System;
using System.Collections.Concurrent;
using Replay.Checkpoints;
using Replay.Packages;
using Replay.Replaying;

namespace Replay.Queries;

/// <summary>Machines for scans, built when first needed and used again as far as the memory of their guests fits into a budget. Thread-safe.</summary>
internal sealed class SessionPool(RecordingFile recording, PagePool pages, long budgetBytes) : IDisposable
{
    private readonly ConcurrentBag<ReplaySession> _idle = [];
    private readonly long _maximumIdle = budgetBytes / (long)Math.Max(1, recording.Manifest.Machine.MemorySizeBytes);

    public ReplaySession Rent() =>
        _idle.TryTake(out ReplaySession? session) ? session : new ReplaySession(recording, pages, new NullOutputSink());

    /// <summary>Takes a session back. One that failed must be disposed of instead.</summary>
    public void Return(ReplaySession session)
    {
        if (_idle.Count < _maximumIdle) _idle.Add(session);
        else session.Dispose();
    }

    public void Dispose()
    {
        while (_idle.TryTake(out ReplaySession? session)) session.Dispose();
    }
}
