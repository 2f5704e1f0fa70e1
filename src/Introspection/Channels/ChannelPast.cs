using Introspection.History;
using Vmm.Time;

namespace Introspection.Channels;

/// <summary>The past of channels, learnt in the background.</summary>
internal sealed class ChannelPast(GuestChannels channels) : Past<ChannelHistory, ChannelEvent>(new ChannelVisitor(channels))
{
    private readonly ChannelTracker _tracker = new(channels, ChannelHistory.DefaultLimit);

    public override ChannelHistory Read(Position from, Position before) => _tracker.Finish();

    protected override Position PositionOf(in ChannelEvent e) => e.At;

    protected override void Add(in ChannelEvent e) => _tracker.Add(e);
}
