using System;
using Vmm;
using Vmm.Inputs;
using Vmm.Time;

namespace Replay.Recording;

/// <summary>
/// Stands in until the real source is there: a machine must be built before its recording is opened, and a recording before its source.
/// Building a machine takes no input.
/// </summary>
internal sealed class LateInputSource : IInputSource, IOutputSink
{
    public RecordingInputSource? Target { get; set; }

    public ulong NextArrival => Target?.NextArrival ?? ulong.MaxValue;

    public bool TryTake(Position at, out InputEvent input)
    {
        if (Target is not null) return Target.TryTake(at, out input);
        input = default;
        return false;
    }

    public ulong ReadTime(Position at) => Needed().ReadTime(at);
    public void FillEntropy(Position at, Span<byte> destination) => Needed().FillEntropy(at, destination);
    public bool Idle(Position at, ulong nanosecondsToTimer) => Needed().Idle(at, nanosecondsToTimer);
    public void Write(Position at, OutputChannel channel, ReadOnlySpan<byte> data) => Needed().Write(at, channel, data);

    private RecordingInputSource Needed() => Target ?? throw new InvariantException("a machine used its inputs while it was built");
}
