using System;
using System.Threading;
using Introspection.History;
using Replay.Timelines;
using Vmm.Time;

namespace Introspection.Channels;

/// <summary>What one can go to.</summary>
public enum ChannelMoment
{
    /// <summary>A message is published: its number is written.</summary>
    Publication,
    /// <summary>It has been read.</summary>
    Receipt,
    /// <summary>The sender finds no room.</summary>
    FullStall,
    /// <summary>The receiver finds no message.</summary>
    EmptyStall,
}

/// <summary>What happens at a moment.</summary>
/// <param name="At">Before the write that says so.</param>
/// <param name="CpuIndex">Who writes.</param>
/// <param name="Task">0: unknown.</param>
/// <param name="Code">The instruction.</param>
/// <param name="Channel">Where.</param>
/// <param name="Number">Of the message; of stalls how many there were.</param>
public sealed record ChannelOccurrence(Position At, int CpuIndex, ulong Task, ulong Code, GuestChannel Channel, ulong Number);

/// <summary>Goes from moment to moment of channels, in both directions.</summary>
/// <param name="Moment">What is looked for.</param>
/// <param name="Channel">Only in this one; null: any.</param>
/// <param name="Message">Only this message; null: any.</param>
public sealed record ChannelSearch(ChannelMoment Moment, GuestChannel? Channel = null, ulong? Message = null)
{
    /// <summary>The next or the last one from the timeline's position on; null: there is none. The cursor stays.</summary>
    public ChannelOccurrence? Find(Timeline timeline, GuestChannels channels, bool isForward, IProgress<TimelineProgress>? progress = null, CancellationToken cancellation = default)
    {
        ChannelEvent? found = NearestEvent.Find(timeline, isForward, () => new ChannelVisitor(channels), static e => e.At, IsWanted, progress, cancellation);
        return found is { } e ? new ChannelOccurrence(e.At, e.CpuIndex, e.Task, e.Code, channels.Channels[e.Channel], e.New) : null;

        bool IsWanted(ChannelEvent e)
        {
            GuestChannel channel = channels.Channels[e.Channel];
            if (Channel is not null && !ReferenceEquals(channel, Channel)) return false;
            return Moment switch
            {
                ChannelMoment.Publication => e.Step == ChannelStep.Sequence && e.New != 0 && e.New != e.Old && (Message is null || e.New == Message),
                // Whoever has read a message says so in one place or the other.
                ChannelMoment.Receipt => e.Step == (channel.Received is not null ? ChannelStep.Received : ChannelStep.Acknowledged) && e.New > e.Old
                    && (Message is null || (Message > e.Old && Message <= e.New)),
                ChannelMoment.FullStall => e.Step == ChannelStep.FullStall && e.New > e.Old,
                _ => e.Step == ChannelStep.EmptyStall && e.New > e.Old,
            };
        }
    }
}
