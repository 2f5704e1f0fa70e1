using System;
using System.Collections.Generic;
using Introspection.State;
using Replay.Queries;
using Vmm.Platform;
using Vmm.Time;

namespace Introspection.Channels;

/// <summary>What is written to a channel.</summary>
internal enum ChannelStep : byte
{
    /// <summary>A message, but not its number.</summary>
    Payload,
    /// <summary>A message's number.</summary>
    Sequence,
    Sent,
    Received,
    Acknowledged,
    FullStall,
    EmptyStall,
}

/// <summary>One write.</summary>
internal struct ChannelEvent
{
    public Position At;
    public ChannelStep Step;
    public int Channel, Slot, CpuIndex;
    public ulong Task, Code, Old, New;
    /// <summary>Number: what the message contains; position of the receiver: what the message that it has read contains. Else null.</summary>
    public byte[]? Contents;

    public readonly ulong Actor => Task != 0 ? Task : (ulong)CpuIndex;
}

/// <summary>Notes what is written to channels in one interval of a recording. What belongs together is left to <see cref="ChannelTracker"/>.</summary>
internal sealed class ChannelVisitor(GuestChannels channels) : IIntervalVisitor<List<ChannelEvent>>, IMachineObserver
{
    private Machine _machine = null!;
    private ReplayInterval _interval;
    private List<ChannelEvent> _events = [];
    // A store of more than eight bytes to a message's number: what it wrote is read when the next one comes.
    private int _unsettled = -1;

    public uint WantedKinds => 1u << (int)MachineEventKind.Write;

    public void Begin(Machine machine, int index, in ReplayInterval interval)
    {
        (_machine, _interval, _events, _unsettled) = (machine, interval, [], -1);
        machine.Observer = this;
        machine.SetWatches(channels.Watches);
    }

    public bool GoOn() => true;

    public List<ChannelEvent> End()
    {
        Settle();
        _machine.Observer = null;
        _machine.SetWatches([]);
        return _events;
    }

    public void OnEvent(in MachineEvent e)
    {
        if (e.At < _interval.From || e.At >= _interval.To || e.CpuIndex < 0 || e.Number < 0) return;
        Settle();
        var view = new GuestView(_machine, _machine.Vcpus[e.CpuIndex]);
        for (int i = 0; i < channels.Channels.Count; i++)
        {
            GuestChannel channel = channels.Channels[i];
            WriteRing(view, e, i, channel);
            WriteField(view, e, ChannelStep.Sent, i, channel.Sent);
            WriteField(view, e, ChannelStep.Received, i, channel.Received);
            WriteField(view, e, ChannelStep.Acknowledged, i, channel.Acknowledged);
            WriteField(view, e, ChannelStep.FullStall, i, channel.FullStalls);
            WriteField(view, e, ChannelStep.EmptyStall, i, channel.EmptyStalls);
        }
    }

    private void WriteRing(in GuestView view, in MachineEvent e, int index, GuestChannel channel)
    {
        ulong end = e.Address + (ulong)e.SizeBytes, ringEnd = channel.SlotAddress(channel.SlotCount);
        if (e.Address >= ringEnd || end <= channel.Ring) return;
        int first = e.Address < channel.Ring ? 0 : (int)((e.Address - channel.Ring) / (ulong)channel.MessageBytes);
        for (int slot = first; slot < channel.SlotCount && channel.SlotAddress(slot) < end; slot++)
        {
            ulong message = channel.SlotAddress(slot), messageEnd = message + (ulong)channel.MessageBytes;
            var number = new ChannelField(message + (ulong)channel.SequenceOffset, channel.SequenceBytes);
            bool isNumber = number.IsTouchedBy(e.Address, e.SizeBytes);
            // A store of both at once writes the payload in time.
            bool isPayload = Math.Max(e.Address, message) < Math.Min(end, number.Address) || Math.Max(e.Address, number.Address + (ulong)number.SizeBytes) < Math.Min(end, messageEnd);
            if (isPayload) Add(view, e, ChannelStep.Payload, index, slot, 0, 0, null);
            if (!isNumber || view.ReadNumber(number.Address, number.SizeBytes) is not { } old) continue;
            byte[] contents = new byte[channel.MessageBytes];
            view.Read(message, contents);
            for (int i = 0; i < Math.Min(e.SizeBytes, 8); i++)
            {
                long offset = (long)(e.Address + (ulong)i - message);
                if (offset >= 0 && offset < contents.Length) contents[offset] = (byte)(e.Value >> (8 * i));
            }
            Add(view, e, ChannelStep.Sequence, index, slot, old, channel.NumberIn(contents), contents);
            if (e.SizeBytes > 8) _unsettled = _events.Count - 1;
        }
    }

    private void WriteField(in GuestView view, in MachineEvent e, ChannelStep step, int index, ChannelField? field)
    {
        if (field is not { } there || !there.IsTouchedBy(e.Address, e.SizeBytes) || view.ReadNumber(there.Address, there.SizeBytes) is not { } old) return;
        ulong now = e.Address == there.Address && e.SizeBytes == there.SizeBytes ? e.Value : old;
        byte[]? contents = null;
        GuestChannel channel = channels.Channels[index];
        if (step is ChannelStep.Received or ChannelStep.Acknowledged && now > 0)
        {
            contents = new byte[channel.MessageBytes];
            view.Read(channel.SlotAddress((int)((now - 1) % (ulong)channel.SlotCount)), contents);
        }
        Add(view, e, step, index, -1, old, now, contents);
    }

    private void Settle()
    {
        if (_unsettled < 0) return;
        ChannelEvent e = _events[_unsettled];
        GuestChannel channel = channels.Channels[e.Channel];
        new GuestView(_machine, _machine.Vcpus[e.CpuIndex]).Read(channel.SlotAddress(e.Slot), e.Contents!);
        e.New = channel.NumberIn(e.Contents!);
        _events[_unsettled] = e;
        _unsettled = -1;
    }

    private void Add(in GuestView view, in MachineEvent e, ChannelStep step, int channel, int slot, ulong old, ulong now, byte[]? contents) => _events.Add(new ChannelEvent
    {
        At = e.At, Step = step, Channel = channel, Slot = slot, CpuIndex = e.CpuIndex, Task = channels.Tasks.Of(view), Code = view.CodeAddressOf(e.Rip), Old = old, New = now,
        Contents = contents,
    });
}
