using System;
using System.Collections.Generic;
using System.Threading;
using Microsoft.Extensions.Logging;
using Replay.Checkpoints;
using Replay.Messages;
using Replay.Packages;
using Replay.Replaying;
using Replay.Timelines;
using Vmm.Time;

namespace Replay.Verification;

/// <summary>
/// Replays the stretches between checkpoints, each from its checkpoint to the next, whose digest the machine must then have. A recording in
/// which every stretch leads from one digest to the next replays as a whole. Threads: each worker has machines of its own; what they share
/// is under the lock.
/// </summary>
internal sealed class IntervalVerification(RecordingFile recording, CancellationToken cancellation)
{
    private readonly Lock _gate = new();
    private readonly ILogger _log = recording.Loggers.CreateLogger(typeof(IntervalVerification).FullName!);
    private readonly PagePool _pool = new();
    private int _next;
    private int _firstBadInterval = int.MaxValue;
    private Position? _firstBad;
    private string _problem = "";
    private int _digestCount;
    private long _inputCount;
    private ulong _done;

    public ulong DoneInstructions => Volatile.Read(ref _done);

    /// <summary>There are stretches that nobody has begun.</summary>
    public bool HasMore
    {
        get
        {
            lock (_gate) return _next < Math.Min(recording.CheckpointStore.Count, _firstBadInterval);
        }
    }

    public VerificationReport Report() => new(_problem.Length == 0, _firstBad, _problem, _digestCount, _inputCount, _done) { HoleCount = recording.Holes.Count };

    /// <summary>One worker: takes stretches until there are no more, or one was bad.</summary>
    public void Work()
    {
        while (TryTake(out int index))
        {
            var outputs = new OutputComparison(recording.Log);
            ReplaySession session;
            try
            {
                session = new ReplaySession(recording, _pool, outputs, boots: true);
            }
            catch (RecordingFormatException e)
            {
                Fail(index, null, e.Message);
                return;
            }
            using (session) VerifyFrom(session, outputs, index);
        }
    }

    // Goes on with the same machine as long as the stretch that follows is still to be done.
    private void VerifyFrom(ReplaySession session, OutputComparison outputs, int index)
    {
        CheckpointStore checkpoints = recording.CheckpointStore;
        do
        {
            Position from = checkpoints.PositionOf(index);
            bool isLast = index + 1 == checkpoints.Count;
            Position to = isLast ? recording.End : checkpoints.PositionOf(index + 1);
            try
            {
                // The first stretch begins with the machine as it is built; that must be what the first checkpoint holds.
                if (index == 0 && recording.Manifest.Start is null) CompareBuilt(session, checkpoints);
                session.Restore(checkpoints.Load(index));
                Compare(session, index, "restored checkpoint");
                outputs.Seek(from);
                ulong sequence = session.Inputs.Sequence;
                Position reach = recording.Holes.Reach(from, to);
                if (!session.RunTo(reach, Count)) return;
                session.SettleOutcome();
                outputs.ExpectEverythingBefore(reach);
                _log.StretchReplayed(index, from, reach, session.Inputs.Sequence - sequence);
                lock (_gate) _inputCount += (long)(session.Inputs.Sequence - sequence);
                if (reach < to) continue;
                if (isLast)
                {
                    if (from < to) CompareEnd(session);
                    return;
                }
                if (session.Position != to) throw new ReplayDivergenceException(to, "this position to exist", $"{session.Position}");
                Compare(session, index + 1, "replayed state");
                lock (_gate) _digestCount++;
                if (session.Inputs.Sequence != checkpoints.Meta(index + 1).Sequence)
                    throw new ReplayDivergenceException(to,
                        $"{checkpoints.Meta(index + 1).Sequence} inputs taken", $"{session.Inputs.Sequence}");
            }
            catch (ReplayDivergenceException e)
            {
                Fail(index, e.Position, e.Message);
                return;
            }
            catch (RecordingFormatException e)
            {
                Fail(index, null, e.Message);
                return;
            }
        }
        while (TryTake(out index));
    }

    private void CompareBuilt(ReplaySession session, CheckpointStore checkpoints)
    {
        // Only the state: the pages of the first checkpoint are compared with its digest when it is restored.
        if (!session.SaveState().SequenceEqual(checkpoints.Load(0).State.Span))
            throw new ReplayDivergenceException(Position.Start,
                "the recorded machine", "another one: the machine that this program builds differs");
    }

    // A recording whose last checkpoint was left out still says which digest it ends with.
    private void CompareEnd(ReplaySession session)
    {
        string expected = recording.Manifest.End.Digest;
        if (expected.Length == 0) return;
        StateDigest got = session.Digest();
        if (got.ToString() != expected) throw new ReplayDivergenceException(session.Position, $"digest {expected} at the end", $"{got}");
        lock (_gate) _digestCount++;
    }

    private void Compare(ReplaySession session, int checkpointIndex, string what)
    {
        StateDigest expected = recording.CheckpointStore.Meta(checkpointIndex).Digest, got = session.Digest();
        if (got == expected) return;
        string difference = StateDifference.Describe(recording, session, checkpointIndex);
        throw new ReplayDivergenceException(session.Position, $"digest {expected}", $"{got} ({what}); they differ in {difference}");
    }

    private bool Count(ulong instructions)
    {
        lock (_gate) _done += instructions;
        return !cancellation.IsCancellationRequested;
    }

    private bool TryTake(out int index)
    {
        lock (_gate)
        {
            index = _next;
            if (_next >= Math.Min(recording.CheckpointStore.Count, _firstBadInterval) || cancellation.IsCancellationRequested) return false;
            _next++;
            return true;
        }
    }

    private void Fail(int index, Position? position, string problem)
    {
        _log.StretchIsBad(index, problem);
        lock (_gate)
        {
            if (index >= _firstBadInterval) return;
            _firstBadInterval = index;
            _firstBad = position;
            _problem = problem;
        }
    }
}
