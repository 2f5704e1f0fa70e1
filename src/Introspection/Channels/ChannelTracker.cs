using System.Collections.Generic;
using Vmm.Time;

namespace Introspection.Channels;

/// <summary>Puts together what the visitors saw, in order: messages, stalls, and what was published too early.</summary>
internal sealed class ChannelTracker
{
    private sealed class State(GuestChannel channel)
    {
        public readonly ChannelMessage?[] Slots = new ChannelMessage?[channel.SlotCount];
        public ulong? Sent;
        public (Position Begin, long Count)? Full, Empty;
    }

    private readonly GuestChannels _channels;
    private readonly int _limit;
    private readonly State[] _states;
    private readonly List<ChannelMessage> _messages = [];
    private readonly List<ChannelStall> _stalls = [];
    private readonly List<ChannelFinding> _findings = [];
    private readonly HashSet<(int Channel, ChannelFindingKind Kind)> _told = [];
    private bool _isCut;

    public ChannelTracker(GuestChannels channels, int limit)
    {
        (_channels, _limit) = (channels, limit);
        _states = new State[channels.Channels.Count];
        for (int i = 0; i < _states.Length; i++) _states[i] = new State(channels.Channels[i]);
    }

    /// <summary>What is known by now; those who look in vain still do.</summary>
    public ChannelHistory Finish()
    {
        var stalls = new List<ChannelStall>(_stalls);
        for (int i = 0; i < _states.Length; i++)
        {
            AddStall(stalls, i, _states[i].Full, true, null);
            AddStall(stalls, i, _states[i].Empty, false, null);
        }
        stalls.Sort(static (a, b) => a.Begin.CompareTo(b.Begin));
        // What is wrong is known later than it happens.
        _findings.Sort(static (a, b) => a.At.CompareTo(b.At));
        return new ChannelHistory { Messages = _messages, Stalls = stalls, Findings = _findings, IsCut = _isCut };
    }

    public void Add(in ChannelEvent e)
    {
        State state = _states[e.Channel];
        bool hasReceived = _channels.Channels[e.Channel].Received is not null;
        switch (e.Step)
        {
            case ChannelStep.Sequence: Publish(e, state); break;
            case ChannelStep.Payload: Payload(e, state); break;
            case ChannelStep.Sent: state.Sent = e.New; break;
            case ChannelStep.Received: Receive(e, state); break;
            case ChannelStep.Acknowledged when !hasReceived: Receive(e, state); break;
            case ChannelStep.FullStall when e.New > e.Old: state.Full = Longer(state.Full, e.At); break;
            case ChannelStep.EmptyStall when e.New > e.Old: state.Empty = Longer(state.Empty, e.At); break;
        }
    }

    private void Publish(in ChannelEvent e, State state)
    {
        // Nothing, or the same again, publishes nothing.
        if (e.New == 0 || e.New == e.Old) return;
        EndStall(e.Channel, ref state.Full, true, e.At);
        var message = new ChannelMessage
        {
            Channel = _channels.Channels[e.Channel], Number = e.New, Slot = e.Slot, Published = e.At, CpuIndex = e.CpuIndex, Task = e.Task, Code = e.Code, Contents = e.Contents ?? [],
        };
        if (state.Slots[e.Slot] is { Received: null } other) Tell(e.Channel, new ChannelFinding(ChannelFindingKind.Overwritten, e.At, message, other));
        state.Slots[e.Slot] = message;
        if (_messages.Count < _limit) _messages.Add(message);
        else _isCut = true;
    }

    // The sender's payload belongs to the message that is in the slot as long as that has not been read, or the sender has not counted it.
    private void Payload(in ChannelEvent e, State state)
    {
        if (state.Slots[e.Slot] is not { LatePayload: null } message || message.Actor != e.Actor || message.Published == e.At) return;
        if (message.Received is not null && !(state.Sent is { } sent && sent < message.Number)) return;
        message.LatePayload = e.At;
        Tell(e.Channel, new ChannelFinding(ChannelFindingKind.PublishedBeforePayload, message.Published, message));
    }

    private void Receive(in ChannelEvent e, State state)
    {
        if (e.New <= e.Old) return;
        EndStall(e.Channel, ref state.Empty, false, e.At);
        foreach (ChannelMessage? message in state.Slots)
        {
            if (message is not { Received: null } || message.Number <= e.Old || message.Number > e.New) continue;
            message.Received = e.At;
            message.ReceiverCpuIndex = e.CpuIndex;
            if (message.Number == e.New) message.ReceivedContents = e.Contents;
        }
    }

    private void Tell(int channel, ChannelFinding finding)
    {
        if (_told.Add((channel, finding.Kind))) _findings.Add(finding);
    }

    private static (Position, long)? Longer((Position Begin, long Count)? stall, Position at) => stall is { } known ? (known.Begin, known.Count + 1) : (at, 1);

    private void EndStall(int channel, ref (Position Begin, long Count)? stall, bool isFull, Position? end)
    {
        AddStall(_stalls, channel, stall, isFull, end);
        stall = null;
    }

    private void AddStall(List<ChannelStall> stalls, int channel, (Position Begin, long Count)? stall, bool isFull, Position? end)
    {
        if (stall is not { } known) return;
        if (stalls.Count < _limit) stalls.Add(new ChannelStall(_channels.Channels[channel], isFull, known.Begin, end, known.Count));
        else _isCut = true;
    }
}
