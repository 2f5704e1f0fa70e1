using Introspection.History;
using Vmm.Time;

namespace Introspection.Rcu;

/// <summary>The past of read-copy-update, learnt in the background.</summary>
internal sealed class RcuPast(GuestRcu rcu) : Past<RcuHistory, RcuEvent>(new RcuVisitor(rcu))
{
    private readonly RcuTracker _tracker = new(rcu, RcuHistory.DefaultLimit);

    public override RcuHistory Read(Position from, Position before) => _tracker.Finish();

    protected override Position PositionOf(in RcuEvent e) => e.At;

    protected override void Add(in RcuEvent e) => _tracker.Add(e);
}
