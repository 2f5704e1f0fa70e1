using System;
using System.Threading;
using Replay.Checkpoints;
using Replay.Packages;
using Replay.Timelines;
using Vmm.Inputs;
using Vmm.Platform;
using Vmm.Time;

namespace Replay.Replaying;

/// <summary>
/// Runs a recording again, forwards only, instruction by instruction or in blocks, and hands on what the guest prints. Every input is asserted. It is the plain
/// counterpart of a <see cref="Timeline"/>: nothing is skipped. Not thread-safe; several replayers share one recording.
/// </summary>
public sealed class Replayer : IDisposable
{
    private readonly RecordingFile _recording;
    private readonly ReplaySession _session;
    private MachineSnapshot? _mark;

    /// <summary>Stands at the start.</summary>
    /// <param name="recording">Stays the caller's to dispose of.</param>
    /// <param name="outputs">Gets what the guest prints; null: nobody.</param>
    /// <param name="memoryBudgetBytes">When more of the guest's memory than this was touched, the next <see cref="Restart"/> gives back what is not code.</param>
    /// <exception cref="RecordingFormatException">The recording does not make a machine.</exception>
    public Replayer(RecordingFile recording, IOutputSink? outputs = null, long memoryBudgetBytes = long.MaxValue)
    {
        _recording = recording;
        _session = new ReplaySession(recording, new PagePool(), outputs ?? new NullOutputSink()) { FetchBudgetBytes = memoryBudgetBytes };
        try
        {
            Restart(0);
        }
        catch
        {
            _session.Dispose();
            throw;
        }
    }

    /// <summary>The machine as it is now; look, do not run or change it.</summary>
    public Machine Machine => _session.Machine;

    public Position Position => _session.Position;

    /// <summary>It has touched more of the guest's memory than it is to, since it last gave some back.</summary>
    public bool IsOverBudget => _session.IsOverBudget;

    /// <summary>Goes to a checkpoint of the recording.</summary>
    public void Restart(int checkpointIndex) => _session.Restore(_recording.CheckpointStore.Load(checkpointIndex));

    /// <summary>Goes to the last checkpoint at or before a position.</summary>
    public void RestartBefore(Position position) => Restart(_recording.CheckpointStore.FindAtOrBefore(position));

    /// <summary>Runs to a position that is not before the present one, and not past the recording's end.</summary>
    /// <exception cref="OperationCanceledException">The machine then stands on the way.</exception>
    /// <exception cref="ReplayDivergenceException">The machine does something else than the recording.</exception>
    public void RunTo(Position target, IProgress<TimelineProgress>? progress = null, CancellationToken cancellation = default)
    {
        ulong from = _session.Machine.InstructionCount, total = Math.Max(1, target.InstructionCount - from);
        bool arrived = _session.RunTo(target, _ =>
        {
            progress?.Report(new TimelineProgress(_session.Machine.InstructionCount - from, total));
            return !cancellation.IsCancellationRequested;
        });
        if (!arrived) cancellation.ThrowIfCancellationRequested();
        _session.SettleOutcome();
    }

    /// <summary>One transition: an instruction (or REP iteration) retires, or an event happens; or the step over a hole. False when the machine has ended.</summary>
    public bool Step()
    {
        _session.Step();
        return Machine.Outcome.Kind == OutcomeKind.None;
    }

    /// <summary>Takes a snapshot and restores it: everything cached is forgotten, nothing else may change.</summary>
    public void RoundTrip()
    {
        MachineSnapshot snapshot = _session.Capture();
        _session.Restore(snapshot);
        snapshot.Pages?.Release();
    }

    /// <summary>Remembers the present state; an earlier mark is forgotten.</summary>
    public void Mark()
    {
        _mark?.Pages?.Release();
        _mark = _session.Capture();
    }

    /// <summary>Goes back to the state of the last <see cref="Mark"/>.</summary>
    public void ReturnToMark() => _session.Restore(_mark ?? throw new Vmm.InvariantException("a replayer goes back to a mark that was never made"));

    /// <summary>Digest of the whole state.</summary>
    public StateDigest Digest() => _session.Digest();

    public void Dispose()
    {
        _mark?.Pages?.Release();
        _session.Dispose();
    }
}
