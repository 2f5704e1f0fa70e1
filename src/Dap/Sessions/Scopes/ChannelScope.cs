using System.Collections.Generic;
using System.Linq;
using Dap.Protocol;
using Dap.Views;

namespace Dap.Sessions.Scopes;

/// <summary>Channels in rows.</summary>
internal sealed class ChannelScope(Session session)
{
    public IReadOnlyList<(string Name, string Value)> Rows()
    {
        TtvmChannels channels = new ChannelViews(session).Read();
        var rows = new List<(string, string)>();
        foreach (string one in channels.Problems) rows.Add(("problem", one));
        if (channels.Problem is { } problem) rows.Add(("none", problem));
        foreach (TtvmChannel one in channels.Channels)
        {
            rows.Add((one.Name, Summary(one)));
            foreach (TtvmChannelSlot slot in one.Slots.Where(static slot => slot.IsInFlight).OrderBy(static slot => slot.Sequence))
                rows.Add(($"  message {slot.Sequence}", $"in slot {slot.Index}: {slot.Contents}{(slot.Published is { } at ? $", published at {at}" : "")}"));
        }
        return rows;
    }

    private static string Summary(TtvmChannel one)
    {
        string ends = one.SenderThreadId is { } sender && one.ReceiverThreadId is { } receiver ? $"vCPU {sender - 1} to vCPU {receiver - 1}, " : "";
        string counts = $"{Part(one.Sent, "sent")}{Part(one.Received, "read")}{Part(one.Acknowledged, "acknowledged")}";
        string stalls = $"{Part(one.FullStalls, "times no room")}{Part(one.EmptyStalls, "times no message")}";
        return $"{ends}{one.State}{counts}{(one.Credits is { } credits ? $", credits {credits}" : "")}{stalls}{(one.Problem is { } problem ? $" ({problem})" : "")}";
    }

    private static string Part(ulong? count, string what) => count is { } number ? $", {number} {what}" : "";
}
