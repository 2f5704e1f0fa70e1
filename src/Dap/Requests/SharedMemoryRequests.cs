using System;
using System.Linq;
using Dap.Protocol;
using Dap.Sessions;
using Dap.Views;
using Introspection.Channels;
using Introspection.Rcu;

namespace Dap.Requests;

/// <summary>
/// Requests of our own about what vCPUs share without locks: read-copy-update and channels; now, what was wrong with them, and going to where something happens to them. All but those that
/// go somewhere, and the one for where readers began, answer at once with what is known.
/// </summary>
internal sealed class SharedMemoryRequests
{
    private readonly Session _session;

    public SharedMemoryRequests(Session session) => _session = session;

    public void AddTo(RequestTable requests)
    {
        requests.Add("ttvm/rcu", () => Answer.Of(new RcuViews(_session).Read(waits: false)));
        requests.Add("ttvm/rcuReaders", () => Answer.Of(new RcuViews(_session).Readers()));
        requests.Add("ttvm/rcuFindings", () => Answer.Of(new RcuViews(_session).Findings()));
        requests.Add<TtvmRcuSeekArguments>("ttvm/rcuSeek", arguments => Seek(arguments).Answer);
        requests.Add("ttvm/channels", () => Answer.Of(new ChannelViews(_session).Read(waits: false)));
        requests.Add("ttvm/channelFindings", () => Answer.Of(new ChannelViews(_session).Findings()));
        requests.Add<TtvmChannelSeekArguments>("ttvm/channelSeek", arguments => Seek(arguments).Answer);
    }

    public Going Seek(TtvmRcuSeekArguments arguments)
    {
        _session.RequireRecording("searching the recording");
        RcuMoment moment = Named<RcuMoment>(arguments.Event, "happens to read-copy-update");
        GuestRcu rcu = _session.Rcu.FindLoaded() ?? throw new RequestException("nothing is known of this guest's read-copy-update");
        ulong? pointer = arguments.Pointer is not { } name ? null
            : rcu.AddressOf(name) ?? _session.Locks.Find().AddressOf(name, _session.Symbols) ?? throw new RequestException($"there is no published pointer, symbol or address '{name}'");
        int? cpu = arguments.ThreadId is { } thread ? _session.CpuOfThread(thread) : null;
        bool isForward = arguments.Reverse != true;
        _session.Activity.Title($"Searching for {Words(moment)}");
        RcuOccurrence? found = new RcuSearch(moment, pointer, cpu).Find(_session.Timeline, rcu, isForward, _session.Activity, _session.Activity.Token);
        return Going.To(_session, Words(moment), isForward, found?.At, found?.CpuIndex, () => new RcuViews(_session).Sentence(moment, found!));
    }

    public Going Seek(TtvmChannelSeekArguments arguments)
    {
        _session.RequireRecording("searching the recording");
        ChannelMoment moment = Named<ChannelMoment>(arguments.Event, "happens to a channel");
        GuestChannels channels = _session.Channels.FindLoaded();
        if (channels.Channels.Count == 0) throw new RequestException("no channel of this guest is known");
        GuestChannel? channel = arguments.Channel is not { } name ? null : channels.Find(name) ?? throw new RequestException($"there is no channel '{name}'; ttvm/channels lists them");
        bool isForward = arguments.Reverse != true;
        _session.Activity.Title($"Searching for {Words(moment)}");
        ChannelOccurrence? found = new ChannelSearch(moment, channel, arguments.Number).Find(_session.Timeline, channels, isForward, _session.Activity, _session.Activity.Token);
        return Going.To(_session, Words(moment), isForward, found?.At, found?.CpuIndex, () => new ChannelViews(_session).Sentence(moment, found!));
    }

    private static T Named<T>(string text, string nothing) where T : struct, Enum
    {
        foreach (T one in Enum.GetValues<T>())
            if (NameOf(one) == text) return one;
        throw new RequestException($"'{text}' is nothing that {nothing}: {string.Join(", ", Enum.GetValues<T>().Select(NameOf))}");
    }

    private static string NameOf<T>(T one) where T : struct, Enum => $"{char.ToLowerInvariant(one.ToString()[0])}{one.ToString()[1..]}";

    private static string Words(RcuMoment moment) => moment switch
    {
        RcuMoment.Publication => "change of a published pointer", RcuMoment.ReaderEnters => "beginning of a critical section", RcuMoment.ReaderLeaves => "end of a critical section",
        RcuMoment.GracePeriodBegins => "beginning of a grace period", RcuMoment.GracePeriodEnds => "end of a grace period", _ => NameOf(moment),
    };

    private static string Words(ChannelMoment moment) => moment switch
    {
        ChannelMoment.FullStall => "stall for want of room", ChannelMoment.EmptyStall => "stall for want of a message", _ => NameOf(moment),
    };
}
