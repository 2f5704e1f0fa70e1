using System;
using System.Buffers;
using System.Collections.Generic;
using System.Threading;
using Replay.Checkpoints;
using Replay.Packages;
using Replay.Queries;
using Replay.Replaying;
using Vmm.Inputs;
using Vmm.Platform;
using Vmm.Time;

namespace Replay.Timelines;

/// <summary>
/// A throw-away fork of a timeline: a machine of its own, in which memory and registers may be changed and which may run on, with no inputs
/// from outside. The recording and the timeline never change. Stays valid when the timeline moves; dispose of it before the timeline.
/// </summary>
public sealed class Diversion : IDisposable
{
    private readonly ReplaySession _session;
    private readonly OutputBuffer _outputs = new();

    internal Diversion(RecordingFile recording, PagePool pool, MachineSnapshot snapshot)
    {
        _session = new ReplaySession(recording, pool, _outputs);
        try
        {
            _session.Restore(snapshot);
            _session.Machine.Inputs = new DivertedInputSource(_session.Machine);
        }
        catch
        {
            _session.Dispose();
            throw;
        }
    }

    /// <summary>The forked machine, free to be changed and run.</summary>
    public Machine Machine => _session.Machine;

    /// <summary>
    /// Runs on until a condition is met, the machine ends, or so many instructions are done. There is no way back in a fork: it stands just before the instruction of a
    /// breakpoint, but just after whatever else was met.
    /// </summary>
    /// <param name="conditions">Any but console texts.</param>
    /// <param name="maximumCount">Instructions at most.</param>
    /// <param name="cancellation">Stops it where it is, with <see cref="TimelineStopReason.Done"/>.</param>
    public TimelineStop Continue(IReadOnlyCollection<StopCondition> conditions, ulong maximumCount, CancellationToken cancellation = default)
    {
        const ulong slice = 1_000_000;
        var observer = new ConditionObserver(conditions) { StopsBefore = true };
        ulong limit = Machine.InstructionCount + Math.Min(maximumCount, ulong.MaxValue - Machine.InstructionCount);
        observer.ArmForFirst(Machine, Machine.Position);
        try
        {
            while (observer.Hits.Count == 0)
            {
                if (Machine.Run(Math.Min(limit, Machine.InstructionCount + slice)) == RunStop.Ended) return new TimelineStop(TimelineStopReason.End, Machine.Position, []);
                if (observer.Hits.Count == 0 && (Machine.InstructionCount >= limit || cancellation.IsCancellationRequested))
                    return new TimelineStop(TimelineStopReason.Done, Machine.Position, []);
            }
        }
        finally
        {
            observer.Disarm();
        }
        return new TimelineStop(TimelineStopReason.Hit, Machine.Position, [.. observer.Hits]);
    }

    /// <summary>What the fork printed since it was made, on one channel.</summary>
    public byte[] Output(OutputChannel channel = OutputChannel.Serial0) => _outputs.Bytes(channel);

    public void Dispose() => _session.Dispose();

    private sealed class OutputBuffer : IOutputSink
    {
        private readonly ArrayBufferWriter<byte>[] _channels = [new(), new(), new(), new()];

        public void Write(Position at, OutputChannel channel, ReadOnlySpan<byte> data) => _channels[(int)channel].Write(data);

        public byte[] Bytes(OutputChannel channel) => _channels[(int)channel].WrittenSpan.ToArray();
    }
}
