using System;
using System.Buffers;
using Replay.Checkpoints;
using Replay.Packages;
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
