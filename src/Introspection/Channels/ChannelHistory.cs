using System;
using System.Collections.Generic;
using System.Threading;
using Introspection.History;
using Replay.Packages;
using Replay.Timelines;
using Vmm.Time;

namespace Introspection.Channels;

/// <summary>A message's way.</summary>
public sealed class ChannelMessage
{
    public required GuestChannel Channel { get; init; }

    /// <summary>Its number, from 1.</summary>
    public required ulong Number { get; init; }

    /// <summary>Its place in the ring.</summary>
    public required int Slot { get; init; }

    /// <summary>Its number is written: who looks now finds it.</summary>
    public required Position Published { get; init; }

    /// <summary>The sender's vCPU.</summary>
    public required int CpuIndex { get; init; }

    /// <summary>0: unknown.</summary>
    public required ulong Task { get; init; }

    /// <summary>The instruction that writes its number.</summary>
    public required ulong Code { get; init; }

    /// <summary>What it contained when it was published, its number included.</summary>
    public byte[] Contents { get; internal set; } = [];

    /// <summary>The receiver says that it has read it; null: it has not.</summary>
    public Position? Received { get; internal set; }

    /// <summary>The receiver's vCPU; null: not received.</summary>
    public int? ReceiverCpuIndex { get; internal set; }

    /// <summary>What it contained then.</summary>
    public byte[]? ReceivedContents { get; internal set; }

    /// <summary>The first store to its payload after it was published; null: there was none.</summary>
    public Position? LatePayload { get; internal set; }

    internal ulong Actor => Task != 0 ? Task : (ulong)CpuIndex;
}

/// <summary>Somebody found no room or no message, until there was.</summary>
/// <param name="Channel">Where.</param>
/// <param name="IsFull">The sender found no room; else the receiver no message.</param>
/// <param name="Begin">It is counted for the first time.</param>
/// <param name="End">The next message is sent or received; null: not yet.</param>
/// <param name="Count">How often it looked in vain.</param>
public sealed record ChannelStall(GuestChannel Channel, bool IsFull, Position Begin, Position? End, long Count);

/// <summary>What can be wrong with a message.</summary>
public enum ChannelFindingKind
{
    /// <summary>Its payload was written when its number had already been.</summary>
    PublishedBeforePayload,
    /// <summary>It took the place of one that had not been read.</summary>
    Overwritten,
}

/// <summary>Something wrong, at its first moment.</summary>
/// <param name="Kind">What.</param>
/// <param name="At">The message is published.</param>
/// <param name="Message">The message.</param>
/// <param name="Other">The one that was overwritten.</param>
public sealed record ChannelFinding(ChannelFindingKind Kind, Position At, ChannelMessage Message, ChannelMessage? Other = null);

/// <summary>The past of channels in a stretch of a recording, by watches on their memory; nothing is recorded for it.</summary>
public sealed class ChannelHistory
{
    internal const int DefaultLimit = 100_000;

    internal ChannelHistory() { }

    /// <summary>Learns it in the background. Call <see cref="PastWorker{THistory}.Learn"/>.</summary>
    /// <param name="recording">Stays the caller's, and is in use until the worker is disposed of.</param>
    /// <param name="channels">What is looked at.</param>
    /// <param name="changed">More is known, or will never be. Called on the worker's thread.</param>
    /// <param name="turns">With whom the worker takes turns; null: with nobody.</param>
    public static PastWorker<ChannelHistory> Learner(RecordingFile recording, GuestChannels channels, Action changed, BackgroundTurns? turns = null) =>
        new(recording, "channels", new ChannelPast(channels), changed, turns);

    /// <summary>In the order in which they were published; not all where <see cref="IsCut"/>.</summary>
    public IReadOnlyList<ChannelMessage> Messages { get; internal init; } = [];

    public IReadOnlyList<ChannelStall> Stalls { get; internal init; } = [];

    /// <summary>By position; each kind once a channel.</summary>
    public IReadOnlyList<ChannelFinding> Findings { get; internal init; } = [];

    /// <summary>There was more than is kept.</summary>
    public bool IsCut { get; internal init; }

    /// <summary>The messages that are in a channel's ring at a moment, by their numbers.</summary>
    /// <param name="view">The channel then.</param>
    /// <param name="at">The moment, which the history covers.</param>
    public IReadOnlyDictionary<ulong, ChannelMessage> MessagesIn(ChannelView view, Position at)
    {
        var found = new Dictionary<ulong, ChannelMessage>();
        // The last ones that were published by then: a ring's numbers may begin anew.
        for (int i = Messages.Count - 1; i >= 0 && found.Count < view.Slots.Count; i--)
            if (Messages[i].Published < at && ReferenceEquals(Messages[i].Channel, view.Channel)) found.TryAdd(Messages[i].Number, Messages[i]);
        return found;
    }

    /// <summary>Replays a stretch on all cores. The timeline's cursor stays. A cancelled one throws <see cref="OperationCanceledException"/>.</summary>
    /// <param name="timeline">The recording.</param>
    /// <param name="channels">What is looked at.</param>
    /// <param name="from">The first position that counts.</param>
    /// <param name="before">The first one that does not.</param>
    /// <param name="limit">So many messages, and so many stalls, are kept.</param>
    /// <param name="progress">Of the replay.</param>
    /// <param name="cancellation">Ends it.</param>
    public static ChannelHistory Read(Timeline timeline, GuestChannels channels, Position from, Position before, int limit = DefaultLimit, IProgress<TimelineProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        var tracker = new ChannelTracker(channels, limit);
        timeline.Intervals.RunAll<ChannelEvent>(from, before, () => new ChannelVisitor(channels), e => tracker.Add(e), progress, cancellation);
        return tracker.Finish();
    }
}
