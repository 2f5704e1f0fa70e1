using System.Collections.Generic;
using System.Linq;
using Dap.Protocol;
using Dap.Sessions;
using Introspection.Channels;
using Introspection.History;
using Introspection.Programs;
using Vmm.Time;

namespace Dap.Views;

/// <summary>Channels, as the protocol says them.</summary>
internal sealed class ChannelViews(Session session)
{
    /// <summary>What is answered while they are being looked for.</summary>
    public static TtvmChannels BeingFound() => new()
    {
        Channels = [], Problems = [], Past = LockViews.NameOf(PastState.BeingLearnt), Problem = "The channels of the guest are being looked for.", IsBeingFound = true,
    };

    /// <summary>Where the session stands.</summary>
    /// <param name="waits">As of <see cref="RcuViews.Read"/>.</param>
    public TtvmChannels Read(bool waits = true)
    {
        if (!waits && !session.Channels.IsFound && session.IsRehearsing) return BeingFound();
        GuestChannels channels = session.Channels.Find();
        IReadOnlyList<ChannelView> now = ChannelReader.Read(channels, session.View);
        PastWorker<ChannelHistory>? worker = session.Channels.Here(out PastState past);
        Position at = session.Machine.Position;
        return new TtvmChannels
        {
            Channels = worker is not null && past == PastState.Known ? worker.Read(history => Describe(now, history, at)) : Describe(now, null, at),
            Problems = channels.Problems, Past = LockViews.NameOf(past),
            Problem = channels.Channels.Count > 0 ? null : "No channel of this guest is known: a layout file declares them, under 'channels' (docs/LAYOUTS.md).",
        };
    }

    public TtvmChannelFindings Findings()
    {
        if (session.Channels.Worker() is not { } worker) return new TtvmChannelFindings { Findings = [], IsComplete = true, Problem = "No channel of this guest is known." };
        bool isComplete = worker.IsComplete;
        return worker.Read(history => new TtvmChannelFindings { Findings = [.. history.Findings.Select(Describe)], IsComplete = isComplete, Problem = worker.Failure });
    }

    /// <summary>What happens at a moment, in a sentence.</summary>
    public string Sentence(ChannelMoment moment, ChannelOccurrence one)
    {
        string what = moment switch
        {
            ChannelMoment.Publication => $"publishes message {one.Number} of {one.Channel.Name}",
            ChannelMoment.Receipt => $"has read message {one.Number} of {one.Channel.Name}",
            ChannelMoment.FullStall => $"finds no room in {one.Channel.Name}",
            _ => $"finds no message in {one.Channel.Name}",
        };
        return $"at {one.At}: vCPU {one.CpuIndex} {what} in {CodeText.Of(one.Code, session.Symbols)}";
    }

    private List<TtvmChannel> Describe(IReadOnlyList<ChannelView> all, ChannelHistory? history, Position at)
    {
        var list = new List<TtvmChannel>();
        foreach (ChannelView one in all)
        {
            IReadOnlyDictionary<ulong, ChannelMessage> messages = history?.MessagesIn(one, at) ?? new Dictionary<ulong, ChannelMessage>();
            list.Add(new TtvmChannel
            {
                Name = one.Channel.Name, Address = Hexadecimal.Of(one.Channel.Address), State = MessageText.Of(one.State), SenderThreadId = ThreadOf(one.Sender),
                ReceiverThreadId = ThreadOf(one.Receiver), Sent = one.Sent, Received = one.Received, Acknowledged = one.Acknowledged, Credits = one.Credits, FullStalls = one.FullStalls,
                EmptyStalls = one.EmptyStalls, Problem = one.Problem, Slots = [.. one.Slots.Select(slot => Describe(slot, messages.GetValueOrDefault(slot.Sequence), at))],
            });
        }
        return list;
    }

    private static TtvmChannelSlot Describe(ChannelSlot slot, ChannelMessage? message, Position at) => new()
    {
        Index = slot.Index, Address = Hexadecimal.Of(slot.Address), Sequence = slot.Sequence, IsInFlight = slot.IsInFlight, Contents = MessageText.Of(slot.Contents),
        Published = message?.Published.ToString(), Received = message?.Received is { } received && received < at ? received.ToString() : null,
    };

    private TtvmChannelFinding Describe(ChannelFinding one)
    {
        ChannelMessage message = one.Message;
        return new TtvmChannelFinding
        {
            Kind = one.Kind == ChannelFindingKind.Overwritten ? "overwritten" : "publishedBeforePayload", Position = one.At.ToString(), ThreadId = Session.ThreadOfCpu(message.CpuIndex),
            Channel = message.Channel.Name, Number = message.Number, LatePayload = message.LatePayload?.ToString(), Received = message.Received?.ToString(),
            Text = $"vCPU {message.CpuIndex} publishes message {message.Number} of {message.Channel.Name} in {CodeText.Of(message.Code, session.Symbols)}: {MessageText.Explain(one)}.",
        };
    }

    // Nothing in memory is trusted: a number that no vCPU has is none.
    private long? ThreadOf(ulong? cpu) => cpu is { } index && index < (ulong)session.Machine.Vcpus.Count ? Session.ThreadOfCpu((int)index) : null;
}
